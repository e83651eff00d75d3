#!/bin/sh
# Writes the lock files: every version with its hashes, no address of any index. Needs `uv` on the path.
set -eu
cd "$(dirname "$0")/.."
lock() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate "$@"; }
lock pyproject.toml -o requirements/runtime.lock
lock pyproject.toml requirements/build.in --extra compare --extra demo --extra estimate --extra grafana --extra postgresql --extra dev -c requirements/runtime.lock -o requirements/dev.lock
lock requirements/bench.in -c requirements/dev.lock -o requirements/bench.lock
lock requirements/parity-evidently.in -o requirements/parity-evidently.lock
lock requirements/parity-nannyml.in -o requirements/parity-nannyml.lock
lock requirements/build.in -c requirements/dev.lock -o requirements/build.lock
lock pyproject.toml --extra demo -c requirements/dev.lock -o requirements/demo.lock
