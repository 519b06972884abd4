"""JSON:API support: resources, included objects, request bodies, facets."""
