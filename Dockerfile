# The controller, and the program netpol-canary-probe that probe pods run. Git reads the sources; kubectl, where the image is built with it, builds kustomizations.
FROM docker.io/library/python:3.11-slim AS build
WORKDIR /src
RUN pip install --no-cache-dir uv
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY orchestrator orchestrator
COPY workflows workflows
RUN uv sync --frozen --no-dev --no-editable --all-extras

FROM docker.io/library/python:3.11-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends git gnupg openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    # ssh and ssh-keygen refuse a user without a name.
    && useradd --uid 65532 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin netpol-canary
COPY --from=build /src/.venv /src/.venv
USER 65532:65532
ENV PATH=/src/.venv/bin:$PATH XDG_CACHE_HOME=/tmp/cache HOME=/tmp
ENTRYPOINT ["netpol-canary"]
CMD ["serve", "--log", "json"]
