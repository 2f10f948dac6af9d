"""Face geometry: the 68 landmarks, motion parameters, head pose, crops and segmentation labels."""
