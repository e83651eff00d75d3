"""`python -m tests.statistics.conventions.record`: golden.json, from the packages themselves."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.statistics.conventions.cases import cases
from tests.statistics.conventions.environment import HERE, said


def main() -> int:
    """Both libraries, in the environments that `make parity` makes."""
    documents = {}
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "cases.json"
        written.write_text(json.dumps([case.document() for case in cases()]), "utf-8")
        for library in ("evidently", "nannyml"):
            document = said(library, "peers.py", str(written))
            documents[library] = {
                "version": document["version"],
                "figures": document["figures"],
            }
    text = json.dumps(documents, indent=1, sort_keys=True, ensure_ascii=False)
    (HERE / "golden.json").write_text(text + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
