"""Conversion of JSON to models and back. Independent of services."""
