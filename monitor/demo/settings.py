"""The sidecar's configuration for one run: the example's file with this run's addresses and times.

Pure, but for reading that file; knows no process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

import examples.flights

SECRET_VARIABLE = "DEMO_WEBHOOK_SECRET"  # noqa: S105 - the variable's name, not its value
FILE_SECONDS = 60.0  # the length of replay that the example's file is written for

_PANES = 12
_WINDOW_SHARE = 0.1  # of the replay
_FILLED_SHARE = 0.45  # of the window, before it says anything


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the parts of this run listen; all on loopback."""

    model_port: int
    data_port: int
    control_port: int
    alerts_url: str

    @property
    def model_url(self) -> str:
        """The model server itself."""
        return f"http://127.0.0.1:{self.model_port}"

    @property
    def data_url(self) -> str:
        """The model behind the sidecar."""
        return f"http://127.0.0.1:{self.data_port}"

    @property
    def control_url(self) -> str:
        """The sidecar's own port."""
        return f"http://127.0.0.1:{self.control_port}"


def label_delay_seconds(seconds: float) -> float:
    """How long after its prediction an arrival is posted: some four days of flights."""
    return seconds / 60


def window_seconds(seconds: float) -> float:
    """The current window: a tenth of the replay, some four weeks of flights."""
    return seconds * _WINDOW_SHARE


def run_config(addresses: Addresses, directory: Path, seconds: float, rows: int) -> dict[str, Any]:
    """The example's settings, stretched from FILE_SECONDS to a replay of `rows` in `seconds`."""
    text = files(examples.flights).joinpath("config.yaml").read_text("utf-8")
    example: dict[str, Any] = yaml.safe_load(text)
    pane = _milliseconds(window_seconds(seconds) / _PANES)
    return {
        **example,
        "upstream": addresses.model_url,
        "listen": f"127.0.0.1:{addresses.data_port}",
        "control": f"127.0.0.1:{addresses.control_port}",
        "data_dir": str(directory / "sidelight-data"),
        "reference": str(directory / "reference.json"),
        "window": {
            "pane": f"{pane}ms",
            "size": f"{pane * _PANES}ms",
            # Fewer are a few days of flights, which have other weekdays than three months.
            "min_rows": max(2, round(rows * _WINDOW_SHARE * _FILLED_SHARE)),
        },
        "timeouts": {"drain": "0s"},  # its only client has ended before it
        "alerts": {
            **_stretched(example["alerts"], seconds / FILE_SECONDS),
            "webhooks": [{"url": addresses.alerts_url, "secret": f"${{{SECRET_VARIABLE}}}"}],
            "allow_private": ["127.0.0.1"],
        },
    }


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _stretched(durations: Mapping[str, str], factor: float) -> dict[str, str]:
    """Durations in whole seconds, multiplied.

    >>> _stretched({"for": "2s"}, 0.5)
    {'for': '1000ms'}
    """
    return {
        name: f"{_milliseconds(float(text.removesuffix('s')) * factor)}ms"
        for name, text in durations.items()
    }
