"""HTTP of the simulator: routes, queries, responses and faults."""
