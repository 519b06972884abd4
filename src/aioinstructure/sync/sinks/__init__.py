"""Sinks: where a sync writes rows, with the checkpoint of each stream."""
