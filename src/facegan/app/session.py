"""The work behind the page, for any number of visits at once."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from facegan.app import limits
from facegan.app.background_task import BackgroundTask
from facegan.app.live import LiveFace
from facegan.app.messages import naming, rename
from facegan.errors import InputError
from facegan.inference import RenderConfig, edit, reenact
from facegan.io.images import downscale_to_fit, write_image
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from facegan.app.live import LiveFrame
    from facegan.app.temporary_files import Workspace
    from facegan.inference import Animator, MotionTransferConfig, Source, Summary

PHOTOGRAPH, DRIVER, BACKGROUND = "the photograph", "the driver", "the background"
"""What errors call the three files."""
MAX_VISITS = 100
"""Visits whose faces are kept in memory; then that of the one that was quiet for longest goes."""
MAX_SIDE = 2048
"""Of a photograph that is edited or live, in pixels."""
KEPT_EDITS = 3
PAUSE = 0.1
"""Seconds between two frames that are shown while a result is made."""


@dataclass
class Session:
    """One opened page."""

    session: str
    photograph: Path | None = None
    source: Source | None = None
    edits: list[Path] = field(default_factory=list)
    live: LiveFace | None = None
    live_settings: object = None
    job: BackgroundTask[Summary] | None = None
    turn: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Moved:
    """Where the work stands."""

    frame: NDArray[np.uint8] | None
    """The newest one, H×W×3, with the invisible mark."""
    share: float
    """How much is done, 0..1; NaN if nobody knows."""
    file: Path | None = None
    """The result, in the end."""
    words: str = ""
    """What there is to say about it, in the end."""


class SessionManager:
    """Moves photographs.

    Args:
        animator: the model; its engine must take calls from several threads.
        workspace: for all files.
        marks: which marks the results get.
    """

    def __init__(
        self, animator: Animator, workspace: Workspace, marks: ProvenanceConfig | None = None
    ) -> None:
        self.animator = animator
        self.workspace = workspace
        self._marks = marks or ProvenanceConfig()
        self._visits: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def look_at(self, session: str, photograph: Path | None) -> Source:
        """The face in a photograph.

        Raises:
            InputError: if there is none, or the file is no picture or too large.
        """
        if photograph is None:
            msg = f"choose {PHOTOGRAPH} first"
            raise InputError(msg)
        visit = self._visit(session)
        with self._naming(session, {photograph: PHOTOGRAPH}):
            if visit.photograph != photograph or visit.source is None:
                image = downscale_to_fit(limits.read_upload(photograph), MAX_SIDE)
                visit.source, visit.photograph = self.animator.prepare(image, PHOTOGRAPH), photograph
            return visit.source

    def check(self, session: str, file: Path, name: str) -> None:
        """Raises InputError for a driver or a background that is no picture or video, or too large."""
        with self._naming(session, {file: name}):
            limits.check_driver(file)

    def move(
        self,
        session: str,
        photograph: Path | None,
        driver: Path | None,
        control: MotionTransferConfig,
        look: RenderConfig,
    ) -> Iterator[Moved]:
        """Moves a photograph as a driver moves; the newest frame again and again, then the file.

        Raises:
            InputError: if a file is missing, unreadable, too large, or shows no face.
        """
        self.look_at(session, photograph)
        if photograph is None or driver is None:
            msg = "choose a driver: a video or a picture of the face to follow, or record one with the camera"
            raise InputError(msg)
        files = {photograph: PHOTOGRAPH, driver: DRIVER} | _background_file(look)
        self._check_background(session, look)
        with self._naming(session, files):
            is_video = limits.check_driver(driver)
            out = self.workspace.new(session, "facegan.mp4" if is_video else "facegan.png")
            marker = self._marker("preview")
            job = BackgroundTask(
                lambda on_frame: reenact(
                    self.animator,
                    photograph,
                    driver,
                    out,
                    control=control,
                    look=look,
                    marks=self._marks,
                    progress=False,
                    on_frame=on_frame,
                ),
                limits.MAX_FRAMES,
                InputError(f"{DRIVER} is too long: cut it to {limits.MAX_SECONDS} seconds"),
            )
            visit = self._visit(session)
            visit.job = job
            try:
                with closing(job.frames(PAUSE)) as frames:
                    for image, share in frames:
                        yield Moved(marker.mark(image), share)
                words = job.result.describe().removeprefix(f"{out}: ")
                yield Moved(None, 1.0, out, rename(words, files))
            finally:
                visit.job = None
                if not out.exists():
                    self.workspace.drop(session, out)

    def stop(self, session: str) -> None:
        """Ends what :meth:`move` makes for this visit."""
        job = self._visit(session).job
        if job:
            job.stop()

    def edit(
        self, session: str, photograph: Path | None, values: Mapping[str, float], look: RenderConfig
    ) -> Path:
        """Sets the 20 numbers of a photographed face.

        Args:
            session: whose visit.
            photograph: the file.
            values: name to value: action units as 0..1, angles in degrees.
            look: what is behind the head and around it.

        Returns:
            A PNG file, marked.
        """
        source = self.look_at(session, photograph)
        self._check_background(session, look)
        with self._naming(session, _background_file(look)):
            image = edit(self.animator, source, values, look)
        out = self.workspace.new(session, "facegan.png")
        write_image(out, image, self._marker("edit", *look.describe()))
        edits = self._visit(session).edits
        edits.append(out)
        while len(edits) > KEPT_EDITS:
            self.workspace.drop(session, edits.pop(0))
        return out

    def live(
        self,
        session: str,
        photograph: Path | None,
        image: NDArray[np.uint8],
        control: MotionTransferConfig,
        look: RenderConfig,
        began: float | None = None,
    ) -> LiveFrame:
        """The next frame of the camera.

        Args:
            session: whose visit.
            photograph: the file.
            image: the frame, H×W×3 RGB.
            control: how it moves.
            look: what is behind the head.
            began: when the frame came in, by the performance counter.
        """
        source = self.look_at(session, photograph)
        visit = self._visit(session)
        settings = photograph, control, look
        with visit.turn:
            if visit.live is None or visit.live_settings != settings:
                self._end_live(visit)
                self._check_background(session, look)
                with self._naming(session, _background_file(look)):
                    visit.live = LiveFace(self.animator, source, control, look)
                visit.live_settings = settings
            shot = visit.live(image, began)
        return replace(
            shot, image=self._marker("live", *control.describe(), *look.describe()).mark(shot.image)
        )

    def end_live(self, session: str) -> None:
        """The camera is off: the next frame begins anew."""
        visit = self._visit(session)
        with visit.turn:
            self._end_live(visit)

    def end(self, session: str) -> None:
        """The page was closed: its work ends and its files are removed."""
        self._forget(session)
        self.workspace.end(session)

    def close(self) -> None:
        """Ends all visits."""
        for session in list(self._visits):
            self.end(session)

    def _marker(self, *actions: str) -> ProvenanceWriter:
        return ProvenanceWriter(self._marks, ManifestClaim(self.animator.name, actions))

    def _visit(self, session: str) -> Session:
        with self._lock:
            visit = self._visits.setdefault(session, Session(session))
            self._visits.move_to_end(session)
            oldest = next(iter(self._visits)) if len(self._visits) > MAX_VISITS else None
        if oldest:
            self._forget(oldest)
        return visit

    def _forget(self, session: str) -> None:
        """Ends a visit's work; its files stay, and are looked at anew if it goes on."""
        with self._lock:
            visit = self._visits.pop(session, None)
        if visit:
            if visit.job:
                visit.job.stop()
            with visit.turn:
                self._end_live(visit)

    def _check_background(self, session: str, look: RenderConfig) -> None:
        for file, name in _background_file(look).items():
            self.check(session, file, name)

    @staticmethod
    def _end_live(visit: Session) -> None:
        if visit.live:
            visit.live.close()
        visit.live = visit.live_settings = None

    @contextmanager
    def _naming(self, session: str, files: Mapping[Path, str]) -> Iterator[None]:
        """Notes that the visit uses these files, and calls them by these names in errors."""
        with naming(files):
            for path, name in files.items():
                if not path.is_file():
                    msg = f"{name} is no longer on the server: choose it again"
                    raise InputError(msg)
                self.workspace.keep(session, path)
            yield


def percent(share: float) -> str:
    """The share in words, nothing if it is unknown."""
    return "" if math.isnan(share) else f"{min(100, round(100 * share))} %"


def _background_file(look: RenderConfig) -> dict[Path, str]:
    """The background, if it is a file."""
    if look.background is None or look.background.startswith("#"):
        return {}
    return {Path(look.background): BACKGROUND}
