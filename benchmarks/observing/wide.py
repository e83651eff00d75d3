"""A model of 1,000 numeric columns: memory, one look at the window, one scrape.

Run as a process of its own, because memory is a process's: `python wide.py COLUMNS`. Prints one
line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import median

sys.path[0] = str(Path(__file__).resolve().parents[2])

import numpy as np  # noqa: E402 - after the path is known

from benchmarks.faults.watch import rss_bytes  # noqa: E402
from exporters.prometheus import PrometheusExporter  # noqa: E402
from monitor.engine import Engine, EngineSettings, Evaluation  # noqa: E402
from monitor.records.batch import Batch  # noqa: E402
from monitor.snapshot import Health  # noqa: E402

BATCH_ROWS = 500
REFERENCE_BATCHES = 10  # 5,000 rows
WINDOW_BATCHES = 20
LOOKS = 9
NOW = 1_780_000_000.0


def main() -> None:
    """One line: seconds of CPU a look and a scrape, bytes, and how much more rows changed that."""
    columns, random = int(sys.argv[1]), np.random.default_rng(1)
    engine = Engine(EngineSettings(task="regression"))
    for _ in range(REFERENCE_BATCHES):
        engine.observe(_batch(random, columns))
    engine.learn(NOW)
    seen: list[int] = []
    for _ in range(3):
        for pane in range(WINDOW_BATCHES):
            engine.observe(_batch(random, columns, NOW + 60.0 * pane))
        _look(engine)
        seen.append(_own_bytes())
    evaluation, body = _look(engine), b""
    looks, scrapes = [], []
    for number in range(LOOKS):
        began = time.process_time()
        evaluation = _look(engine, number)
        looks.append(time.process_time() - began)
        published = evaluation.snapshot
        exporter = PrometheusExporter(lambda snapshot=published: snapshot)  # type: ignore[misc] # bound now
        began = time.process_time()
        body, _ = exporter.render("")
        scrapes.append(time.process_time() - began)
    print(
        json.dumps({
            "look": median(looks), "scrape": median(scrapes), "scrape_bytes": len(body),
            "readings": len(evaluation.snapshot.readings), "rss": seen[-1],
            "grown": seen[-1] - seen[0],
        })
    )  # fmt: skip


def _look(engine: Engine, seconds: int = 0) -> Evaluation:
    return engine.evaluate(NOW + 60.0 * WINDOW_BATCHES + seconds, Health(started_at=NOW))


def _batch(random: np.random.Generator, columns: int, at: float = NOW) -> Batch:
    table = random.normal(5.0, 2.0, (columns, BATCH_ROWS))
    features = {f"column_{n}": values.tolist() for n, values in enumerate(table)}
    prediction = random.normal(size=BATCH_ROWS).tolist()
    ids = [f"id-{n}" for n in range(BATCH_ROWS)]
    return Batch(ids, [0] * BATCH_ROWS, [at] * BATCH_ROWS, features, {"prediction": prediction})


def _own_bytes() -> int:
    return rss_bytes(int(Path("/proc/self").resolve().name))


if __name__ == "__main__":
    main()
