#!/usr/bin/env bash
# Runs every native fuzz target for FUZZTIME (default 1m), one after the other.
# A new failing input stays in the package's testdata/fuzz: commit it with the
# fix.
set -euo pipefail
cd "$(dirname "$0")/../.."

targets=0
while IFS=: read -r file name; do
	package=./$(dirname "$file")
	printf '%s %s for %s\n' "$package" "$name" "${FUZZTIME:-1m}"
	# The time that minimising may take is bounded too, or one large interesting
	# input takes it all.
	go test "$package" -run '^$' -fuzz "^$name\$" -fuzztime "${FUZZTIME:-1m}" -fuzzminimizetime 2s | tail -n 2
	targets=$((targets + 1))
done < <(git grep -oE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' | sed 's/:func /:/')
echo "$targets fuzz targets, no failure"
