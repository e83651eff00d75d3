"""`sidelight demo`: a real model server, the sidecar, real flights that drift, late labels.

Stands outside the sidecar: it starts the commands that a user would, and reads what they serve.
"""

from __future__ import annotations

from rich.console import Console

from monitor.demo.children import DemoError

__all__ = ["DemoError", "run_demo"]


def run_demo(*, headless: bool, seconds: float, console: Console) -> int:
    """Tell the whole story and return the exit code; DemoError where a part of it died."""
    try:
        from monitor.demo.story import tell  # noqa: PLC0415 - needs the extra `demo`
    except ModuleNotFoundError as error:
        raise DemoError(f"the demo needs {error.name}: pip install 'sidelight[demo]'") from None
    return tell(headless=headless, seconds=seconds, console=console)
