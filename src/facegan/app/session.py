"""Sessions: each open page has its own files, source face, background task and camera."""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import threading
from collections import OrderedDict
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from facegan.app.background_task import BackgroundTask
from facegan.app.error_messages import rename_files, replace_paths
from facegan.app.live_reenactor import LiveReenactor
from facegan.app.upload_limits import MAX_FRAMES, MAX_SECONDS, is_uploaded_video, read_source_image
from facegan.errors import InputError
from facegan.inference import edit, reenact
from facegan.io.images import downscale_to_fit, write_image
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter
from facegan.provenance.watermark import embed_watermark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from facegan.app.background_task import OnFrame
    from facegan.app.live_reenactor import LiveFrame
    from facegan.inference import Animator, MotionTransferConfig, ReenactmentSummary, RenderConfig, Source

SOURCE, DRIVING, BACKGROUND = "the source image", "the driving file", "the background"
"""Names of the uploads in messages."""
MAX_SESSIONS = 100
"""Beyond them the session that was idle for longest is closed."""
MAX_SIDE = 2048
"""Of a source image that is edited or animated live, in pixels."""
MAX_EDITS = 3
"""Edited images of a session that are kept."""
PREVIEW_INTERVAL = 0.1
"""Least seconds between two preview frames."""


@dataclass(frozen=True)
class ReenactmentProgress:
    """State of a running reenactment.

    Attributes:
        frame: the newest frame, H×W×3 RGB with the invisible watermark.
        fraction: completed part, 0..1; NaN if the driving video does not declare its duration.
        file: the result, in the last state.
        summary: description of the result, in the last state.
    """

    frame: NDArray[np.uint8] | None
    fraction: float
    file: Path | None = None
    summary: str = ""


class Session:
    """One open page.

    Args:
        animator: the model; its engine must accept calls from several threads.
        folder: for the files of all sessions.

    Attributes:
        uploads: the files that requests of this page named.
    """

    def __init__(self, animator: Animator, folder: Path) -> None:
        self.uploads: set[Path] = set()
        self._animator = animator
        self._folder = folder / secrets.token_hex(16)
        self._source: tuple[Path, Source] | None = None
        self._edits: list[Path] = []
        self._task: BackgroundTask[ReenactmentSummary] | None = None
        self._live: tuple[object, LiveReenactor] | None = None
        self._live_lock = threading.Lock()

    def load_source(self, path: Path | None) -> Source:
        """Detect the face of a source image, once while it stays the same.

        Raises:
            InputError: if there is no image or no face, or the image is too large.
        """
        if path is None:
            msg = f"choose {SOURCE} first"
            raise InputError(msg)
        with self._use({path: SOURCE}):
            if self._source is None or self._source[0] != path:
                image = downscale_to_fit(read_source_image(path), MAX_SIDE)
                self._source = path, self._animator.prepare(image, SOURCE)
            return self._source[1]

    def check_upload(self, path: Path, name: str) -> bool:
        """Return whether an upload is a video, not an image.

        Raises:
            InputError: if it is neither, or too large or too long.
        """
        with self._use({path: name}):
            return is_uploaded_video(path)

    def reenact(
        self, source: Path | None, driving: Path | None, transfer: MotionTransferConfig, render: RenderConfig
    ) -> Iterator[ReenactmentProgress]:
        """Reenact a source image by a driving file: yields preview frames, then the marked file.

        Raises:
            InputError: if a file is missing, unreadable, too large or too long, or shows no face.
            TaskCancelled: after :meth:`stop`.
        """
        self.load_source(source)
        if source is None or driving is None:
            msg = "choose a driving video or image, or record one with the camera"
            raise InputError(msg)
        is_video = self.check_upload(driving, DRIVING)
        names = {source: SOURCE, driving: DRIVING} | self._check_background(render)
        out = self._new_file("facegan.mp4" if is_video else "facegan.png")

        def work(on_frame: OnFrame) -> ReenactmentSummary:
            return reenact(
                self._animator,
                source,
                driving,
                out,
                transfer=transfer,
                render=render,
                progress=False,
                on_frame=_limit_frames(on_frame),
            )

        self._task = task = BackgroundTask(work)
        with self._use(names):
            with closing(task.frames(PREVIEW_INTERVAL)) as frames:
                for image, fraction in frames:
                    yield ReenactmentProgress(embed_watermark(image), fraction)
            summary = replace_paths(task.result.describe(), names | {out: out.name})
            yield ReenactmentProgress(None, 1.0, out, summary)

    def stop(self) -> None:
        """Cancel a running reenactment at its next frame."""
        if self._task:
            self._task.cancel()

    def edit(self, source: Path | None, values: Mapping[str, float], render: RenderConfig) -> Path:
        """Set motion parameters of a source image.

        Args:
            source: the image.
            values: parameter name to value: action units in 0..1, angles in degrees.
            render: what the result shows besides the face.

        Returns:
            A marked PNG file.
        """
        face = self.load_source(source)
        with self._use(self._check_background(render)):
            image = edit(self._animator, face, values, render)
        out = self._new_file("facegan.png")
        claim = ManifestClaim(self._animator.name, ("edit", *render.describe()))
        write_image(out, image, ProvenanceWriter(ProvenanceConfig(), claim))
        self._edits.append(out)
        while len(self._edits) > MAX_EDITS:
            self._edits.pop(0).unlink(missing_ok=True)
        return out

    def animate_frame(
        self,
        source: Path | None,
        image: NDArray[np.uint8],
        transfer: MotionTransferConfig,
        render: RenderConfig,
        arrival: float | None = None,
    ) -> LiveFrame:
        """Compute the result for the next camera frame.

        Args:
            source: the source image.
            image: the camera frame, H×W×3 RGB.
            transfer: how motion is transferred.
            render: what the result shows besides the face.
            arrival: when the frame came in, by ``time.perf_counter``.
        """
        face = self.load_source(source)
        settings = source, transfer, render
        with self._live_lock:
            if self._live is None or self._live[0] != settings:
                self._close_live()
                with self._use(self._check_background(render)):
                    self._live = settings, LiveReenactor(self._animator, face, transfer, render)
            frame = self._live[1](image, arrival)
        return replace(frame, image=embed_watermark(frame.image))

    def stop_live(self) -> None:
        """End live mode; the next camera frame starts anew."""
        with self._live_lock:
            self._close_live()

    def close(self) -> None:
        """Cancel running work and delete the results."""
        self.stop()
        self.stop_live()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _close_live(self) -> None:
        if self._live:
            self._live[1].close()
        self._live = None

    def _new_file(self, name: str) -> Path:
        """A path that others cannot guess: gradio serves a file to whoever knows its address."""
        folder = self._folder / secrets.token_hex(8)
        folder.mkdir(parents=True)
        return folder / name

    def _check_background(self, render: RenderConfig) -> dict[Path, str]:
        """Check a background file; returns its name in messages."""
        if render.background is None or render.background.startswith("#"):
            return {}
        path = Path(render.background)
        self.check_upload(path, BACKGROUND)
        return {path: BACKGROUND}

    @contextmanager
    def _use(self, names: Mapping[Path, str]) -> Iterator[None]:
        """Mark uploads as used now, and name them in errors."""
        with rename_files(names):
            for path, name in names.items():
                try:
                    os.utime(path)  # gradio deletes by age
                except OSError as error:
                    msg = f"{name} is no longer on the server: choose it again"
                    raise InputError(msg) from error
            yield


