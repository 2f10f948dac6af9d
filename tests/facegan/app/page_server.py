"""The page in a process of its own, and a client that sends what a browser sends."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread

import httpx

API = "gradio_api/"
PLACES = (tempfile.gettempdir(), Path.home(), Path.cwd(), sys.prefix, "/etc", "/usr", "/home")
LEAK = re.compile("|".join([*(re.escape(f"{place}/") for place in PLACES), "Traceback", "site-packages"]))
"""What no reply may contain."""
DEFAULTS = {
    "driving-kind": "Video",
    "only": "All",
    "strength": 1,
    "background": "Original",
    "color": "#3b6ea5",
    **dict.fromkeys(("relative", "smooth", "paste-back", "side-by-side", "edit-paste-back"), False),
    **dict.fromkeys(("live-relative", "live-smooth"), True),
    **dict.fromkeys(("source", "driving-video", "driving-image", "background-image", "camera")),
}
"""Values of the components of a new page by ``elem_id``; sliders are zero."""
CONFIGS: dict[str, dict] = {}
"""The page's configuration by its address; large, and the same for everybody."""


@dataclass(frozen=True)
class Server:
    """A running page."""

    url: str
    temporary: Path

    @property
    def files(self) -> set[str]:
        """Its temporary files without the examples."""
        folder = next(self.temporary.glob("facegan-app-*"))
        return {str(path) for path in folder.rglob("*") if path.is_file() and "examples" not in path.parts}


@contextmanager
def run_server(model, temporary, *options, **environment):
    """Run ``facegan app``; it must exit with 0 and leave no temporary file."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "facegan", "app", "--model", str(model), "--port", str(port), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary), "OMP_NUM_THREADS": "1"} | environment,
    )
    lines: Queue[str | None] = Queue()
    Thread(target=lambda: [*map(lines.put, process.stdout), lines.put(None)], daemon=True).start()
    output = []
    try:
        while (line := lines.get()) is not None and not line.startswith("page: "):
            output.append(line)
        assert line is not None, "".join(output)
        yield Server(line.split()[1], Path(temporary))
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(60)
    assert status == 0
    assert not list(Path(temporary).glob("facegan-app-*"))


class Refused(Exception):
    """The message that the page displays instead of a result."""


class PageClient:
    """One open page; no reply to it may contain a path of the server or a traceback."""

    def __init__(self, url: str) -> None:
        self.session = secrets.token_hex(6)
        self._http = httpx.Client(base_url=url, timeout=120)
        if url not in CONFIGS:
            CONFIGS[url] = self.get("config").json()
        self._names = {part["id"]: part["props"].get("elem_id") for part in CONFIGS[url]["components"]}
        self._events = CONFIGS[url]["dependencies"]
        # The connection tells the server that the page is open.
        address = httpx.URL(url)
        self._heartbeat = socket.create_connection((address.host, address.port))
        request = (
            f"GET /{API}heartbeat/{self.session} HTTP/1.1\r\nHost: {address.host}:{address.port}\r\n\r\n"
        )
        self._heartbeat.sendall(request.encode())

    def get(self, path: str, **options) -> httpx.Response:
        return self._check(self._http.get(path, **options))

    def post(self, path: str, **content) -> httpx.Response:
        return self._check(self._http.post(path, **content))

    def upload(self, name: str, data: bytes) -> dict:
        reply = self.post(f"{API}upload", files={"files": (name, data)})
        if reply.status_code != 200:
            raise Refused(reply.text)
        return {"path": reply.json()[0], "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    def trigger(self, name: str, event: str, **values) -> dict:
        """Trigger an event; values are of components, by ``elem_id`` with ``_`` for ``-``.

        Returns:
            The last outputs, by ``elem_id``.
        """
        given = DEFAULTS | {key.replace("_", "-"): value for key, value in values.items()}
        chosen = next(
            one
            for one in self._events
            if any([self._names.get(target), what] == [name, event] for target, what in one["targets"])
        )
        data = [given.get(self._names[part], given.get("sliders", 0)) for part in chosen["inputs"]]
        body = {"data": data, "fn_index": chosen["id"], "session_hash": self.session}
        joined = self.post(f"{API}queue/join", json=body)
        if joined.status_code != 200:
            raise Refused(joined.text)
        with self._http.stream("GET", f"{API}queue/data", params={"session_hash": self.session}) as stream:
            for line in stream.iter_lines():
                assert not LEAK.search(line), line
                message = json.loads(line[5:]) if line.startswith("data:") else {"msg": None}
                if message["msg"] in ("process_completed", "process_streaming"):
                    if not message["success"]:
                        raise Refused(message["output"]["error"])
                    names = [self._names[part] for part in chosen["outputs"]]
                    return dict(zip(names, message["output"]["data"], strict=False))
        raise AssertionError

    def file(self, output: dict) -> bytes:
        """Content of a file among the outputs."""
        value = output.get("value") or output
        reply = self._http.get(f"{API}file={value['path']}")
        assert reply.status_code == 200
        return reply.content

    def close(self) -> None:
        self._heartbeat.close()
        self._http.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    @staticmethod
    def _check(reply: httpx.Response) -> httpx.Response:
        assert not LEAK.search(str(reply.headers))
        if not reply.headers.get("content-type", "").startswith(("image/", "video/")):
            assert not LEAK.search(reply.text), LEAK.search(reply.text)
        return reply
