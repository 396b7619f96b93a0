# Everything a newcomer or a CI machine needs. `make help` lists it.
SITES ?= 12
PORT ?= 8443
DATA ?= data
FUZZ_SECONDS ?= 600

.PHONY: help run console build test check fuzz test-rust test-console test-e2e bench bench-bwe load talk incident soak clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## the whole system with the demo county and SITES=12 simulated sites (0 to 49) on PORT=8443
	@SITES=$(SITES) PORT=$(PORT) scripts/before-run.sh
	@scripts/prerequisites.sh run
	@$(MAKE) --no-print-directory build
	@SITES=$(SITES) PORT=$(PORT) DATA=$(DATA) scripts/run.sh

build: console ## console and release binaries
	cargo build --release -p liandong-server -p liandong-loadtest -p liandong-impair

console: ## the web console into web-console/dist
	@scripts/console.sh

test: ## everything, from unit tests to browsers; installs what is missing
	@scripts/prerequisites.sh test
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory test-console
	@$(MAKE) --no-print-directory test-rust
	@scripts/fuzz.sh smoke
	@$(MAKE) --no-print-directory test-e2e

check: console ## formatting, lints, licences, generated types
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo deny --log-level error check licenses bans sources
	scripts/generated-types.sh

test-console: console ## the console's own types, lints and unit tests
	cd web-console && npm run --silent typecheck && npm run --silent lint && npm run --silent unused && npm test --silent

test-rust: ## unit tests, simulations in virtual time
	cargo test --workspace --exclude liandong-tests

test-e2e: build ## real processes and real browsers
	cargo test --release -p liandong-tests -- --test-threads=1
	scripts/api-check.sh
	cd tests/e2e && npm ci --silent --no-audit --no-fund && npm run --silent typecheck && npm test --silent

fuzz: ## each fuzz target for FUZZ_SECONDS=600, one after the other (needs cargo-fuzz and nightly)
	@scripts/fuzz.sh $(FUZZ_SECONDS)

bench: ## CPU per forwarded packet against a raw loop, memory, answer times: `name: value` lines
	@scripts/prerequisites.sh bench
	@scripts/bench.sh

bench-bwe: ## bandwidth estimation in simulated networks: a table and drawings in docs/bwe
	@scripts/prerequisites.sh bench
	cargo bench -p liandong-sfu-core --bench bwe -- "$(CURDIR)/docs/bwe"

load: build ## a call of 50 × 50 in three sizes, 16 pictures each, SECONDS_LONG=60; figures in load-report.json
	@scripts/load.sh

talk: build ## 600 radios in 48 talk groups for SECONDS_LONG=60: request to grant, late entry; `name: value` lines
	@scripts/talk.sh

incident: build ## an incident's plan by one tap: how soon 49 sites ring and their media are live; `name: value` lines
	@scripts/bench-incident.sh

soak: build ## joins, leaves, switches, network changes and kills for MINUTES=30; figures in soak-report.json
	@scripts/soak.sh

clean: ## removes what was built, keeps the data folder
	cargo clean
	rm -rf web-console/dist web-console/node_modules tests/e2e/node_modules
