# Every target does its own set-up: a machine with Python >= 3.11 and make is enough.
PYTHON ?= python3
VENV   ?= .venv
RUN    := $(VENV)/bin
PARITY ?= .venv-parity

.PHONY: demo test test-compose test-servers fuzz check bench lock clean

demo: $(VENV)/.ready ## the whole story on real flights: drift found, performance computed, an alert delivered
	$(RUN)/sidelight demo $(DEMO_FLAGS)

test: $(VENV)/.ready system-packages ## every test
	$(RUN)/python -m pytest -q $(PYTEST_FLAGS)

check: $(VENV)/.ready ## formatting, lint, types, import contracts
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports

test-compose: $(VENV)/.ready ## images built and brought up by the compose file: PYTHON_IMAGE names a local base
	@test -n "$(PYTHON_IMAGE)" || { echo "PYTHON_IMAGE has to name a local image with Python 3.11 or newer"; exit 2; }
	PYTHON_IMAGE=$(PYTHON_IMAGE) $(RUN)/python -m pytest -v -rs tests/dashboards/test_stack.py

SERVERS := mlflow mlserver litserve flask

test-servers: $(VENV)/.ready $(SERVERS:%=.servers/%/.ready) ## servers that others wrote, in environments of their own
	$(RUN)/python -m pytest -q tests/end_to_end/servers $(PYTEST_FLAGS)

FUZZ_SECONDS ?= 60
FORMATS := auto named instances open_inference binary_tensors grpc http2 seldon openai_chat tensorflow_examples mlflow parquet sagemaker csv

fuzz: .servers/fuzz/.ready ## every wire format, FUZZ_SECONDS each, guided by coverage
	@for format in $(FORMATS); do log=.servers/fuzz/$$format.log; \
	  PYTHONPATH=. .servers/fuzz/bin/python tests/fuzz/decode.py $$format -artifact_prefix=.servers/fuzz/ \
	    -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 >$$log 2>&1 \
	    || { tail -n 60 $$log; exit 1; }; \
	  echo "$$format: $$(grep -m1 'INITED  *cov' $$log | sed 's/ft:.*//;s/.*cov:/edges at first/') $$(grep 'DONE  *cov' $$log | sed 's/corp:.*//;s/.*cov:/and in the end/;s/ft:/features/')" \
	    "$$(grep -E 'executed_units|peak_rss' $$log | sed 's/stat:://' | tr -s '\n ' ' ')"; done

.servers/fuzz/.ready: requirements/runtime.lock
	$(PYTHON) -m venv .servers/fuzz
	.servers/fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	.servers/fuzz/bin/python -m pip install --quiet --disable-pip-version-check atheris==3.0.0
	touch $@

.servers/%/.ready: tests/end_to_end/servers/requirements/%.txt
	$(PYTHON) -m venv .servers/$*
	.servers/$*/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

bench: $(VENV)/.ready ## every published figure, with its peers in the same run
	$(RUN)/python benchmarks/relay.py $(BENCH_FLAGS)

.PHONY: bench-observer chaos
bench-observer: $(VENV)/.ready ## what observing costs; beside whylogs with BENCH_FLAGS="--peers PYTHON"
	$(RUN)/python benchmarks/observer.py $(BENCH_FLAGS)

chaos: $(VENV)/.ready ## what must hold while things break; the full soak with CHAOS_FLAGS="--soak 600"
	$(RUN)/python benchmarks/chaos.py $(CHAOS_FLAGS)

parity: $(VENV)/.ready $(PARITY)-evidently/.ready $(PARITY)-nannyml/.ready ## our conventions against the packages themselves (NannyML wants Python < 3.13)
	SIDELIGHT_PARITY=$(abspath $(PARITY)) $(RUN)/python -m pytest -q -rs tests/statistics/conventions

$(PARITY)-%/.ready: requirements/parity-%.lock
	$(PYTHON) -m venv $(PARITY)-$*
	$(PARITY)-$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
	touch $@

.PHONY: pictures
pictures: $(VENV)/.ready system-packages ## the README's pictures, each from a run of the demo
	$(RUN)/python -m monitor.demo docs/pictures/demo.svg
	$(RUN)/python benchmarks/page.py docs/pictures/page.png

lock: $(VENV)/.ready ## new lock files: hashes, no addresses
	sh requirements/lock.sh

.PHONY: system-packages
system-packages: ## promtool, Alertmanager, Chromium and PostgreSQL, where this is Debian and we may install them; else their tests are skipped
	@for need in promtool:prometheus prometheus-alertmanager:prometheus-alertmanager chromium:chromium pg_ctlcluster:postgresql; do \
	  command -v $${need%%:*} >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $${need##*:} >/dev/null; } \
	  || echo "$${need%%:*} is not installed: tests that need it are skipped"; done

$(VENV)/.ready: requirements/dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist build
