"""Does a hostile file break ``facegan reenact``?

``python benchmarks/using/hostile_commands.py --model M --out DIR`` gives the command the page's hostile
files (``hostile_page.py``) as photograph, driver and background, each in a process of its own: it must
end with a right result, or with one line, exit status 2 and nothing left behind.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import files
from hostile_page import EITHER, RESULT, SENTENCE, Case, cases
from page import show

from facegan.errors import InputError
from facegan.io.images import is_image

SECONDS = 300
OPTIONS = {"photograph": "--source", "driver": "--driving", "background": "--background"}
TOO_MUCH = {
    *("driver: 70 seconds", "driver: 4000 frames", "driver: 8K", "101 MB"),
    *("PNG bomb, 10,000×10,000", "background: PNG bomb"),
}
"""The page refuses them by its limits; a user's own machine may try."""


def main() -> None:
    """Prints what became of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for files and results")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    face = given.out / "face.png"
    face.write_bytes(files.encoded(files.head(), "PNG"))
    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(partial(attempt, given.model, given.out, face), enumerate(cases())))
    show("files", ("file", "exit status", "what was told", ""), rows)
    wrong = sum(bool(row[-1]) for row in rows)
    print(f"{len(rows)} files, {wrong} wrong")
    raise SystemExit(bool(wrong))


def attempt(model: str, out: Path, face: Path, numbered: tuple[int, Case]) -> tuple[str, ...]:
    """A row of the table."""
    number, case = numbered
    folder = out / f"{number:03d}"
    (folder / "result").mkdir(parents=True, exist_ok=True)
    # The last part of the name: a file cannot have the rest, and of that no more than 255 bytes.
    given = folder / (Path(case.name.replace("\\", "/")).name[-100:] or "file")
    given.write_bytes(case.data())
    named = {"photograph": face, "driver": face} | {case.place: given}
    result = folder / "result" / f"made{_suffix(named['driver'])}"
    words = [word for place, path in named.items() for word in (OPTIONS[place], str(path))]
    line = [sys.executable, "-m", "facegan", "reenact", "--model", model, *words, "--out", str(result)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=SECONDS, check=False)
    said = (done.stdout or done.stderr).strip()
    left = [path.name for path in result.parent.iterdir()]
    fault = ""
    if "Traceback" in done.stderr:
        fault = "a trace"
    elif done.returncode == 0 and left != [result.name]:
        fault = f"left {left}"
    elif done.returncode == 2 and (left or done.stderr.strip().count("\n")):
        fault = f"left {left}, or more than a line"
    elif done.returncode not in (0, 2):
        fault = "crashed"
    elif case.right != EITHER and case.title not in TOO_MUCH:
        expected = {RESULT: 0, SENTENCE: 2}[case.right]
        fault = "" if done.returncode == expected else "not as expected"
    return case.title, str(done.returncode), said.replace(str(folder), "…")[:110], fault


def _suffix(driver: Path) -> str:
    try:
        return ".png" if is_image(driver) else ".mp4"
    except InputError:
        return ".png"


if __name__ == "__main__":
    main()
