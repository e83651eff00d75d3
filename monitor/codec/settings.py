"""What a decoder may be told: format, names, where to look, every bound; reads no file."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.codec.jsonpath import JsonPath, compile_path
from monitor.errors import ConfigError

TASKS = ("regression", "binary", "multiclass")


@dataclass(frozen=True, slots=True)
class SchemaField:
    """One input or output as a model's own description names it."""

    name: str
    datatype: str = ""  # of the Open Inference Protocol, where that is known
    width: int = 1  # values a row


@dataclass(frozen=True, slots=True)
class DecoderSettings:
    """How exchanges are read; ConfigError names the key of a value that cannot be used."""

    format: str = "auto"
    features: tuple[str, ...] = ()  # names of positional values, in order
    schema: tuple[SchemaField, ...] = ()  # the model's inputs, where a description was imported
    inputs: str | None = None  # JSONPath into the request: its rows
    outputs: str | None = None  # JSONPath into the answer: one predicted value a row
    probabilities: str | None = (
        None  # JSONPath into the answer: one vector, mapping or number a row
    )
    prediction_id: str | None = (
        None  # JSONPath into the request, else the answer: one id, or one a row
    )
    aliases: bool = True  # whether other names of a prediction are told
    body_ids: bool = True  # those in bodies too
    text: bool = False  # whether prompts and answers of chats are columns themselves
    task: str | None = None  # regression | binary | multiclass
    max_decoded_bytes: int = 16 << 20
    max_features: int = 2000
    max_rows: int = 100_000
    max_values: int = (
        5_000_000  # rows x columns: sparse rows can ask for far more cells than they have bytes
    )

    def __post_init__(self) -> None:
        faults = [fault for key in _PATHS if (fault := _path_fault(key, getattr(self, key)))]
        if self.task is not None and self.task not in TASKS:
            faults.append(("model.task", f"{self.task!r} is not one of {', '.join(TASKS)}"))
        if faults:
            raise ConfigError(faults)

    def path(self, key: str) -> JsonPath | None:
        """The compiled path of one of the four path settings; None where it is not set."""
        expression: str | None = getattr(self, key)
        return None if expression is None else compile_path(expression)


_PATHS = ("inputs", "outputs", "probabilities", "prediction_id")


def _path_fault(key: str, expression: str | None) -> tuple[str, str] | None:
    try:
        if expression is not None:
            compile_path(expression)
    except ValueError as error:
        return f"observe.{key}", str(error)
    return None
