"""`sidelight inspect`: what Sidelight makes of an exchange, and what would help where it cannot."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.flags import with_flags
from monitor.cli.options import names
from monitor.errors import SidelightError

if TYPE_CHECKING:  # these load the codec: `--help` stays quick
    from monitor.codec.explain import Explanation
    from monitor.codec.settings import DecoderSettings
    from monitor.records.exchange import Exchange

UNDECODABLE = 1
ASK_SECONDS = 60.0
SHOWN_VALUES = 3

_URLS = ("http://", "https://")

Limits = tuple[tuple[str, ...], int]  # paths that are observed, and the largest body


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectFlags:
    """What `inspect` can be told."""

    data: Annotated[
        str | None, typer.Option("--data", "-d", help="What to send to URL; @FILE sends a file.")
    ] = None
    headers: Annotated[
        list[str] | None, typer.Option("--header", "-H", help="`Name: value`; repeatable.")
    ] = None
    answer: Annotated[
        Path | None, typer.Option(help="The answer, where FILE holds the request alone.")
    ] = None
    config: Annotated[Path | None, typer.Option(help="Read as this file's settings say.")] = None
    format_name: Annotated[str, typer.Option("--format", help="A wire format's name.")] = "auto"
    features: Annotated[
        str | None, typer.Option(help="Names for positional rows, comma-separated.")
    ] = None
    task: Annotated[str | None, typer.Option(help="regression, binary or multiclass.")] = None
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False


@with_flags(InspectFlags)
def inspect(
    source: Annotated[
        str,
        typer.Argument(
            metavar="URL|FILE",
            help="A HAR file, JSON {request, response}, `curl --trace` or raw HTTP; a model's URL "
            "to ask once (with --data); or a running sidecar's control port.",
        ),
    ],
    flags: InspectFlags,
) -> None:
    """Show what Sidelight makes of an exchange; exit 1 where it cannot be read, 2 on an error."""
    from monitor.cli.inspected import document, print_exchange, print_reasons
    from monitor.codec.explain import explain

    if source.startswith(_URLS) and flags.data is None:
        found = _reasons(source)
        typer.echo(json.dumps(found)) if flags.as_json else print_reasons(found)
        return
    settings, limits = _settings(flags)
    shown: list[dict[str, Any]] = []
    for one in _exchanges(source, flags):
        explanation = _left_out(one, limits) or explain(one, settings)
        shown.append(document(one, explanation))
        if not flags.as_json:
            print_exchange(one, explanation, SHOWN_VALUES)
    if flags.as_json:
        typer.echo(json.dumps(shown, ensure_ascii=False, default=str))
    if not all(one["readable"] for one in shown):
        raise typer.Exit(UNDECODABLE)


def _settings(flags: InspectFlags) -> tuple[DecoderSettings, Limits]:
    """How to read, and which paths and sizes are observed at all."""
    from monitor.codec.settings import DecoderSettings

    settings = DecoderSettings()
    limits: Limits = ((), 1 << 20)
    if flags.config is not None:
        from monitor.config import load
        from monitor.service.settings import decoder_settings

        loaded = load(flags.config)
        settings = decoder_settings(loaded, loaded.model.task)
        limits = (loaded.observe.paths, loaded.observe.max_body_bytes)
    if flags.format_name != "auto":
        settings = replace(settings, format=flags.format_name)
    if flags.features:
        settings = replace(settings, features=names(flags.features) or ())
    return replace(settings, task=flags.task) if flags.task else settings, limits


def _exchanges(source: str, flags: InspectFlags) -> list[Exchange]:
    from monitor.cli.captured import exchanges, pair

    if source.startswith(_URLS):
        return [_asked(source, _bytes_of(flags.data or ""), flags.headers or [])]
    content = _read(Path(source))
    return [pair(content, _read(flags.answer))] if flags.answer else exchanges(content)


def _asked(url: str, body: bytes, headers: list[str]) -> Exchange:
    """Send one request to the model, and take its answer."""
    import httpx

    from monitor.cli.captured import exchange

    fields = [(name.strip(), value.strip()) for name, _, value in map(_split, headers)]
    if not any(name.lower() == "content-type" for name, _ in fields):
        fields.append(("content-type", "application/json"))
    try:
        found = httpx.post(url, content=body, headers=fields, timeout=ASK_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SidelightError(f"{url}: {error}") from None
    left_out = {"content-encoding", "transfer-encoding"}  # httpx has undone them
    answered = [(k, v) for k, v in found.headers.multi_items() if k.lower() not in left_out]
    return exchange(
        "POST",
        found.request.url.raw_path.decode("ascii"),
        (fields, body),
        found.status_code,
        (answered, found.content),
        found.elapsed.total_seconds(),
    )


def _split(header: str) -> tuple[str, str, str]:
    parts = header.partition(":")
    if not parts[1]:
        raise SidelightError(f"--header {header!r} is not `Name: value`")
    return parts


def _reasons(url: str) -> list[dict[str, Any]]:
    """What a running sidecar could not observe, by reason."""
    import httpx

    try:
        found = httpx.get(f"{url.rstrip('/')}/api/v1/health", timeout=ASK_SECONDS)
        observations: list[dict[str, Any]] = found.json()["observations"]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        text = f"{url} is no sidecar's control port ({error!r}); to ask a model, add --data"
        raise SidelightError(text) from None
    return observations


def _left_out(one: Exchange, limits: Limits) -> Explanation | None:
    """Why an exchange would not be offered for observation at all."""
    from monitor.codec.explain import Explanation
    from monitor.records.selection import Selection

    paths, most_bytes = limits
    reason = Selection(paths)(one.method.encode(), one.target.encode())
    if not reason and not 200 <= one.status < 300:
        reason = "status"
    if not reason and max(len(one.request_body), len(one.response_body)) > most_bytes:
        reason = "size"
    detail = f"{one.method} answered {one.status}" if reason in ("method", "status") else ""
    return Explanation(None, "", reason, detail) if reason else None


def _bytes_of(data: str) -> bytes:
    return _read(Path(data[1:])) if data.startswith("@") else data.encode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SidelightError(f"cannot read {path}: {error.strerror}") from None
