# Every target that people or CI use. `make` alone lists them.

GO      ?= go
BIN     := bin
# The race detector and a new order in every run: a test that depends on its
# neighbours, or on luck, is to fail here.
TEST    := $(GO) test -race -shuffle=on

.DEFAULT_GOAL := help
.PHONY: help build run test lint clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build spoolfwd and fakelistener into bin/
	$(GO) build -trimpath -o $(BIN)/ ./cmd/...

run: ## watch payloads delivered, the breaker open, and the recovery (15 s, leaves nothing behind)
	@contrib/demo/demo.sh

test: ## run the whole test suite
	$(TEST) ./...

lint: ## run the linters
	contrib/ci/lint.sh

clean: ## remove what was built
	rm -rf $(BIN) dist
