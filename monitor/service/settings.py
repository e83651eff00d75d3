"""Each room's own part of the configuration, in that room's own terms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from monitor.alerting.ledger import Timing
from monitor.alerting.policy import ColumnRule, DriftPolicy
from monitor.api.ports import ControlSettings
from monitor.codec.imported import Description, DescriptionError, describe
from monitor.codec.names import KEYS
from monitor.codec.settings import DecoderSettings
from monitor.config import Config
from monitor.config.judge import FromReference
from monitor.engine import EngineSettings
from monitor.errors import ConfigError
from monitor.performance.desk import PerformanceRules
from monitor.performance.thresholds import Deviations
from monitor.records.selection import OverheardSettings

LOOK_SECONDS = 1.0  # the window is looked at about this often; less where a look is dear


def engine_settings(config: Config) -> EngineSettings:
    """What the engine is told."""
    return EngineSettings(
        model=config.model.name,
        version=config.model.version,
        task=config.model.task,
        window_seconds=config.window.size,
        pane_seconds=config.window.pane,
        categories=config.limits.categories,
        drift=DriftPolicy(
            false_alerts_per_month=config.drift.false_alerts_per_month,
            fdr=config.drift.fdr,
            min_effect=config.drift.min_effect,
            min_rows=config.window.min_rows,
            window_seconds=config.window.size,
            look_seconds=LOOK_SECONDS,
            columns={
                name: ColumnRule(rule.method, rule.threshold)
                for name, rule in config.drift.columns.items()
            },
        ),
        timing=Timing(config.alerts.for_seconds, config.alerts.keep_firing_for),
        performance=performance_rules(config),
        page_url=page_url(config),
    )


def performance_rules(config: Config) -> PerformanceRules:
    """What is told of how right the predictions must be."""
    performance = config.performance
    return PerformanceRules(
        metrics=performance.metrics,
        thresholds={
            name: Deviations(value.deviations) if isinstance(value, FromReference) else value
            for name, value in performance.thresholds.items()
        },
        segments=performance.segments,
        segment_values=config.limits.segments,
        label_delay_seconds=performance.label_delay,
    )


def decoder_settings(
    config: Config, task: str | None, reference_names: Sequence[str] = ()
) -> DecoderSettings:
    """What the codec is told; ConfigError where `observe.schema` describes no model.

    Positional rows take their names from `observe.features`, else from the imported schema, else
    from the reference: each has them in the model's order.
    """
    observe = config.observe
    schema = described(observe.schema_file) if observe.schema_file else None
    imported = schema.names if schema else ()
    return DecoderSettings(
        format=observe.format,
        features=observe.features or imported or tuple(reference_names),
        schema=schema.inputs if schema else (),
        inputs=observe.inputs,
        outputs=observe.outputs,
        probabilities=observe.probabilities,
        prediction_id=observe.prediction_id,
        aliases=observe.aliases,
        body_ids=set(KEYS).isdisjoint(observe.redact),
        text=observe.text,
        task=task,
        max_decoded_bytes=config.limits.decoded_bytes,
        max_features=config.limits.features,
    )


def described(path: Path) -> Description:
    """The model's description in a file; ConfigError where there is none."""
    try:
        return describe(path.read_bytes())
    except OSError as error:
        text = f"cannot read {path}: {error.strerror}"
    except DescriptionError as error:
        text = f"{path}: {error}"
    raise ConfigError([("observe.schema", text)])


def overheard_settings(config: Config) -> OverheardSettings:
    """What of tunnelled HTTP/2 is observed."""
    observe = config.observe
    return OverheardSettings(observe.max_body_bytes, observe.paths, observe.sample)


def control_settings(config: Config) -> ControlSettings:
    """What the control API is told."""
    token = config.control_auth.token
    return ControlSettings(
        token=token.get_secret_value() if token else None,
        tokens={
            name: secret.get_secret_value() for name, secret in config.control_auth.tokens.items()
        },
        loopback=config.control.loopback,
        label_bytes=config.limits.label_bytes,
        event_bytes=2 * config.observe.max_body_bytes,  # base64 makes 4 of 3
        labels_per_second=config.limits.labels_per_second,
        labels_burst=10 * config.limits.labels_per_second,
    )


def page_url(config: Config) -> str:
    """Where the page is, for links in alerts."""
    wildcard = config.control.host in {"0.0.0.0", "::"}  # noqa: S104 - compared only
    host = "127.0.0.1" if wildcard else config.control.host
    return f"http://{host}:{config.control.port}/"
