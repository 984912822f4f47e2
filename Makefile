# Two verbs do everything: `make demo` shows it, `make test` proves it. Each sets up what it needs.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PORT ?= 3000

# uv where it is installed; else pip, whose compiling ahead takes longer than the first start saves.
UV := $(shell command -v uv)
ifdef UV
NEW_VENV = uv venv --quiet --python $(PYTHON) .venv
INSTALL = uv pip install --quiet --python $(BIN)/python
else
NEW_VENV = $(PYTHON) -m venv .venv
INSTALL = $(BIN)/python -m pip install --quiet --no-compile
endif

.PHONY: demo run test test-all test-wheel soak lint audit ui ui-venv bench docs site wheel vendor pictures venv lock clean

demo: run
	$(BIN)/swr-warehouse demo

test: venv
	$(BIN)/python -m pytest

soak: venv
	$(BIN)/python -m pytest -m soak --dist load --timeout 7200 --hypothesis-profile anew

lint: venv
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/sqruff lint sql

# Dagster's pages, for this machine only.
ui: ui-venv
	$(BIN)/swr-warehouse ui --port $(PORT)

# What running needs, what Dagster's pages need too, and everything.
run: .venv/installed-run
ui-venv: .venv/installed-ui
venv: .venv/installed

.venv/bin/python:
	$(NEW_VENV)

.venv/installed-run: requirements.run.lock pyproject.toml | .venv/bin/python
	$(install)

.venv/installed-ui: requirements.ui.lock pyproject.toml | .venv/bin/python
	$(install)
	@touch .venv/installed-run

.venv/installed: requirements.lock pyproject.toml | .venv/bin/python
	$(install)
	@touch .venv/installed-run .venv/installed-ui

define install
@echo "Installing the $$(grep -c "^[a-z].*==" $<) packages of $< into .venv, once; a minute or so…"
@$(INSTALL) --require-hashes --requirement $<
@$(INSTALL) --no-deps --no-build-isolation --editable .
@touch $@
endef

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

# Pages made from the code: tests hold them current.
docs: venv
	$(BIN)/python -m pipelines.warehouse.derive
	$(BIN)/python -m pipelines.warehouse.catalog > docs/data-dictionary.md
	$(BIN)/python -W ignore -m assets.lineage_page > docs/lineage.md
	$(BIN)/python -W ignore tests/support/graph_text.py > tests/assets/graph.txt

# What readers look at first: the page of the demo's registry, in a real browser.
pictures: venv
	$(BIN)/python -W ignore tests/support/page_pictures.py docs/pictures

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
	$(RESOLVE) --no-strip-extras --upgrade --all-extras --output-file requirements.lock pyproject.toml
	$(RESOLVE) --no-strip-extras --constraint requirements.lock --group build \
		--output-file requirements.run.lock pyproject.toml
	$(RESOLVE) --no-strip-extras --constraint requirements.lock --group build --extra ui \
		--output-file requirements.ui.lock pyproject.toml
	$(RESOLVE) --upgrade --output-file benchmarks/peers.lock benchmarks/peers.in

clean:
	rm -rf .venv .dagster build dist *.egg-info
