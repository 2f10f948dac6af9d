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
    soft_jaccard_loss,
)
from facegan.losses.landmark_losses import (
    action_unit_consistency,
    connectivity,
    displacement_norm,
    landmark_reconstruction,
)

__all__ = [
    "AdversarialForm",
    "action_unit_consistency",
    "connectivity",
    "discriminator_loss",
    "displacement_norm",
    "feature_matching",
    "generator_loss",
    "gradient_penalty",
    "landmark_reconstruction",
    "mask_norm",
    "mask_smoothness",
    "perceptual",
    "reconstruction",
    "segmentation_cross_entropy",
    "soft_jaccard_loss",
]
