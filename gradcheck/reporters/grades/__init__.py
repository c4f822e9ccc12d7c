"""Outputs of `gradcheck grade`: each a projection of a Gradebook, escaped for where it goes.

What students may read is decided in one place, `student.py`; every output that a student can get hold of shows that and
nothing else.
"""
