import torch
from lightning_fabric.utilities import move_data_to_device
from torch.utils.data import DataLoader, default_collate

from facegan.data import FaceCrops, FacePair, TrainingPairs, read_pair


def test_collate_pair_without_images_keeps_none(prepared):
    pair = read_pair(FaceCrops(prepared, "train"), 0, 12, roles=())
    batch = default_collate([pair, pair])
    assert isinstance(batch, FacePair)
    assert batch.source_landmarks.shape == (2, 68, 2)
    assert batch.source_image is None


def test_collate_pair_with_images_stacks_every_field(prepared):
    batch = next(iter(DataLoader(TrainingPairs(FaceCrops(prepared, "train")), batch_size=3)))
    assert isinstance(batch, FacePair)
    assert [len(value) for value in batch] == [3] * 10
    assert batch.background_image.shape == (3, 3, 64, 64)


def test_move_pair_to_device_moves_every_field():
    pair = FacePair(*torch.zeros(4, 2), source_image=torch.zeros(3, 2, 2))
    moved = move_data_to_device(pair, torch.device("meta"))
    assert isinstance(moved, FacePair)
    assert moved.driving_motion.is_meta
    assert moved.source_image.is_meta
    assert moved.driving_image is None
