#!/usr/bin/env bash
# Races spoolfwd against curl in a shell loop, curl under xargs, curl --parallel, and PHP with its
# curl extension. Prints a table in Markdown.
#
#   contrib/bench/race.sh [-n FILES] [-s FILES_FOR_THE_SLOW] [-r ROUNDS]
#
# The contenders take turns, and the medians of the rounds are printed. Each contender must deliver
# every payload file exactly once, which fakelistener counts, and remove it; otherwise the race ends.
# As root, the spool is on an ext4 with a journal, an image in memory that is gone with this script.
# Otherwise it is in the directory for temporary files.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."

files=20000 slow=1000 rounds=3
usage() { echo "usage: race.sh [-n FILES] [-s FILES_FOR_THE_SLOW] [-r ROUNDS]" >&2; exit 64; }
while getopts n:s:r: option; do
	case $option in
	n) files=$OPTARG ;;
	s) slow=$OPTARG ;;
	r) rounds=$OPTARG ;;
	*) usage ;;
	esac
done
[ "$OPTIND" -gt $# ] || usage

# The mounts in a namespace of its own end with the script, however that ends.
if [ "$(id -u)" -eq 0 ] && [ -z "${SPOOLFWD_BENCH_NAMESPACED-}" ] && command -v unshare >/dev/null; then
	SPOOLFWD_BENCH_NAMESPACED=1 exec unshare --mount "$here/race.sh" -n "$files" -s "$slow" -r "$rounds"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/spoolfwd-race-XXXXXX")
listener='' disk=$work/disk
cleanup() {
	[ -z "$listener" ] || kill "$listener" 2>/dev/null || true
	wait 2>/dev/null || true
	mountpoint -q "$disk" && umount -l "$disk"
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() { echo "race: $*" >&2; exit 1; }
say() { echo "race: $*" >&2; }

mkdir "$disk"
place="a directory for temporary files, $(stat -f -c %T "$work")"
if [ -n "${SPOOLFWD_BENCH_NAMESPACED-}" ]; then
	image=$(mktemp /dev/shm/spoolfwd-race-XXXXXX)
	truncate -s 2G "$image"
	if mkfs.ext4 -q -F -N 100000 -J size=128 -E lazy_itable_init=0,lazy_journal_init=0 "$image" && mount -o loop,noatime "$image" "$disk"; then
		place="ext4 with a journal, an image in memory"
	fi
	rm "$image" # the file lives as long as it is mounted
fi
[ "${place#ext4}" != "$place" ] || say "the spool is in $place; as root it would be on a journaled ext4 in memory"
spool=$disk/spool
mkdir "$spool"

CGO_ENABLED=0 go build -trimpath -tags urfave_cli_no_docs -ldflags='-s -w' -o "$work/" ./cmd/spoolfwd ./cmd/fakelistener
"$work/fakelistener" --listen 127.0.0.1:0 --address-file "$work/url" >"$work/started" &
listener=$!
for ((i = 0; i < 100; i++)); do
	[ -s "$work/url" ] && break
	sleep 0.05
done
url=$(<"$work/url")
address=${url#http://}
address=${address%%/*}

# control METHOD PATH: asks the listener's control endpoint, without the tools that are measured.
control() {
	exec 3<>"/dev/tcp/${address%:*}/${address#*:}"
	printf '%s /_control/%s HTTP/1.0\r\nContent-Length: 0\r\n\r\n' "$1" "$2" >&3
	cat <&3
	exec 3>&-
}
count() { control GET stats | sed -n "s/^  \"$1\": \([0-9]*\),*\$/\1/p"; }

# The payload files are made once; each contender gets a copy.
text=$(printf 'App Controller Order index SELECT * FROM orders WHERE id = 42; %.0s' {1..20})
make_payloads() { # make_payloads DIR FILES
	mkdir "$1"
	local i body name
	for ((i = 0; i < $2; i++)); do
		printf -v body '{"n":"%010d","url":"/checkout","text":"' "$i"
		printf -v name 'profile_20231114_2213%02d_%08x.json' "$((i / 1000 % 60))" "$i"
		printf '%s%s"}' "$body" "${text:0:1022-${#body}}" >"$1/$name"
	done
}
make_payloads "$work/payloads" "$files"
make_payloads "$work/payloads.slow" "$slow"

# --- the contenders: each empties $spool into $url ------------------------------------

spoolfwd() { "$work/spoolfwd" run --spool "$spool" --state-dir "$work/state" --url "$url" "$@"; }
php_curl() { php "$here/drain.php" "$1" "$spool" "$url"; }

shell_loop() {
	local file
	for file in "$spool"/*.json; do
		curl -sS -f -o /dev/null -H 'Content-Type: application/json' --data-binary "@$file" "$url" && rm -- "$file"
	done
}

xargs_curl() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	printf '%s\0' "$spool"/*.json | xargs -0 -n 1 -P 4 sh -c \
		'curl -sS -f -o /dev/null -H "Content-Type: application/json" --data-binary "@$1" "$0" && rm -- "$1"' "$url"
}

# One curl for all: a config with a section for each payload file, which prints status and name.
# The files with a 2xx are removed.
curl_parallel() {
	local file
	{
		echo 'no-progress-meter'
		echo 'parallel'
		echo 'parallel-max = 4'
		for file in "$spool"/*.json; do
			printf 'url = "%s"\nsilent\nshow-error\noutput = "/dev/null"\nheader = "Content-Type: application/json"\ndata-binary = "@%s"\nwrite-out = "%%{http_code} %s\\n"\nnext\n' "$url" "$file" "$file"
		done
	} | sed '$d' >"$work/config"
	curl --config "$work/config" | sed -n 's/^2[0-9][0-9] //p' | tr '\n' '\0' | xargs -0 rm --
}

names=() calls=() sources=()
contender() { # contender PAYLOADS NAME CALL...
	sources+=("$1")
	names+=("$2")
	calls+=("${*:3}")
}
missing=()
contender payloads "spoolfwd --concurrency 1" spoolfwd --concurrency 1
contender payloads "spoolfwd" spoolfwd
contender payloads "spoolfwd --batch-items 100" spoolfwd --batch-items 100
if command -v curl >/dev/null; then
	contender payloads.slow "shell loop over curl" shell_loop
	contender payloads.slow "xargs -P 4 with curl" xargs_curl
	contender payloads "curl --parallel x4 from a config file" curl_parallel
else
	missing+=("curl (Debian package curl)")
fi
if ! command -v php >/dev/null; then
	missing+=("php (Debian packages php-cli and php-curl)")
elif ! php -r 'exit(extension_loaded("curl") ? 0 : 1);'; then
	missing+=("PHP's curl extension (Debian package php-curl)")
else
	contender payloads "PHP, a new cURL handle per payload" php_curl new
	contender payloads "PHP, a reused cURL handle" php_curl reused
	contender payloads "PHP, curl_multi x4" php_curl multi
fi

# --- the race -------------------------------------------------------------------------

# turn CONTENDER: prints the payloads per second.
turn() {
	local source=$work/${sources[$1]} n began ended
	n=$files
	[ "${sources[$1]}" = payloads ] || n=$slow
	cp -a "$source/." "$spool/"
	sync -f "$spool"
	control POST reset >/dev/null
	began=$EPOCHREALTIME
	${calls[$1]} >&2 || fail "${names[$1]} ended with $?"
	ended=$EPOCHREALTIME
	local items left
	items=$(count items) left=$(find "$spool" -maxdepth 1 -name '*.json' | wc -l)
	[ "$items" = "$n" ] || fail "${names[$1]} delivered $items of $n"
	[ "$(count distinct_bodies)" = "$(count delivered)" ] || fail "${names[$1]} delivered some more than once"
	[ "$left" -eq 0 ] || fail "${names[$1]} left $left files in the spool"
	sync -f "$spool"
	awk -v n="$n" -v began="$began" -v ended="$ended" 'BEGIN { printf "%.1f\n", n / (ended - began) }'
}

results=$work/results
for ((round = 0; round < rounds; round++)); do
	for ((k = 0; k < ${#names[@]}; k++)); do
		i=$(((k + round) % ${#names[@]}))
		rate=$(turn "$i")
		printf '%d\t%d\t%s\n' "$i" "$round" "$rate" >>"$results"
	done
	say "round $((round + 1)) of $rounds is over"
done

# medians CONTENDER [BASE]: median, lowest and highest of the rates, or of their ratios to those of
# another contender in the same round.
medians() {
	awk -v of="$1" -v base="${2--1}" '
		$1 == of { rate[$2] = $3 }
		$1 == base { under[$2] = $3 }
		END { for (round in rate) print base < 0 ? rate[round] : rate[round] / under[round] }' "$results" | sort -n |
		awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2, v[1], v[NR] }'
}

printf '%s, %d x %s, Linux %s, %s; %s payload files of 1 KiB (%s for the slow ones), fakelistener on loopback, medians of %d rounds\n\n' \
	"$(date +%F)" "$(nproc)" "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(uname -r)" "$place" "$files" "$slow" "$rounds"
echo '| | payloads/s | lowest to highest | compared with spoolfwd |'
echo '|---|--:|--:|--:|'
for ((i = 0; i < ${#names[@]}; i++)); do
	read -r median low high < <(medians "$i")
	read -r ratio _ < <(medians "$i" 1)
	printf '| %s | %.0f | %.0f to %.0f | %.2f |\n' "${names[$i]}" "$median" "$low" "$high" "$ratio"
done
# compare CONTENDER "OTHER": how many times as fast as the other one it is.
compare() {
	local i ratio low high
	for ((i = 0; i < ${#names[@]}; i++)); do
		[ "${names[$i]}" = "$2" ] || continue
		read -r ratio low high < <(medians "$1" "$i")
		printf '\n%s is %.2f times as fast as "%s" (%.2f to %.2f in single rounds).\n' "${names[$1]}" "$ratio" "$2" "$low" "$high"
	done
}
compare 0 "PHP, a reused cURL handle"
compare 1 "PHP, curl_multi x4"
for tool in "${missing[@]}"; do
	printf '\nNot raced, because it is not installed: %s.\n' "$tool"
done
echo
printf 'Versions: %s' "$(go version | cut -d' ' -f3)"
! command -v curl >/dev/null || printf '; %s' "$(curl --version | head -n 1 | cut -d' ' -f1,2)"
! command -v php >/dev/null || printf '; PHP %s' "$(php -r 'echo PHP_VERSION;')"
echo .