def _limit_frames(on_frame: OnFrame) -> OnFrame:
    """Raise InputError at more than :data:`MAX_FRAMES`: the duration that a file declares may be wrong."""
    numbers = itertools.count(1)

    def limited(image: NDArray[np.uint8], fraction: float) -> None:
        if next(numbers) > MAX_FRAMES:
            msg = f"{DRIVING} is too long: cut it to {MAX_SECONDS} seconds"
            raise InputError(msg)
        on_frame(image, fraction)

    return limited


class SessionManager:
    """The sessions of all open pages.

    ``gr.State`` would keep a session for an hour after its page is closed. gradio's ``delete_cache``
    deletes uploads at a fixed age, not with their page.

    Args:
        animator: the model; its engine must accept calls from several threads.
        folder: gradio's folder of uploads; results are stored there too.

    Attributes:
        examples: a folder for files that belong to no session.
    """

    def __init__(self, animator: Animator, folder: Path) -> None:
        self.examples = folder / "examples"
        self.examples.mkdir()
        self._animator, self._folder = animator, folder
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, identifier: str | None) -> Session:
        """Return the session of a page, by ``gr.Request.session_hash``; the first call creates it."""
        key, oldest = str(identifier), None
        with self._lock:
            if key not in self._sessions:
                self._sessions[key] = Session(self._animator, self._folder)
            self._sessions.move_to_end(key)
            if len(self._sessions) > MAX_SESSIONS:
                _, oldest = self._sessions.popitem(last=False)
            session = self._sessions[key]
        if oldest:
            oldest.close()
        return session

    def add_upload(self, identifier: str, path: Path) -> None:
        """Note that a page uses an upload."""
        if not path.is_relative_to(self.examples):
            self.get(identifier).uploads.add(path)

    def close_session(self, identifier: str | None) -> None:
        """Cancel the work of a session and delete its files.

        gradio stores equal uploads once: those that other sessions use too are kept.
        """
        with self._lock:
            session = self._sessions.pop(str(identifier), None)
            others = set().union(*(other.uploads for other in self._sessions.values()))
        if session is None:
            return
        session.close()
        for path in session.uploads - others:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # equal content under another name
                path.parent.rmdir()

    def close(self) -> None:
        """Close all sessions."""
        for identifier in list(self._sessions):
            self.close_session(identifier)
