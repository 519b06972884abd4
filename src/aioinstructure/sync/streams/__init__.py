"""What can be synced, and how each stream is read. Writes nothing."""
