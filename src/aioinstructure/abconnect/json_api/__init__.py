"""JSON:API without its scaffolding: resources, what is included, bodies of writes, facets."""
