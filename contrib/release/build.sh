#!/usr/bin/env bash
# Builds the binaries of a release into dist/ (or the directory given): one archive per platform, its
# software bill of materials (CycloneDX), and the checksums of both, signed if there is a key.
#
#     contrib/release/build.sh [DIRECTORY]
#
# The script builds a commit, from a clone of its own. Uncommitted changes are not in it. Go records the version from the
# repository: the tag vX.Y.Z, or a version made of time and commit. `spoolfwd --version` prints version and commit.
#
# The build is reproducible: the same commit and Go version make the same bytes, anywhere and at any time.
#
#   COMMIT             default: HEAD
#   PLATFORMS          default: all below, as "linux/amd64 darwin/arm64"
#   SIGN_KEY           the SSH key that signs the checksums: a private key, or the public one of a key in the agent or
#                      in hardware. Default: none, and no signature. contrib/doc/releases.md shows how to verify it.
set -euo pipefail
sign_key=${SIGN_KEY:+$(realpath -e "$SIGN_KEY")}
platforms=${PLATFORMS:-linux/amd64 linux/arm64 linux/armv7 darwin/amd64 darwin/arm64 freebsd/amd64}

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mkdir -p "${1:-dist}"
out=$(cd "${1:-dist}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

commit=$(git rev-parse --verify "${COMMIT:-HEAD}^{commit}")
git clone --quiet --shared --no-checkout . "$work/source"
cd "$work/source"
git checkout --quiet --detach "$commit"
epoch=$(git log -1 --format=%ct)
[ -z "$(git status --porcelain)" ] || { echo "build.sh: the clone is not clean" >&2; exit 1; }

# Only the version of Go decides, and none of this machine's settings.
unset GOOS GOARCH GOARM GOEXPERIMENT
export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-mod=readonly GOAMD64=v1 GOARM64=v8.0
tags=urfave_cli_no_docs
flags=(-trimpath -buildvcs=true -ldflags '-s -w')

go build "${flags[@]}" -tags "$tags" -o "$work/here" ./cmd/spoolfwd
go build -o "$work/sbom" ./contrib/release/sbom
version=$("$work/here" --version)
version=${version#spoolfwd }
version=${version%% *}
case $version in
*[!0-9A-Za-z.+-]* | devel* | *dirty*) echo "build.sh: '$version' is not a version" >&2; exit 1 ;;
esac

examples=$(cd contrib && ls doc/*.md producers/README.md producers/spool_put.* cron/cron-run cron/spoolfwd.cron systemd/*.{service,timer,path,conf} \
	prometheus/alerts.yml grafana/spoolfwd.json haproxy/haproxy.cfg victoriametrics/{README.md,spoolfwd.toml} \
	nats/{README.md,nats-server.conf,stream.json,spoolfwd.toml,servers-only.conf,consumer/main.go} webdav/{README.md,nginx.conf,spoolfwd.toml} \
	packaging/spoolfwd.toml)
files=()
for platform in $platforms; do
	os=${platform%/*} arch=${platform#*/}
	name=spoolfwd-$version-$os-$arch
	mkdir -p "$work/$name"
	case $arch in
	armv7) settings=(GOARCH=arm GOARM=7) ;;
	*) settings=("GOARCH=$arch") ;;
	esac
	env GOOS="$os" "${settings[@]}" go build "${flags[@]}" -tags "$tags" -o "$work/$name/" ./cmd/spoolfwd ./cmd/fakelistener
	env GOOS="$os" "${settings[@]}" go build "${flags[@]}" -tags "$tags,nats" -o "$work/$name/spoolfwd-nats" ./cmd/spoolfwd
	for file in README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE; do
		install -m 0644 "$file" "$work/$name/"
	done
	cp -r contrib/man "$work/$name/"
	mkdir "$work/$name/completions"
	"$work/here" completion bash >"$work/$name/completions/spoolfwd.bash"
	"$work/here" completion zsh >"$work/$name/completions/_spoolfwd"
	"$work/here" completion fish >"$work/$name/completions/spoolfwd.fish"
	# In the places that README.md names.
	for file in $examples; do
		install -D -m 0644 "contrib/$file" "$work/$name/contrib/$file"
	done
	chmod 0755 "$work/$name/contrib/cron/cron-run"
	# Names, times, owners and modes come from here, and nothing else of this machine.
	tar -C "$work" --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --format=ustar -cf - "$name" |
		gzip -9n >"$out/$name.tar.gz"
	"$work/sbom" "$version" "$(date -u -d "@$epoch" +%FT%TZ)" "$work/$name/"{spoolfwd,spoolfwd-nats,fakelistener} >"$out/$name.cdx.json"
	files+=("$name.tar.gz" "$name.cdx.json")
	echo "$name.tar.gz"
done
cd "$out"
sums=spoolfwd-$version.sha256
sha256sum "${files[@]}" >"$sums"
cat "$sums"
rm -f "$sums.sig"
if [ -n "$sign_key" ]; then
	ssh-keygen -q -Y sign -n file -f "$sign_key" "$sums"
else
	echo "$sums is not signed: SIGN_KEY names no key" >&2
fi
