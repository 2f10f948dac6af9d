"""A browser as far as the page's server sees one: uploads, events, and every reply kept."""

from __future__ import annotations

import json
import re
import secrets
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    from types import TracebackType

API = "gradio_api/"
PLACES = "|".join(re.escape(str(place)) for place in (Path.home(), Path.cwd()))
LEAK = re.compile(
    rf"Traceback|site-packages|File \"|(?<![\w/])(?:/tmp|/home|/usr|/etc|/var|/opt|{PLACES})/|facegan-app-"
)
"""What no reply may hold: traces, and paths of the server."""
DEFAULTS: dict[str, Any] = {
    "photograph": None,
    "driver-kind": "Video",
    "driving-video": None,
    "driving-picture": None,
    "parts": "All",
    "strength": 1,
    "relative": False,
    "smooth": False,
    "paste-back": False,
    "side-by-side": False,
    "background": "Its own",
    "color": "#3b6ea5",
    "background-picture": None,
    "edit-paste-back": False,
    "camera": None,
    "live-relative": True,
    "live-smooth": True,
}


class Refused(Exception):
    """What the page told instead of a result."""


class Browser:
    """One visit of the page.

    Args:
        address: the page's.

    Attributes:
        replies: every text that the server sent.
    """

    def __init__(self, address: str) -> None:
        self.replies: list[str] = []
        self.session = secrets.token_hex(6)
        self._http = httpx.Client(base_url=address, timeout=600)
        config = self.get("config").json()
        self._names = {part["id"]: part["props"].get("elem_id") for part in config["components"]}
        self._events = config["dependencies"]
        # Tells the server that somebody is there, until it is closed.
        at = httpx.URL(address)
        self._presence = socket.create_connection((at.host, at.port))
        line = f"GET /{API}heartbeat/{self.session} HTTP/1.1\r\nHost: {at.host}:{at.port}\r\n\r\n"
        self._presence.sendall(line.encode())

    def get(self, path: str) -> httpx.Response:
        """Any address of the server."""
        reply = self._http.get(path)
        self._keep(reply)
        return reply

    def post(self, path: str, **content: Any) -> httpx.Response:
        """Any request."""
        reply = self._http.post(path, **content)
        self._keep(reply)
        return reply

    def upload(self, name: str, data: bytes) -> dict[str, Any]:
        """Sends a file as the page does.

        Raises:
            Refused: if the server does not take it.
        """
        reply = self.post(f"{API}upload", files={"files": (name, data)})
        if reply.status_code != httpx.codes.OK:
            raise Refused(reply.text)
        path = reply.json()[0]
        return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    def trigger(self, name: str, event: str, **values: Any) -> list[Any]:
        """Triggers an event of the page.

        Args:
            name: the component's.
            event: for example ``click``.
            values: of components, by name with ``_`` for ``-``, where they are not as on a new page.

        Returns:
            The last outputs.

        Raises:
            Refused: with the sentence that a user would see.
        """
        given = DEFAULTS | {key.replace("_", "-"): value for key, value in values.items()}
        chosen = next(
            one
            for one in self._events
            if any([self._names.get(at), what] == [name, event] for at, what in one["targets"])
        )
        data = [given.get(self._names[part], given.get("sliders", 0)) for part in chosen["inputs"]]
        body = {"data": data, "fn_index": chosen["id"], "session_hash": self.session, "trigger_id": None}
        joined = self.post(f"{API}queue/join", json=body)
        if joined.status_code != httpx.codes.OK:
            raise Refused(_sentence(joined))
        with self._http.stream("GET", f"{API}queue/data", params={"session_hash": self.session}) as stream:
            for line in stream.iter_lines():
                self.replies.append(line)
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                if message["msg"] == "process_completed":
                    if not message["success"]:
                        raise Refused(message["output"].get("error") or "")
                    return list(message["output"]["data"])
                if message["msg"] == "process_streaming":
                    return list(message["output"]["data"])
        raise Refused("")

    def file(self, output: dict[str, Any]) -> bytes:
        """What a file of the page holds."""
        value = output.get("value", output) or output
        reply = self._http.get(f"{API}file={value['path']}")
        reply.raise_for_status()
        return reply.content

    def leaks(self) -> list[str]:
        """What replies told and should not have."""
        return sorted({found[0] for text in self.replies if (found := LEAK.search(text))})

    def close(self) -> None:
        """Leaves the page."""
        self._presence.close()
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _keep(self, reply: httpx.Response) -> None:
        self.replies.append(str(reply.headers))
        if not reply.headers.get("content-type", "").startswith(("image/", "video/")):
            self.replies.append(reply.text)


def _sentence(reply: httpx.Response) -> str:
    with suppress(ValueError, AttributeError):
        return str(reply.json().get("detail"))
    return reply.text
