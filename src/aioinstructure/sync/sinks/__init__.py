"""Where rows are written to. Each keeps the checkpoint of a stream beside its rows."""
