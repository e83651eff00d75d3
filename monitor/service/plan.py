"""What the supervisor must know of the processes it runs; standard library only, to stay small."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Process:
    """One child: its module, what it reads on standard input, the descriptors it inherits."""

    name: str
    module: str
    document: dict[str, Any]
    descriptors: tuple[int, ...]
    environment: dict[str, str] = field(default_factory=dict)  # where it inherits nothing else


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the supervisor runs, and how long a drain may take."""

    monitor: Process
    relays: tuple[Process, ...]
    drain_seconds: float

    def to_json(self) -> str:
        """The plan as text, to be handed over an exec."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """The plan that `to_json` wrote."""
        tree = json.loads(text)
        return cls(
            monitor=_process(tree["monitor"]),
            relays=tuple(_process(one) for one in tree["relays"]),
            drain_seconds=tree["drain_seconds"],
        )


def _process(tree: dict[str, Any]) -> Process:
    return Process(**{**tree, "descriptors": tuple(int(fd) for fd in tree["descriptors"])})
