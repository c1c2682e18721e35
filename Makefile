# Everything that is done with this project, by name. `make` alone lists the targets.
#
# Tools come from package registries at the versions pinned here and in
# tools/requirements.txt, into .tools/ (git-ignored). A version that is there is not
# fetched again, so a second `make test` starts at once.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

# The newest Alertmanager, and the old one that Debian 12 ships, which lacks what was added
# since. Both are built from their Go modules: Debian's own binary starts only where its
# package is installed, and not every machine is a Debian. The hashes are Go's.
ALERTMANAGER_VERSION := 0.34.2
ALERTMANAGER_SUM := h1:4oOnHs4J41X9n+7MucFjA3I5i5MtasjWTnIY27q5Qkw=
ALERTMANAGER_OLD_VERSION := 0.25.0
ALERTMANAGER_OLD_SUM := h1:vbXKUR6PYRiZPRIKfmXaG+dmCKG52RtPL4Btl8hQGvg=

# Whose resources the chart makes, and are checked against. The hash is Go's.
OPERATOR_VERSION := 0.85.0
OPERATOR_SUM := h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=

VENV := .tools/venv
ALERTMANAGER := .tools/alertmanager-$(ALERTMANAGER_VERSION)
ALERTMANAGER_OLD := .tools/alertmanager-$(ALERTMANAGER_OLD_VERSION)
# promtool and prometheus: links to the machine's, or to Debian's, unpacked.
PROMETHEUS_TOOLS := .tools/prometheus
PROMETHEUS_HERE = $(CURDIR)/$(PROMETHEUS_TOOLS)/prometheus
PROMTOOL_HERE = $(CURDIR)/$(PROMETHEUS_TOOLS)/promtool
BROWSER := tests/browser/node_modules/.package-lock.json
# Programs in Go, each built once from the module in tools/go/ that pins it.
CHART_TOOLS := .tools/go/helm .tools/go/helm-unittest .tools/go/helm-docs .tools/go/kubeconform
CHART_SCENARIOS := $(VENV)/bin/python tools/chart-scenarios --helm .tools/go/helm --kubeconform .tools/go/kubeconform \
	--binary target/debug/alertmanager-webex --schemas .tools/kubernetes-schemas
CRDS := .tools/prometheus-operator-crds
CLUSTER_TOOLS := .tools/go/helm .tools/go/etcd .tools/go/kube-apiserver .tools/go/kubectl \
	.tools/go/prometheus-operator .tools/go/admission-webhook $(CRDS)

# What the workflows and compose.yaml are checked with.
ACTIONLINT := .tools/go/actionlint
COMPOSE_GO := .tools/go/compose-go

# The linters of the venv go before any that the machine has: theirs are the pinned ones.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

# Where the end-to-end tests find the real programs.
export ALERTMANAGER_BIN := $(CURDIR)/$(ALERTMANAGER)/alertmanager
export AMTOOL_BIN := $(CURDIR)/$(ALERTMANAGER)/amtool
export ALERTMANAGER_OLD_BIN := $(CURDIR)/$(ALERTMANAGER_OLD)/alertmanager
export AMTOOL_OLD_BIN := $(CURDIR)/$(ALERTMANAGER_OLD)/amtool
export PROMETHEUS_BIN := $(CURDIR)/$(PROMETHEUS_TOOLS)/prometheus
export PROMTOOL_BIN := $(CURDIR)/$(PROMETHEUS_TOOLS)/promtool
export COMPOSE_GO_BIN := $(CURDIR)/$(COMPOSE_GO)
export HELM_BIN := $(CURDIR)/.tools/go/helm
export ETCD_BIN := $(CURDIR)/.tools/go/etcd
export KUBE_APISERVER_BIN := $(CURDIR)/.tools/go/kube-apiserver
export KUBECTL_BIN := $(CURDIR)/.tools/go/kubectl
export OPERATOR_BIN := $(CURDIR)/.tools/go/prometheus-operator
export ADMISSION_WEBHOOK_BIN := $(CURDIR)/.tools/go/admission-webhook
export OPERATOR_CRDS := $(CURDIR)/$(CRDS)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-19s %s\n", $$1, $$2 }' Makefile

