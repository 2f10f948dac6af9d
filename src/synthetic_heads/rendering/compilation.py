"""Compilation by Numba, without which the package can be imported but not render."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

try:
    from numba import njit
except ImportError:

    def njit(**_options: Any) -> Callable[..., Any]:  # type: ignore[no-redef]
        """Stand in for Numba's decorator: the decorated function says what to install."""

        def fail(*_arguments: Any, **_more: Any) -> NoReturn:
            msg = "rendering synthetic heads needs Numba: pip install 'facegan[synthetic]'"
            raise ModuleNotFoundError(msg, name="numba")

        return lambda _function: fail


__all__ = ["njit"]
