"""Does a hostile file or request break the page, or make it talk?

``python benchmarks/using/hostile_page.py --model MODEL`` starts ``facegan app``, sends files through
the page's own upload and requests that the page would never make, and looks at every reply: a sentence or
a right result, no trace, no path of the server. Then an ordinary photograph must still work.
"""

from __future__ import annotations

import argparse
import base64
import io
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import files
import numpy as np
from client import API, Browser, Refused
from page import serving, show
from PIL import Image

from facegan.app.controls import CONTROLS
from facegan.app.messages import UNEXPECTED

if TYPE_CHECKING:
    from collections.abc import Callable

RESULT, SENTENCE, EITHER = "result", "sentence", "either"
SECRET = "root:"
"""How the password file begins."""


@dataclass(frozen=True)
class Case:
    """A file that somebody sends."""

    title: str
    data: Callable[[], bytes]
    name: str
    place: str = "photograph"
    right: str = SENTENCE


def cases() -> list[Case]:
    """All files."""
    face = files.head()
    jpeg, png = files.encoded(face, "JPEG"), files.encoded(face, "PNG")
    alpha = face.copy()
    alpha.putalpha(Image.radial_gradient("L").resize(face.size))
    pages = files.encoded(face, "TIFF", save_all=True, append_images=[face])
    real = Image.fromarray(np.asarray(face.convert("L")).astype(np.float32))
    film = files.film(files.heads(12))
    names = {
        "path out of the folder": "../../../../etc/passwd",
        "path of Windows": "..\\..\\windows\\win.ini.png",
        "absolute path": "/etc/cron.d/job.png",
        "script in the name": "<img src=x onerror=alert(1)>.png",
        "quotes and line ends in the name": "a\"b'c\r\nX-Evil: 1.png",
        "name of 300 letters": "x" * 300 + ".png",
        "hidden name": ".htaccess",
        "name not ASCII": "Zoë 你好 🙂.png",
        "name of a program": "photo.php",
        "no letter in the name": "....",
    }
    photographs = [
        ("empty", lambda: b"", "a.png", SENTENCE),
        ("a text named .png", lambda: b"no picture\n" * 50, "a.png", SENTENCE),
        ("noise named .jpg", lambda: np.random.default_rng(0).bytes(5000), "a.jpg", SENTENCE),
        ("truncated JPEG", lambda: jpeg[: len(jpeg) // 2], "a.jpg", SENTENCE),
        ("truncated PNG", lambda: png[: len(png) // 2], "a.png", SENTENCE),
        ("SVG with a script", lambda: files.SVG, "a.svg", SENTENCE),
        ("SVG named .png", lambda: files.SVG, "a.png", SENTENCE),
        ("HTML named .jpg", lambda: files.HTML, "a.jpg", SENTENCE),
        ("PostScript", lambda: files.POSTSCRIPT, "a.eps", SENTENCE),
        ("PDF", lambda: b"%PDF-1.7\n1 0 obj<<>>endobj\n", "a.pdf", SENTENCE),
        ("ZIP", files.archive, "a.zip", SENTENCE),
        ("PNG bomb, 10,000×10,000", lambda: files.bomb(10_000), "a.png", SENTENCE),
        ("PNG bomb, 30,000×30,000", lambda: files.bomb(30_000), "a.png", SENTENCE),
        ("header of 60,000×60,000", files.boasting, "a.png", SENTENCE),
        ("PNG with 200 MB of packed text", lambda: files.text_bomb(face), "a.png", EITHER),
        ("101 MB", lambda: jpeg + bytes(106_000_000), "a.jpg", SENTENCE),
        ("1×1", lambda: files.encoded(face.resize((1, 1)), "PNG"), "a.png", SENTENCE),
        ("1×30,000", lambda: files.encoded(face.resize((1, 30_000)), "PNG"), "a.png", SENTENCE),
        ("40,000×2", lambda: files.encoded(face.resize((40_000, 2)), "PNG"), "a.png", SENTENCE),
        ("no face", lambda: files.encoded(Image.new("RGB", (300, 300), "teal"), "PNG"), "a.png", SENTENCE),
        ("a video", lambda: film, "a.mp4", SENTENCE),
        ("sound", files.tone, "a.wav", SENTENCE),
        ("HEIC", lambda: files.heic(face), "a.heic", SENTENCE),
        ("TIFF with 32-bit numbers", lambda: files.encoded(real, "TIFF"), "a.tif", SENTENCE),
        ("animated GIF", files.animated, "a.gif", EITHER),
        ("CMYK JPEG", lambda: files.encoded(face.convert("CMYK"), "JPEG"), "a.jpg", RESULT),
        ("JPEG turned by EXIF", lambda: files.rotated(face), "a.jpg", RESULT),
        ("16-bit PNG", lambda: files.sixteen_bits(face), "a.png", RESULT),
        ("PNG with alpha", lambda: files.encoded(alpha, "PNG"), "a.png", RESULT),
        ("gray JPEG", lambda: files.encoded(face.convert("L"), "JPEG"), "a.jpg", RESULT),
        ("palette PNG", lambda: files.encoded(face.convert("P"), "PNG"), "a.png", RESULT),
        ("1-bit PNG", lambda: files.encoded(face.convert("1"), "PNG"), "a.png", EITHER),
        ("WebP", lambda: files.encoded(face, "WEBP"), "a.webp", RESULT),
        ("AVIF", lambda: files.encoded(face, "AVIF"), "a.avif", RESULT),
        ("TIFF of two pages", lambda: pages, "a.tif", RESULT),
        ("BMP", lambda: files.encoded(face, "BMP"), "a.bmp", RESULT),
        ("PNG named .svg", lambda: png, "a.svg", RESULT),
        *((title, lambda: png, name, RESULT) for title, name in names.items()),
    ]
    drivers = [
        ("driver: empty", lambda: b"", "a.mp4", SENTENCE),
        ("driver: a text", lambda: b"no video\n" * 99, "a.mp4", SENTENCE),
        ("driver: truncated", lambda: film[: len(film) // 2], "a.mp4", SENTENCE),
        ("driver: sound alone", files.sound, "a.mp4", SENTENCE),
        ("driver: WAV", files.tone, "a.wav", SENTENCE),
        ("driver: zero frames", files.no_frames, "a.mp4", SENTENCE),
        ("driver: no face", lambda: files.film(files.flat(128, 128, 8)), "a.mp4", SENTENCE),
        ("driver: 70 seconds", lambda: files.film(files.flat(64, 64, 70), 1), "a.mp4", SENTENCE),
        ("driver: 4000 frames", lambda: files.film(files.flat(16, 16, 4000), 1000), "a.mp4", SENTENCE),
        ("driver: 8K", lambda: files.film(files.flat(7680, 4320, 1), codec="mpeg4"), "a.mp4", SENTENCE),
        ("driver: 2×2", lambda: files.film(files.flat(2, 2, 3), codec="mpeg4"), "a.mp4", SENTENCE),
        ("driver: playlist of other files", lambda: files.PLAYLIST, "a.m3u8", SENTENCE),
        ("driver: playlist named .mp4", lambda: files.PLAYLIST, "a.mp4", SENTENCE),
        ("driver: script of FFmpeg", lambda: files.SCRIPT, "a.mp4", SENTENCE),
        ("driver: SVG", lambda: files.SVG, "a.svg", SENTENCE),
        ("driver: PNG bomb", lambda: files.bomb(10_000), "a.png", SENTENCE),
        ("driver: corrupt in the middle", files.corrupt, "a.mp4", EITHER),
        ("driver: animated GIF", files.animated, "a.gif", RESULT),
        ("driver: a picture among the videos", lambda: png, "a.png", RESULT),
        ("driver: AVI", lambda: files.film(files.heads(6), codec="mpeg4", kind="avi"), "a.avi", RESULT),
    ]
    backgrounds = [
        ("background: a text", lambda: b"no picture", "a.png", SENTENCE),
        ("background: PNG bomb", lambda: files.bomb(10_000), "a.png", SENTENCE),
        ("background: SVG", lambda: files.SVG, "a.svg", SENTENCE),
    ]
    return [
        Case(title, data, name, place, right)
        for place, group in (("photograph", photographs), ("driver", drivers), ("background", backgrounds))
        for title, data, name, right in group
    ]


def send(browser: Browser, case: Case, face: dict[str, Any]) -> bytes:
    """What the page makes of it."""
    sent = browser.upload(case.name, case.data())
    if case.place == "photograph":
        return browser.file(browser.trigger("photograph", "change", photograph=sent)[-2])
    if case.place == "driver":
        return browser.file(browser.trigger("move", "click", photograph=face, driving_video=sent)[-1])
    values: dict[str, Any] = {"background": "A picture", "background_picture": sent}
    return browser.file(browser.trigger("background-picture", "change", photograph=face, **values)[0])


def requests(address: str, face: dict[str, Any]) -> list[tuple[str, str]]:
    """Requests that the page never makes, and what was wrong with the answer if anything was."""

    def file(path: str, url: str | None = None) -> dict[str, Any]:
        return {"path": path, "url": url, "orig_name": "a.png", "meta": {"_type": "gradio.FileData"}}

    def photograph(value: Any) -> Callable[[Browser], object]:
        return lambda browser: browser.trigger("photograph", "change", photograph=value)

    def slider(value: Any) -> Callable[[Browser], object]:
        return lambda browser: browser.trigger("slider-AU12", "input", photograph=face, sliders=value)

    def live(value: Any) -> Callable[[Browser], object]:
        return lambda browser: browser.trigger("camera", "stream", photograph=face, camera=value)

    def get(path: str) -> Callable[[Browser], object]:
        return lambda browser: _must_fail(browser.get(path))

    white = Image.new("L", (8000, 8000), 255)
    tricks: dict[str, Callable[[Browser], object]] = {
        "photograph at /etc/passwd": photograph(file("/etc/passwd")),
        "photograph at /files/../../etc/passwd": photograph(file("/files/../../../../etc/passwd")),
        "photograph at another server": photograph(file("http://169.254.169.254/latest")),
        "photograph with another server's address": photograph(file("", "http://127.0.0.1:1/a.png")),
        "photograph with a file: address": photograph(file("", "file:///etc/passwd")),
        "photograph that is a number": photograph(7),
        "slider at 1e9": slider(1e9),
        "slider that is a text": slider("much"),
        "unknown option": lambda b: b.trigger("move", "click", photograph=face, parts="../../etc"),
        "color that is an address": lambda b: b.trigger(
            "color", "change", photograph=face, background="A color", color="url(http://127.0.0.1:1)"
        ),
        "camera sends a text": live({"path": None, "url": "data:image/png;base64,AAAA"}),
        "camera sends 64 megapixels": live(
            {
                "path": None,
                "url": "data:image/png;base64," + base64.b64encode(files.encoded(white, "PNG")).decode(),
            }
        ),
        "body that is no JSON": lambda b: _must_fail(b.post(f"{API}queue/join", content=b"{")),
        "body nested 100,000 times": lambda b: _must_fail(b.post(f"{API}queue/join", content=b"[" * 100_000)),
        "body of 20 MB": lambda b: _must_fail(b.post(f"{API}queue/join", content=bytes(20_000_000))),
        "event that does not exist": lambda b: _must_fail(
            b.post(f"{API}queue/join", json={"data": [], "fn_index": 999, "session_hash": b.session})
        ),
        "upload without a file": lambda b: _must_fail(b.post(f"{API}upload", content=b"--x")),
    }
    for path in (
        *(
            f"{API}file=/etc/passwd",
            f"{API}file=/files/../../../../../etc/passwd",
            f"{API}file=http://127.0.0.1:1/",
        ),
        *(
            f"{API}info",
            f"{API}openapi.json",
            f"{API}proxy=http://127.0.0.1:1/",
            f"{API}deep_link?session_hash=a",
        ),
        *(
            "monitoring",
            "docs",
            f"{API}runs",
            "static/../../../../etc/passwd",
            "assets/..%2f..%2f..%2fetc/passwd",
        ),
        f"{API}file=/files/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    ):
        tricks[f"GET {path}"] = get(path)
    outcomes = []
    for title, trick in tricks.items():
        with Browser(address) as browser:
            try:
                answer = trick(browser)
                told = (
                    "answered" if answer is None or _is_harmless(answer) else f"ANSWERED {str(answer)[:80]}"
                )
            except Refused as refusal:
                told = str(refusal)[:90].replace("\n", " ") or "no text"
            found = browser.leaks() or [SECRET for text in browser.replies if SECRET in text]
        outcomes.append((title, f"LEAK {found}" if found else told))
    return outcomes


def _is_harmless(answer: object) -> bool:
    """A result that was made of values that the page put right, or the camera's sentence."""
    return isinstance(answer, list)


def _must_fail(reply: Any) -> None:
    if reply.status_code < 400:
        raise AssertionError(f"{reply.url} answered {reply.status_code}")
    raise Refused(f"{reply.status_code} {reply.text[:80]}")


def main() -> None:
    """Prints what became of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    given = parser.parse_args()
    rows: list[tuple[object, ...]] = []
    wrong = 0
    began = time.monotonic()
    with serving(given.model) as server, Browser(server.address) as owner:
        face = owner.upload("face.png", files.encoded(files.head(), "PNG"))
        owner.trigger("photograph", "change", photograph=face)
        all_cases = cases()
        for case in all_cases:
            with Browser(server.address) as browser:
                try:
                    made = send(browser, case, face)
                    outcome, told = RESULT, _kind(made)
                except Refused as refusal:
                    outcome, told = SENTENCE, " ".join(str(refusal).split())
                leaks = browser.leaks()
            bad = (
                bool(leaks)
                or (outcome == SENTENCE and (not re.search(r"[a-z]{3} [a-z]", told) or told == UNEXPECTED))
                or (case.right != EITHER and outcome != case.right)
            )
            wrong += bad
            rows.append((case.title, outcome, told[:110].replace("|", "/"), f"WRONG {leaks}" if bad else ""))
        show("files", ("file", "outcome", "what was told", ""), rows)
        tried = requests(server.address, face)
        wrong += sum("LEAK" in told or "ANSWERED" in told for _, told in tried)
        show("requests", ("request", "what was told"), list(tried))
        # It still works, and for as many values as there are sliders.
        outputs = owner.trigger("photograph", "change", photograph=face)
        assert len(outputs) == len(CONTROLS) + 2
        assert Image.open(io.BytesIO(owner.file(outputs[-2]))).size[0] > 0
        traces = sum("Traceback" in line for line in server.log)
        print(f"{len(all_cases)} files and {len(tried)} requests, {wrong} wrong")
        print(f"{traces} traces in the server's log, which nobody but its owner sees")
        print(f"{server.memory():.0f} MB of memory at the most, {time.monotonic() - began:.0f} seconds")
    raise SystemExit(bool(wrong))


def _kind(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "a video"
    return "a picture of {}×{}".format(*Image.open(io.BytesIO(data)).size)


if __name__ == "__main__":
    main()
