#!/usr/bin/env bash
# The whole way in one go: spool, breaker, listener, and what happens when the
# listener dies and comes back. Every step checks that it did what it says; the
# script ends with an error if one did not, and leaves nothing behind.
set -euo pipefail

cd "$(dirname "$0")/../.."
work=$(mktemp -d "${TMPDIR:-/tmp}/spoolfwd-demo-XXXXXX")
listener=
cleanup() {
	[ -z "$listener" ] || kill "$listener" 2>/dev/null || true
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

spool=$work/buffer state=$work/state url='' address=''
export SPOOLFWD_SPOOL=$spool SPOOLFWD_STATE_DIR=$state SPOOLFWD_RETRY_JITTER=0

# --- what the steps are made of -------------------------------------------------

bold() { if [ -t 1 ]; then printf '\033[1m%s\033[0m\n' "$*"; else printf '%s\n' "$*"; fi; }
step() { echo; bold "== $*"; }
fail() { echo "demo: $*" >&2; exit 1; }

# forward CODE COMMAND...: shows a command, runs it, and expects that exit code.
forward() {
	local expect=$1
	shift
	echo "\$ spoolfwd $*"
	local code=0
	"$work/spoolfwd" "$@" || code=$?
	echo "  exit code $code"
	[ "$code" -eq "$expect" ] || fail "spoolfwd $* ended with $code, not $expect"
}

# control METHOD PATH [BODY]: asks the listener's control endpoint, in plain bash
# so that the demonstration needs nothing but Go.
control() {
	local body=${3-}
	exec 3<>"/dev/tcp/${address%:*}/${address#*:}"
	printf '%s /_control/%s HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s' "$1" "$2" "${#body}" "$body" >&3
	cat <&3
	exec 3>&-
}

# expect_count KEY N: the listener's own count must be N.
expect_count() {
	local got
	got=$(control GET stats | sed -n "s/^  \"$1\": \([0-9]*\),*\$/\1/p")
	echo "  the listener counts $got $1"
	[ "$got" = "$2" ] || fail "the listener counts $got $1, not $2"
}

# expect_files N: so many payload files are in the spool.
expect_files() {
	local got
	got=$(find "$spool" -maxdepth 1 -name '*.json' | wc -l)
	echo "  the spool holds $got payload files"
	[ "$got" -eq "$1" ] || fail "the spool holds $got payload files, not $1"
}

listener_says() {
	control PUT script "$1" >/dev/null
	control POST reset >/dev/null
}

# Payload files as the two known producers write them: under a temporary name in
# the same directory, then renamed.
profile() {
	local name
	name=profile_$(date +%Y%m%d_%H%M%S)_$(printf '%08x' "$1").json
	printf '{"url":"/checkout","duration_ms":%d,"memory":2097152}\n' "$((1000 + $1))" >"$spool/profiling_$1"
	mv "$spool/profiling_$1" "$spool/$name"
}
buffer() {
	local name i
	name=buffer_$(date +%s.%N | cut -c1-15)_$(printf '%08x' "$1").json
	{
		printf '['
		for i in 1 2 3; do
			[ "$i" -eq 1 ] || printf ','
			printf '{"url":"/report/%d","duration_ms":%d}' "$1" "$i"
		done
		printf ']'
	} >"$spool/buffer_tmp$1"
	mv "$spool/buffer_tmp$1" "$spool/$name"
}

# --- the demonstration ----------------------------------------------------------

step "Build"
go build -trimpath -o "$work/" ./cmd/spoolfwd ./cmd/fakelistener
mkdir "$spool"

step "Start a listener on a free port of the loopback"
mkfifo "$work/ready"
"$work/fakelistener" --listen 127.0.0.1:0 --schema >"$work/ready" &
listener=$!
read -r url <"$work/ready"
export SPOOLFWD_URL=$url
address=${url#http://} address=${address%%/*}
echo "  $url"

step "Producers spool two profiles and a buffer of three"
profile 1; profile 2; buffer 3
ls "$spool"

step "A healthy run delivers them and says nothing"
forward 0 run
expect_files 0
expect_count delivered 5
forward 0 status

step "The listener fails; seven more payloads are spooled"
listener_says 500
for i in 4 5 6 7 8 9 10; do profile "$i"; done
forward 69 run
expect_count requests 5
expect_files 7

step "The breaker's state is on disk, so the next process sends nothing"
cat "$state/central_listener.state"; echo
forward 69 run
expect_count requests 5

step "After the retry timeout (60 s; here 1 s) one probe goes out, and fails"
export SPOOLFWD_RETRY_TIMEOUT=1s
deadline=$((SECONDS + 10))
until "$work/spoolfwd" status --json | grep -q '"effective_state": *"half_open"'; do
	[ "$SECONDS" -lt "$deadline" ] || fail "the retry timeout never ends"
	sleep 0.1
done
forward 69 run
expect_count requests 6

unset SPOOLFWD_RETRY_TIMEOUT
step "The listener is back; somebody flushes by hand and does not wait"
listener_says 200
forward 0 flush --force
expect_count delivered 7
expect_count duplicates 0
expect_files 0
forward 0 status

step "Everything was delivered, once."
