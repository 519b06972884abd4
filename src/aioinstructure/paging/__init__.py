"""Lists as typed async iterators: pages, their reader, and cursors. Knows no service."""
