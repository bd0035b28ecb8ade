#!/usr/bin/env bash
# Builds golangci-lint once for each version of tools.sum, then runs it.
set -euo pipefail
key=$(cat tools.mod tools.sum | sha256sum | cut -c1-16)
bin=.tools/golangci-lint-$key
if [ ! -x "$bin" ]; then
  mkdir -p .tools
  rm -f .tools/golangci-lint-*
  go build -modfile=tools.mod -o "$bin" github.com/golangci/golangci-lint/v2/cmd/golangci-lint
fi
"$bin" run ./...
