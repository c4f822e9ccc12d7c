"""The box in which a stranger's Python runs, and from which only arrays come back.

`box.py` opens one; nothing is imported here, for this package is also loaded by the process that becomes the box.
"""
