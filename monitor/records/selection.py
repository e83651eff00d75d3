"""Which requests are offered for observation, and the ids of those whose caller gave none.

Pure but for the random prefix of a process's ids; knows nothing of bodies or of the tap.
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from monitor.errors import ConfigError


def identifiers() -> Callable[[], bytes]:
    """A source of ids that no other process and no other call gives: a random prefix and a
    count.
    """
    prefix = secrets.token_hex(8).encode()
    numbers = itertools.count(1)
    return lambda: b"%b-%x" % (prefix, next(numbers))


@dataclass(frozen=True, slots=True)
class OverheardSettings:
    """What of HTTP/2 is offered for observation: the relay cannot tell, since fields are packed."""

    max_body_bytes: int = 1 << 20
    paths: tuple[str, ...] = ()
    sample: float = 1.0


class Selection:
    """Tells why a request is not offered: its method, or its path; "" when it is offered.

    A pattern is an exact path; with `*` in it, which stands for anything; or, from `^` on, a
    regular
    expression that is searched for. Queries do not count.

    >>> reason = Selection(["/predict", "/v1/models/*:predict", "^/v2/.*/infer$"])
    >>> [reason(b"POST", path) for path in (b"/predict?x=1", b"/v2/models/m/infer", b"/predicted")]
    ['', '', 'path']
    >>> reason(b"GET", b"/predict")
    'method'
    """

    def __init__(self, patterns: list[str] | tuple[str, ...]) -> None:
        self._paths: list[re.Pattern[bytes]] = []
        for pattern in patterns:
            try:
                self._paths.append(re.compile(_expression(pattern).encode()))
            except re.error as error:
                raise ConfigError([("paths", f"{pattern!r} is no pattern: {error}")]) from None

    def __call__(self, method: bytes, target: bytes) -> str:
        """Why a request is not offered, or ""."""
        if method != b"POST":
            return "method"
        path = target.partition(b"?")[0]
        if self._paths and not any(pattern.search(path) for pattern in self._paths):
            return "path"
        return ""


def _expression(pattern: str) -> str:
    if pattern.startswith("^"):
        return pattern
    return "^" + ".*".join(re.escape(part) for part in pattern.split("*")) + r"\Z"
