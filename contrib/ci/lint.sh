#!/usr/bin/env bash
# The linters. Developer tools run at a pinned version and never enter go.mod.
set -euo pipefail
cd "$(dirname "$0")/../.."

failed=0
check() { # check NAME COMMAND...: a linter passes when it exits 0
	local name=$1
	shift
	if output=$("$@" 2>&1); then
		echo "ok    $name"
	else
		printf 'FAIL  %s\n%s\n' "$name" "$output"
		failed=1
	fi
}
mapfile -t scripts < <(git ls-files -co --exclude-standard -- ':!*.go' | xargs -r grep -lE '^#!.*\b(ba|da)?sh\b' --)

# shellcheck disable=SC2016 # expanded by the inner shell
check "gofmt" sh -c 'files=$(gofmt -l .); echo "$files"; [ -z "$files" ]'
check "go vet" go vet ./...
check "go vet with NATS" go vet -tags nats ./cmd/...
check "go mod tidy" go mod tidy -diff
check "staticcheck" go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
check "staticcheck with NATS" go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 -tags nats ./cmd/...
check "shellcheck" shellcheck -x "${scripts[@]}"
for target in darwin/arm64 darwin/amd64 freebsd/amd64 openbsd/amd64 netbsd/amd64 linux/arm64 linux/arm; do
	check "go vet for $target" env GOOS="${target%/*}" GOARCH="${target#*/}" CGO_ENABLED=0 go vet ./...
done
# The platforms of a release.
for target in darwin/amd64 darwin/arm64 freebsd/amd64 linux/amd64 linux/arm64 linux/arm; do
	check "build for $target" env GOOS="${target%/*}" GOARCH="${target#*/}" GOARM=7 CGO_ENABLED=0 go build -tags nats -o /dev/null ./cmd/...
done

# The database of known vulnerabilities is on the network, which not every machine can reach.
if output=$(go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./... 2>&1); then
	echo "ok    govulncheck"
elif reason=$(grep -m 1 -E 'dial tcp|no such host|connection refused|i/o timeout|Service Unavailable|403 Forbidden' <<<"$output"); then
	echo "skip  govulncheck: its database cannot be reached: $reason"
else
	printf 'FAIL  govulncheck\n%s\n' "$output"
	failed=1
fi
exit "$failed"
