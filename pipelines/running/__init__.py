"""What runs, as people can tell it: kubectl's JSON or lists of image references. Pure.

Keeps references and counts; everything else of a file, environment above all, is dropped while it
is parsed. What the references are in the registry is SQL (`sql/intermediate/reference_matches`).
"""
