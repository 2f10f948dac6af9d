"""How fast is the live panel?

``python benchmarks/using/live.py --model MODEL`` opens the page in Chromium, whose fake camera shows a drawn
head of 640×480 that moves, and watches for so many seconds how often the picture changes, and how long it
takes from sending a frame of the camera to seeing its result. A result belongs to the newest frame that was
sent before the server began with it, going by the milliseconds that stand below the picture.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from pathlib import Path

import files
import numpy as np
from page import serving, show
from PIL import Image
from playwright.sync_api import sync_playwright

WATCH = """() => {
  window.sent = []; window.seen = [];
  const send = window.fetch;
  window.fetch = (...args) => {
    if (String(args[0]?.url ?? args[0]).includes('/stream/')) window.sent.push(performance.now());
    return send(...args);
  };
  new MutationObserver(() => {
    const found = document.querySelector('#live-said').innerText.match(/(\\d+) ms/);
    if (found) window.seen.push([performance.now(), Number(found[1])]);
  }).observe(document.querySelector('#live-screen'), {subtree: true, childList: true, attributes: true});
}"""


def camera(folder: Path) -> Path:
    """What the fake camera shows."""
    path = folder / "head.mjpeg"
    with path.open("wb") as file:
        for picture in files.heads(48, 480):
            frame = Image.new("RGB", (640, 480), (90, 110, 130))
            frame.paste(Image.fromarray(picture), (80, 0))
            data = io.BytesIO()
            frame.save(data, "JPEG", quality=90)
            file.write(data.getvalue())
    return path


def main() -> None:
    """Prints rate and latency."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--seconds", type=float, default=20)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(given.model) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-video-capture={camera(Path(folder))}",
            ],
        )
        page = browser.new_page()
        page.goto(server.address)
        page.locator("#examples button").first.click()
        page.wait_for_selector("#photograph img")
        page.get_by_role("tab", name="Live").click()
        page.evaluate(WATCH)
        page.locator("#camera [title='grant webcam access'] button").click()
        page.locator("#camera").get_by_role("button", name="capture photo").click()
        page.wait_for_selector("#live-screen img")
        page.wait_for_timeout(1000 * given.seconds)
        sent, seen = page.evaluate("[window.sent, window.seen]")
        browser.close()
    times, server_ms = np.array(seen).T
    sent = np.array(sent)
    whole = [
        at - sent[sent <= at - ms][-1]
        for at, ms in zip(times, server_ms, strict=True)
        if (sent <= at - ms).any()
    ]
    rate = 1000 * (len(times) - 1) / (times[-1] - times[0])
    rows: list[tuple[object, ...]] = [
        ("frames a second", f"{rate:.1f}", ""),
        ("on the server, ms", *(f"{np.percentile(server_ms, q):.0f}" for q in (50, 95))),
        ("from sending to seeing, ms", *(f"{np.percentile(whole, q):.0f}" for q in (50, 95))),
    ]
    show(f"live for {given.seconds:.0f} seconds", ("", "median", "95 %"), rows)


if __name__ == "__main__":
    main()
