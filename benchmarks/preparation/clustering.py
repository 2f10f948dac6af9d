"""Are the people that ``--cluster`` finds the people that there are?

``python benchmarks/preparation/clustering.py --source VIDEOS --people CSV --out DIR`` prepares the videos,
names their tracks by their faces, and compares with the columns ``file`` and ``person`` of the CSV. With
``--data`` it takes a data set of these videos in place of preparing one.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from shared import show, start, wait

from facegan.data import FaceCrops
from facegan.perception import IdentityEmbedder
from facegan.preparation.crop_tracks import RECOGNISED
from facegan.preparation.identity_clustering import DISTANCE, cluster_identities

DISTANCES = sorted({0.02, 0.03, 0.04, 0.045, DISTANCE, 0.055, 0.06, 0.07, 0.08, 0.1})


def main() -> None:
    """Prints purity and completeness by the distance up to which tracks are one person's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, help="folder of videos")
    parser.add_argument("--people", type=Path, required=True, help="CSV with the columns file and person")
    parser.add_argument("--out", type=Path, help="folder for the data set")
    parser.add_argument("--data", type=Path, help="a data set of these videos, in place of source and out")
    given = parser.parse_args()
    if given.data is None:
        if given.source is None or given.out is None:
            parser.error("name --source and --out, or --data")
        said, status, _ = wait(start(given.source, given.out, "--cluster", "--overwrite"))
        if not (given.out / "dataset.json").is_file():
            raise SystemExit(f"exit status {status}: {said}")
    with given.people.open(newline="", encoding="utf-8") as file:
        person = {Path(row["file"]).stem: row["person"] for row in csv.DictReader(file)}
    crops = FaceCrops(given.data or given.out, None)
    embeddings = embed(crops)
    truth = {name: person[Path(name.rpartition("#")[0]).name] for name in embeddings}
    rows = []
    for distance in DISTANCES:
        found = cluster_identities(embeddings, distance)
        purity, completeness = agreement(found, truth), agreement(truth, found)
        mark = "default" if distance == DISTANCE else ""
        rows.append((distance, len(set(found.values())), f"{purity:.3f}", f"{completeness:.3f}", mark))
    title = f"{len(truth)} tracks of {len(set(truth.values()))} people"
    show(title, ("distance", "people found", "purity", "completeness", ""), rows)


@torch.inference_mode()
def embed(crops: FaceCrops) -> dict[str, list[float]]:
    """Of each track, ``video#track``, the mean embedding of the crops that a preparation embeds."""
    embedder = IdentityEmbedder()
    embeddings = {}
    for track in range(crops.track.max() + 1):
        rows = np.flatnonzero(crops.track == track)
        rows = rows[np.argsort(crops.frame[rows])]
        picked = rows[[number for number in RECOGNISED if number < len(rows)]]
        pictures = torch.stack([crops.picture(int(row)) for row in picked])
        points = torch.from_numpy(crops.landmarks[picked])
        embeddings[f"{crops.video[rows[0]]}#{track}"] = embedder(pictures, points).mean(0).tolist()
    return embeddings


def agreement(groups: dict[str, str], others: dict[str, str]) -> float:
    """Share of the tracks whose group is, for the most part, of their group among the others."""
    pairs = Counter((groups[name], others[name]) for name in groups)
    most: dict[str, int] = {}
    for (group, _), count in pairs.items():
        most[group] = max(most.get(group, 0), count)
    return sum(most.values()) / len(groups)


if __name__ == "__main__":
    main()
