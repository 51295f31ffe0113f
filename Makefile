# `make` alone tells what there is.
.DEFAULT_GOAL := help
PORT ?= 9092
MINUTES ?= 10
NODES ?= 1
CONTROLLER ?= $(shell shuf -i 20000-29999 -n 1)

.PHONY: help demo test unit check build kafka kill-test memory-test storm storm-proof mutation-test format dist

help: ## Tell what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: ## Made-up leads on an embedded broker, decided before your eyes
	@$(MAKE) --no-print-directory build
	target/release/leadstream demo

test: ## All tests, against a real Apache Kafka too; fetches what is missing
	@.ci/packages test
	cargo test

unit: ## The tests that need neither Kafka nor its client
	cargo test --no-default-features

check: ## Format, lints, licences
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	cargo clippy --all-targets --no-default-features -- -D warnings
	fuzz/run check
	@if command -v cargo-deny >/dev/null; then cargo deny check; else echo "cargo-deny is not installed: licences and advisories not checked"; fi

format: ## Format the code
	cargo fmt

build: ## The program, optimised: target/release/leadstream
	@.ci/packages build
	LEADSTREAM_REVISION="$$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)" cargo build --release

# The name of what a release holds.
NAME = leadstream-$(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)-$(shell uname -m)-linux

dist: build ## What a release holds, in dist: program, licences, bill of materials (by cargo-cyclonedx), checksums
	@command -v cargo-cyclonedx >/dev/null || cargo install cargo-cyclonedx --version 0.5.9 --locked
	rm -rf dist && mkdir -p dist/$(NAME)
	cp target/release/leadstream LICENSE-APACHE LICENSE-MIT README.md CHANGELOG.md src/pipeline/normalize/data/NOTICES.txt dist/$(NAME)
	cp src/telemetry/console/uplot/LICENSE dist/$(NAME)/LICENSE-uPlot
	cp -r deploy/config deploy/systemd dist/$(NAME)
	tar --sort=name --owner=0 --group=0 --numeric-owner -C dist -czf dist/$(NAME).tar.gz $(NAME)
	rm -rf dist/$(NAME)
	cargo cyclonedx --format json --spec-version 1.5 --override-filename leadstream.sbom
	@# Where it was built is nobody's matter.
	sed "s|file://$(CURDIR)|file:///leadstream|g" leadstream.sbom.json > dist/$(NAME).cdx.json
	@rm leadstream.sbom.json
	cd dist && sha256sum $(NAME).tar.gz $(NAME).cdx.json > SHA256SUMS

kafka: ## An Apache Kafka on 127.0.0.1:9092 (PORT=…) to try `leadstream run`; Ctrl-C ends it
	@.ci/packages test
	@sh tests/kafka/broker/broker.sh serve $(PORT) $(CONTROLLER) "$$(mktemp -d)"

kill-test: ## The long kill test: 100,000 leads, 20 SIGKILLs, then the count
	@.ci/packages test
	LEADSTREAM_KILL_LEADS=100000 LEADSTREAM_KILLS=20 cargo test --test kafka kills -- --nocapture

memory-test: ## The long memory test: a backlog of two million records, a broker that hangs for a minute, half a gigabyte near the limit
	@.ci/packages test
	LEADSTREAM_MEMORY_RECORDS=2000000 LEADSTREAM_MEMORY_STALL=60 LEADSTREAM_MEMORY_ROUNDS=8 \
		cargo test --release --test kafka memory -- --nocapture --test-threads=1

mutation-test: ## The long mutation test: a million records, changed by chance, all formats
	LEADSTREAM_MUTATIONS=1000000 cargo test --profile checked --no-default-features --test it mutations -- --nocapture

storm: ## The storm: leads while everything fails, then an account of each (MINUTES=10, NODES=1 or 3, SEED=…)
	@.ci/packages test
	cargo test --release --test storm -- --minutes $(MINUTES) --nodes $(NODES) $(if $(SEED),--seed $(SEED))

storm-proof: ## Builds that are broken on purpose: the storm, and the test of late ends, must catch each
	@.ci/packages test
	@cargo test --no-run --test storm
	@for broken in offsets_first no_rewind ignore_log_lines; do \
		LEADSTREAM_SABOTAGE=$$broken cargo test -q --test storm -- --minutes 3 --seed 5 \
			$$(test $$broken != ignore_log_lines || echo --only network) | tee target/storm-proof.log; \
		grep -qE '^\{.*"(lost|duplicated)":[1-9]' target/storm-proof.log || { echo "$$broken was not caught"; exit 1; }; \
		echo "$$broken was caught"; \
	done
	LEADSTREAM_LATE_ENDS=100 cargo test --test kafka closing -- --nocapture
