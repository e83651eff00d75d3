"""Which reference a start goes on with."""

from __future__ import annotations

from pathlib import Path

import structlog

from monitor.config import Config
from monitor.errors import ReferenceFileError
from monitor.profile.reference import Reference
from monitor.profile.reference import load as load_reference
from monitor.service.redaction import check_reference

log = structlog.get_logger()


def learned_path(config: Config) -> Path:
    """Where a learned reference, or one given through the API, is kept."""
    return config.data_dir / "reference.json"


def configured_reference(config: Config) -> Reference | None:
    """The configured file's, None where it is to be learned; ReferenceFileError if it has a
    fault.
    """
    if config.reference == "auto":
        return None
    reference = load_reference(Path(config.reference))
    check_reference(reference, config.observe.redact)
    return reference


def newest_reference(config: Config) -> Reference | None:
    """The configured file, or what was learned or given since: whichever was made last."""
    configured = configured_reference(config)
    found = [] if configured is None else [configured]
    if learned_path(config).exists():
        try:
            kept = load_reference(learned_path(config))
            check_reference(kept, config.observe.redact)
            found.append(kept)
        except ReferenceFileError as error:
            log.warning("kept reference not used", error=str(error))
    return max(found, key=lambda reference: reference.created_at, default=None)
