"""Who is told of alerts, as the configuration has it: receivers, their formats, their addresses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from exporters.addresses import AddressPolicy
from exporters.delivery import Target
from exporters.formats import FORMATS
from exporters.formats.format import Receiver
from monitor.config import Config
from monitor.service.settings import page_url

Faults = list[tuple[str, str]]


def targets(config: Config) -> list[Target]:
    """Every receiver, under the name that stands for it in metrics and logs."""
    made = []
    for number, webhook in enumerate(config.alerts.webhooks):
        form = FORMATS[webhook.format]
        secret = webhook.secret.get_secret_value() if webhook.secret else None
        url = str(webhook.url or form.default_url or "")
        receiver = Receiver(url, secret, page_url(config))
        made.append(Target(f"{webhook.format}-{number}", receiver, form))
    return made


def policy(config: Config) -> AddressPolicy:
    """Where receivers may be."""
    return AddressPolicy(config.alerts.allow_private)


def outbox_key(target: Target) -> str:
    """Under which its outbox is kept: another receiver in its place does not get what is left."""
    return f"outbox {target.name} {urlsplit(target.receiver.url).hostname}"


def receiver_faults(config: Config) -> Faults:
    """What is wrong with receivers before anything is sent; names are not looked up for it."""
    entries = config.alerts.allow_private
    faults = [
        fault
        for number, entry in enumerate(entries)
        for fault in _faults(f"alerts.allow_private.{number}", partial(AddressPolicy, (entry,)))
    ]
    if faults:
        return faults  # which addresses are allowed is not known yet
    for number, target in enumerate(targets(config)):
        key, receiver = f"alerts.webhooks.{number}", target.receiver
        if receiver.url:
            faults += _faults(f"{key}.url", partial(policy(config).check_url, receiver.url))
        else:
            faults.append((f"{key}.url", "is required"))
        faults += _faults(f"{key}.secret", partial(target.format.check_secret, receiver))
    return faults


def _faults(key: str, check: Callable[[], object]) -> Faults:
    try:
        check()
    except ValueError as error:
        return [(key, str(error))]
    return []
