"""The dashboards pushed into a running Grafana through its API; pushed again, nothing changes.

It needs the extra `grafana`. Compares before it writes, so that a Grafana's history holds real
changes only. Knows nothing of files beyond what is committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException
from niquests.exceptions import JSONDecodeError, RequestException

from dashboards import addresses
from dashboards.generated import dashboards

_GRAFANAS_OWN = ("id", "version", "schemaVersion")  # it counts them itself, or lifts them
_MESSAGE = "sidelight dashboards publish"
_TIMEOUT_SECONDS = 10.0

_Untyped = Callable[..., object]


class PublishError(Exception):
    """The dashboards were not published; the text is one line for a person, without the token."""


class Outcome(StrEnum):
    """What became of a dashboard."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Published:
    """One dashboard, where it is now, and what became of it."""

    title: str
    url: str
    outcome: Outcome


def publish(url: str, token: str) -> list[Published]:
    """Push every dashboard into the folder of its own; PublishError in one line if it cannot be."""
    place = urlsplit(url)
    if place.scheme not in {"http", "https"} or not place.hostname:
        raise PublishError(f"{url!r} is not a URL of http or https")
    # With a path it wants a slash at the end, and a query would change its ways.
    base = place._replace(path=place.path.rstrip("/") + "/", query="", fragment="").geturl()
    grafana = GrafanaApi.from_url(base, credential=token, timeout=_TIMEOUT_SECONDS)
    shown = f"{place.scheme}://{place.hostname}" + (f":{place.port}" if place.port else "")
    try:
        return _publish_all(grafana, base.rstrip("/"))
    except GrafanaException as error:
        said = _said(error.status_code, str(error.message)).replace(token, "***")
        raise PublishError(f"Grafana at {shown}: {said}") from error
    except JSONDecodeError as error:
        raise PublishError(f"what answers at {shown} is not Grafana") from error
    except (RequestException, OSError) as error:
        raise PublishError(f"Grafana at {shown} cannot be reached: {_innermost(error)}") from error


def _publish_all(grafana: GrafanaApi, base: str) -> list[Published]:
    _make_folder(grafana)
    return [_publish_one(grafana, one, base) for one in dashboards().values()]


def _make_folder(grafana: GrafanaApi) -> None:
    if _or_none(grafana.folder.get_folder, addresses.FOLDER) is None:
        create: _Untyped = grafana.folder.create_folder
        create(addresses.FOLDER_TITLE, uid=addresses.FOLDER)


def _publish_one(grafana: GrafanaApi, wanted: dict[str, Any], base: str) -> Published:
    there = _or_none(grafana.dashboard.get_dashboard, wanted["uid"])
    where = base + addresses.dashboard_path(wanted["uid"])
    if there is not None and _same(there, wanted):
        return Published(wanted["title"], where, Outcome.UNCHANGED)
    update: _Untyped = grafana.dashboard.update_dashboard
    update(
        {
            "dashboard": wanted,
            "folderUid": addresses.FOLDER,
            "overwrite": True,
            "message": _MESSAGE,
        }
    )
    outcome = Outcome.CREATED if there is None else Outcome.UPDATED
    return Published(wanted["title"], where, outcome)


def _same(there: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether what Grafana holds is what is wanted, in the same folder."""
    asked = {name: value for name, value in wanted.items() if name not in _GRAFANAS_OWN}
    in_place = there.get("meta", {}).get("folderUid") == addresses.FOLDER
    return in_place and _holds(there.get("dashboard"), asked)


def _holds(there: object, wanted: object) -> bool:
    """Whether `wanted` is in `there`, which Grafana may have completed with defaults.

    >>> _holds({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]}), _holds({"a": [1, 2]}, {"a": [1]})
    (True, False)
    """
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(
            name in there and _holds(there[name], value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(there, list)
            and len(there) == len(wanted)
            and all(map(_holds, there, wanted))
        )
    return there == wanted


def _or_none(get: Callable[[str], object], uid: str) -> dict[str, Any] | None:
    """What is there under this uid; None where there is nothing."""
    try:
        found = get(uid)
    except GrafanaClientError as error:
        if error.status_code == HTTPStatus.NOT_FOUND:
            return None
        raise
    if not isinstance(found, dict):
        raise PublishError("what answers there is not Grafana")
    return found


def _said(status: int, message: str) -> str:
    refusals = {
        HTTPStatus.UNAUTHORIZED: "the token is not accepted",
        HTTPStatus.FORBIDDEN: "the token may not write dashboards and folders",
    }
    if status in refusals:
        return refusals[HTTPStatus(status)]
    first_line = message.strip().partition("\n")[0][:200]
    return first_line if status else f"no answer in time: {first_line}"


def _innermost(error: BaseException) -> str:
    """The reason at the bottom of a chain of exceptions."""
    reason = error
    while (below := reason.__cause__ or reason.__context__) is not None:
        reason = below
    return getattr(reason, "strerror", None) or str(reason).partition("\n")[0][:200]
