"""The one table of wire formats, and the order to ask them in; a new format is one more line."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from monitor.codec.format import Format
from monitor.codec.formats import (
    chat,
    delimited,
    examples,
    grpc,
    instances,
    mlflow,
    named,
    open_inference,
    raw,
    sagemaker,
    seldon,
)
from monitor.errors import ConfigError

# The more special first: `named` takes any JSON that is left.
FORMATS: tuple[Format, ...] = (
    grpc.FORMAT,
    open_inference.FORMAT,
    seldon.FORMAT,
    chat.FORMAT,
    examples.FORMAT,
    mlflow.FORMAT,
    instances.FORMAT,
    sagemaker.FORMAT,
    delimited.FORMAT,
    named.FORMAT,
)

# `raw` reads anything, and so is never chosen: it is set.
_BY_NAME = {name: one for one in (*FORMATS, raw.FORMAT) for name in one.names}
FORMAT_NAMES = ("auto", *_BY_NAME)


def by_name(name: str) -> Format | None:
    """The format of a setting, None for `auto`; ConfigError for a name that is none."""
    if name == "auto":
        return None
    if name not in _BY_NAME:
        raise ConfigError([("observe.format", f"{name!r} is not one of {', '.join(FORMAT_NAMES)}")])
    return _BY_NAME[name]


@lru_cache(maxsize=512)
def candidates(path: str, media_type: str) -> tuple[Format, ...]:
    """All formats in the order to ask: whose path this is, whose media type, then the rest.

    >>> [one.names[0] for one in candidates("/v1/models/m:predict", "application/json")][:2]
    ['instances', 'grpc']
    """
    if not path.startswith("/"):
        path = urlsplit(path).path

    def rank(one: Format) -> int:
        if one.path is not None and one.path.search(path):
            return 0
        return 1 if media_type in one.media_types else 2

    return tuple(sorted(FORMATS, key=rank))
