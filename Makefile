# Two verbs do everything: `make demo` shows it, `make test` proves it. Each sets up what it needs.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PORT ?= 3000

.PHONY: demo test soak lint audit ui bench docs vendor pictures venv lock clean

demo: venv
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

# Dagster's pages, for this machine only; its state stays in the checkout.
ui: export DAGSTER_HOME := $(CURDIR)/.dagster
ui: venv
	install -d -m 0700 .dagster && cp dagster.yaml .dagster/
	$(BIN)/python -m assets.cli.ui --port $(PORT)

venv: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

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

# After changing pyproject.toml: resolve anew. Holds hashes and no addresses.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --all-extras --no-header --no-emit-index-url --no-strip-extras \
		--upgrade --output-file requirements.lock pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --upgrade \
		--output-file benchmarks/peers.lock benchmarks/peers.in

clean:
	rm -rf .venv .dagster build dist *.egg-info
