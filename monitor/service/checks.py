"""Faults of a configuration that its types do not show, found before anything is started."""

from __future__ import annotations

from monitor.codec import Decoder
from monitor.config import Config
from monitor.errors import ConfigError
from monitor.service.receivers import Faults, receiver_faults
from monitor.service.references import configured_reference
from monitor.service.settings import decoder_settings
from monitor.service.stores import store_faults
from monitor.service.tls import tls_faults


def check(config: Config) -> None:
    """ConfigError with every fault and its key; ReferenceFileError for the reference."""
    faults = [*_codec(config), *receiver_faults(config), *tls_faults(config), *store_faults(config)]
    if faults:
        raise ConfigError(faults)
    configured_reference(config)


def _codec(config: Config) -> Faults:
    try:
        Decoder(decoder_settings(config, config.model.task))
    except ConfigError as error:
        return error.faults
    return []
