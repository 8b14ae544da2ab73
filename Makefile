# Sluice: `make demo` shows the main job, `make test` runs everything. Both install what is missing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT_PACKAGES := libsqlite3-dev liblz4-dev zlib1g-dev pkg-config python3-venv bubblewrap
# What runs the images that tests deploy, signs decisions, reads URLs as browsers do, and sets a process's clock.
TEST_PACKAGES := podman runc docker.io buildah openssh-client nodejs faketime
# The load generators, a compiler for those written in C, and the peers of the benchmarks.
BENCH_PACKAGES := wrk gcc libc6-dev postgresql-15 redis-server nginx-light
CLIENT_VERSIONS := 0.2.0 1.3.1 1.4.2
# Agent frameworks that `make test` tests; `make frameworks` adds those that take long to install or to import.
FRAMEWORKS := langgraph openai_agents pydantic_ai smolagents llama_index ag2 agent_framework loops litellm
FRAMEWORKS_MORE := google_adk crewai autogen agno strands haystack dspy
# Every executable of Benchmarks: `make test` compiles them too.
BENCHMARKS := EchoServer EncodingBenchmark HistoryGenerator AuditBenchmark BacktestBenchmark QueryBenchmark KeyringBenchmark
BUILD := swift build --explicit-target-dependency-import-check error
# Test files run beside each other, because they mostly wait; Tests/Conformance/conftest.py names those that begin first.
TEST_WORKERS ?= 3
PYTEST := .venv/test/bin/python -m pytest -q -p no:cacheprovider
# A few tests that fail beside others are run once more, and the first failure is printed; RERUNS= counts each as one.
RERUNS ?= --reruns 1 --max-suite-reruns 3 --rerun-show-tracebacks
PARALLEL := -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder $(RERUNS) -m 'not alone'
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: deps
deps: ## Install the Debian packages that are missing
	@missing=(); for package in $(APT_PACKAGES); do \
	  dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing+=($$package); done; \
	if [ $${#missing[@]} -gt 0 ]; then \
	  echo "installing $${missing[*]}"; \
	  $(SUDO) apt-get update -qq; $(SUDO) apt-get install -y -qq "$${missing[@]}"; fi

.PHONY: build
build: deps ## Build sluice (debug configuration, as tests and demo use it)
	$(BUILD) --product sluice

.PHONY: release
release: deps ## Build sluice for production
	$(BUILD) -c release --product sluice

# One virtual environment a client version, and one for the tests.
.venv/test/.done: Tests/Conformance/requirements.txt
	python3 -m venv .venv/test
	.venv/test/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.venv/runagents-%/.done: Tests/Conformance/client-constraints.txt
	python3 -m venv .venv/runagents-$*
	.venv/runagents-$*/bin/pip install --quiet --disable-pip-version-check \
	  --constraint $< 'runagents[mcp]==$*'
	@touch $@

# One virtual environment a framework. The list is complete, so pip resolves nothing.
.venv/frameworks-%/.done: Tests/Conformance/frameworks/requirements/%.txt
	python3 -m venv .venv/frameworks-$*
	.venv/frameworks-$*/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

# What generates a client from the API's document.
.venv/openapi-client/.done: Tests/Conformance/generator-requirements.txt
	python3 -m venv .venv/openapi-client
	.venv/openapi-client/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

# What Anthropic's service really streamed, from the source distribution of its SDK.
.venv/transcripts/.done: .venv/test/.done
	mkdir -p .venv/transcripts
	.venv/test/bin/pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
	  --dest .venv/transcripts anthropic==0.125.0
	tar -xzf .venv/transcripts/anthropic-0.125.0.tar.gz -C .venv/transcripts --strip-components=5 \
	  anthropic-0.125.0/tests/lib/streaming/fixtures
	@touch $@

# A peer of the benchmarks.
.venv/litellm/.done:
	python3 -m venv .venv/litellm
	.venv/litellm/bin/pip install --quiet --disable-pip-version-check 'litellm[proxy]>=1.80,<2'
	@touch $@

.PHONY: clients
clients: deps .venv/test/.done .venv/transcripts/.done .venv/openapi-client/.done $(CLIENT_VERSIONS:%=.venv/runagents-%/.done) $(FRAMEWORKS:%=.venv/frameworks-%/.done) ## Install the published clients and the agent frameworks

.PHONY: frameworks
frameworks: build clients $(FRAMEWORKS_MORE:%=.venv/frameworks-%/.done) ## Test every framework with every disturbance, and write the table of docs/agents.md
	FRAMEWORKS=all $(PYTEST) -n $(TEST_WORKERS) --dist load Tests/Conformance/frameworks

# Compiles every product, those of the benchmarks included.
.PHONY: build-everything
build-everything: deps
	for product in sluice sluicePackageTests Simulate $(BENCHMARKS); do $(BUILD) --product $$product || exit; done

# How long a test run simulates worlds of new seeds.
SIMULATION_SECONDS ?= 110
SWIFT_TESTS := SIMULATION_SECONDS=$(SIMULATION_SECONDS) swift test --skip-build
.PHONY: test
test: APT_PACKAGES += $(TEST_PACKAGES)
test: deps ## Run every test
	@$(MAKE) clients & clients=$$!; trap "kill $$clients 2>/dev/null || true" EXIT; $(MAKE) build-everything && wait $$clients
	$(PYTEST) Tests/Repository
	@$(SWIFT_TESTS) >.build/swift-test.txt 2>&1 & swift_tests=$$!; trap "kill $$swift_tests" INT TERM; failed=; \
	$(PYTEST) $(PARALLEL) Tests/Conformance || failed=1; \
	wait $$swift_tests && tail -n 2 .build/swift-test.txt || { failed=1; cat .build/swift-test.txt; }; \
	$(PYTEST) -m alone Tests/Conformance || failed=1; \
	[ -z "$$failed" ]

.PHONY: test-repository
test-repository: .venv/test/.done ## Check style and documents, with no build
	$(PYTEST) Tests/Repository

.PHONY: test-conformance
test-conformance: APT_PACKAGES += $(TEST_PACKAGES)
test-conformance: build clients ## Test the binary from outside
	$(PYTEST) $(PARALLEL) Tests/Conformance
	$(PYTEST) -m alone Tests/Conformance

SEEDS ?= 10000
.PHONY: simulate
simulate: deps ## Simulate crashes and failing disks over SEEDS=10000 random worlds; prints each failing seed
	$(BUILD) -c release --product Simulate
	"$$($(BUILD) -c release --show-bin-path)/Simulate" --seeds $(SEEDS)

OVERLOAD_SECONDS ?= 60
.PHONY: overload
overload: deps .venv/test/.done ## Offer ten times what can be served for OVERLOAD_SECONDS=60, on a slow disk
	$(BUILD) -c release --product sluice
	OVERLOAD_SECONDS=$(OVERLOAD_SECONDS) SLUICE_BINARY="$$($(BUILD) -c release --show-bin-path)/sluice" \
	  .venv/test/bin/python -m pytest -s -q -p no:cacheprovider Tests/Conformance/test_sustained_overload.py

SOAK_SECONDS ?= 1200
.PHONY: soak
soak: deps .venv/test/.done .venv/runagents-1.4.2/.done ## Work one daemon with everything at once for SOAK_SECONDS=1200, and see that nothing grows
	$(BUILD) -c release --product sluice
	SOAK_SECONDS=$(SOAK_SECONDS) SLUICE_BINARY="$$($(BUILD) -c release --show-bin-path)/sluice" \
	  .venv/test/bin/python -m pytest -s -q -p no:cacheprovider Tests/Conformance/soak

MUTATE_ARGUMENTS ?=
.PHONY: mutate
mutate: deps .venv/test/.done ## Break each rule of Tests/Mutation once and see a test fail; MUTATE_ARGUMENTS="--only grants"
	.venv/test/bin/python Tests/Mutation/mutate.py $(MUTATE_ARGUMENTS)

FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= frame recovery event snapshot json request response
FUZZ_BUILD := SLUICE_FUZZ=1 $(BUILD) -c release --scratch-path .build-fuzz
FUZZ_OPTIONS := -max_len=4096 -timeout=10 -rss_limit_mb=1024
# A crash is libFuzzer's to report: Swift's own handler would be first.
FUZZ_ENVIRONMENT := SWIFT_BACKTRACE=enable=no

.PHONY: fuzz
fuzz: deps ## Fuzz each reader of foreign bytes for FUZZ_SECONDS=60; prints the input that breaks a promise
	$(FUZZ_BUILD) --product Fuzz
	@fuzz="$$($(FUZZ_BUILD) --show-bin-path)/Fuzz"; failed=; \
	for target in $(FUZZ_TARGETS); do \
	  mkdir -p .build-fuzz/found/$$target; log=.build-fuzz/found/$$target.log; \
	  $(FUZZ_ENVIRONMENT) FUZZ_TARGET=$$target "$$fuzz" -max_total_time=$(FUZZ_SECONDS) $(FUZZ_OPTIONS) \
	    -artifact_prefix=.build-fuzz/$$target- .build-fuzz/found/$$target Tests/Fuzzing/Corpus/$$target >$$log 2>&1 \
	    && echo "$$target: $$(grep -a DONE $$log)" || { failed=1; echo "$$target fails:"; tail -n 40 $$log; }; \
	done; [ -z "$$failed" ]

.PHONY: fuzz-corpus
fuzz-corpus: ## Make the corpus anew from itself and what `make fuzz` has found
	python3 Tests/Fuzzing/corpus.py "$$($(FUZZ_BUILD) --show-bin-path)/Fuzz" .build-fuzz/found $(FUZZ_TARGETS)

TSAN_BUILD := SLUICE_TSAN=1 $(BUILD) --scratch-path .build-tsan --sanitize=thread
TSAN_SUITES := CommandHandling|EventLog|EventStore|EventStreaming|Execution|Gateways|Projections|Scheduling|Secrets
TSAN_CONFORMANCE := lifecycle idempotency bulk_events streaming scheduler snapshots egress egress_approvals llm_gateway
TSAN_REPORTS := $(CURDIR)/.build-tsan/reports

.PHONY: tsan
tsan: deps .venv/test/.done ## Look for data races, in the suites with threads and in the daemon under some load
	$(TSAN_BUILD) --build-tests
	@rm -rf $(TSAN_REPORTS); mkdir -p $(TSAN_REPORTS); products="$$($(TSAN_BUILD) --show-bin-path)"; failed=; \
	"$$products/PlantedRace" || { echo "threads that wait for each other at a mutex are taken for a race"; exit 1; }; \
	! "$$products/PlantedRace" --race 2>/dev/null || { echo "a race goes unnoticed"; exit 1; }; \
	export TSAN_OPTIONS="log_path=$(TSAN_REPORTS)/race"; \
	SLUICE_TSAN=1 swift test --skip-build --scratch-path .build-tsan --sanitize=thread \
	  --filter '^($(TSAN_SUITES))Tests\.' || failed=1; \
	SLUICE_BINARY="$$products/sluice" .venv/test/bin/python -m pytest -q -p no:cacheprovider \
	  $(TSAN_CONFORMANCE:%=Tests/Conformance/test_%.py) || failed=1; \
	for report in $(TSAN_REPORTS)/*; do [ ! -e "$$report" ] || { cat "$$report"; failed=1; }; done; [ -z "$$failed" ]

.PHONY: demo
demo: build .venv/runagents-1.4.2/.done ## Show the main job: block, approve, kill, replay
	.venv/runagents-1.4.2/bin/python ops/demo/demo.py --sluice "$$($(BUILD) --show-bin-path)/sluice"

.PHONY: bench
bench: APT_PACKAGES += $(BENCH_PACKAGES)
bench: deps .venv/litellm/.done ## Print the figures of docs/benchmarks.md (release configuration; installs wrk, PostgreSQL, Redis and LiteLLM)
	for product in sluice $(BENCHMARKS); do $(BUILD) -c release --product $$product; done
	"$$($(BUILD) -c release --show-bin-path)/EncodingBenchmark"
	"$$($(BUILD) -c release --show-bin-path)/AuditBenchmark"
	"$$($(BUILD) -c release --show-bin-path)/BacktestBenchmark"
	"$$($(BUILD) -c release --show-bin-path)/QueryBenchmark"
	"$$($(BUILD) -c release --show-bin-path)/KeyringBenchmark"
	python3 Benchmarks/bench --products "$$($(BUILD) -c release --show-bin-path)" $(BENCH_ARGUMENTS)

.PHONY: growth
growth: APT_PACKAGES += $(BENCH_PACKAGES)
growth: deps ## Print the second table of docs/benchmarks.md, with ten times the history, and times of lists of a million runs
	for product in sluice HistoryGenerator QueryBenchmark; do $(BUILD) -c release --product $$product; done
	"$$($(BUILD) -c release --show-bin-path)/QueryBenchmark"
	python3 Benchmarks/bench --products "$$($(BUILD) -c release --show-bin-path)" --only growth $(BENCH_ARGUMENTS)

.PHONY: format
format: ## Format the Swift sources
	swift format --in-place --recursive Sources Tests Benchmarks Package.swift

.PHONY: proto
proto: ## Generate events.pb.swift anew after a change of schemas/events.proto (needs protoc and protoc-gen-swift)
	protoc --swift_opt=Visibility=Internal --swift_opt=FileNaming=DropPath --swift_opt=UseAccessLevelOnImports=true \
	  --swift_out=Tests/EventStoreTests/Generated -I schemas schemas/events.proto
