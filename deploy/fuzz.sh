#!/usr/bin/env bash
# Runs every fuzz target for the time given, one after the other; each package is built once.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cache=$(go env GOCACHE)/fuzz
for dir in $(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do
  go test -c -fuzz=Fuzz -o "$work/fuzz.test" "$dir"
  package=$(go list "$dir")
  for target in $(grep -rhoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/func //' | sort -u); do
    echo "$dir $target"
    (cd "$dir" && "$work/fuzz.test" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$1" -test.fuzzcachedir "$cache/$package")
  done
done
