"""Which edition of the workflows this release has."""

VERSION = "1"
"""Raise it when the steps of a workflow change.

Work begun by workers of another version is left to them. Deletions that those leave behind are
taken up by this version's workers after a moment (`usecases/look_after_deletions.py`).
"""
