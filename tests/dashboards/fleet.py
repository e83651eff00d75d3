"""A real Prometheus over real sidecars: two replicas of a regression, and a binary classifier.

The replicas see different traffic. Column x takes few whole values, so that counting raw rows by
value is counting them by bin, without asking the code under test for its bins.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from dashboards.rules import export_rules
from tests.end_to_end.sidecar import JSON, Sidecar, command, free_port, model, receiver, request

VALUES = (0, 1, 2, 3, 4)
REFERENCE_WEIGHTS = (30, 30, 20, 15, 5)
REPLICA_WEIGHTS = ((30, 28, 22, 15, 5), (5, 10, 20, 30, 35))
MISSING_EVERY = 25  # one row in so many, on the second replica alone
CONFIG = """\
model: {{name: {name}, version: "1"}}
window: {{size: 2m, pane: 1s, min_rows: 100}}
performance: {{segments: [x]}}
alerts:
  {{for: 200ms, keep_firing_for: 1m, webhooks: [{{url: "{url}"}}], allow_private: [127.0.0.1]}}
"""


class Fleet:
    """The sidecars, the Prometheus, and every raw value of x: sent, and in the reference."""

    def __init__(self, folder: Path, replicas: list[Sidecar], classifier: Sidecar) -> None:
        self.folder = folder
        self.replicas = replicas
        self.classifier = classifier
        self.sent: Counter[float | None] = Counter()
        self.reference: Counter[float | None] = Counter()
        self.port = free_port()
        self._rules = export_rules(folder / "rules")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, scraping: bool) -> None:
        """Start Prometheus on what it has kept so far, with or without targets."""
        sidecars = (*self.replicas, self.classifier) if scraping else ()
        targets = [f"127.0.0.1:{one.control}" for one in sidecars]
        document = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s",
                       "evaluation_interval": "1s"},
            "rule_files": [str(path) for path in self._rules],
            "scrape_configs": [
                {"job_name": "sidelight", "static_configs": [{"targets": targets}]}
            ],
        }  # fmt: skip
        path = self.folder / "prometheus.yml"
        path.write_text(yaml.safe_dump(document), "utf-8")
        words = [
            "prometheus",
            f"--config.file={path}",
            f"--storage.tsdb.path={self.folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        with (self.folder / "prometheus.log").open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log)
        self.wait(lambda: request(self.port, "GET", "/-/ready")[0] == 200)

    def end(self) -> None:
        """Kill Prometheus: so it has no time to mark its series as gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """An instant query's series."""
        path = "/api/v1/query?" + urlencode({"query": expression})
        status, _, body = request(self.port, "GET", path)
        answer = json.loads(body)
        assert status == 200, (expression, answer)
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def numbers(self, expression: str) -> list[float]:
        """An instant query's values."""
        return [float(one["value"][1]) for one in self.ask(expression)]

    def wait(self, until: Callable[[], bool], seconds: float = 20.0) -> None:
        """Until Prometheus says so."""
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if until():
                    return
            assert time.monotonic() < end
            time.sleep(0.05)

    def send(self, rounds: int) -> None:
        """A round is a batch of fifty rows to each sidecar, and the labels of them."""
        source = random.Random(7)
        for _ in range(rounds):
            for number, replica in enumerate(self.replicas):
                values: list[float | None] = [
                    None if number and not row % MISSING_EVERY else value
                    for row, value in enumerate(
                        source.choices(VALUES, REPLICA_WEIGHTS[number], k=50)
                    )
                ]
                self._predict(replica, values, source)
                self.sent.update(values)
            self._classify(source)

    def _predict(self, replica: Sidecar, values: list[float | None], source: random.Random) -> None:
        status, fields, _ = replica.predict(values)
        assert status == 200
        labels = [2 * (value or 0) + source.gauss(0, 1) for value in values]
        posted = {"prediction_id": fields["x-prediction-id"], "labels": labels}
        assert replica.feedback(posted)[0] == 202

    def _classify(self, source: random.Random) -> None:
        rows = [source.random() for _ in range(50)]
        body = json.dumps({
            "instances": [{"a": one} for one in rows],
            "predictions": [[1 - one, one] for one in rows],  # the model answers with what it got
        }).encode()  # fmt: skip
        status, fields, _ = request(self.classifier.port, "POST", "/predict", body, JSON)
        assert status == 200
        labels = [int(source.random() < one) for one in rows]
        posted = {"prediction_id": fields["x-prediction-id"], "labels": labels}
        assert self.classifier.feedback(posted)[0] == 202


@contextlib.contextmanager
def fleet(folder: Path) -> Iterator[Fleet]:
    """Sidecars first, then Prometheus, so that every counter is seen at zero; then traffic."""
    with contextlib.ExitStack() as stack:
        served, received = stack.enter_context(model()), stack.enter_context(receiver())
        regression, counted = _regression(folder)
        binary = _binary(folder)

        def sidecar(name: str, reference: Path, folder_name: str) -> Sidecar:
            own = folder / folder_name
            own.mkdir()
            config = CONFIG.format(name=name, url=received.url)
            one = Sidecar(
                own, "--upstream", served.url, "--reference", str(reference), config=config
            )
            stack.callback(one.close)
            return one

        replicas = [sidecar("prices", regression, f"replica-{number}") for number in (1, 2)]
        made = Fleet(folder, replicas, sidecar("fraud", binary, "classifier"))
        made.reference = counted
        stack.callback(made.end)
        made.start(scraping=True)
        # A counter that is first seen over zero has grown unseen: wait for every bin.
        bins = 'count(sidelight_column_observations_total{role="feature",bin="missing"} == 0)'
        made.wait(lambda: made.numbers(bins) == [3.0])
        yield made


def _regression(folder: Path) -> tuple[Path, Counter[float | None]]:
    source = random.Random(1)
    values = source.choices(VALUES, REFERENCE_WEIGHTS, k=4000)
    lines = [f"{x},{2 * x},{2 * x + source.gauss(0, 1)!r}" for x in values]
    more = ("--segments", "x", "--estimate")
    return _reference(folder / "prices", "x,predicted,truth", lines, *more), Counter(values)


def _binary(folder: Path) -> Path:
    source = random.Random(2)
    lines = []
    for _ in range(4000):
        a = source.random()
        lines.append(f"{a!r},{1 - a!r},{a!r},{int(a > 0.5)},{int(source.random() < a)}")
    more = ("--probability", "p0=0", "--probability", "p1=1", "--estimate")
    return _reference(folder / "fraud", "a,p0,p1,predicted,truth", lines, *more)


def _reference(stem: Path, head: str, lines: list[str], *more: str) -> Path:
    """Built by the command, from a CSV."""
    data, output = stem.with_suffix(".csv"), stem.with_suffix(".json")
    data.write_text("\n".join([head, *lines, ""]), "utf-8")
    words = ["reference", "build", str(data), "--output", str(output)]
    words += ["--target", "truth", "--prediction", "predicted", *more]
    subprocess.run([*command(), *words], check=True, capture_output=True, timeout=60)
    return output
