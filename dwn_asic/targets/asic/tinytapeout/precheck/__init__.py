"""Offline check of a Tiny Tapeout repository, and of its layout, against the rules of a submission.

Each rule is a function that raises an error with what is wrong. Rules that need a design-rule deck of the PDK
are named, and reported as not checked.
"""
