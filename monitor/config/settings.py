"""The frozen settings tree: names, types, defaults and bounds; it knows nothing of what they do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AnyHttpUrl, Field, SecretStr, field_validator, model_validator

from monitor.config.alerts import AlertSettings
from monitor.config.judge import DriftSettings, PerformanceSettings
from monitor.config.observe import ModelSettings, ObserveSettings, WindowSettings
from monitor.config.parts import Address, ListenAddress, Seconds, SecondsOrZero, Settings

__all__ = ["Address", "Config", "TlsSettings", "UpstreamTlsSettings"]


TokenName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class ControlAuthSettings(Settings):
    """Who may write."""

    token: SecretStr | None = None
    tokens: Mapping[TokenName, SecretStr] = Field(default_factory=dict)  # by their holders' names

    @property
    def guards(self) -> bool:
        """Whether writes need a token."""
        return self.token is not None or bool(self.tokens)


class TlsSettings(Settings):
    """What the data port shows its clients, and what they must show; PEM files."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    http2: bool = False  # offered to clients: only where the model server speaks it


class UpstreamTlsSettings(Settings):
    """Whom to believe to be the model server, where its URL is https."""

    ca: Path | None = None  # default: the system's own
    server_name: str | None = None  # default: the host of the URL
    verify: bool = True


class Limits(Settings):
    """Every bound that protects the sidecar from its traffic."""

    connections: Annotated[int, Field(gt=0)] = 1024
    queue_bytes: Annotated[int, Field(gt=0)] = 64 << 20
    series: Annotated[int, Field(gt=0)] = 10_000
    categories: Annotated[int, Field(gt=0, le=1000)] = 50
    features: Annotated[int, Field(gt=0)] = 2000
    segments: Annotated[int, Field(gt=0, le=50)] = 10
    label_bytes: Annotated[int, Field(gt=0)] = 16 << 20
    decoded_bytes: Annotated[int, Field(gt=0)] = 16 << 20
    store_bytes: Annotated[int, Field(ge=1 << 20)] = 10 << 30
    waiting_labels: Annotated[int, Field(gt=0)] = 1_000_000
    labels_per_second: Annotated[float, Field(gt=0)] = 10_000.0


class Timeouts(Settings):
    """Every wait on the path has an end; a model's answer itself has none."""

    connect: Seconds = 1.0
    header: Seconds = 10.0
    client_idle: Seconds = 75.0
    upstream_idle: Seconds = 3.0
    stream_idle: Seconds = 300.0
    drain: SecondsOrZero = 10.0
    store: Seconds = 5.0


class Config(Settings):
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
        if value != "sqlite" and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("a store is sqlite, or postgresql://USER@HOST/DATABASE")
        return value

    @model_validator(mode="after")
    def _upstream_tls_has_a_use(self) -> Config:
        if self.upstream_tls is not None and self.upstream.scheme != "https":
            raise ValueError("upstream_tls is of use only where upstream is an https:// URL")
        return self

    @model_validator(mode="after")
    def _segments_are_not_redacted(self) -> Config:
        both = sorted({*self.performance.segments} & {*self.observe.redact})
        if both:
            raise ValueError(f"observe.redact and performance.segments both name {both[0]}")
        return self

    @model_validator(mode="after")
    def _writes_are_guarded(self) -> Config:
        if not self.control.loopback and not self.control_auth.guards:
            raise ValueError(
                "control_auth.token is required when control listens beyond loopback, "
                "because anyone who reaches it could post labels"
            )
        return self