.PHONY: test
test: lint tools ## Install what the tests need and run all of them, linters first
	@$(MAKE) --no-print-directory test-rules
	@$(MAKE) --no-print-directory test-docs
	@$(MAKE) --no-print-directory test-chart
	@tools/step "examples in the documentation" cargo test --locked --all-features --doc
	@PROMTOOL="$(PROMTOOL_HERE)" tools/step "tests" cargo nextest run --locked --workspace --all-features

.PHONY: test-all
test-all: test ## Run the tests, the long ones too, then build the release binary and start it
	@tools/step "tests that take long" cargo nextest run --locked --all-features --profile long
	@$(MAKE) --no-print-directory fuzz
	@$(MAKE) --no-print-directory test-cluster
	@$(MAKE) --no-print-directory test-browser
	@$(MAKE) --no-print-directory dashboard-check
	@tools/step "release build" cargo build --locked --release
	@tools/step "the release binary starts" target/release/alertmanager-webex --version
	@tools/step "size of the release binary" tools/dependencies --binary target/release/alertmanager-webex
	@$(MAKE) --no-print-directory storm STORM=--quick
	@$(MAKE) --no-print-directory bench-instructions
	@$(MAKE) --no-print-directory test-image

# The quick ones first: who misspelt a word hears of it in a second.
.PHONY: lint
lint: $(VENV)/installed $(ACTIONLINT) ## Check format, spelling, lints, documentation, licences and dependencies
	@tools/step "spelling" typos
	@tools/step "links of the documentation" python3 tools/docs/check_links.py
	@tools/step "shell scripts" shellcheck $$(tools/shell-scripts)
	@tools/step "Dockerfile" hadolint Dockerfile
	@tools/step "workflows" $(ACTIONLINT)
	@RUST_LOG=warn tools/step "format of TOML" taplo fmt --check
	@tools/step "format of Rust" cargo fmt --all --check
	@tools/step "crates of Cargo.lock" cargo fetch --locked
	@tools/step "licences, bans, sources" cargo deny --offline --all-features check -D warnings bans licenses sources
	@tools/step --quiet "dependencies that nobody uses" cargo shear --locked --deny-warnings
	@tools/step "reasons of dependencies, and their number" tools/dependencies --check
	@tools/step "known vulnerabilities" tools/advisories
	@tools/step "lints of Rust" cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
	@tools/step "lints of Rust without features" cargo clippy --locked --lib --bins -- -D warnings
	@RUSTDOCFLAGS=-Dwarnings tools/step "documentation of Rust" cargo doc --locked --no-deps --all-features

.PHONY: advisories
advisories: $(VENV)/installed ## Look for known vulnerabilities in the dependencies; fails where it cannot
	@tools/step "known vulnerabilities" tools/advisories --required

.PHONY: fmt
fmt: $(VENV)/installed ## Format Rust and TOML
	@cargo fmt --all
	@RUST_LOG=warn taplo fmt

.PHONY: bench
bench: | prerequisites ## Run the benchmarks
	@cargo bench --locked --all-features

# The measuring programs are built by themselves: built together with the product, their features
# would be its features.
.PHONY: bench-programs
bench-programs: | prerequisites
	@tools/step "release build" cargo build --locked --release
	@tools/step "what measures it, and the floor" cargo build --locked --release -p load -p floor

.PHONY: measure
measure: bench-programs ## Measure start, memory, CPU, latency, connections, beside the practical limit: 2 minutes
	@tools/step "three runs of half a minute each" target/release/load measure

.PHONY: bench-instructions
bench-instructions: bench-programs ## Count instructions a notification; fails where they are 10 % more than recorded
	@tools/valgrind
	@tools/step "instructions a notification, by valgrind" target/release/load instructions

.PHONY: record-instructions
record-instructions: bench-programs ## Count instructions a notification and record them, to be committed
	@tools/valgrind
	@tools/step "instructions a notification, by valgrind" target/release/load instructions --write

