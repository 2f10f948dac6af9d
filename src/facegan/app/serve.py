"""Starting and ending the web page."""

from __future__ import annotations

import hmac
import threading
from typing import TYPE_CHECKING

from facegan.app import examples
from facegan.app.limits import MAX_MEGABYTES
from facegan.app.request_filter import RequestFilter
from facegan.app.shared_engine import SharedEngine
from facegan.app.temporary_files import Workspace
from facegan.errors import InputError
from facegan.inference import Animator

if TYPE_CHECKING:
    from collections.abc import Callable

LOCAL = ("127.0.0.1", "localhost", "::1")


def serve(
    model: str,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    password: str | None = None,
    device: str = "cpu",
    engine: str = "torch",
    ready: Callable[[str], None],
) -> None:
    """Shows the page until the process is told to end.

    Args:
        model: model folder, or owner/name on the hub.
        host: address to listen at.
        port: its port.
        password: who opens the page is asked for it.
        device: where to compute.
        engine: what runs the networks, one of :data:`facegan.inference.engines.ENGINES`.
        ready: called with the page's address.

    Raises:
        InputError: if there is no such model, or the port is taken.
    """
    loaded = Animator.from_pretrained(model, device, engine)
    animator = Animator(SharedEngine(loaded.engine), loaded.name)
    with Workspace.open() as workspace:
        # gradio makes a folder where temporary files are to be when it is imported.
        from starlette.middleware import Middleware

        from facegan.app.page import STYLE, build, theme
        from facegan.app.session import SessionManager

        studio = SessionManager(animator, workspace)
        page = build(studio, examples.draw(workspace.lasting))
        try:
            _, address, _ = page.launch(
                server_name=host,
                server_port=port,
                share=False,
                quiet=True,
                show_error=False,
                prevent_thread_lock=True,
                inbrowser=False,
                footer_links=[],
                run_history=False,
                enable_monitoring=False,
                ssr_mode=False,
                mcp_server=False,
                pwa=False,
                auth=_checker(password) if password else None,
                auth_message="Any name will do; the password is the one that facegan app was started with.",
                max_file_size=f"{MAX_MEGABYTES}mb",
                allowed_paths=[],
                app_kwargs={
                    "middleware": [Middleware(RequestFilter, folder=workspace.folder, keep=workspace.keep)],
                    "docs_url": None,
                    "redoc_url": None,
                    "openapi_url": None,
                },
                theme=theme(),
                css_paths=[STYLE],
            )
        except OSError as error:
            msg = (
                f"cannot listen at {host}:{port}: {error.strerror or error}; choose another --host or --port"
            )
            raise InputError(msg) from error
        try:
            ready(address)
            threading.Event().wait()
        finally:
            studio.close()
            page.close(verbose=False)


def _checker(password: str) -> Callable[[str, str], bool]:
    return lambda _name, typed: hmac.compare_digest(typed.encode(), password.encode())
