"""Read prepared data sets: crops, pairs, augmentation."""

from facegan.data.augmentation import Augmentation
from facegan.data.evaluation_pairs import EvaluationPairs
from facegan.data.face_crops import FaceCrops, dataset_info
from facegan.data.face_pair import FacePair, normalize_images, read_pair
from facegan.data.pair_datasets import TrainingPairs, ValidationPairs
from facegan.data.pair_loader import PairLoader
from facegan.data.pair_sampler import PairSampler
from facegan.data.pair_selection import cross_pairs, nearest_motion
from facegan.data.protocol_pairs import PROTOCOL_PAIRS, NumberedPair, ProtocolPairs

__all__ = [
    "PROTOCOL_PAIRS",
    "Augmentation",
    "EvaluationPairs",
    "FaceCrops",
    "FacePair",
    "NumberedPair",
    "PairLoader",
    "PairSampler",
    "ProtocolPairs",
    "TrainingPairs",
    "ValidationPairs",
    "cross_pairs",
    "dataset_info",
    "nearest_motion",
    "normalize_images",
    "read_pair",
]
