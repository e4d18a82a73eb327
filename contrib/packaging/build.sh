#!/usr/bin/env bash
# Builds the packages: spoolfwd as .deb and .rpm for amd64 and arm64, with SHA256SUMS, into dist/ (or the directory given).
#
#     contrib/packaging/build.sh [DIRECTORY]
#
# The script packages a commit, from a clone of its own. Uncommitted changes are not in the packages; the script says so when
# there are any. `spoolfwd --version` names the commit.
#
# The build is reproducible: the same commit, Go version and VERSION make the same bytes, anywhere, at any time, and with any
# settings for Go. All times in the packages are SOURCE_DATE_EPOCH, by default the commit's. nfpm is built in a pinned version
# and is in no go.mod.
#
#   COMMIT             default: HEAD
#   VERSION            default: from the latest tag vX.Y.Z; 0.0.0+COMMITS.gHASH before the first one
#   ARCHES             default: amd64 arm64
#   FORMATS            default: deb rpm
set -euo pipefail
# 2.46 and later need modules whose zip files are not on the Go module proxy.
nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0

# As in the Makefile: without the parts of the flags library that render Markdown.
tags=urfave_cli_no_docs

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mkdir -p "${1:-dist}"
out=$(cd "${1:-dist}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

commit=$(git rev-parse --verify "${COMMIT:-HEAD}^{commit}")
if [[ -n $(git status --porcelain) ]]; then
    echo "build.sh: the packages hold the commit ${commit:0:12}; changes that are not committed are not in them" >&2
fi
git clone --quiet --shared --no-checkout . "$work/source"
cd "$work/source"
git checkout --quiet --detach "$commit"
[[ -z $(git status --porcelain) ]] || { echo "build.sh: the clone is not clean" >&2; exit 1; }
here=$PWD/contrib/packaging

# Only the version of Go decides, and none of this machine's settings; as in contrib/release/build.sh.
unset GOOS GOARCH GOARM GOEXPERIMENT
export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-mod=readonly GOAMD64=v1 GOARM64=v8.0

# version prints the version of this commit in a form that both dpkg and rpm accept and order.
version() {
    local described
    if described=$(git describe --tags --match 'v[0-9]*' 2>/dev/null); then
        described=${described#v}
        # 1.2.3-4-gabcdef: four commits after 1.2.3
        [[ $described =~ ^(.*)-([0-9]+)-(g[0-9a-f]+)$ ]] && described=${BASH_REMATCH[1]}+${BASH_REMATCH[2]}.${BASH_REMATCH[3]}
        printf '%s\n' "${described//-/\~}" # 1.2.3-rc.1 comes before 1.2.3
    else
        printf '0.0.0+%s.g%s\n' "$(git rev-list --count HEAD)" "$(git rev-parse --short=12 HEAD)"
    fi
}

PACKAGE_VERSION=${VERSION:-$(version)}
export PACKAGE_VERSION=${PACKAGE_VERSION#v}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)

# put MODE SOURCE TARGET: stage one file.
put() { install -D -m "$1" "$2" "$stage$3"; }

# squeezed SOURCE TARGET: stage one file compressed, without name and time.
squeezed() {
    mkdir -p "$stage$(dirname "$2")"
    gzip -9n <"$1" >"$stage$2"
    chmod 0644 "$stage$2"
}

# completion SHELL TARGET: stage what the program prints for a shell.
completion() {
    "$work/spoolfwd" completion "$1" >"$work/completion"
    put 0644 "$work/completion" "$2"
}

# notices prints the licences of everything that is linked into the binaries, as those licences demand.
notices() {
    local path version dir files
    printf '======== The Go standard library, %s\n\n' "$(go env GOVERSION)"
    cat "$(go env GOROOT)/LICENSE"
    GOOS=linux go list -tags "$tags,nats" -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/... |
        LC_ALL=C sort -u | while read -r path version dir; do
        printf '\n======== %s %s\n\n' "$path" "$version"
        # A NOTICE belongs to the Apache licence.
        mapfile -t files < <(find "$dir" -maxdepth 1 -type f '(' -iname 'LICEN[SC]E*' -o -iname 'COPYING*' -o -iname 'NOTICE*' ')' | LC_ALL=C sort)
        [[ ${#files[@]} -gt 0 ]] || { echo "build.sh: $path has no licence file" >&2; return 1; }
        cat "${files[@]}"
    done
}

# stage_all FORMAT ARCH: everything that is in a package, below $stage.
stage_all() {
    local doc=/usr/share/doc/spoolfwd file
    local examples=$doc/examples
    put 0755 "$work/spoolfwd-$2" /usr/bin/spoolfwd
    put 0755 "$work/spoolfwd-nats-$2" /usr/bin/spoolfwd-nats
    put 0755 "$work/fakelistener-$2" /usr/bin/fakelistener
    put 0644 "$here/spoolfwd.toml" /etc/spoolfwd/spoolfwd.toml
    for file in contrib/systemd/*.{service,timer,path}; do
        put 0644 "$file" "/usr/lib/systemd/system/${file##*/}"
    done
    put 0755 contrib/cron/cron-run /usr/libexec/spoolfwd/cron-run
    put 0644 contrib/cron/spoolfwd.cron $examples/spoolfwd.cron
    put 0644 contrib/systemd/own-user.conf $examples/own-user.conf
    for file in contrib/producers/spool_put.*; do
        put 0644 "$file" "$examples/${file##*/}"
    done
    # Beside the files to which it links.
    put 0644 contrib/producers/README.md $examples/producers.md
    for file in prometheus/alerts.yml grafana/spoolfwd.json haproxy/haproxy.cfg victoriametrics/{README.md,spoolfwd.toml} \
        nats/{README.md,nats-server.conf,stream.json,spoolfwd.toml,servers-only.conf,consumer/main.go} webdav/{README.md,nginx.conf,spoolfwd.toml}; do
        put 0644 "contrib/$file" "$examples/$file"
    done
    put 0644 LICENSE $doc/copyright
    cat >>"$stage$doc/copyright" <<END

The programs are linked with the Go standard library and the Go modules whose licences are in $doc/notices.gz.
END
    squeezed "$work/notices" $doc/notices.gz
    # In the same places as in the repository, so that links among them work.
    for file in README.md CONTRIBUTING.md SECURITY.md contrib/doc/*.md; do
        put 0644 "$file" "$doc/$file"
    done
    for file in contrib/man/*.[1-9]; do
        squeezed "$file" "/usr/share/man/man${file##*.}/${file##*/}.gz"
    done
    squeezed <(echo '.so man8/spoolfwd.8') /usr/share/man/man8/spoolfwd-nats.8.gz
    completion bash /usr/share/bash-completion/completions/spoolfwd
    completion fish /usr/share/fish/vendor_completions.d/spoolfwd.fish
    case $1 in
    deb)
        completion zsh /usr/share/zsh/vendor-completions/_spoolfwd
        put 0644 contrib/systemd/sysusers.conf /usr/lib/sysusers.d/spoolfwd.conf
        put 0644 contrib/systemd/tmpfiles.conf /usr/lib/tmpfiles.d/spoolfwd.conf
        put 0644 "$here/deb/lintian-overrides" /usr/share/lintian/overrides/spoolfwd
        squeezed "$work/changelog.Debian" $doc/changelog.Debian.gz
        [[ ! -f CHANGELOG.md ]] || squeezed CHANGELOG.md $doc/changelog.gz
        ;;
    rpm)
        completion zsh /usr/share/zsh/site-functions/_spoolfwd
        put 0644 "$here/rpm/sysusers.conf" /usr/lib/sysusers.d/spoolfwd.conf
        sed 's/www-data/apache/g' contrib/systemd/tmpfiles.conf >"$work/tmpfiles.conf"
        put 0644 "$work/tmpfiles.conf" /usr/lib/tmpfiles.d/spoolfwd.conf
        for file in spoolfwd.service spoolfwd@.service; do
            put 0644 "$here/rpm/user.conf" "/usr/lib/systemd/system/$file.d/10-user.conf"
        done
        [[ ! -f CHANGELOG.md ]] || put 0644 CHANGELOG.md $doc/CHANGELOG.md
        ;;
    esac
}

# config FORMAT: prints nfpm's configuration: nfpm.yaml and what is staged.
config() {
    local file type
    cat "$here/nfpm.yaml"
    [[ $1 != rpm ]] || echo 'license: MIT' # as a field of a .deb dpkg does not know it
    printf 'mtime: %s\ncontents:\n' "$date"
    # The directories that are the package's own.
    (cd "$stage" && find etc/spoolfwd usr/libexec/spoolfwd usr/share/doc/spoolfwd -type d | LC_ALL=C sort) | while read -r file; do
        printf '  - {dst: /%s, type: dir, file_info: {mode: 0755, mtime: %s}}\n' "$file" "$date"
    done
    (cd "$stage" && find . -type f -printf '%P\n' | LC_ALL=C sort) | while read -r file; do
        type=
        [[ $file != etc/* ]] || type='type: config|noreplace, '
        printf '  - {src: "%s", dst: "/%s", %sfile_info: {mode: 0%s, owner: root, group: root, mtime: %s}}\n' \
            "$stage/$file" "$file" "$type" "$(stat -c %a "$stage/$file")" "$date"
    done
}

notices >"$work/notices"
cat >"$work/changelog.Debian" <<END
spoolfwd ($PACKAGE_VERSION-1) stable; urgency=medium

  * Release $PACKAGE_VERSION. What is new in it is in changelog.gz.

 -- $(sed -n 's/^maintainer: //p' "$here/nfpm.yaml")  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END
cp -r "$here/deb" "$here/rpm" "$work/"
GOBIN=$work go install "$nfpm"
# Of this machine's kind, for what the program says of itself.
go build -trimpath -tags "$tags" -o "$work/spoolfwd" ./cmd/spoolfwd
made=()
for arch in ${ARCHES:-amd64 arm64}; do
    # program NAME TAGS SOURCE
    program() {
        GOOS=linux GOARCH=$arch go build -trimpath -buildvcs=true -tags "$2" -ldflags "-s -w -X main.versionOverride=$PACKAGE_VERSION" \
            -o "$work/$1-$arch" "./cmd/$3"
    }
    program spoolfwd "$tags" spoolfwd
    program spoolfwd-nats "$tags,nats" spoolfwd
    program fakelistener "$tags" fakelistener
    for format in ${FORMATS:-deb rpm}; do
        stage=$work/stage-$format-$arch
        stage_all "$format" "$arch"
        config "$format" >"$work/$format-$arch.yaml"
        target=$out/spoolfwd-$PACKAGE_VERSION-$arch.$format
        (cd "$work" && PACKAGE_ARCH=$arch ./nfpm package --config "$format-$arch.yaml" --packager "$format" --target "$target" >/dev/null)
        made+=("${target##*/}")
    done
done
(cd "$out" && sha256sum "${made[@]}" >SHA256SUMS && cat SHA256SUMS)
