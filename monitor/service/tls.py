"""The relay's TLS settings out of the configuration; paths absolute, whoever reads them later."""

from __future__ import annotations

from pathlib import Path

from monitor.config import Config
from monitor.config.settings import UpstreamTlsSettings
from monitor.errors import ConfigError
from monitor.relay.tls import ListenerTls, UpstreamTls


def listener_tls(config: Config) -> ListenerTls:
    """What the data port shows its clients."""
    tls = config.tls
    if tls is None:
        return ListenerTls()
    return ListenerTls(
        _absolute(tls.certificate), _absolute(tls.key), _absolute(tls.client_ca), tls.http2
    )


def upstream_tls(config: Config) -> UpstreamTls:
    """Whom to believe to be the model server."""
    tls = config.upstream_tls or UpstreamTlsSettings()
    return UpstreamTls(
        enabled=config.upstream.scheme == "https",
        ca=_absolute(tls.ca),
        server_name=tls.server_name or "",
        verify=tls.verify,
    )


def tls_faults(config: Config) -> list[tuple[str, str]]:
    """What is wrong with the files that either side names."""
    faults: list[tuple[str, str]] = []
    for settings in (listener_tls(config), upstream_tls(config)):
        try:
            settings.context()
        except ConfigError as error:
            faults += error.faults
    return faults


def _absolute(path: Path | None) -> str:
    return "" if path is None else str(path.absolute())
