"""``facegan app``."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from facegan.cli.console import echo
from facegan.errors import InputError

VARIABLE = "FACEGAN_PASSWORD"


def app(
    *,
    model: str,
    host: str = "127.0.0.1",
    port: int = 7860,
    password: str | None = None,
    password_file: Path | None = None,
    device: str = "cpu",
    engine: str = "torch",
) -> None:
    """Serve the web page: reenactment by videos, sliders and the camera, until it is interrupted.

    Example:
        facegan app --model runs/model

    Args:
        model: model folder, or owner/name on the hub.
        host: address to listen on; 0.0.0.0 admits other machines.
        port: its port.
        password: ask visitors for it; other users of this machine see it: prefer FACEGAN_PASSWORD.
        password_file: a file whose first line is the password.
        device: where to compute: cpu, cuda, mps.
        engine: what runs the networks: torch, openvino, openvino-bf16, onnx.
    """
    secret = _read_password(password, password_file)
    if find_spec("gradio") is None:
        msg = "the web page needs gradio: pip install 'facegan[app]'"
        raise InputError(msg)
    from facegan.app import LOCAL_HOSTS, serve

    if host not in LOCAL_HOSTS and secret is None:
        sys.stderr.write(
            f"facegan: anybody who reaches {host} can use the page; {VARIABLE} sets a password\n"
        )

    def on_ready(url: str) -> None:
        echo(f"page: {url} (Ctrl-C ends it)")
        sys.stdout.flush()

    # An interrupt is the normal end.
    with suppress(KeyboardInterrupt):
        serve(model, on_ready, host=host, port=port, password=secret, device=device, engine=engine)


def _read_password(given: str | None, file: Path | None) -> str | None:
    if given is not None and file is not None:
        msg = "--password and --password-file exclude each other"
        raise InputError(msg)
    if file is not None:
        try:
            given = next(iter(file.read_text(encoding="utf-8").splitlines()), "")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"cannot read the password in {file}: {error}"
            raise InputError(msg) from error
    if given is None:
        return os.environ.get(VARIABLE) or None
    if not given:
        msg = "the password is empty: choose one, or omit the option"
        raise InputError(msg)
    return given
