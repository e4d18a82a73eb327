# Every target that people or CI use. `make` alone lists them.

GO      ?= go
BIN     := bin
# As "-ci" for fewer rounds, "-only power-*", "-h" for more.
TORTURE :=

.DEFAULT_GOAL := help
.PHONY: help build run test quick lint bench bench-race torture fuzz packages check-packages test-system release pictures fleet fleet-picture clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Static, and without the parts of the flags library that render Markdown, whose
# start-up would be a tenth of an idle run.
build: ## build spoolfwd, spoolfwd-nats and fakelistener into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -tags urfave_cli_no_docs -o $(BIN)/ ./cmd/...
	CGO_ENABLED=0 $(GO) build -trimpath -tags urfave_cli_no_docs,nats -o $(BIN)/spoolfwd-nats ./cmd/spoolfwd

run: ## watch payloads delivered, the breaker open, and the recovery (15 s, leaves nothing behind)
	@contrib/demo/demo.sh

test: ## run the whole test suite; the end lists what was skipped, and why
	@GO="$(GO)" contrib/ci/test.sh

quick: ## what to run before a commit: format, vet, unit tests (a minute)
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "gofmt these: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) test ./breaker/... ./spool/... ./cmd/...

lint: ## run the linters
	contrib/ci/lint.sh

bench: ## measure speed against a plain net/http loop and the file system, as ratios
	$(GO) run ./contrib/bench
	$(GO) run ./contrib/bench -idle

bench-race: ## race the binary against curl, xargs and PHP
	contrib/bench/race.sh

torture: ## kill it, fail it, cut the power, fill the disk, lie to it; ends with a table
	$(GO) run ./contrib/torture $(TORTURE)

fuzz: ## run every fuzz target for a while
	contrib/ci/fuzz.sh

packages: ## build .deb and .rpm packages of the last commit into dist/
	contrib/packaging/build.sh

check-packages: ## check the packages: the same bytes twice, lintian, rpm (as root)
	contrib/packaging/check.sh

test-system: ## install the package in a real Debian with systemd and cron (as root)
	contrib/system-test/run.sh

release: ## build the binaries of a release, with bills of materials and signed checksums (SIGN_KEY=FILE), into dist/
	contrib/release/build.sh

pictures: ## record make run in a terminal, for the README
	contrib/pictures/record.py contrib/pictures/run.svg make run

fleet: ## simulate a fleet of 10,000 hosts through outages; ends with a table
	$(GO) run ./contrib/fleet

fleet-picture: ## draw the fleet for the documents
	$(GO) run ./contrib/fleet -draw contrib/doc/fleet.svg

clean: ## remove what was built
	rm -rf $(BIN) dist
