"""Reading prepared data: crops, pairs, augmentation."""

from facegan.data.augmentation import Augmentation
from facegan.data.crops import FaceCrops, dataset_info
from facegan.data.pair import Pair, read_pair
from facegan.data.pairs import TrainingPairs, ValidationPairs
from facegan.data.sampler import PairSampler

__all__ = [
    "Augmentation",
    "FaceCrops",
    "Pair",
    "PairSampler",
    "TrainingPairs",
    "ValidationPairs",
    "dataset_info",
    "read_pair",
]
