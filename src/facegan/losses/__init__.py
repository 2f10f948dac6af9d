"""The equations of the paper, and two that GANs like it add, a function each."""

from facegan.losses.adversarial_losses import (
    AdversarialForm,
    discriminator_loss,
    feature_matching,
    generator_loss,
    gradient_penalty,
)
from facegan.losses.background_losses import mask_norm, mask_smoothness
from facegan.losses.image_losses import (
    perceptual,
    reconstruction,
    segmentation_cross_entropy,
    segmentation_overlap,
)
from facegan.losses.landmark_losses import (
    action_unit_consistency,
    connectivity,
    landmark_reconstruction,
    movement_norm,
)

__all__ = [
    "AdversarialForm",
    "action_unit_consistency",
    "connectivity",
    "discriminator_loss",
    "feature_matching",
    "generator_loss",
    "gradient_penalty",
    "landmark_reconstruction",
    "mask_norm",
    "mask_smoothness",
    "movement_norm",
    "perceptual",
    "reconstruction",
    "segmentation_cross_entropy",
    "segmentation_overlap",
]
