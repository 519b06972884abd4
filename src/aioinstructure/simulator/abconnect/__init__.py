"""The simulated AB Connect: its state and its responses."""
