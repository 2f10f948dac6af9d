"""ASGI middleware: passes only the requests of the page to gradio and hides the server's paths."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALIAS = "/files"
"""What browsers see in place of gradio's folder of uploads."""
API = "/gradio_api"
FILE = f"{API}/file="
ROUTES = {
    *("/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/login", "/logout", "/manifest.json"),
    *(
        f"{API}/{name}"
        for name in ("upload", "upload_progress", "queue/join", "queue/data", "cancel", "reset")
    ),
    *(f"{API}/{name}" for name in ("startup-events", "app_id", "login_check", "user", "theme.css")),
}
PREFIXES = ("/assets/", "/static/", "/svelte/", f"{API}/heartbeat/", f"{API}/stream/", FILE)
FORMS = ("/login", f"{API}/upload")
"""Routes whose requests are not JSON."""
TEXT_TYPES = (b"application/json", b"text/event-stream", b"text/html", b"text/plain")
MAX_BODY = 8_000_000
"""Bytes of a request that is no upload; a camera frame is the largest."""
# gradio's page contains scripts and styles inline.
SECURITY_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; connect-src 'self' data: blob:"
)
HEADERS = [
    (b"content-security-policy", SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(self), microphone=(self)"),
]


class RequestFilter:
    """ASGI middleware around gradio's application.

    gradio sends browsers the absolute path of every uploaded file, downloads files that a request names by
    URL, and has no setting that turns off its other routes (API, proxy, deep links) or loads nothing from
    other servers. Here files are called ``/files/…``, requests for other files and routes are refused, and
    a content security policy forbids the browser to load anything from elsewhere.

    Args:
        app: gradio's application.
        folder: gradio's folder of uploads.
        on_file: called with the session and each file that a request names: it may wait long in the queue.
    """

    def __init__(self, app: ASGIApp, folder: Path, on_file: Callable[[str, Path], None]) -> None:
        self._app = app
        self._folder = str(folder)
        self._on_file = on_file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        try:
            if path not in ROUTES and not path.startswith(PREFIXES):
                raise FileNotFoundError
            if path.startswith(FILE):
                file = FILE + self._resolve(path.removeprefix(FILE))
                scope = {**scope, "path": file, "raw_path": quote(file, safe="/=").encode()}
            elif scope["method"] == "POST" and path not in FORMS:
                files: list[str] = []
                content = self._resolve_all(json.loads(await _read_body(receive) or b"null"), files)
                for file in files:
                    self._on_file(str(content["session_hash"]), Path(file))
                scope, receive = _replace_body(scope, receive, json.dumps(content))
        except FileNotFoundError:
            await _refuse(send, 404, "There is nothing here.")
        except (ValueError, TypeError, KeyError, RecursionError):
            await _refuse(send, 400, "This request is not one of the page's.")
        else:
            await self._app(scope, receive, self._hide_folder(send))

    def _resolve(self, path: str) -> str:
        """Convert ``/files/…`` to the file's path.

        Raises:
            FileNotFoundError: if it is not in the folder of uploads.
        """
        parts = PurePosixPath(path).parts
        if parts[:2] != ("/", ALIAS[1:]) or len(parts) < 3 or ".." in parts or "\0" in path:
            raise FileNotFoundError
        return "/".join((self._folder, *parts[2:]))

    def _resolve_all(self, value: Any, files: list[str]) -> Any:
        """Resolve the ``path`` of every file in a request and add it to ``files``.

        Raises:
            ValueError: if one is not in the folder of uploads.
        """
        if isinstance(value, list):
            return [self._resolve_all(item, files) for item in value]
        if not isinstance(value, dict):
            return value
        value = {key: self._resolve_all(item, files) for key, item in value.items()}
        if isinstance(value.get("path"), str) and value["path"]:
            try:
                value["path"] = self._resolve(value["path"])
            except FileNotFoundError as error:
                raise ValueError from error
            files.append(value["path"])
        return value

    def _hide_folder(self, send: Send) -> Send:
        """Replace the folder in texts that are sent, and add the security headers."""
        is_text = False

        async def send_hidden(message: Message) -> None:
            nonlocal is_text
            if message["type"] == "http.response.start":
                headers = [(name.lower(), value) for name, value in message["headers"]]
                is_text = dict(headers).get(b"content-type", b"").startswith(TEXT_TYPES)
                # The alias is shorter than the folder.
                kept = [pair for pair in headers if not (is_text and pair[0] == b"content-length")]
                message = {**message, "headers": kept + HEADERS}
            elif is_text and message["type"] == "http.response.body":
                body = message.get("body", b"").replace(self._folder.encode(), ALIAS.encode())
                message = {**message, "body": body}
            await send(message)

        return send_hidden


async def _read_body(receive: Receive) -> bytes:
    """Read a request.

    Raises:
        ValueError: if it is longer than :data:`MAX_BODY`.
    """
    body, complete = b"", False
    while not complete:
        message = await receive()
        body, complete = body + message.get("body", b""), not message.get("more_body")
        if len(body) > MAX_BODY:
            raise ValueError
    return body


def _replace_body(scope: Scope, receive: Receive, text: str) -> tuple[Scope, Receive]:
    body = text.encode()
    headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"content-length"]
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_replaced() -> Message:
        return messages.pop() if messages else await receive()

    return {**scope, "headers": [*headers, (b"content-length", str(len(body)).encode())]}, receive_replaced


async def _refuse(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
