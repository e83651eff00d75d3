# Two images of one file: `runtime` (the default) is Sidelight; `demo` adds the flights' model and traffic.
# The base has to have Python 3.11 or newer as `python`, at the same path in every stage.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_COMPILE=1
WORKDIR /build
COPY requirements/ requirements/
# Hash-checked, and before the source, so that a change of the source keeps this layer.
RUN python -m venv /opt/sidelight \
 && /opt/sidelight/bin/python -m pip install --require-hashes -r requirements/runtime.lock \
 && python -m venv /opt/builder \
 && /opt/builder/bin/python -m pip install --require-hashes -r requirements/build.lock
COPY pyproject.toml README.md CHANGELOG.md LICENSE ./
COPY monitor/ monitor/
COPY exporters/ exporters/
COPY dashboards/ dashboards/
COPY examples/ examples/
RUN /opt/builder/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /opt/sidelight/bin/python -m pip install --no-deps --no-index /wheel/*.whl

FROM build AS demo-build
RUN /opt/sidelight/bin/python -m pip install --require-hashes -r requirements/demo.lock
WORKDIR /srv/flights
RUN PATH=/opt/sidelight/bin:$PATH \
 && python -m examples.flights.train --output . \
 && sidelight reference build training.parquet --output reference.json --target arr_delay --prediction prediction \
 && rm training.parquet && chmod 0644 reference.json model.joblib

FROM ${PYTHON_IMAGE} AS base
# A number, so that Kubernetes can see that it is not root; it owns nothing but the volume.
RUN mkdir /data && chown 65532:65532 /data
ENV PATH=/opt/sidelight/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    SIDELIGHT_DATA_DIR=/data
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8000 8001
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8001/livez', timeout=2)"]
ENTRYPOINT ["sidelight"]
CMD ["run"]

FROM base AS demo
COPY --from=demo-build /opt/sidelight /opt/sidelight
COPY --from=demo-build /srv/flights /srv/flights

FROM base AS runtime
COPY --from=build /opt/sidelight /opt/sidelight