.PHONY: bench-peers
bench-peers: bench-programs tools ## Measure beside Alertmanager's own Webex notifier and the practical limit
	@ulimit -n "$$(ulimit -Hn)"; tools/step "two runs of some minutes each" \
		target/release/load peers "$(ALERTMANAGER_BIN)" "$(ALERTMANAGER_OLD_BIN)"

.PHONY: bench-scale
bench-scale: bench-programs ## Measure how cost grows with load, and draw it for the documentation: 3 minutes
	@ulimit -n "$$(ulimit -Hn)"; tools/step "waiting, receivers, alerts, connections" target/release/load scale
	@tools/step "curves" tools/curves docs/scale

.PHONY: bench-sandbox
bench-sandbox: | prerequisites ## Measure how many posts a second the sandbox takes
	@tools/step "release build" cargo build --locked --release --bin alertmanager-webex --example sandbox_load
	@target/release/examples/sandbox_load

.PHONY: bench-telemetry
bench-telemetry: | prerequisites ## Measure what logs and metrics add to a notification
	@tools/step "release build" cargo build --locked --release --example telemetry_cost
	@target/release/examples/telemetry_cost

.PHONY: storm
storm: | prerequisites ## Play storms against the delivery engine and print how it fared
	@ulimit -n "$$(ulimit -Hn)"; cargo run --locked --release --example storm -- $(STORM)

# What the soak of `make soak` is drawn from, and how long faults are made.
SEED ?= 1
MINUTES ?= 10

.PHONY: soak
soak: tools ## Let two Alertmanagers fire for MINUTES (10) while all goes wrong by SEED (1); see docs/reliability.md
	@SOAK_SEED="$(SEED)" SOAK_MINUTES="$(MINUTES)" cargo nextest run --locked --all-features --profile soak --test it --no-capture

# How long each target is fuzzed, in seconds; which ones (all); with which sanitizer (`none` for none).
FOR ?= 30
TARGETS ?=
SANITIZER ?= address

.PHONY: fuzz
fuzz: $(VENV)/installed fuzz/Cargo.lock ## Let a fuzzer try what comes from outside, each target for FOR (30) seconds; see CONTRIBUTING.md
	@SANITIZER="$(SANITIZER)" tools/fuzz "$(FOR)" $(TARGETS)

# What is tried is what is shipped: the same versions.
fuzz/Cargo.lock: Cargo.lock fuzz/Cargo.toml
	@cp Cargo.lock "$@"

.PHONY: test-docs
test-docs: $(VENV)/installed $(PROMETHEUS_TOOLS)/ready $(ALERTMANAGER)/amtool $(ALERTMANAGER_OLD)/amtool .tools/go/helm ## Run the commands of the documentation, and judge its snippets
	@tools/step --quiet "tests of the checks of the documentation" python3 tools/docs/test_docs.py
	@tools/step --quiet "answers of the documentation" python3 tools/docs/check_answers.py
	@tools/step "build" cargo build --locked --quiet
	@BINARY=target/debug/alertmanager-webex AMTOOLS="$(AMTOOL_BIN) $(AMTOOL_OLD_BIN)" PROMTOOL="$(PROMTOOL_HERE)" HELM=.tools/go/helm \
		tools/step "snippets of the documentation" $(VENV)/bin/python tools/docs/check_snippets.py
	@BINARY=target/debug/alertmanager-webex TOOLS="$(ALERTMANAGER) $(PROMETHEUS_TOOLS)" \
		tools/step "commands of the documentation" $(VENV)/bin/python tools/docs/run_commands.py

