"""Run jobs in worker processes, local or of a Ray cluster."""
