"""The networks of FACEGAN, and the frozen ones of its losses and metrics."""

from facegan.networks.config import DiscriminatorConfig, GeneratorConfig, MixerConfig, ReenactorConfig
from facegan.networks.discriminator import MultiScaleDiscriminator
from facegan.networks.facegan import FaceGAN, FaceGANConfig, Reenactment
from facegan.networks.generator import CoarseToFineGenerator, GlobalGenerator
from facegan.networks.identity_network import IdentityNetwork
from facegan.networks.landmark_transformer import ActionUnitRegressor, LandmarkTransformer
from facegan.networks.reenactor import (
    BackgroundMixer,
    FaceReenactor,
    MixedImage,
    ReenactedFace,
    mix_background,
    reenact_face,
)
from facegan.networks.vgg import VGGFeatures

__all__ = [
    "ActionUnitRegressor",
    "BackgroundMixer",
    "CoarseToFineGenerator",
    "DiscriminatorConfig",
    "FaceGAN",
    "FaceGANConfig",
    "FaceReenactor",
    "GeneratorConfig",
    "GlobalGenerator",
    "IdentityNetwork",
    "LandmarkTransformer",
    "MixedImage",
    "MixerConfig",
    "MultiScaleDiscriminator",
    "ReenactedFace",
    "Reenactment",
    "ReenactorConfig",
    "VGGFeatures",
    "mix_background",
    "reenact_face",
]
