"""The settings, loaded once: defaults, then a YAML file, then `SIDELIGHT_…`, then flags."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict, SettingsError

from monitor.config.settings import Config
from monitor.errors import ConfigError

ENVIRONMENT_PREFIX = "SIDELIGHT_"

_REFERENCE_TO_ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class _Environment(BaseSettings, Config):
    """The same tree as the settings library sees it, so that it reads the environment."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__", frozen=True, extra="ignore"
    )


def load(path: Path | None = None, flags: Mapping[str, Any] | None = None) -> Config:
    """The configuration of a file, the environment over it, and command-line flags over both.

    `flags` maps dotted paths to values; None means not given. ConfigError names every fault at
    once, each with its key's path.
    """
    tree = _read(path) if path else {}
    named: set[str] = set()
    faults: list[tuple[str, str]] = []
    tree = _interpolate(tree, (), named, faults)
    faults += [
        ("", f"environment variable {name} names no setting")
        for name in sorted(os.environ)
        if name.startswith(ENVIRONMENT_PREFIX) and name not in named and not _known(name)
    ]
    try:
        environment = EnvSettingsSource(_Environment)()
    except SettingsError as error:
        raise ConfigError(
            [*faults, ("", f"environment: {error} (lists and mappings are JSON)")]
        ) from None
    _merge(tree, environment)
    for dotted, value in (flags or {}).items():
        if value is not None:
            _merge(tree, _nest(dotted.split("."), value))
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(faults + _faults(error)) from None
    if faults:
        raise ConfigError(faults)
    return config


def _known(variable: str) -> bool:
    top = variable[len(ENVIRONMENT_PREFIX) :].lower().split("__")[0]
    return top in Config.model_fields


def _read(path: Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError([("", f"cannot read {path}: {error.strerror}")]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError([("", f"{path} is not YAML: {' '.join(str(error).split())}")]) from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError([("", f"{path} holds no settings: a mapping of keys is expected")])
    return tree


def _nest(path: list[str], value: object) -> dict[str, Any]:
    return {path[0]: value if len(path) == 1 else _nest(path[1:], value)}


def _merge(tree: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        below = tree.get(key)
        if isinstance(value, Mapping) and isinstance(below, dict):
            _merge(below, value)
        else:
            tree[key] = value


def _interpolate(
    value: Any,  # noqa: ANN401 - any YAML node
    path: tuple[str, ...],
    named: set[str],
    faults: list[tuple[str, str]],
) -> Any:  # noqa: ANN401
    """`${NAME}` inside any text is the environment's value: secrets need not stand in files."""
    if isinstance(value, dict):
        return {k: _interpolate(v, (*path, str(k)), named, faults) for k, v in value.items()}
    if isinstance(value, list):
        return [_interpolate(v, (*path, str(i)), named, faults) for i, v in enumerate(value)]
    if isinstance(value, str):
        for name in _REFERENCE_TO_ENVIRONMENT.findall(value):
            named.add(name)
            if name not in os.environ:
                faults.append((".".join(path), f"environment variable {name} is not set"))
        return _REFERENCE_TO_ENVIRONMENT.sub(lambda m: os.environ.get(m[1], ""), value)
    return value


def _faults(error: ValidationError) -> list[tuple[str, str]]:
    faults = []
    for one in error.errors(include_url=False, include_input=False):
        path = ".".join(str(part) for part in one["loc"])
        reason = one["msg"].removeprefix("Value error, ")
        if one["type"] == "extra_forbidden":
            reason = "unknown key"
        elif one["type"] == "missing":
            reason = "is required (or --upstream)" if path == "upstream" else "is required"
        faults.append((path, reason))
    return faults


def reveal(config: Config) -> dict[str, Any]:
    """The tree in plain JSON types, secrets readable: only to hand it to a child process."""
    tree: dict[str, Any] = _plain(config.model_dump(by_alias=True))
    return tree


def _plain(value: Any) -> Any:  # noqa: ANN401 - any setting
    if isinstance(value, Mapping):
        return {key: _plain(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(below) for below in value]
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return value if value is None or isinstance(value, bool | int | float) else str(value)
