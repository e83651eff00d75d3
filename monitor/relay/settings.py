"""The relay's settings: one frozen fact, read from the JSON document that the supervisor writes to
stdin.

Knows nothing of the house's own configuration; the supervisor translates.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from monitor.errors import ConfigError
from monitor.relay.tls import ListenerTls, UpstreamTls


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Every wait on the path has an end, in seconds; a model's answer itself has none."""

    connect: float = 1.0  # to the upstream, for one attempt of two
    header: float = 10.0  # from a request's first byte to its head's last
    client_idle: float = 75.0  # between requests
    upstream_idle: float = 3.0  # in the pool; below any model server's own
    stream_idle: float = 300.0  # between two pieces of a body, or in a tunnel
    drain: float = 10.0  # from SIGTERM to the end of accepting


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """One worker's settings."""

    listen_fd: int  # a bound and listening TCP socket
    upstream_host: str
    upstream_port: int
    upstream_authority: str  # the Host of requests that came without one
    worker: int = 0
    tap_path: str = ""  # the monitor's unix socket; empty: nothing is observed
    paths: tuple[
        str, ...
    ] = ()  # exact, or with `*`, or `^` and a regular expression; none: every POST
    sample: float = 1.0
    max_body_bytes: int = 1 << 20
    queue_bytes: int = 64 << 20
    connections: int = 1024
    timeouts: Timeouts = field(default_factory=Timeouts)
    tls: ListenerTls = field(default_factory=ListenerTls)
    upstream_tls: UpstreamTls = field(default_factory=UpstreamTls)

    @classmethod
    def from_json(cls, text: str | bytes) -> RelaySettings:
        """The settings in a JSON document; ConfigError names every key that is missing, unknown
        or wrong.
        """
        try:
            document = json.loads(text)
        except ValueError as error:
            raise ConfigError([("", f"the relay's settings are not JSON: {error}")]) from None
        if not isinstance(document, dict):
            raise ConfigError([("", "the relay's settings are not a JSON object")])
        faults: list[tuple[str, str]] = []
        below: dict[str, Any] = {}
        for name, kind in _NESTED.items():
            part = document.pop(name, {})
            if isinstance(part, dict):
                below[name] = kind, _checked(kind, part, f"{name}.", faults)
            else:
                faults.append((name, "must be an object"))
        values = _checked(cls, document, "", faults)
        if faults:
            raise ConfigError(faults)
        return cls(**values, **{name: kind(**part) for name, (kind, part) in below.items()})


_NESTED: dict[str, type] = {"timeouts": Timeouts, "tls": ListenerTls, "upstream_tls": UpstreamTls}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_switch(value: object) -> bool:
    return isinstance(value, bool)


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


_KINDS: dict[str, tuple[Callable[[object], bool], str]] = {
    "float": (_is_number, "must be a number from 0"),
    "int": (_is_whole, "must be a whole number from 0"),
    "str": (_is_text, "must be text"),
    "bool": (_is_switch, "must be true or false"),
    "tuple[str, ...]": (_are_texts, "must be a list of texts"),
}


def _checked(
    kind: type, document: dict[str, Any], prefix: str, faults: list[tuple[str, str]]
) -> dict[str, Any]:
    """The values of `document` that `kind` has fields for, checked; whatever is wrong is added
    to `faults`.
    """
    fields = {one.name: one for one in dataclasses.fields(kind) if one.name not in _NESTED}
    values: dict[str, Any] = {}
    for name, value in document.items():
        if name not in fields:
            faults.append((prefix + name, "unknown key"))
            continue
        is_right, otherwise = _KINDS[str(fields[name].type)]
        if is_right(value):
            values[name] = tuple(value) if isinstance(value, list) else value
        else:
            faults.append((prefix + name, otherwise))
    missing = [
        name
        for name, one in fields.items()
        if name not in document
        and one.default is dataclasses.MISSING
        and one.default_factory is dataclasses.MISSING
    ]
    faults.extend((prefix + name, "is required") for name in missing)
    return values
