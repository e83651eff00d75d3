"""Settings of who is told: when alerts fire, and where they go."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AnyHttpUrl, BeforeValidator, Field, SecretStr

from monitor.config.parts import SecondsOrZero, Settings, seconds

WebhookFormat = Literal[
    "alertmanager", "alertmanager_api", "slack", "teams", "pagerduty", "cloudevents"
]


class WebhookSettings(Settings):
    """One receiver of alerts; its URL may be a secret as well."""

    url: AnyHttpUrl | None = Field(default=None, repr=False)  # only PagerDuty has one of its own
    format: WebhookFormat = "alertmanager"
    secret: SecretStr | None = None


class AlertSettings(Settings):
    """When an alert fires and resolves, and who hears of it."""

    for_seconds: Annotated[float, BeforeValidator(seconds), Field(ge=0, alias="for")] = 120.0
    keep_firing_for: SecondsOrZero = 600.0
    webhooks: tuple[WebhookSettings, ...] = ()
    allow_private: tuple[str, ...] = ()  # host names, addresses, networks that receivers may be in