.PHONY: test-rules
test-rules: $(PROMETHEUS_TOOLS)/ready $(ALERTMANAGER)/amtool $(ALERTMANAGER_OLD)/amtool ## Test alerts, runbooks and the form of the dashboard
	@tools/step --quiet "alert rules" "$(PROMTOOL_HERE)" check rules --lint=all --lint-fatal chart/monitoring/alerts.yaml
	@tools/step --quiet "tests of the alert rules" "$(PROMTOOL_HERE)" test rules tests/monitoring/*_test.yaml
	@PROMTOOL="$(PROMTOOL_HERE)" tools/step "runbooks of the alerts" python3 tools/monitoring/check_alerts.py
	@tools/step --quiet "dashboard: is it what tools/monitoring/panels.py says?" python3 tools/monitoring/dashboard.py --check
	@PROMTOOL="$(PROMTOOL_HERE)" tools/step "form of the dashboard" python3 tools/monitoring/check_dashboard.py --lint
	@PROMTOOL="$(PROMTOOL_HERE)" tools/step --quiet "example of a dead man's switch" tools/monitoring/check_watchdog "$(AMTOOL_BIN)" "$(AMTOOL_OLD_BIN)"

.PHONY: dashboard
dashboard: ## Write the dashboard again, from tools/monitoring/panels.py
	@python3 tools/monitoring/dashboard.py

.PHONY: dashboard-check
dashboard-check: test-rules ## Run every query of the dashboard against a real Prometheus and a real run
	@tools/step "build" cargo build --locked
	@PROMETHEUS="$(PROMETHEUS_HERE)" PROMTOOL="$(PROMTOOL_HERE)" \
		tools/step "queries of the dashboard" python3 tools/monitoring/check_dashboard.py

.PHONY: test-chart
test-chart: $(CHART_TOOLS) .tools/kubernetes-schemas/made ## Test the Helm chart: its schema, its scenarios, what it refuses
	@tools/step "build" cargo build --locked --quiet
	@tools/step "the chart's schema is what the binary says" bash -c 'target/debug/alertmanager-webex schema | tools/chart-schema --check'
	@tools/step "the chart's README is what values.yaml says" tools/chart-readme --check .tools/go/helm-docs
	@tools/step --quiet "the chart's unit tests" .tools/go/helm-unittest chart
	@tools/step "the chart's scenarios" $(CHART_SCENARIOS)

.PHONY: chart
chart: $(CHART_TOOLS) .tools/kubernetes-schemas/made ## Write the chart's schema, README and rendered scenarios again
	@tools/step "build" cargo build --locked --quiet
	@target/debug/alertmanager-webex schema | tools/chart-schema
	@tools/chart-readme .tools/go/helm-docs
	@$(CHART_SCENARIOS) --update

.PHONY: test-image
test-image: | prerequisites ## Build the image without an engine and run it; as root
	@tests/image/test .tools/image

.PHONY: test-browser
test-browser: $(BROWSER) | prerequisites ## Run the tests of the pages, sandbox and status, in a real Chromium
	@tools/chromium
	@tools/step "build" cargo build --locked
	@tools/step "the pages in Chromium; pictures of them go to target/browser" \
		node --test --test-concurrency=1 --test-reporter=spec tests/browser/*.mjs

.PHONY: test-cluster
test-cluster: user-namespaces tools $(CLUSTER_TOOLS) ## Install the chart in a real Kubernetes API, and follow an alert the whole way
	@tools/step "build" cargo build --locked --all-features --test it
	@tools/step "tests with etcd, kube-apiserver, prometheus-operator and Helm" \
		cargo nextest run --locked --all-features --test it --profile cluster --no-capture

.PHONY: screenshots
screenshots: $(BROWSER) | prerequisites ## Take the pictures of the documentation again
	@tools/chromium
	@tools/step "build" cargo build --locked
	@mkdir -p docs/pictures
	@tools/step "pictures" node tools/screenshots/take.mjs docs/pictures
	@tools/step "pictures of the status page" node tools/screenshots/status.mjs docs/pictures
	@tools/step "pictures of conversations" node tools/screenshots/conversations.mjs docs/pictures
	@$(MAKE) --no-print-directory $(PROMETHEUS_TOOLS)/ready
	@PROMETHEUS="$(PROMETHEUS_HERE)" PROMTOOL="$(PROMTOOL_HERE)" \
		tools/step "two minutes for the picture of the dashboard" python3 tools/monitoring/check_dashboard.py --seconds 120 --record target/dashboard.json
	@tools/step "picture of the dashboard" node tools/screenshots/dashboard.mjs target/dashboard.json docs/pictures/dashboard.png
	@tools/step "pictures of the templates" node tools/screenshots/templates.mjs target/debug/alertmanager-webex docs/pictures

.PHONY: tools
tools: $(VENV)/installed $(ALERTMANAGER)/amtool $(ALERTMANAGER_OLD)/amtool $(PROMETHEUS_TOOLS)/ready $(COMPOSE_GO) ## Install the pinned tools into .tools/
	@mkdir -p .tools/bin
	@for name in alertmanager amtool; do \
		ln -sfn "../$(notdir $(ALERTMANAGER))/$$name" ".tools/bin/$$name"; \
		ln -sfn "../$(notdir $(ALERTMANAGER_OLD))/$$name" ".tools/bin/$$name-old"; \
	done

.PHONY: fixtures
fixtures: tools ## Capture the bodies in tests/fixtures again, from the real Alertmanagers
	@tools/step "bodies from Alertmanager $(ALERTMANAGER_OLD_VERSION)" tests/fixtures/capture "$(ALERTMANAGER_OLD_BIN)"
	@tools/step "bodies from Alertmanager $(ALERTMANAGER_VERSION)" tests/fixtures/capture "$(ALERTMANAGER_BIN)"

.PHONY: clean
clean: ## Remove what was built and the tools
	cargo clean
	rm -rf .tools fuzz/target

# The lock file says which versions, and their hashes.
$(BROWSER): tests/browser/package.json tests/browser/package-lock.json
	@command -v npm >/dev/null || { echo "error: there is no npm; install Node.js 20 or later (Debian: apt-get install npm)" >&2; exit 1; }
	@tools/step "packages of the browser tests" npm --prefix tests/browser ci --no-audit --no-fund --loglevel=error
	@touch "$@"

$(PROMETHEUS_TOOLS)/ready: tools/prometheus
	@tools/step --quiet "Prometheus, with which alerts and dashboard are tested" tools/prometheus "$(PROMETHEUS_TOOLS)"
	@touch "$@"

# Said before anything is built for minutes.
.PHONY: user-namespaces
user-namespaces:
	@tools/user-namespaces

.PHONY: prerequisites
prerequisites:
	@tools/prerequisites

$(VENV)/installed: tools/requirements.txt | prerequisites
	@tools/step --quiet "linters and test runner: the wheels of $<" bash -c ' \
		python3 -m venv --clear "$(VENV)" && \
		"$(VENV)/bin/pip" install --disable-pip-version-check --only-binary=:all: -r "$<"'
	@touch "$@"

# The version is in the folder's name, so another version is another target.
$(ALERTMANAGER)/amtool: | prerequisites
	@tools/step --quiet "Alertmanager $(ALERTMANAGER_VERSION), built once in a minute or two: the end-to-end tests run it" \
		tools/build-alertmanager "$(ALERTMANAGER_VERSION)" "$(ALERTMANAGER_SUM)" "$(CURDIR)/$(ALERTMANAGER)"

$(ALERTMANAGER_OLD)/amtool: | prerequisites
	@tools/step --quiet "Alertmanager $(ALERTMANAGER_OLD_VERSION), built once in a minute: the end-to-end tests run an old one too" \
		tools/build-alertmanager "$(ALERTMANAGER_OLD_VERSION)" "$(ALERTMANAGER_OLD_SUM)" "$(CURDIR)/$(ALERTMANAGER_OLD)"

.tools/kubernetes-schemas/made: tools/kubernetes-schemas Makefile $(VENV)/installed
	@tools/step --quiet "schemas of Kubernetes and of prometheus-operator $(OPERATOR_VERSION)" \
		$(VENV)/bin/python tools/kubernetes-schemas "$(@D)" "$(OPERATOR_VERSION)" "$(OPERATOR_SUM)"
	@touch "$@"

.tools/go/%: tools/go/%/go.mod tools/go/%/go.sum tools/build-go-tool | prerequisites
	@tools/step --quiet "$*, built once in some minutes" tools/build-go-tool "tools/go/$*" "$@"

$(CRDS): tools/go/prometheus-operator/go.mod tools/operator-crds | prerequisites
	@tools/step --quiet "prometheus-operator's kinds of objects" tools/operator-crds "$@"
	@touch "$@"
