"""JSON to models and back. Knows no service."""
