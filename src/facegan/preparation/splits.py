"""Splitting a data set by identity, so that nobody is both trained on and tested on."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SPLITS = ("train", "val", "test")
VALIDATION = 0.1
TEST = 0.1


def list_substitutes(split: str) -> tuple[str, ...]:
    """Return a split and those that take its place where it is empty: of ``test`` val, then train."""
    return SPLITS[SPLITS.index(split) :: -1]


def split_identities(
    identities: Iterable[str], seed: int = 0, fixed: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Assigns every identity to ``train`` (80 %), ``val`` (10 %) or ``test`` (10 %).

    The order is that of SHA-256(seed, identity): the same on every machine, and a few identities more
    or less move few of the others. Of three or more, at least one goes to each split; of fewer, all are
    for training.

    Args:
        identities: names; doubles count once.
        seed: another seed, another split.
        fixed: identities whose split the data set prescribes; the shares are those of the others.

    Returns:
        Identity to split.
    """
    fixed = fixed or {}
    names = set(identities)
    order = sorted(names - fixed.keys(), key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
    few = len(order) < len(SPLITS)
    val = 0 if few else max(1, round(VALIDATION * len(order)))
    test = 0 if few else max(1, round(TEST * len(order)))
    chosen = ["val"] * val + ["test"] * test + ["train"] * (len(order) - val - test)
    return {name: fixed[name] for name in sorted(names & fixed.keys())} | dict(
        zip(order, chosen, strict=True)
    )
