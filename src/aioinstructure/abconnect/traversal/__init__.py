"""Traversals on top of the API: documents in order, replacements of standards, crosswalks."""
