"""Writes every dashboard into dashboards/generated/, to be committed."""

from __future__ import annotations

from dashboards.boards import columns, health, overview, performance
from dashboards.boards.facts import Board
from dashboards.boards.grafana import dashboard_json
from dashboards.generated import FOLDER

BOARDS: tuple[Board, ...] = (overview.BOARD, columns.BOARD, performance.BOARD, health.BOARD)


def main() -> None:
    """Write them."""
    for board in BOARDS:
        (FOLDER / f"{board.uid}.json").write_text(dashboard_json(board), encoding="utf-8")


if __name__ == "__main__":
    main()
