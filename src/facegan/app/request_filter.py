"""What passes between browsers and gradio: only what the page needs, and no path of the server."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALIAS = "/files"
"""What browsers see in place of the folder for temporary files."""
API = "/gradio_api"
FILE = f"{API}/file="
PAGES = ("/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/login", "/logout", "/manifest.json")
FOLDERS = ("/assets/", "/static/", "/svelte/")
CALLS = (
    *("upload", "upload_progress", "queue/join", "queue/data", "cancel", "reset", "startup-events"),
    *("app_id", "login_check", "user", "theme.css"),
)
FORMS = ("/login", f"{API}/upload")
"""What is not sent as JSON."""
PREFIXES = (f"{API}/heartbeat/", f"{API}/stream/")
TEXTS = ("application/json", "text/event-stream", "text/html", "text/plain")
MAX_BODY = 8_000_000
"""Bytes of what is sent apart from uploads: a frame of the camera is the largest of it."""
# gradio's page brings its scripts and styles along and writes some of them into the page.
POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; connect-src 'self' data: blob:"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), microphone=(self)",
}


class RequestFilter:
    """ASGI middleware around gradio's application.

    gradio offers more than the page uses (its API, a proxy, files of other servers), and tells browsers
    the whole path of each temporary file. Here only what the page needs passes, files are called
    ``/files/…``, and the browser is told to load nothing from anywhere else.

    Args:
        app: the application.
        folder: gradio's folder for temporary files.
        keep: told the visit and the file of each that a request names: it may wait long for its turn.
    """

    def __init__(self, app: ASGIApp, folder: Path, keep: Callable[[str, Path], None]) -> None:
        self._app = app
        self._folder = str(folder)
        self._keep = keep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on, or refuses it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if not _is_needed(path):
            await _refuse(send, 404, "There is nothing here.")
            return
        if path.startswith(FILE):
            real = self._real(path.removeprefix(FILE))
            if real is None:
                await _refuse(send, 404, "There is no such file.")
                return
            scope = {**scope, "path": FILE + real, "raw_path": quote(FILE + real, safe="/=").encode()}
        elif scope["method"] == "POST" and path not in FORMS:
            body = await _read(receive)
            translated = None if body is None else self._translate(body)
            if translated is None:
                await _refuse(send, 400, "This request is not one of the page's.")
                return
            scope, receive = _with_body(scope, receive, translated)
        await self._app(scope, receive, _Hiding(send, self._folder))

    def _translate(self, body: bytes) -> bytes | None:
        """A request with the files' real places; None if it names others."""
        try:
            content = json.loads(body) if body else None
            files: list[str] = []
            translated = json.dumps(self._with_places(content, files)).encode()
        except (ValueError, RecursionError):
            return None
        session = content.get("session_hash") if isinstance(content, dict) else None
        if isinstance(session, str):
            for file in files:
                self._keep(session, Path(file))
        return translated

    def _with_places(self, value: Any, files: list[str]) -> Any:
        if isinstance(value, list):
            return [self._with_places(item, files) for item in value]
        if not isinstance(value, dict):
            return value
        value = {key: self._with_places(item, files) for key, item in value.items()}
        if "url" in value and not str(value["url"] or "").startswith("data:image/"):
            # gradio would fetch it.
            del value["url"]
        if isinstance(value.get("path"), str) and value["path"]:
            real = self._real(value["path"])
            if real is None:
                msg = "a file that is not one of the page's"
                raise ValueError(msg)
            value["path"] = real
            files.append(real)
        return value

    def _real(self, path: str) -> str | None:
        """Where a file lies that a browser names; None if it is not in the folder."""
        parts = PurePosixPath(path).parts
        if parts[:2] != ("/", ALIAS[1:]) or len(parts) < 3 or ".." in parts or "\0" in path:
            return None
        return "/".join((self._folder, *parts[2:]))


class _Hiding:
    """Sends replies with the folder's name replaced, and with the headers that keep the page to itself."""

    def __init__(self, send: Send, folder: str) -> None:
        self._send = send
        self._folder = folder.encode()
        self._text = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = {name.lower(): value for name, value in message["headers"]}
            self._text = headers.get(b"content-type", b"").decode("latin-1").startswith(TEXTS)
            kept = [
                (name, value)
                for name, value in message["headers"]
                # The text may get shorter.
                if not (self._text and name.lower() == b"content-length")
            ]
            kept += [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": kept}
        elif message["type"] == "http.response.body" and self._text:
            body = message.get("body", b"").replace(self._folder, ALIAS.encode())
            message = {**message, "body": body}
        await self._send(message)


def _is_needed(path: str) -> bool:
    if path in PAGES or path.startswith((FILE, *FOLDERS, *PREFIXES)):
        return True
    return path.startswith(f"{API}/") and path.removeprefix(f"{API}/") in CALLS


async def _read(receive: Receive) -> bytes | None:
    """The body of a request; None if it is too long or the browser went away."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body"):
            return bytes(body)


def _with_body(scope: Scope, receive: Receive, body: bytes) -> tuple[Scope, Receive]:
    """The request with another body."""
    headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"content-length"]
    headers.append((b"content-length", str(len(body)).encode()))
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return {**scope, "headers": headers}, replay


async def _refuse(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
