"""What stores share: connections to databases."""
