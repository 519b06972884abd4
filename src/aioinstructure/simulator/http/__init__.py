"""The simulator's HTTP: routes, queries, responses, faults."""
