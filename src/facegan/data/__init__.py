"""Reading prepared data: crops, pairs, augmentation."""

from facegan.data.augmentation import Augmentation
from facegan.data.crops import FaceCrops, dataset_info
from facegan.data.pairs import Pair, TrainingPairs, ValidationPairs, read_pair

__all__ = [
    "Augmentation",
    "FaceCrops",
    "Pair",
    "TrainingPairs",
    "ValidationPairs",
    "dataset_info",
    "read_pair",
]
