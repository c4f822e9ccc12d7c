"""Many processes, or a cluster, that work on a run together; the report is the same without them."""
