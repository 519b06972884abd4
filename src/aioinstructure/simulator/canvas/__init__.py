"""The simulated Canvas: its state and its answers."""
