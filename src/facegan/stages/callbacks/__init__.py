"""Lightning callbacks of the training stages: checkpoints, progress bar, images, action-unit grid, video."""
