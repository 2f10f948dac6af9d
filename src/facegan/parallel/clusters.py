"""Where jobs run: processes of this machine, or those of a cluster that shares its disk."""

from __future__ import annotations

import logging
import os
import re
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import joblib

from facegan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

HOST_AND_PORT = re.compile(r"(?P<host>[^:/]+):(?P<port>\d+)")

Engine = Literal["local", "ray", "dask"]


def start(engine: Engine) -> AbstractContextManager[None]:
    """What joblib does meanwhile, it does there.

    Ray and Dask are found by their own means (``RAY_ADDRESS``, ``DASK_SCHEDULER_ADDRESS``); without an
    address they run on this machine.

    Raises:
        InputError: if the engine is not installed, or does not answer.
    """
    return ENGINES[engine]()


@contextmanager
def _local() -> Iterator[None]:
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        yield


@contextmanager
def _ray() -> Iterator[None]:
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise _missing("ray") from error
    address = os.environ.get("RAY_ADDRESS")
    try:
        if address and (place := HOST_AND_PORT.fullmatch(address)):
            # Where nobody answers, Ray ends the program.
            socket.create_connection((place["host"], int(place["port"])), timeout=5).close()
        ray.init(log_to_driver=False, logging_level=logging.WARNING)
    except (OSError, RuntimeError) as error:
        msg = f"no Ray cluster at {address}: start one, or unset RAY_ADDRESS"
        raise InputError(msg) from error
    # Else it warns that joblib's way of starting processes is not its own.
    logging.getLogger("ray.util.multiprocessing.pool").setLevel(logging.ERROR)
    register_ray()  # type: ignore[no-untyped-call]
    try:
        # A processor each: else Ray puts them all on one machine.
        with joblib.parallel_config("ray", ray_remote_args={"num_cpus": 1}):
            yield
    finally:
        ray.shutdown()


@contextmanager
def _dask() -> Iterator[None]:
    try:
        from distributed import Client
    except ImportError as error:
        raise _missing("dask") from error
    try:
        client = Client()  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError) as error:
        msg = (
            f"no Dask scheduler at {os.environ.get('DASK_SCHEDULER_ADDRESS')}: "
            "start one, or unset DASK_SCHEDULER_ADDRESS"
        )
        raise InputError(msg) from error
    with client, joblib.parallel_config("dask"):
        yield


ENGINES: dict[Engine, Callable[[], AbstractContextManager[None]]] = {
    "local": _local,
    "ray": _ray,
    "dask": _dask,
}


def _missing(engine: str) -> InputError:
    return InputError(f"--engine {engine} needs a package: pip install 'facegan[{engine}]'")
