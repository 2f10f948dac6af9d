"""Format of a prepared data set: a folder of Parquet shards, one row a crop, and ``dataset.json``.

Lists have fixed lengths and are stored flat (landmarks 136, mesh 1434), which a reader reshapes without
copying. Coordinates are -1..1 over the crop; the depth of the mesh has the same unit.
"""

from __future__ import annotations

import pyarrow as pa

from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.geometry.motion import NUM_MOTION_PARAMS

FORMAT_VERSION = 2
"""Version of the format; readers refuse others."""
DESCRIPTION_FILE = "dataset.json"
MANIFEST_FILE = "manifest.jsonl"
REPORT_FILE = "report.html"

NUM_MESH_POINTS = 478
NUM_BLENDSHAPES = 52

SCHEMA = pa.schema(
    [
        ("video", pa.string()),
        ("track", pa.int32()),
        ("identity", pa.string()),
        ("split", pa.string()),
        ("frame", pa.int32()),
        ("time", pa.float64()),
        ("fps", pa.float32()),
        ("image", pa.binary()),
        ("segmentation", pa.binary()),
        ("landmarks", pa.list_(pa.float32(), 2 * NUM_LANDMARKS)),
        ("mesh", pa.list_(pa.float32(), 3 * NUM_MESH_POINTS)),
        ("motion", pa.list_(pa.float32(), NUM_MOTION_PARAMS)),
        ("blendshapes", pa.list_(pa.float32(), NUM_BLENDSHAPES)),
        ("confidence", pa.float32()),
        ("crop", pa.list_(pa.float32(), 3)),
    ]
)
"""Columns of a shard. ``time`` in seconds; ``image`` as JPEG; ``segmentation`` as PNG of 0 background,
1 face, 2 hair; ``blendshapes`` NaN where they were not detected; ``crop`` as x, y and side of
:class:`facegan.geometry.crop.Crop`, in pixels of the frame."""
TRACK_SCHEMA = pa.schema([field for field in SCHEMA if field.name not in ("identity", "split")])
"""Columns of a track's own file, written before identities and splits are known."""
