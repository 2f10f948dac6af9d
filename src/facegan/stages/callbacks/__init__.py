"""Lightning callbacks of the training stages."""
