# Everything a contributor runs. `make demo` and `make test` set up .venv by themselves.
PY ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# Where programs of tests/ find each other, as pytest does by pyproject.toml.
TESTS := .:tests:tests/support:tests/support/faults:tests/support/naive:tests/support/scenes:tests/servers

# Hundreds of tests start the program: compiled once, not by every process.
unexport PYTHONDONTWRITEBYTECODE

# What stands in pyproject.toml: by uv where it is there, in a tenth of the time.
WITH_UV = uv pip install -q --python $(BIN)/python -e . --group dev
WITH_PIP = $(BIN)/python -m pip install -q --upgrade "pip>=25.1" && $(BIN)/python -m pip install -q -e . --group dev

.PHONY: demo test nightly test-cluster test-node test-plane coverage conformance reports simulate reliability lint bench bench-analysis crds chart docs freeze lock reference release-check screenshots captures clean

$(VENV)/.ready: pyproject.toml
	test -x $(BIN)/python || $(PY) -m venv $(VENV)
	$(if $(shell command -v uv),$(WITH_UV),$(WITH_PIP))
	touch $@

# The program alone, without what it is tested with.
$(VENV)/.program: pyproject.toml
	test -x $(BIN)/python || $(PY) -m venv $(VENV)
	test -e $(VENV)/.ready || $(if $(shell command -v uv),uv pip install -q --python $(BIN)/python,$(BIN)/python -m pip install -q) -e '.[notifications,oidc]'
	touch $@

demo: $(VENV)/.program
	$(BIN)/netpol-canary demo

# One more than there are cores: some tests wait.
WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)
test: $(VENV)/.ready
	$(BIN)/python -m pytest -n $(WORKERS) --durations=10

# In full what other tiers draw a sample of, and five hundred seeds. The files that draw one say in each test what is drawn.
SAMPLED = $(shell grep -rlwE 'from (sampling|wcag_rules) import' tests --include='test_*.py')
nightly: SEEDS = 500
nightly: $(VENV)/.ready simulate
	NETPOL_CANARY_FULL=1 NETPOL_CANARY_CLUSTER=1 $(BIN)/python -m pytest -n 2 --dist loadfile --durations=10 $(SAMPLED)

# A real etcd and kube-apiserver, built from tests/cluster/go.mod; or the cluster of KUBECONFIG. As root and with
# containerd also a real node; NETPOL_CANARY_NODE=1 fails where there can be none. Both mostly wait, the node the most of all.
CLUSTER = NETPOL_CANARY_CLUSTER=1 $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder --durations=10
test-cluster: $(VENV)/.ready
	@$(MAKE) --no-print-directory -j 2 --output-sync=target test-node test-plane
test-node: $(VENV)/.ready
	$(CLUSTER) -n 3 -m "cluster and node" tests/cluster
test-plane: $(VENV)/.ready
	$(CLUSTER) -n 3 -m "cluster and not node" tests/contract tests/cluster

# What the tests cover. Python 3.12 and newer trace at next to no cost: `make coverage PY=python3.13 VENV=.venv-3.13`.
coverage: CORE = $(shell $(BIN)/python -c 'import sys; print("sysmon" if sys.version_info >= (3, 12) else "ctrace")')
coverage: $(VENV)/.ready
	rm -f .coverage*
	COVERAGE_CORE=$(CORE) COVERAGE_FILE=$(CURDIR)/.coverage $(BIN)/python -m coverage run -m pytest -n $(WORKERS) --durations=10 -m "not browser and not exhaustive"
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report --fail-under=90

# Any folder of cases: `make conformance CASES=DIR`.
conformance: $(VENV)/.ready
	$(BIN)/python tests/conformance.py $(CASES)

# Cases from public reports: `make reports CASES=DIR [ONLY=FILE]` runs each DIR/*/run.sh, or those that FILE lists.
reports: $(VENV)/.ready
	@$(BIN)/python tests/reports.py $(CASES) $(if $(ONLY),--only $(ONLY))

# Seeds of the deterministic simulation, on every core: `make simulate SEEDS=2000 [FROM=0] [BUG=name]`; SETBACK=600 sets
# wall clocks back by so many seconds in each; HUNT=1 looks for every planted bug instead, in so many seeds at most.
SEEDS ?= 100
FROM ?= 0
simulate: $(VENV)/.ready
	@PYTHONPATH=$(TESTS) $(BIN)/python -m simulation --seeds $(SEEDS) --from $(FROM) $(if $(BUG),--bug $(BUG)) $(if $(SETBACK),--setback $(SETBACK)) $(if $(HUNT),--hunt)

# The figures of docs/reliability.md: seeds of the simulation, planted bugs, hostile input.
reliability: SEEDS = 2000
reliability: $(VENV)/.ready
	@PYTHONPATH=$(TESTS) $(BIN)/python tests/reliability.py --seeds $(SEEDS)

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.ready
	$(BIN)/python tests/bench/policies.py
	$(BIN)/python tests/bench/webhooks.py
	$(BIN)/python tests/bench/bench.py $(if $(shell command -v go),--real)
	$(if $(shell command -v go),$(BIN)/python tests/bench/idle.py)

# How soon regressions are found, and how often falsely, beside other rules; the plot goes into build/bench.
bench-analysis: $(VENV)/.ready
	$(BIN)/python tests/bench/analysis.py

crds: $(VENV)/.ready
	$(BIN)/python -c 'import pathlib; from orchestrator.rollout.resources.crd import files; [pathlib.Path("config/crd", n).write_text(t) for n, t in files().items()]'
	$(BIN)/netpol-canary workflows render --image netpol-canary > config/argo/templates.yaml

# charts/netpol-canary, from config/.
chart: $(VENV)/.ready
	PYTHONPATH=$(TESTS) $(BIN)/python -m chart.write

# What users of a version have, for tests/upgrade: `make freeze VERSION=v0.2.0`, once.
freeze: $(VENV)/.ready
	$(BIN)/python tests/upgrade/freeze.py $(VERSION)
	$(BIN)/python tests/upgrade/halfway.py $(VERSION)

# docs/reference, from the commands, the models and the metrics.
reference: $(VENV)/.ready
	PYTHONPATH=$(TESTS) $(BIN)/python -m reference.write

docs: $(VENV)/.ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build -q

# Every page into docs/screenshots, by Chromium.
screenshots: $(VENV)/.ready
	$(BIN)/python tests/browser/screenshots.py docs/screenshots

# All that goes out with a tag, up to the push: `make release-check [TAG=v0.1.0] [ONLY=plugin] [KEEP=dist]`.
release-check: $(VENV)/.ready
	$(BIN)/python -m release.rehearsal $(if $(TAG),--tag $(TAG)) $(ONLY:%=--only %) $(if $(KEEP),--keep $(KEEP))

# Commands on a terminal, as SVG into docs/screenshots.
captures: $(VENV)/.ready
	$(BIN)/python tests/terminal_captures.py docs/screenshots

# uv.lock after a change of pyproject.toml (needs uv), and what pip installs from it: for the image, releases, pre-commit.
lock:
	uv lock
	for group in build packager contents; do uv export -q --frozen --no-header --only-group $$group -o requirements/$$group.txt; done
	uv export -q --frozen --no-header --no-dev --no-hashes --no-annotate --no-emit-project -o requirements/hooks.txt

clean:
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* build/bench build/site
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
