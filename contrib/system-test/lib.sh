# shellcheck shell=bash disable=SC2154
# Containers for the system test: a Debian made once with debootstrap and kept in the cache, copied per run, booted with
# systemd-nspawn on the host's network, so that the listener on 127.0.0.1 is the same inside. Sourced by run.sh.
#
# The host's systemd is not involved (--register=no --keep-unit), so a machine without systemd is enough, such as a CI container
# with the right privileges. Commands run inside through the namespaces of the container's first process.

# A container is one directory: $work/NAME/root is its file system, $work/NAME/pid the process id of its systemd-nspawn.

# say prints one line of the report.
say() { printf '%s\n' "$*"; }

# need ends a test that cannot run, with the reason. It is a failure only in CI.
need() {
    say "system test not run: $*"
    [[ ${CI:-} == true ]] && exit 1
    exit 0
}

# fail ends the test and prints what helps to find the cause.
fail() {
    say "FAILED: $*"
    if [[ -n ${container:-} ]]; then
        say "--- the journal of $container"
        inside journalctl --no-pager -n 40 -o short-precise || true
        say "--- units"
        inside systemctl --no-pager --all list-units 'spoolfwd*' cron.service || true
        inside ls -lA /var/lib/bitville-apm/buffer /var/lib/bitville-apm/circuit-breaker-state || true
        say "--- the console"
        tail -n 20 "$work/$container/console" || true
    fi
    exit 1
}

# check LABEL COMMAND...: the command must succeed.
check() {
    local label=$1
    shift
    "$@" || fail "$label ($*)"
    say "ok - $label"
}

# same LABEL WANT GOT
same() {
    [[ $2 == "$3" ]] || fail "$1: got '$3', want '$2'"
    say "ok - $1"
}

# eventually SECONDS LABEL COMMAND...: the command must succeed before the time is over. It is tried five times a second.
eventually() {
    local deadline=$((SECONDS + $1)) label=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || fail "$label: not in time ($*)"
        sleep 0.2
    done
    say "ok - $label"
}

# base prints the directory of the pristine Debian, and makes it if the cache has none.
base() {
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/spoolfwd dir
    dir=$cache/debian-$suite-$(dpkg --print-architecture)-1
    if [[ ! -d $dir ]]; then
        mkdir -p "$cache"
        rm -rf "$dir".new.*
        local new=$dir.new.$$
        debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,cron,procps "$suite" "$new" "$mirror" \
            >"$work/debootstrap.log" 2>&1 || { tail -n 5 "$work/debootstrap.log" >&2; rm -rf "$new"; return 1; }
        rm -rf "$new"/var/cache/apt/archives/*.deb "$new"/var/lib/apt/lists/*
        : >"$new/etc/machine-id" # every copy is a machine of its own
        mv "$new" "$dir"
    fi
    printf '%s\n' "$dir"
}

# create NAME: a new container from the base, not yet booted.
create() {
    container=$1
    mkdir -p "$work/$1"
    cp -a --reflink=auto "$base" "$work/$1/root"
    echo "$1" >"$work/$1/root/etc/hostname"
    # The container's own services must not touch the host's network and clock.
    local unit
    for unit in systemd-networkd.service systemd-resolved.service systemd-timesyncd.service; do
        ln -sf /dev/null "$work/$1/root/etc/systemd/system/$unit"
    done
}

# start NAME: begin to boot the container.
start() {
    container=$1
    # A directory in the host's /run has the machine's name, too.
    systemd-nspawn --quiet -D "$work/$1/root" --machine="spoolfwd-$1-$$" --register=no --keep-unit --boot --console=pipe --hostname="$1" \
        --bind-ro="$work/share:/run/share" </dev/null >>"$work/$1/console" 2>&1 &
    echo $! >"$work/$1/pid"
}

# boot NAME: start the container and wait until its system is up.
boot() {
    start "$1"
    eventually 60 "$1 boots" up
}

# bootable reports whether containers boot on this machine.
bootable() {
    local deadline=$((SECONDS + 60))
    create probe
    start probe
    until up 2>/dev/null; do
        kill -0 "$(<"$work/probe/pid")" 2>/dev/null && ((SECONDS < deadline)) || return 1
        sleep 0.2
    done
    stop probe
    rm -rf "$work/probe"
    container=
}

# up reports whether the container has finished booting. Units of Debian that fail in a container do not matter here.
up() {
    local state
    state=$(inside systemctl is-system-running) || true
    [[ $state == running || $state == degraded ]]
}

# leader prints the process id, on the host, of the container's first process.
leader() { pgrep -P "$(<"$work/$container/pid")"; }

# inside COMMAND...: run a command in the current container, as root.
inside() {
    local pid
    pid=$(leader) || return 1
    nsenter -t "$pid" -m -u -i -p -C -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive "$@"
}

# reboot NAME: systemctl reboot, as a person would do it. systemd-nspawn then ends with 133, so that its service manager starts
# it again.
reboot() {
    local code=0
    container=$1
    inside systemctl reboot
    wait "$(<"$work/$1/pid")" || code=$?
    same "$1 goes down to come back" 133 "$code"
    boot "$1"
}

# stop NAME: power the container off.
stop() {
    local pid
    pid=$(<"$work/$1/pid") || return 0
    kill -0 "$pid" 2>/dev/null || return 0
    kill -RTMIN+4 "$(pgrep -P "$pid")" 2>/dev/null || true # poweroff.target
    local deadline=$((SECONDS + 20))
    while kill -0 "$pid" 2>/dev/null; do
        ((SECONDS < deadline)) || { kill -KILL "$pid"; break; }
        sleep 0.1
    done
    wait "$pid" 2>/dev/null || true
}
