"""`sidelight feedback` against a running sidecar: sent, ended in the middle, gone on, revoked."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.sidecar import Sidecar, command, environment

pytestmark = pytest.mark.end_to_end

ROWS = 5_000


def upload(sidecar: Sidecar, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command(), "feedback", *words, "--url", f"http://127.0.0.1:{sidecar.control}"],
        env=environment(COLUMNS="200"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_file_is_sent_sent_again_and_revoked(
    start: Callable[..., Sidecar], tmp_path: Path
) -> None:
    sidecar = start()
    sidecar.predict([0, 1, 2], **{"x-request-id": "first"})
    lines = [f"first,{row},{2 * row + 1}\n" for row in range(3)]
    lines += [f"later-{n},0,1\n" for n in range(ROWS)]
    path = tmp_path / "labels.csv"
    path.write_text("id,n,y\n" + "".join(lines) + "not an id,0,1\n", "utf-8")
    words = (str(path), "--id", "id", "--label", "y", "--row", "n", "--source", "file")
    sidecar.wait(lambda: sidecar.get("/api/v1/predictions/first")[0] == 200)
    done = upload(sidecar, *words)
    assert done.returncode == 1, done.stderr  # one was rejected
    assert f"{ROWS + 4} labels sent: 3 joined, {ROWS} pending, 1 rejected" in done.stdout
    assert "rejected: prediction_id is text" in done.stderr
    assert sorted(one.name for one in tmp_path.glob("labels*")) == ["labels.csv"]
    again = upload(sidecar, *words)
    assert f"{ROWS + 3} duplicate" in again.stdout
    revoked = upload(sidecar, "--revoke", "file")
    assert (revoked.returncode, revoked.stdout) == (0, f"{ROWS + 3} labels of file taken out\n")
    rows = sidecar.json("/api/v1/predictions/first")["rows"]
    assert [row["label"] for row in rows] == [None] * 3
    missing = upload(sidecar, str(tmp_path / "none.csv"))
    assert (missing.returncode, "there is no such file" in missing.stderr) == (2, True)
