#!/usr/bin/env bash
# Checks the packages that build.sh makes: two builds have the same bytes, lintian reports nothing that is not overridden, the
# RPM's checksums and scripts are correct, and the RPM can be installed and removed in a bare directory.
#
#     contrib/packaging/check.sh
#
# It needs lintian, rpm and root (for the RPM's chroot). It says what is missing, and fails then if CI=true.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*"
    exit 1
}

# without REASON: a check is not possible here.
without() {
    echo "not checked: $*"
    [[ ${CI:-} != true ]] || exit 1
}

echo "# two builds"
COMMIT=$(git rev-parse --verify HEAD) # the tree may change meanwhile
export COMMIT
contrib/packaging/build.sh "$work/one" >/dev/null
# Another path, umask, time zone, language, home, build cache, and other settings for Go; a tree with changes in it.
mkdir "$work/elsewhere" "$work/home"
cp -a . "$work/elsewhere/tree"
echo '// changed' >>"$work/elsewhere/tree/cmd/spoolfwd/doc.go"
(
    umask 077
    # The modules and git's settings are the same: they are found through the home.
    GOPATH=$(go env GOPATH) GOMODCACHE=$(go env GOMODCACHE) GIT_CONFIG_GLOBAL=${GIT_CONFIG_GLOBAL:-$HOME/.gitconfig}
    export GOPATH GOMODCACHE GIT_CONFIG_GLOBAL
    export TZ=Asia/Kathmandu LC_ALL=C HOME=$work/home GOCACHE=$work/cache XDG_CACHE_HOME=$work/cache
    export GOFLAGS=-buildvcs=false GOAMD64=v3 GOARM64=v9.0 GOOS=freebsd CGO_ENABLED=1
    cd "$work/elsewhere/tree"
    contrib/packaging/build.sh "$work/two" >/dev/null 2>"$work/said"
)
grep -q "not committed" "$work/said" || fail "build.sh does not say that uncommitted changes are not in the packages"
diff "$work/one/SHA256SUMS" "$work/two/SHA256SUMS" || fail "two builds of one commit differ"
(cd "$work/one" && sha256sum --check --quiet SHA256SUMS)
cat "$work/one/SHA256SUMS"

echo "# lintian"
if command -v lintian >/dev/null; then
    for deb in "$work"/one/*.deb; do
        # The tag that is suppressed looks for words in a binary, and finds them in machine code too: "Afe" in one build and not
        # in the next.
        said=$(lintian --allow-root --display-info --pedantic --suppress-tags spelling-error-in-binary "$deb" 2>&1) || true
        [[ -z $said ]] || fail "lintian on ${deb##*/}: $said"
    done
else
    without "lintian is not installed"
fi

echo "# rpm"
if ! command -v rpm >/dev/null; then
    without "rpm is not installed"
    exit 0
fi
for rpm in "$work"/one/*.rpm; do
    rpm --checksig --nosignature "$rpm" >/dev/null || fail "rpm --checksig ${rpm##*/}"
done
if [[ $(id -u) != 0 ]]; then
    without "installing the RPM in a bare directory takes root"
    exit 0
fi
# A root directory with a shell and little else. The scripts must not fail when a tool that they call is missing.
root=$work/root
mkdir -p "$root"/{bin,usr/bin,lib,lib64,tmp,dev}
mknod -m 0666 "$root/dev/null" c 1 3
for program in sh rmdir rm; do
    path=$(command -v "$program")
    cp "$(readlink -f "$path")" "$root/bin/$program"
    ldd "$path" | grep -o '/[^ ]*' | while read -r library; do
        install -D "$library" "$root$library"
    done
done
rpm=("$work"/one/*-"$(dpkg --print-architecture)".rpm)
quiet() {
    said=$("$@" 2>&1) || fail "$*: $said"
    said=$(grep -v '^rpm: ' <<<"$said") || true # Debian's rpm would rather see alien used
    [[ -z $said ]] || fail "$* says: $said"
}
quiet rpm --root "$root" --nodeps --install "${rpm[0]}"
for program in spoolfwd spoolfwd-nats; do
    chroot "$root" "/usr/bin/$program" run --help >/dev/null || fail "$program does not start in a bare directory"
done
[[ ! -e $root/etc/systemd/system ]] || fail "the RPM enables something"
echo 'retry-timeout = "61s"' >>"$root/etc/spoolfwd/spoolfwd.toml"
mkdir -p "$root/var/lib/bitville-apm/buffer" "$root/var/lib/bitville-apm/circuit-breaker-state"
echo '{}' >"$root/var/lib/bitville-apm/buffer/a.json"
quiet rpm --root "$root" --nodeps --upgrade --force "${rpm[0]}"
grep -q 61s "$root/etc/spoolfwd/spoolfwd.toml" || fail "an upgrade of the RPM loses the administrator's configuration"
said=$(rpm --root "$root" --erase spoolfwd 2>&1) || fail "rpm --erase: $said"
[[ $said == *rpmsave* ]] || fail "rpm --erase does not keep the changed configuration: $said"
[[ ! -e $root/usr/bin/spoolfwd ]] || fail "rpm --erase leaves the program"
[[ -e $root/var/lib/bitville-apm/buffer/a.json ]] || fail "rpm --erase takes payload files along"
echo "the packages are correct"
