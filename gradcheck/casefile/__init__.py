"""Case files → validated, frozen cases with the place of every field; `loader.load` is the door.

What a case asks for is built and checked elsewhere.
"""
