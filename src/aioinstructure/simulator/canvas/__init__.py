"""The simulated Canvas: its state and its responses."""
