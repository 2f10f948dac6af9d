"""ASGI middleware: passes only the requests of the page to gradio and hides the server's paths."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse

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
TEXT_TYPES = ("application/json", "text/event-stream", "text/html", "text/plain")
MAX_BODY = 8_000_000
"""Bytes of a request that is no upload; a camera frame is the largest."""
# gradio's page contains scripts and styles inline.
SECURITY_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; connect-src 'self' data: blob:"
)
HEADERS = {
    "content-security-policy": SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), microphone=(self)",
}


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
                scope = {**scope, "path": FILE + self._resolve(path.removeprefix(FILE))}
            elif scope["method"] == "POST" and path not in FORMS:
                content = self._parse(await _read_body(receive))
                scope, receive = _replace_body(scope, receive, json.dumps(content))
        except FileNotFoundError:
            await PlainTextResponse("There is nothing here.", 404)(scope, receive, send)
        except (ValueError, TypeError, KeyError, RecursionError):
            await PlainTextResponse("This request is not one of the page's.", 400)(scope, receive, send)
        else:
            await self._app(scope, receive, self._hide_folder(send))

    def _parse(self, body: bytes) -> Any:
        """Parse a request, and convert the ``path`` of every file in it.

        Raises:
            FileNotFoundError: if one is not in the folder of uploads.
            ValueError: if it is no JSON.
        """
        files: list[str] = []

        def resolve_file(value: dict[str, Any]) -> dict[str, Any]:
            if isinstance(value.get("path"), str) and value["path"]:
                value["path"] = self._resolve(value["path"])
                files.append(value["path"])
            return value

        content = json.loads(body or b"null", object_hook=resolve_file)
        for file in files:
            self._on_file(str(content["session_hash"]), Path(file))
        return content

    def _resolve(self, path: str) -> str:
        """Convert ``/files/…`` to the file's path.

        Raises:
            FileNotFoundError: if it is not in the folder of uploads.
        """
        parts = PurePosixPath(path).parts
        if parts[:2] != ("/", ALIAS[1:]) or len(parts) < 3 or ".." in parts or "\0" in path:
            raise FileNotFoundError
        return "/".join((self._folder, *parts[2:]))

    def _hide_folder(self, send: Send) -> Send:
        """Replace the folder in texts that are sent, and add the security headers."""
        is_text = False

        async def send_hidden(message: Message) -> None:
            nonlocal is_text
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                is_text = headers.get("content-type", "").startswith(TEXT_TYPES)
                if is_text:
                    del headers["content-length"]  # the alias is shorter than the folder
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
    headers = MutableHeaders(raw=list(scope["headers"]))
    headers["content-length"] = str(len(body))
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_replaced() -> Message:
        return messages.pop() if messages else await receive()

    return {**scope, "headers": headers.raw}, receive_replaced
