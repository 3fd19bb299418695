# One image for all: the controller, the guard, steps of workflows, and the program netpol-canary-probe that probe pods run.
# Git reads the sources; kubectl builds kustomizations. Both base images are pinned by digest; a build elsewhere may give others.
ARG BASE=docker.io/library/python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
ARG KUBECTL=registry.k8s.io/kubectl:v1.34.1@sha256:59bafa07ff3a6d4b417e7633ddb9d79a9606ca98bf64bac080b3e65748669250
FROM ${KUBECTL} AS kubectl

FROM ${BASE} AS packages
WORKDIR /src
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never PIP_BREAK_SYSTEM_PACKAGES=1
# What it is built with, by hash too: uv, and the build backend of pyproject.toml.
COPY requirements/build.txt requirements/build.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/build.txt
# What changes seldom first: a change of the program or of its texts leaves this layer alone. Packages are fetched once for
# all builds; their hashes are held against the lock file each time.
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-dev --no-install-project \
    --extra aws --extra azure --extra google --extra notifications --extra oidc \
    # Of botocore's models of every service of AWS those that give credentials are enough.
    && find .venv/lib/python*/site-packages/botocore/data -mindepth 1 -maxdepth 1 -type d \
    ! -name sso ! -name sso-oidc ! -name sts -exec rm -r {} +

FROM packages AS build
COPY README.md LICENSE ./
COPY config config
COPY orchestrator orchestrator
COPY workflows workflows
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

FROM ${BASE}
LABEL org.opencontainers.image.title=netpol-canary \
      org.opencontainers.image.description="Rolls out network policy changes namespace by namespace, and back when they hurt" \
      org.opencontainers.image.licenses=Apache-2.0
RUN apt-get update \
    && apt-get install -y --no-install-recommends git gnupg openssh-client \
    && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* \
    # ssh and ssh-keygen refuse a user without a name.
    && useradd --uid 65532 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin netpol-canary
COPY --from=kubectl /bin/kubectl /usr/local/bin/kubectl
# The packages are a layer of their own, which most versions of the program share.
COPY --from=packages /src/.venv /src/.venv
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip --python /src/.venv/bin/python --no-cache-dir install --no-index --no-deps --compile /wheels/*.whl
USER 65532:65532
# The root file system may be read-only: what is written goes below /tmp.
ENV PATH=/src/.venv/bin:$PATH XDG_CACHE_HOME=/tmp/cache HOME=/tmp PYTHONDONTWRITEBYTECODE=1
WORKDIR /tmp
ENTRYPOINT ["netpol-canary"]
CMD ["serve", "--log", "json"]
