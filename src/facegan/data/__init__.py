"""Reading prepared data: crops, pairs, augmentation."""

from facegan.data.augmentation import Augmentation
from facegan.data.crops import FaceCrops, dataset_info
from facegan.data.pair import Pair, in_floats, read_pair
from facegan.data.pairs import TrainingPairs, ValidationPairs
from facegan.data.sampler import PairSampler
from facegan.data.search import cross_pairs, nearest_motion

__all__ = [
    "Augmentation",
    "FaceCrops",
    "Pair",
    "PairSampler",
    "TrainingPairs",
    "ValidationPairs",
    "cross_pairs",
    "dataset_info",
    "in_floats",
    "nearest_motion",
    "read_pair",
]
