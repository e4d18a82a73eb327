#!/usr/bin/env bash
# Runs every native fuzz target for FUZZTIME (default 1m), one after the other. A new failing input stays in the package's
# testdata/fuzz: commit it with the fix.
set -euo pipefail
cd "$(dirname "$0")/../.."

fuzz() { # fuzz PACKAGE TARGET
	# The time for minimising is limited, too. Otherwise one large interesting input takes all of it.
	go test "$1" -run '^$' -fuzz "^$2\$" -fuzztime "${FUZZTIME:-1m}" -fuzzminimizetime 2s 2>&1
}

# Until Go 1.27, a target can fail at the end of its time with these words alone, without a failing input:
# https://go.dev/issue/75804.
ended() { grep -qx ' *context deadline exceeded' <<<"$1" && ! grep -qiE 'failing input|panic|_test\.go:' <<<"$1"; }

targets=0
while IFS=: read -r file name; do
	package=./$(dirname "$file")
	printf '%s %s for %s\n' "$package" "$name" "${FUZZTIME:-1m}"
	if ! output=$(fuzz "$package" "$name") && ! ended "$output"; then
		printf '%s\n' "$output"
		exit 1
	fi
	sed -n "s/^fuzz: /  /p" <<<"$output" | tail -n 1
	targets=$((targets + 1))
done < <(git grep -oE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' | sed 's/:func /:/')
echo "$targets fuzz targets, no failure"
