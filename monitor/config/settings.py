"""The frozen settings tree: names, types, defaults and bounds; it knows nothing of what they do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})


def _seconds(value: object) -> object:
    """`500ms | 30s | 5m | 1h | 7d` to seconds; numbers are taken as seconds."""
    if isinstance(value, str):
        matched = _DURATION.fullmatch(value.strip())
        if not matched:
            raise ValueError("a duration is a number and a unit, like 500ms, 30s, 5m, 1h or 7d")
        return float(matched[1]) * _UNITS[matched[2]]
    return value


Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0)]
SecondsOrZero = Annotated[float, BeforeValidator(_seconds), Field(ge=0)]
Share = Annotated[float, Field(gt=0, le=1)]

Task = Literal["regression", "binary", "multiclass"]
Method = Literal["psi", "js", "wasserstein", "ks", "chi2"]


class _Settings(BaseModel):
    """Frozen; an unknown key is an error, because a misspelt one silently does nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class ModelSettings(_Settings):
    """Which model this is; `name` and `version` are on every series and alert."""

    name: str = "model"
    version: str = "1"
    task: Task | None = None  # default: from the reference, else from the predictions


class ObserveSettings(_Settings):
    """What is looked at, and how it is read."""

    format: str = "auto"
    paths: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    inputs: str | None = None
    outputs: str | None = None
    probabilities: str | None = None
    prediction_id: str | None = None
    sample: Annotated[float, Field(ge=0, le=1)] = 1.0
    max_body_bytes: Annotated[int, Field(gt=0)] = 1 << 20


class WindowSettings(_Settings):
    """The current window: a ring of panes."""

    size: Seconds = 3600.0
    pane: Seconds = 60.0
    min_rows: Annotated[int, Field(ge=2)] = 100

    @model_validator(mode="after")
    def _panes_fill_the_window(self) -> WindowSettings:
        panes = self.size / self.pane
        if abs(panes - round(panes)) > 1e-9 or panes < 1:
            raise ValueError("size must be a whole number of panes")
        if panes > 10_000:
            raise ValueError("at most 10,000 panes in a window; a longer pane will do")
        return self


class ColumnDriftSettings(_Settings):
    """One column's own rule: `drift` from `threshold` of `method` on, instead of the budget."""

    method: Method | None = None
    threshold: Annotated[float, Field(gt=0)] | None = None


class DriftSettings(_Settings):
    """How surprising, and how big, a movement must be."""

    false_alerts_per_month: Annotated[float, Field(gt=0)] = 1.0
    fdr: Share = 0.01
    min_effect: Annotated[float, Field(ge=0)] = 0.1
    columns: Mapping[str, ColumnDriftSettings] = Field(default_factory=dict)


class PerformanceSettings(_Settings):
    """Which metrics, and from where on they are an alert."""

    metrics: tuple[str, ...] = ()  # default: all that the task has
    thresholds: Mapping[str, float] = Field(default_factory=dict)
    label_ttl: Seconds = 30 * 86400.0
    segments: tuple[str, ...] = ()


class WebhookSettings(_Settings):
    """One receiver of alerts."""

    url: AnyHttpUrl
    format: Literal["alertmanager"] = "alertmanager"
    secret: SecretStr | None = None


class AlertSettings(_Settings):
    """When an alert fires and resolves, and who hears of it."""

    for_seconds: Annotated[float, BeforeValidator(_seconds), Field(ge=0, alias="for")] = 120.0
    keep_firing_for: SecondsOrZero = 600.0
    webhooks: tuple[WebhookSettings, ...] = ()


class ControlAuthSettings(_Settings):
    """Who may write."""

    token: SecretStr | None = None


class TlsSettings(_Settings):
    """What the data port shows its clients, and what they must show; PEM files."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


class UpstreamTlsSettings(_Settings):
    """Whom to believe to be the model server, where its URL is https."""

    ca: Path | None = None  # default: the system's own
    server_name: str | None = None  # default: the host of the URL
    verify: bool = True


class Limits(_Settings):
    """Every bound that protects the sidecar from its traffic."""

    connections: Annotated[int, Field(gt=0)] = 1024
    queue_bytes: Annotated[int, Field(gt=0)] = 64 << 20
    series: Annotated[int, Field(gt=0)] = 10_000
    categories: Annotated[int, Field(gt=0, le=1000)] = 50
    features: Annotated[int, Field(gt=0)] = 2000
    label_bytes: Annotated[int, Field(gt=0)] = 16 << 20
    decoded_bytes: Annotated[int, Field(gt=0)] = 16 << 20


class Timeouts(_Settings):
    """Every wait on the path has an end; a model's answer itself has none."""

    connect: Seconds = 1.0
    header: Seconds = 10.0
    client_idle: Seconds = 75.0
    upstream_idle: Seconds = 3.0
    stream_idle: Seconds = 300.0
    drain: SecondsOrZero = 10.0


class Address(_Settings):
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


class Config(_Settings):
    """The whole tree; only `monitor.service` holds it."""

    upstream: AnyHttpUrl
    upstream_tls: UpstreamTlsSettings | None = None
    tls: TlsSettings | None = None
    listen: ListenAddress = Address(host="0.0.0.0", port=8000)  # noqa: S104 - the model's own port, for its own clients
    control: ListenAddress = Address(host="127.0.0.1", port=8001)
    data_dir: Path = Path("./sidelight-data")
    model: ModelSettings = ModelSettings()
    reference: str = "auto"
    observe: ObserveSettings = ObserveSettings()
    window: WindowSettings = WindowSettings()
    drift: DriftSettings = DriftSettings()
    performance: PerformanceSettings = PerformanceSettings()
    alerts: AlertSettings = AlertSettings()
    store: str = "sqlite"
    control_auth: ControlAuthSettings = ControlAuthSettings()
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    workers: Annotated[int, Field(ge=1, le=64)] = 1

    @field_validator("upstream", mode="before")
    @classmethod
    def _has_a_scheme(cls, value: object) -> object:
        if isinstance(value, str) and not value.startswith(("http://", "https://")):
            raise ValueError(f"{value!r} is not a URL like http://127.0.0.1:8080")
        return value

    @field_validator("store")
    @classmethod
    def _known_store(cls, value: str) -> str:
        if value != "sqlite":
            raise ValueError(f"{value!r} is not a store; it is sqlite")
        return value

    @model_validator(mode="after")
    def _upstream_tls_has_a_use(self) -> Config:
        if self.upstream_tls is not None and self.upstream.scheme != "https":
            raise ValueError("upstream_tls is of use only where upstream is an https:// URL")
        return self

    @model_validator(mode="after")
    def _writes_are_guarded(self) -> Config:
        if not self.control.loopback and self.control_auth.token is None:
            raise ValueError(
                "control_auth.token is required when control listens beyond loopback, "
                "because anyone who reaches it could post labels"
            )
        return self
