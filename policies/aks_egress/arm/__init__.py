"""ARM's shape: ids, resources, documents, and the graph that joins them."""
