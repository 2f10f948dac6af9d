"""Starts and ends the web page."""

from __future__ import annotations

import hmac
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from facegan.app.examples import render_examples
from facegan.app.shared_engine import SharedEngine
from facegan.app.upload_limits import MAX_MEGABYTES
from facegan.errors import InputError
from facegan.inference import Animator

if TYPE_CHECKING:
    from collections.abc import Callable

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


def serve(
    model: str,
    on_ready: Callable[[str], None],
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    password: str | None = None,
    device: str = "cpu",
    engine: str = "torch",
) -> None:
    """Serve the page until the process is told to end; then all its files are deleted.

    Args:
        model: model folder, or owner/name on the hub.
        on_ready: called with the page's URL.
        host: address to listen on.
        port: its port.
        password: what visitors are asked for, or None.
        device: where to compute: cpu, cuda, mps.
        engine: what runs the networks, one of :data:`facegan.inference.engines.ENGINES`.

    Raises:
        InputError: if there is no such model, or the port is in use.
    """
    loaded = Animator.from_pretrained(model, device, engine)
    animator = Animator(SharedEngine(loaded.engine), loaded.name)
    with tempfile.TemporaryDirectory(prefix="facegan-app-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        # gradio, of the extra app, reads it when it is imported.
        os.environ["GRADIO_TEMP_DIR"] = str(folder)
        from starlette.middleware import Middleware

        from facegan.app.page import STYLE, build_page, system_font_theme
        from facegan.app.request_filter import RequestFilter
        from facegan.app.session import SessionManager

        sessions = SessionManager(animator, folder)
        page = build_page(sessions, render_examples(sessions.examples))
        try:
            _, url, _ = page.launch(
                server_name=host,
                server_port=port,
                share=False,
                quiet=True,
                prevent_thread_lock=True,
                footer_links=[],
                run_history=False,
                ssr_mode=False,
                auth=_password_check(password) if password else None,
                auth_message="Any user name is accepted; the password is that of facegan app.",
                max_file_size=f"{MAX_MEGABYTES}mb",
                app_kwargs={
                    "middleware": [Middleware(RequestFilter, folder=folder, on_file=sessions.add_upload)]
                },
                theme=system_font_theme(),
                css_paths=[STYLE],
            )
        except OSError as error:
            address = f"{host}:{port}"
            msg = f"cannot listen on {address}: {error.strerror or error}; choose another --host or --port"
            raise InputError(msg) from error
        try:
            on_ready(url)
            threading.Event().wait()
        finally:
            sessions.close()
            page.close(verbose=False)


def _password_check(password: str) -> Callable[[str, str], bool]:
    """Gradio's list of names and passwords would need a name."""
    return lambda _name, given: hmac.compare_digest(given.encode(), password.encode())
