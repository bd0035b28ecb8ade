# Lychgate. `make` prints what there is.
SHELL := /bin/bash
GO ?= go
BIN := bin/lychgate
LDFLAGS := -s -w
PKGS := ./...

.DEFAULT_GOAL := help
.PHONY: help demo run build test check interop lint fuzz bench conformance vuln deps tidy

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

demo: build ## provider and sample app on the embedded store; addresses and sign-in data are printed
	@$(BIN) demo $(ARGS)

run: build ## the provider, with the configuration in CONFIG
	@$(BIN) serve --config $(or $(CONFIG),config.yaml)

build: ## the binary, bin/lychgate
	@mkdir -p bin
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/lychgate

deps: ## install the programs that the tests need, where that is allowed
	@bash deploy/test-deps.sh

test: deps ## install what is missing, then all tests
	$(GO) vet $(PKGS)
	$(GO) test -race -shuffle=on -timeout 20m $(PKGS)

check: test fuzz lint ## what CI runs: tests, every fuzz target for a while, linter
	@$(GO) mod verify >/dev/null

interop: PKGS := ./pkg/idptest/interop
interop: ## sign in through six foreign libraries, installed from their registries
	@bash deploy/test-deps.sh interop
	$(GO) vet -tags interop $(PKGS)
	$(GO) test -race -shuffle=on -tags interop -count=1 -timeout 30m -v $(PKGS)

lint: ## golangci-lint, built once for each version
	@bash deploy/lint.sh

fuzz: ## every fuzz target for FUZZTIME (3s)
	@bash deploy/fuzz.sh $(or $(FUZZTIME),3s)

bench: build ## measure requests against a real Redis; a table and a JSON file
	@$(GO) run ./cmd/lychload bench -binary $(BIN) -out bench.json $(ARGS)

conformance: build ## a provider for the conformance suite that runs at SUITE (docs/conformance.md); with DRIVER its plans too
	@$(GO) build -o bin/lychconform ./cmd/lychconform
	@exec bin/lychconform -binary $(BIN) -suite '$(SUITE)' $(if $(ISSUER),-issuer '$(ISSUER)') $(if $(LISTEN),-listen '$(LISTEN)') \
	  $(if $(CERT),-cert '$(CERT)') $(if $(KEY),-key '$(KEY)') $(if $(SUITE_CA),-suite-ca '$(SUITE_CA)') $(if $(ALIAS),-alias '$(ALIAS)') \
	  $(if $(DIR),-dir '$(DIR)') $(if $(DRIVER),-driver '$(DRIVER)') $(if $(PLANS),-plans '$(PLANS)')

vuln: ## govulncheck, where its database can be had
	@$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.8.0 -test $(PKGS)
