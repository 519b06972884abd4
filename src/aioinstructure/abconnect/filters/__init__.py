"""The filter language of AB Connect: expressions as values, its grammar, the known names."""
