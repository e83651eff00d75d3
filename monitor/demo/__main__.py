"""Runs the demo once and draws its tables: `python -m monitor.demo PICTURE.svg`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from monitor.demo.story import tell

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("picture", type=Path)
parser.add_argument("--seconds", type=float, default=60.0)
arguments = parser.parse_args()
sys.exit(
    tell(
        headless=True,
        seconds=arguments.seconds,
        console=Console(),
        picture=arguments.picture,
    )
)
