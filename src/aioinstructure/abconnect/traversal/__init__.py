"""Reads above the API: documents in order, what replaces standards, and matches elsewhere."""
