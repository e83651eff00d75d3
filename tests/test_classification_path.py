"""Classification from bytes to metrics: codec, store and engine, held against scikit-learn."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sklearn

from monitor.alerting.policy import DriftPolicy
from monitor.codec import Decoder, DecoderSettings
from monitor.engine import Engine, EngineSettings
from monitor.profile.build import Rows, build_from_columns
from monitor.records.exchange import Exchange
from monitor.records.label import Label
from monitor.snapshot import Health, PerformanceReading
from monitor.store.sqlite import SqliteStore

ROWS, BATCH = 2000, 100
FIELDS = b"content-type: application/json\r\n"
EXACT = 1e-9
BINNED = 0.002


def _through(
    folder: Path, task: Any, answers: list[Any], labels: list[Any]
) -> tuple[PerformanceReading, set[str]]:
    """Send answers in batches, post every label, and read the window."""
    now = time.time()
    decoder = Decoder(DecoderSettings(task=task))
    settings = EngineSettings(task=task, drift=DriftPolicy(min_rows=10))
    x = np.arange(ROWS) / ROWS
    engine = Engine(settings, build_from_columns(Rows({"x": x.tolist()}, {}), created_at=now))
    store = SqliteStore(folder / "store.db")
    classes: set[str] = set()
    for start in range(0, ROWS, BATCH):
        rows = range(start, start + BATCH)
        request = json.dumps({"instances": [{"x": x[row]} for row in rows]}).encode()
        answer = json.dumps({"predictions": [answers[row] for row in rows]}).encode()
        exchange = Exchange(
            f"id-{start}", "POST", "/v1/models/m:predict", 200, now, 0.001,
            FIELDS, request, FIELDS, answer,
        )  # fmt: skip
        batch = decoder.decode(exchange)
        engine.observe(batch)
        classes |= set(batch.probabilities)
        store.remember([batch])
        posted = [Label(f"id-{start}", i, labels[row], now, now) for i, row in enumerate(rows)]
        engine.label(store.join(posted).joined)
    store.close()
    snapshot = engine.evaluate(now, Health(observing=True)).snapshot
    return snapshot.performance.realised, classes


def test_binary_probabilities(tmp_path: Path) -> None:
    source = np.random.default_rng(1)
    labels = source.integers(0, 2, ROWS)
    scores = 1 / (1 + np.exp(-(source.normal(0, 1, ROWS) + 1.5 * (labels - 0.5))))
    answers = [[1 - score, score] for score in scores.tolist()]
    reading, classes = _through(tmp_path, "binary", answers, labels.tolist())
    assert classes == {"0", "1"}
    predicted = (scores > 0.5).astype(int)
    expected = {
        "accuracy": sklearn.accuracy_score(labels, predicted),
        "precision": sklearn.precision_score(labels, predicted),
        "recall": sklearn.recall_score(labels, predicted),
        "f1": sklearn.f1_score(labels, predicted),
        "log_loss": sklearn.log_loss(labels, np.column_stack([1 - scores, scores])),
        "brier_score": sklearn.brier_score_loss(labels, scores),
    }
    for name, value in expected.items():
        assert reading.metrics[name] == pytest.approx(value, rel=EXACT), name
    auc = sklearn.roc_auc_score(labels, scores)
    assert reading.metrics["roc_auc"] == pytest.approx(auc, abs=BINNED)


def test_named_classes(tmp_path: Path) -> None:
    source = np.random.default_rng(2)
    names = ["cat", "dog", "emu"]
    labels = source.choice(names, ROWS, p=[0.5, 0.3, 0.2])
    answers = np.where(source.random(ROWS) < 0.7, labels, source.choice(names, ROWS))
    reading, classes = _through(tmp_path, "multiclass", answers.tolist(), labels.tolist())
    assert classes == set()
    precision, recall, f1, _ = sklearn.precision_recall_fscore_support(
        labels, answers, labels=names
    )
    expected = {"precision": precision, "recall": recall, "f1": f1}
    for name, by_class in expected.items():
        for label, value in zip(names, by_class, strict=True):
            assert reading.by_class[name][label] == pytest.approx(value, rel=EXACT)
        assert reading.metrics[name] == pytest.approx(by_class.mean(), rel=EXACT)
    accuracy = sklearn.accuracy_score(labels, answers)
    assert reading.metrics["accuracy"] == pytest.approx(accuracy, rel=EXACT)
    assert "log_loss" not in reading.metrics
