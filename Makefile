# Two verbs do everything: `make demo` shows it, `make test` proves it. Each sets up what it needs.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 3000

# uv where it is installed; else pip, whose compiling ahead takes longer than the first start saves.
UV := $(shell command -v uv)
ifdef UV
NEW_VENV = uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)
INSTALL = uv pip install --quiet --python $(BIN)/python
else
NEW_VENV = $(PYTHON) -m venv $(VENV)
INSTALL = $(BIN)/python -m pip install --no-compile
endif

.PHONY: demo run test test-all test-wheel soak spark lint audit ui ui-venv spark-venv bench docs site wheel vendor \
	pictures venv lock clean

demo: run
	$(BIN)/swr-warehouse demo

test: venv
	$(BIN)/python -m pytest

# pyenv hides the Pythons that are not chosen.
test-all test-wheel: export PYENV_VERSION := $(shell pyenv versions --bare 2>/dev/null | paste -sd :)

# All tests on each Python that is supported and here.
VERSIONS := 3.11 3.12 3.13 3.14
test-all:
	@for version in $(VERSIONS); do \
		if python$$version -c "" 2>/dev/null; then \
			$(MAKE) --no-print-directory test PYTHON=python$$version VENV=.venv/$$version || exit; \
		else \
			echo "Python $$version is not on this machine"; \
		fi; \
	done

# The wheel in an environment of its own, of the newest Python there is.
test-wheel: venv
	$(BIN)/python -m pytest -n 0 -m wheel tests/test_wheel.py

soak: venv
	$(BIN)/python -m pytest -m soak --dist load --timeout 7200 --hypothesis-profile anew

# A cluster on this machine, a master and two workers, makes the reports of the emulator's registry.
spark: spark-venv
	$(BIN)/python -W ignore tests/support/spark_cluster.py

lint: venv
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/sqruff lint sql

# Dagster's pages, for this machine only: of the demo, or of one's own runs if they came later.
ui: ui-venv
	$(BIN)/swr-warehouse ui --port $(PORT)

# What running needs, what Dagster's pages need too, and everything; Spark, half a gigabyte, beside it.
run: $(VENV)/installed-run
ui-venv: $(VENV)/installed-ui
venv: $(VENV)/installed
spark-venv: venv $(VENV)/installed-spark

$(VENV)/bin/python:
	$(NEW_VENV)

$(VENV)/installed-run: requirements.run.lock pyproject.toml | $(VENV)/bin/python
	$(install)

$(VENV)/installed-ui: requirements.ui.lock pyproject.toml | $(VENV)/bin/python
	$(install)
	@touch $(VENV)/installed-run

$(VENV)/installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(install)
	@touch $(VENV)/installed-run $(VENV)/installed-ui

$(VENV)/installed-spark: requirements.spark.lock | $(VENV)/installed
	$(install)

SHELL := bash
# A lock names all there is to install: nothing is left to be resolved.
define install
@echo "Installing $< into $(VENV): $$(grep -c "^[a-z].*==" $<) packages, once."
@set -o pipefail; $(INSTALL) --require-hashes --no-deps --requirement $< | $(PROGRESS)
@$(INSTALL) --no-deps --no-build-isolation --editable . > /dev/null
@touch $@
endef

# Of what pip says, that it gets on.
PROGRESS = awk '/^Collecting/ && ++n % 10 == 0 {print "  " n " fetched"; fflush()} \
	/^Installing coll/ {print "  unpacking"; fflush()}'

# Needs the network: asks the public advisory database about every pinned package.
audit:
	uvx pip-audit --requirement requirements.lock --require-hashes --disable-pip

# Wants the machine for itself: fifteen minutes, or three with QUICK=1.
bench: venv .venv/peers/installed
	$(BIN)/python benchmarks/compare.py $(if $(QUICK),--quick)
	$(BIN)/python benchmarks/rate_limit.py
	$(BIN)/python benchmarks/dagster_share.py
ifndef QUICK
	$(BIN)/python benchmarks/next_day.py
	$(BIN)/python benchmarks/pulls.py
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python benchmarks/hot_path.py
	$(BIN)/python benchmarks/reports_at_scale.py year
endif

.venv/peers/installed: benchmarks/peers.lock
	$(PYTHON) -m venv .venv/peers
	.venv/peers/bin/python -m pip install --quiet --require-hashes --requirement benchmarks/peers.lock
	touch $@

# Pages made from the code, which tests hold current, and the site of all pages.
docs: venv
	$(BIN)/python -m pipelines.warehouse.derive
	$(BIN)/python -m pipelines.warehouse.catalog > docs/data-dictionary.md
	$(BIN)/python -W ignore -m assets.lineage_page > docs/lineage.md
	$(BIN)/python -W ignore tests/support/graph_text.py > tests/assets/graph.txt
	$(MAKE) site

# The package, in dist.
wheel: venv
	rm -rf build/lib build/bdist.*
	$(BIN)/python -W ignore -c "from setuptools import build_meta; build_meta.build_wheel('dist')"

# The documentation as a site, in build/site; a link that leads nowhere is an error.
site: venv
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

# What readers look at first: the page of the demo's registry and Dagster's, in a real browser.
pictures: venv
	$(BIN)/python -W ignore tests/support/page_pictures.py docs/pictures
	$(BIN)/python -W ignore tests/support/dagster_pictures.py docs/pictures
	$(BIN)/python -W ignore tests/support/terminal_pictures.py docs/pictures

# Needs the network and npm: Vega as it was published, which must be what SHA256SUMS says.
vendor:
	rm -rf build/vendor && mkdir -p build/vendor
	cd build/vendor && for package in vega@6.4.0 vega-interpreter@2.3.2; do \
		tar --extract --gzip --strip-components 1 --one-top-level --file "$$(npm pack --silent $$package)"; \
	done
	cp build/vendor/vega-[0-9]*/build/vega.min.js build/vendor/vega-interpreter-*/build/vega-interpreter.js \
		pipelines/page/html/vendor/
	cd pipelines/page/html/vendor && sha256sum --check SHA256SUMS

# After changing pyproject.toml: resolve anew, all first, its parts from that. Holds hashes and no addresses.
lock: RESOLVE = uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url
lock:
	$(RESOLVE) --no-strip-extras --upgrade --extra ui --extra dev --output-file requirements.lock pyproject.toml
	$(RESOLVE) --no-strip-extras --constraint requirements.lock --group build \
		--output-file requirements.run.lock pyproject.toml
	$(RESOLVE) --no-strip-extras --constraint requirements.lock --group build --extra ui \
		--output-file requirements.ui.lock pyproject.toml
	$(RESOLVE) --no-strip-extras --constraint requirements.lock --group build --extra spark \
		--output-file requirements.spark.lock pyproject.toml
	$(RESOLVE) --upgrade --output-file benchmarks/peers.lock benchmarks/peers.in

clean:
	rm -rf .venv .dagster build dist *.egg-info
