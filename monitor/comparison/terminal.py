"""A comparison for people at a terminal: what drifts first, with its reason, within 80 columns."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.comparison.verdict import Comparison, Together
from monitor.snapshot import Reading, Status

MOST_QUIET = 30  # columns without news that are listed one by one

_STYLE = {Status.DRIFT: "bold red", Status.OK: "green", Status.INSUFFICIENT: "dim"}


def show(found: Comparison, console: Console) -> None:
    """Prints it."""
    for name, side in (("reference", found.reference), ("current", found.current)):
        console.print(f"{name:<10} {side.name} · {side.rows:,} rows", markup=False, soft_wrap=True)
    console.print(Text(headline(found), "bold red" if found.drift else "bold"), soft_wrap=True)
    console.print(_table(found))
    for line in notes(found):
        console.print(Text(line))


def headline(found: Comparison) -> str:
    """The answer in one line."""
    columns = len(found.readings)
    if found.insufficient:
        return f"No answer: fewer than {found.rule.min_rows} rows to compare."
    said = []
    if found.drifted:
        said.append(f"{len(found.drifted)} of {columns} columns drift")
    if found.faulty:
        said.append(f"the data of {len(found.faulty)} are at fault")
    if found.together.status is Status.DRIFT:
        apart = found.together.auc is not None
        other = "columns depend on each other in another way"
        said.append("a model can tell the two apart" if apart else other)
    if said:
        return f"Drift: {', '.join(said)}."
    return f"No drift in {columns} columns."


def why(reading: Reading) -> str:
    """What a reading says, in words."""
    words = [*reading.quality, *([reading.explanation] if reading.explanation else [])]
    return "; ".join(words)


def notes(found: Comparison) -> list[str]:
    """What the table has no place for."""
    lines = [in_words(found.together)]
    for names, what in (
        (found.absent, "not in the current file"),
        (found.unexpected, "not in the reference, and not compared"),
        (
            found.left_out,
            "not compared: name the column with --prediction, --probability, --target",
        ),
    ):
        if names:
            lines.append(f"{', '.join(names)}: {what}.")
    return [line for line in lines if line]


def in_words(one: Together) -> str:
    """What was found of all columns together, in a sentence or two."""
    if one.score is not None:
        verdict = "in another way than" if one.status is Status.DRIFT else "as"
        why = f" {one.explanation}." if one.explanation else ""
        return (
            f"All columns together: they depend on each other {verdict} in the reference "
            f"(reconstruction error moved by {one.score:.3f}, {one.rows:,} rows).{why}"
        )
    if one.auc is None:
        return f"All columns together: not compared ({one.reason})." if one.reason else ""
    verdict = "can" if one.status is Status.DRIFT else "cannot"
    said = (
        f"All columns together: a model {verdict} tell the current rows from the reference's "
        f"(AUC {one.auc:.3f}, threshold {one.threshold:.3f}, {one.rows:,} rows of each)."
    )
    if one.status is Status.DRIFT and one.columns:
        said += f" What gave them away: {', '.join(name for name, _ in one.columns)}."
    return said


def _table(found: Comparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("column", overflow="fold", min_width=8, max_width=24)
    table.add_column("status", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    loud = [one for one in found.readings if one.status is Status.DRIFT or one.quality]
    quiet = [one for one in found.readings if one not in loud]
    for one in [*loud, *quiet[:MOST_QUIET]]:
        table.add_row(*_row(one))
    if len(quiet) > MOST_QUIET:
        table.add_row(Text(f"… {len(quiet) - MOST_QUIET} more without news", "dim"), "", "", "")
    return table


def _row(one: Reading) -> tuple[Text, Text, Text, Text]:
    name = one.column if one.role == "feature" else f"{one.column} ({one.role})"
    if one.column == one.role:
        name = one.column
    score = "" if one.score is None else f"{one.score:.3f} {_SHORT.get(one.method, one.method)}"
    fault = Text(" fault", "bold red") if one.quality else Text()
    status = Text(one.status.value, _STYLE.get(one.status, "")) + fault
    return Text(name), status, Text(score), Text(why(one))


_SHORT = {"wasserstein": "W₁", "js": "JS"}
