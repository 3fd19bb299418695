# Everything a contributor runs. `make demo` and `make test` set up .venv by themselves.
PY ?= python3
BIN := .venv/bin

.PHONY: demo test test-cluster lint crds clean

.venv/.ready: pyproject.toml
	test -x $(BIN)/python || $(PY) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade "pip>=25.1"
	$(BIN)/python -m pip install -q -e . --group dev
	touch $@

demo: .venv/.ready
	$(BIN)/netpol-canary demo

test: .venv/.ready
	$(BIN)/python -m pytest -n 2

# A real etcd and kube-apiserver, built from tests/cluster/go.mod; or the cluster of KUBECONFIG.
test-cluster: .venv/.ready
	NETPOL_CANARY_CLUSTER=1 $(BIN)/python -m pytest -m cluster tests/contract tests/cluster

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

crds: .venv/.ready
	$(BIN)/python -c 'import pathlib; from orchestrator.rollout.crd import files; [pathlib.Path("config/crd", n).write_text(t) for n, t in files().items()]'

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
