"""The protocol as pure functions and values. Uses no event loop and no HTTP library."""
