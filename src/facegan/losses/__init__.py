"""The losses of the paper, and two of the GAN literature beside them, a function each."""

from facegan.losses.adversarial_losses import (
    AdversarialForm,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
)
from facegan.losses.background_losses import mask_norm_loss, mask_smoothness_loss
from facegan.losses.image_losses import (
    perceptual_loss,
    reconstruction_loss,
    segmentation_loss,
    soft_jaccard_loss,
)
from facegan.losses.landmark_losses import (
    action_unit_loss,
    displacement_loss,
    landmark_connectivity_loss,
    landmark_reconstruction_loss,
)

__all__ = [
    "AdversarialForm",
    "action_unit_loss",
    "discriminator_loss",
    "displacement_loss",
    "feature_matching_loss",
    "generator_loss",
    "landmark_connectivity_loss",
    "landmark_reconstruction_loss",
    "mask_norm_loss",
    "mask_smoothness_loss",
    "perceptual_loss",
    "reconstruction_loss",
    "segmentation_loss",
    "soft_jaccard_loss",
]
