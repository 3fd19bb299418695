# Everything a contributor runs. `make demo` and `make test` set up .venv by themselves.
PY ?= python3
BIN := .venv/bin
MEASURED = COVERAGE_FILE=$(CURDIR)/.coverage.$@ $(BIN)/python -m coverage run -m pytest

.PHONY: demo test test-cluster coverage conformance reports simulate reliability lint bench bench-analysis crds docs freeze lock reference screenshots clean

.venv/.ready: pyproject.toml
	test -x $(BIN)/python || $(PY) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade "pip>=25.1"
	$(BIN)/python -m pip install -q -e . --group dev
	touch $@

demo: .venv/.ready
	$(BIN)/netpol-canary demo

test: .venv/.ready
	rm -f .coverage.$@*
	$(MEASURED) -n 2

# A real etcd and kube-apiserver, built from tests/cluster/go.mod; or the cluster of KUBECONFIG. As root and with
# containerd also a real node; NETPOL_CANARY_NODE=1 fails where there can be none.
test-cluster: .venv/.ready
	rm -f .coverage.$@*
	NETPOL_CANARY_CLUSTER=1 $(MEASURED) -n 2 --dist loadfile --no-loadscope-reorder -m cluster tests/contract tests/cluster

# What both tiers cover together, once they have run.
coverage: .venv/.ready
	$(BIN)/python -m coverage combine --keep -q $(wildcard .coverage.test.* .coverage.test-cluster.*)
	$(BIN)/python -m coverage report --fail-under=90

# Any folder of cases: `make conformance CASES=DIR`.
conformance: .venv/.ready
	$(BIN)/python tests/conformance.py $(CASES)

# Cases from public reports: `make reports CASES=DIR [ONLY=FILE]` runs each DIR/*/run.sh, or those that FILE lists.
reports: .venv/.ready
	@$(BIN)/python tests/reports.py $(CASES) $(if $(ONLY),--only $(ONLY))

# Seeds of the deterministic simulation, on every core: `make simulate SEEDS=2000 [FROM=0] [BUG=name]`; SETBACK=600 sets
# wall clocks back by so many seconds in each; HUNT=1 looks for every planted bug instead, in so many seeds at most.
SEEDS ?= 100
FROM ?= 0
simulate: .venv/.ready
	@PYTHONPATH=.:tests:tests/engine $(BIN)/python -m simulation --seeds $(SEEDS) --from $(FROM) $(if $(BUG),--bug $(BUG)) $(if $(SETBACK),--setback $(SETBACK)) $(if $(HUNT),--hunt)

# The figures of docs/reliability.md: seeds of the simulation, planted bugs, hostile input.
reliability: SEEDS = 2000
reliability: .venv/.ready
	@PYTHONPATH=.:tests:tests/engine $(BIN)/python tests/reliability.py --seeds $(SEEDS)

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.ready
	$(BIN)/python tests/bench/policies.py
	$(BIN)/python tests/bench/webhooks.py
	$(BIN)/python tests/bench/bench.py $(if $(shell command -v go),--real)

# How soon regressions are found, and how often falsely, beside other rules; the plot goes into build/bench.
bench-analysis: .venv/.ready
	$(BIN)/python tests/bench/analysis.py

crds: .venv/.ready
	$(BIN)/python -c 'import pathlib; from orchestrator.rollout.crd import files; [pathlib.Path("config/crd", n).write_text(t) for n, t in files().items()]'
	$(BIN)/netpol-canary workflows render --image netpol-canary > config/argo/templates.yaml

# What users of a version have, for tests/upgrade: `make freeze VERSION=v0.2.0`, once.
freeze: .venv/.ready
	$(BIN)/python tests/upgrade/freeze.py $(VERSION)
	$(BIN)/python tests/upgrade/halfway.py $(VERSION)

# docs/reference, from the commands, the models and the metrics.
reference: .venv/.ready
	PYTHONPATH=.:tests $(BIN)/python -m reference.write

docs: .venv/.ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build -q

# Every page into docs/screenshots, by Chromium.
screenshots: .venv/.ready
	$(BIN)/python tests/browser/screenshots.py docs/screenshots

# uv.lock after a change of pyproject.toml (needs uv), and what pip installs from it: for the image's build, for pre-commit.
lock:
	uv lock
	uv export -q --frozen --no-header --only-group build -o requirements/build.txt
	uv export -q --frozen --no-header --no-dev --no-hashes --no-annotate --no-emit-project -o requirements/hooks.txt

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* build/bench build/site
