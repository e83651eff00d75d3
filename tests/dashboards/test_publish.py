"""Publishing: created, then unchanged; repaired where somebody edited; refused in one line."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from dashboards import addresses
from dashboards.generated import dashboards
from dashboards.publish import Outcome, PublishError, publish
from monitor.cli import main
from tests.dashboards.grafana import TOKEN, Grafana, grafana
from tests.end_to_end.sidecar import free_port


@pytest.fixture
def server() -> Iterator[Grafana]:
    with grafana() as running:
        yield running


def outcomes(server: Grafana) -> set[Outcome]:
    published = publish(server.url, TOKEN)
    assert len(published) == len(dashboards())
    return {one.outcome for one in published}


def test_twice_changes_nothing(server: Grafana) -> None:
    assert outcomes(server) == {Outcome.CREATED}
    assert set(server.boards) == set(dashboards())
    assert set(server.folders) == {addresses.FOLDER}
    writes = list(server.writes)
    assert outcomes(server) == {Outcome.UNCHANGED}
    assert server.writes == writes


def test_what_was_edited_or_moved_is_put_right(server: Grafana) -> None:
    publish(server.url, TOKEN)
    server.boards[addresses.OVERVIEW]["panels"][1]["title"] = "mine"
    server.placed[addresses.COLUMNS] = "elsewhere"
    server.boards[addresses.HEALTH]["panels"].pop()
    before = len(server.writes)
    changed = {one.title for one in publish(server.url, TOKEN) if one.outcome is Outcome.UPDATED}
    assert len(changed) == len(server.writes) - before == 3
    assert outcomes(server) == {Outcome.UNCHANGED}
    assert server.boards[addresses.OVERVIEW]["version"] == 2


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_grafana_under_a_path(slash: str) -> None:
    with grafana("/monitoring/grafana") as server:
        published = publish(server.url + slash, TOKEN)
        assert {one.outcome for one in published} == {Outcome.CREATED}
        assert all(one.url.startswith(f"{server.url}/d/sidelight-") for one in published)


def refused(url: str, token: str = TOKEN) -> str:
    with pytest.raises(PublishError) as caught:
        publish(url, token)
    line = str(caught.value)
    assert token not in line
    assert "\n" not in line
    return line


def test_a_wrong_token_writes_nothing(server: Grafana) -> None:
    assert "the token is not accepted" in refused(server.url, "glsa_wrong")
    assert server.writes == []


def test_a_token_without_the_right(server: Grafana) -> None:
    server.may_write = False
    assert "may not write" in refused(server.url)


def test_nobody_there() -> None:
    assert "cannot be reached: Connection refused" in refused(f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ((500, "application/json", '{"message": "database is locked"}'), "database is locked"),
        ((200, "text/html", "<html>a login page</html>"), "not Grafana"),
        ((200, "application/json", "not json"), "not Grafana"),
        ((200, "application/json", "[]"), "not Grafana"),
        ((502, "text/html", f"<html>\n{TOKEN}</html>"), "502"),
    ],
)
def test_what_is_no_healthy_grafana(
    server: Grafana, broken: tuple[int, str, str], said: str
) -> None:
    server.broken = broken
    assert said in refused(server.url)


@pytest.mark.parametrize("url", ["grafana:3000", "ftp://grafana", "http://", ""])
def test_what_is_no_url(url: str) -> None:
    assert "is not a URL" in refused(url)


def command(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["sidelight", "dashboards", *words])
        with pytest.raises(SystemExit) as ended:
            main()
    captured = capsys.readouterr()
    code = ended.value.code
    assert isinstance(code, int)
    return code, captured.out, captured.err


def test_the_command(server: Grafana, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("publish", "--url", server.url, "--token")
    code, out, _ = command(capsys, *words, TOKEN)
    assert (code, out.count("created: Sidelight / ")) == (0, 4)
    code, out, err = command(capsys, *words, "glsa_wrong")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("sidelight: Grafana at http://127.0.0.1:")


def test_without_the_extra(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "dashboards.publish")
    monkeypatch.setitem(sys.modules, "grafana_client.api", None)
    code, _, err = command(capsys, "publish", "--url", "http://127.0.0.1:9", "--token", "x")
    assert code == 2
    assert err == "sidelight: grafana-client is missing: pip install 'sidelight[grafana]'\n"
