"""How long signing takes and how much memory it needs, by the length of the video (Linux).

``python benchmarks/marks/signing.py --megabytes 20 400``
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
from pathlib import Path
from time import perf_counter

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter, detect_provenance


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[20, 400], help="lengths of the files")
    table = Table("megabytes", "seconds to sign", "memory that it took, megabytes", "then")
    for megabytes in parser.parse_args().megabytes:
        # A process for each, since the peak of one never falls.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            table.add_row(*pool.apply(measure, (megabytes,)))
    Console().print(table)


def measure(megabytes: int) -> tuple[str, ...]:
    """A row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        write(path, megabytes)
        marker = ProvenanceWriter(ProvenanceConfig(), ManifestClaim("model", ("facegan reenact",)))
        before, began = peak(), perf_counter()
        marker.sign(path)
        took, grown = perf_counter() - began, peak() - before
        manifest = detect_provenance(path).manifest
        size = path.stat().st_size / 2**20
        return f"{size:.0f}", f"{took:.1f}", f"{grown:.0f}", manifest.state if manifest else "none"


def write(path: Path, megabytes: int) -> None:
    """A video of noise, which is soon long."""
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    with av.open(path, "w") as container:
        stream = container.add_stream("mjpeg", rate=25, options={"qmin": "1", "qmax": "1"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuvj420p"
        while not path.exists() or path.stat().st_size < megabytes * 2**20:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        container.mux(stream.encode())


def peak() -> float:
    """Megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
