#!/usr/bin/env bash
# The system test: the packages on a real Debian with a real systemd and a real cron, in containers, against a listener
# that fails and comes back. units.sh, nats.sh, cron.sh and rpm.sh are the scenarios.
#
#     contrib/system-test/run.sh
#
# It needs root, systemd-nspawn, debootstrap, curl, dpkg, nats-server and go. If it cannot run, it says why, and fails only if
# CI=true. The first run downloads a small Debian into ${XDG_CACHE_HOME:-~/.cache}/spoolfwd; later runs take less than eight minutes. Nothing
# else on the host changes.
#
#   SUITE      the Debian to test on, default bookworm
#   MIRROR     where it comes from, default http://deb.debian.org/debian
#   KEEP=true  leave the containers' files behind, and say where
# shellcheck disable=SC2034 # the sourced files use what is set here
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

suite=${SUITE:-bookworm}
mirror=${MIRROR:-http://deb.debian.org/debian}
container=
work=$(mktemp -d "${TMPDIR:-/tmp}/spoolfwd-system-test.XXXXXX")

# shellcheck source=contrib/system-test/lib.sh
. contrib/system-test/lib.sh
# shellcheck source=contrib/system-test/listener.sh
. contrib/system-test/listener.sh
# shellcheck source=contrib/system-test/units.sh
. contrib/system-test/units.sh
# shellcheck source=contrib/system-test/nats.sh
. contrib/system-test/nats.sh
# shellcheck source=contrib/system-test/cron.sh
. contrib/system-test/cron.sh
# shellcheck source=contrib/system-test/rpm.sh
. contrib/system-test/rpm.sh

# clean_up ends what this test has started, and nothing else.
clean_up() {
    local pid name
    for name in units cron rpm probe; do
        [[ ! -e $work/$name/pid ]] || stop "$name"
        [[ ! -e $work/$name.listener ]] || hang_up "$name"
    done
    for pid in $(jobs -p); do
        kill "$pid" 2>/dev/null || true
    done
    if [[ ${KEEP:-} == true ]]; then
        say "kept: $work"
    else
        rm -rf --one-file-system "$work"
    fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

[[ $(uname -s) == Linux ]] || need "this is not Linux"
for program in systemd-nspawn debootstrap nsenter curl dpkg nats-server go; do
    command -v "$program" >/dev/null || need "$program is not installed"
done
[[ $(id -u) == 0 ]] || need "containers need root"
base=$(base) || need "debootstrap cannot make a Debian $suite from $mirror"
mkdir -p "$work/bin" "$work/share"
bootable || need "systemd-nspawn cannot boot a container: $(tail -n 3 "$work/probe/console" | tr '\n' ' ')"

say "# build"
CGO_ENABLED=0 go build -trimpath -o "$work/bin/" ./cmd/fakelistener
for version in 1.0.0 2.0.0; do
    VERSION=$version ARCHES=$(dpkg --print-architecture) FORMATS="deb rpm" contrib/packaging/build.sh "$work/packages" >/dev/null
done
mv "$work"/packages/*-1.0.0-*.deb "$work/share/old.deb"
mv "$work"/packages/*-2.0.0-*.deb "$work/share/new.deb"
mv "$work"/packages/*-2.0.0-*.rpm "$work/share/new.rpm"
chmod -R a+rX "$work"

cron_scenario >"$work/cron.log" 2>&1 &
beside=$!
units_scenario
say "# the RPM"
rpm_scenario
say "# under cron"
if wait "$beside"; then
    cat "$work/cron.log"
else
    cat "$work/cron.log"
    exit 1
fi
say "the system test has passed in $SECONDS seconds"
