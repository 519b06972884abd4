"""The filter language of AB Connect: expressions, grammar and known names."""
