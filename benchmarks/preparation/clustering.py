"""Purity and completeness of clustered identities by the distance at which clusters are merged.

``python benchmarks/preparation/clustering.py --videos DIR --identities people.csv --out DIR``
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from facegan.data import FaceCrops
from facegan.preparation import find_videos, prepare_videos
from facegan.preparation.crop_tracks import EMBEDDED_CROPS
from facegan.preparation.identity_clustering import TrackEmbedder, cluster_identities

DISTANCES = (0.02, 0.03, 0.04, 0.045, 0.05, 0.055, 0.06, 0.07, 0.08, 0.1)


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=Path, required=True, help="folder of videos")
    parser.add_argument("--identities", type=Path, required=True, help="CSV with columns file and identity")
    parser.add_argument("--out", type=Path, required=True, help="folder for the data set")
    options = parser.parse_args()
    prepare_videos(find_videos(options.videos, options.identities), options.out, overwrite=True)
    crops = FaceCrops(options.out)
    embeddings, identities = {}, {}
    embedder = TrackEmbedder()
    for track in range(crops.track.max() + 1):
        rows = np.flatnonzero(crops.track == track)
        rows = rows[np.argsort(crops.frame[rows])]
        for row in (rows[number] for number in EMBEDDED_CROPS if number < len(rows)):
            embedder.add(track, crops.image(int(row)), crops.landmarks[row])
        embeddings[str(track)] = embedder.mean_embedding(track)
        identities[str(track)] = str(crops.identity[rows[0]])
    print(f"{len(identities)} tracks of {len(set(identities.values()))} identities\n")
    print("| distance | identities found | purity | completeness |\n|---|---|---|---|")
    for distance in DISTANCES:
        clusters = cluster_identities(embeddings, distance)
        purity, completeness = compute_purity(clusters, identities), compute_purity(identities, clusters)
        print(f"| {distance} | {len(set(clusters.values()))} | {purity:.3f} | {completeness:.3f} |")


def compute_purity(clusters: dict[str, str], classes: dict[str, str]) -> float:
    """Compute the fraction of tracks that belong to the most frequent class of their cluster."""
    pairs = Counter((clusters[track], classes[track]) for track in clusters)
    largest: dict[str, int] = {}
    for (cluster, _), count in pairs.items():
        largest[cluster] = max(largest.get(cluster, 0), count)
    return sum(largest.values()) / len(clusters)


if __name__ == "__main__":
    main()
