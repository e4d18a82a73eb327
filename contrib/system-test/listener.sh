# shellcheck shell=bash disable=SC2154
# The listener of a scenario: a fakelistener on the host's loopback, with a port of its own. Sourced by run.sh.
#
# A listener is $work/NAME.url and $work/NAME.listener (its process id); what it received is in $work/NAME.seen/.

# listen NAME STEPS [OPTIONS...]: start it, on the same port as the last time if it has run before.
listen() {
    local name=$1 steps=$2 address=127.0.0.1:0
    shift 2
    [[ ! -e $work/$name.url ]] || address=$(cut -d/ -f3 "$work/$name.url")
    mkdir -p "$work/$name.seen"
    rm -f "$work/$name.address"
    "$work/bin/fakelistener" --listen "$address" --address-file "$work/$name.address" --script "$steps" --schema \
        --record "$work/$name.seen" "$@" >/dev/null &
    echo $! >"$work/$name.listener"
    eventually 60 "the listener $name is up" test -s "$work/$name.address"
    cp "$work/$name.address" "$work/$name.url"
}

# hang_up NAME: end it. Connections are refused from now on.
hang_up() {
    local pid
    pid=$(<"$work/$1.listener")
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

# control NAME PATH [CURL OPTIONS...]
control() {
    local name=$1 path=$2
    shift 2
    curl -fsS "$@" "$(cut -d/ -f1-3 "$work/$name.url")/_control/$path"
}

# answer NAME STEPS: from now on it answers like this.
answer() { printf '%s' "$2" | control "$1" script -T - >/dev/null; }

# stat_of NAME COUNT: one of its counts.
stat_of() { control "$1" stats | tr ',{}' '\n' | sed -n "s/^ *\"$2\": *//p"; }

# count_is NAME COUNT NUMBER, for eventually
count_is() { [[ $(stat_of "$1" "$2") == "$3" ]]; }

# some_are NAME COUNT: it is not 0
some_are() { (($(stat_of "$1" "$2") > 0)); }
