"""What every part of the settings tree is made of: durations, addresses, shares, and strictness."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")


def seconds(value: object) -> object:
    """`500ms | 30s | 5m | 1h | 7d` to seconds; numbers are taken as seconds."""
    if isinstance(value, str):
        matched = _DURATION.fullmatch(value.strip())
        if not matched:
            raise ValueError("a duration is a number and a unit, like 500ms, 30s, 5m, 1h or 7d")
        return float(matched[1]) * _UNITS[matched[2]]
    return value


Seconds = Annotated[float, BeforeValidator(seconds), Field(gt=0)]
SecondsOrZero = Annotated[float, BeforeValidator(seconds), Field(ge=0)]
Share = Annotated[float, Field(gt=0, le=1)]
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})


class Settings(BaseModel):
    """Frozen; an unknown key is an error, because a misspelt one silently does nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Address(Settings):
    """A host and port to listen on."""

    host: str
    port: Annotated[int, Field(ge=0, le=65535)]

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in _LOOPBACK or self.host.startswith("127.")


def _address(value: object) -> object:
    if isinstance(value, str):
        host, colon, port = value.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit():
            raise ValueError("an address is HOST:PORT, like 0.0.0.0:8000")
        return {"host": host.strip("[]") or "0.0.0.0", "port": int(port)}  # noqa: S104 - ":8000" means every interface
    return value


ListenAddress = Annotated[Address, BeforeValidator(_address), NoDecode]
