"""Measure how well clustered identities agree with the true ones, for several distances.

``python benchmarks/preparation/clustering.py --source VIDEOS --people people.csv --out DIR``
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from facegan.data import FaceCrops
from facegan.perception import IdentityEmbedder
from facegan.preparation import find_videos, prepare_videos
from facegan.preparation.crop_tracks import EMBEDDED_CROPS
from facegan.preparation.identity_clustering import MAX_DISTANCE, cluster_identities

DISTANCES = sorted({0.02, 0.03, 0.04, 0.045, MAX_DISTANCE, 0.055, 0.06, 0.07, 0.08, 0.1})


def main() -> None:
    """Print purity and completeness for each distance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="folder of videos")
    parser.add_argument("--people", type=Path, required=True, help="CSV with the columns file and person")
    parser.add_argument("--out", type=Path, required=True, help="folder for the data set")
    given = parser.parse_args()
    prepare_videos(find_videos(given.source), given.out, overwrite=True)
    with given.people.open(newline="", encoding="utf-8") as file:
        person = {Path(row["file"]).stem: row["person"] for row in csv.DictReader(file)}
    embeddings = embed_tracks(FaceCrops(given.out))
    truth = {name: person[Path(name.rpartition("#")[0]).name] for name in embeddings}
    print(f"{len(truth)} tracks of {len(set(truth.values()))} people")
    print("distance, identities found, purity, completeness")
    for distance in DISTANCES:
        found = cluster_identities(embeddings, distance)
        purity, completeness = compute_purity(found, truth), compute_purity(truth, found)
        print(f"{distance}, {len(set(found.values()))}, {purity:.3f}, {completeness:.3f}")


@torch.inference_mode()
def embed_tracks(crops: FaceCrops) -> dict[str, list[float]]:
    """Compute the mean embedding of each track, ``video#track``, from the crops that a preparation embeds."""
    embedder = IdentityEmbedder()
    embeddings = {}
    for track in range(crops.track.max() + 1):
        rows = np.flatnonzero(crops.track == track)
        rows = rows[np.argsort(crops.frame[rows])]
        chosen = rows[[number for number in EMBEDDED_CROPS if number < len(rows)]]
        images = torch.stack([crops.picture(int(row)) for row in chosen])
        points = torch.from_numpy(crops.landmarks[chosen])
        embeddings[f"{crops.video[rows[0]]}#{track}"] = embedder(images, points).mean(0).tolist()
    return embeddings


def compute_purity(clusters: dict[str, str], classes: dict[str, str]) -> float:
    """Compute the share of the tracks that belong to the most frequent class of their cluster."""
    pairs = Counter((clusters[name], classes[name]) for name in clusters)
    largest: dict[str, int] = {}
    for (cluster, _), count in pairs.items():
        largest[cluster] = max(largest.get(cluster, 0), count)
    return sum(largest.values()) / len(clusters)


if __name__ == "__main__":
    main()
