#!/bin/sh
# Runs the tests of the packages named, by default of all. A test runs with the race detector where
# there is a C compiler, and in a new order every time, so that a test fails here that depends on its
# neighbours or on luck. The end lists the tests that were skipped, each with its reason. tools.mod
# pins the tool that does so, outside the product's go.mod.
set -eu
cd "$(dirname "$0")/../.."
GO=${GO:-go}

race=-race
compiler=$($GO env CC)
if ! command -v "${compiler%% *}" >/dev/null 2>&1; then
	echo "No C compiler is installed: the tests run without the race detector."
	race=
	export CGO_ENABLED=0
fi
[ $# -gt 0 ] || set -- ./...
# shellcheck disable=SC2086 # an empty $race must not become an argument
exec $GO run -modfile=contrib/ci/tools.mod gotest.tools/gotestsum --format pkgname -- $race -shuffle=on "$@"
