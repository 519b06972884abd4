"""The pure protocol: bytes and values in, values or errors out. No event loop, no HTTP library."""
