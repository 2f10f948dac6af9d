"""Worker processes, local or of a cluster."""
