# shellcheck shell=sh
# spool_put spools standard input as one payload file for spoolfwd, in a POSIX shell. Copy the function, or source this file:
#
#     . ./spool_put.sh
#     printf '{"host":"%s","load":%s}\n' "$(hostname)" "$(cut -d' ' -f1 /proc/loadavg)" | spool_put /var/spool/metrics
#
# Promises. A file that ends in .json appears in the spool complete or not at all: the bytes go to a temporary name in the
# same directory, are flushed, and take their final name by rename(2). It prints nothing and changes nothing in the calling
# shell. The exit status is 0 once the payload file has its final name, otherwise 1.
#
# A crash (kill -9, power cut) leaves at most a temporary `profiling_XXXXXXXX`, which spoolfwd ignores; a signal that can be
# caught and a full disk leave nothing.
#
# Deliberately not done: the bytes are not checked to be JSON (spoolfwd sets a file aside that is not), and the command on
# the left of the pipe is not watched. If it may fail halfway, let it write to a variable or a file first.
#
# Beyond POSIX it uses `head -c` and /dev/urandom, which GNU, BusyBox and the BSDs have, and `sync FILE`, which elsewhere
# flushes everything.
#
# $1: the spool (default /var/lib/bitville-apm/buffer); it must exist and be writable.
# $2: the most bytes taken (default 16777216, as spoolfwd's --max-file-size); more are refused, not cut.
spool_put() (
    dir=${1:-/var/lib/bitville-apm/buffer}
    max=${2:-16777216}
    exec 2>/dev/null
    [ -d "$dir" ] || exit 1
    id=$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n') && [ "${#id}" -eq 8 ] || exit 1
    tmp=$dir/profiling_$id
    final=$dir/profile_$(date +%Y%m%d_%H%M%S)_$id.json || exit 1
    [ ! -e "$final" ] || exit 1
    umask 077
    set -C # a redirection now creates its file (O_EXCL) and never follows a name that is there already
    true >"$tmp" || exit 1
    trap 'rm -f "$tmp"' EXIT
    trap 'exit 1' HUP INT TERM PIPE
    head -c "$((max + 1))" >>"$tmp" || exit 1
    size=$(wc -c <"$tmp") && [ "$size" -gt 0 ] && [ "$size" -le "$max" ] || exit 1
    sync "$tmp" || exit 1
    mv "$tmp" "$final" || exit 1
    trap - EXIT
    sync "$dir" || : # makes the new name survive a power cut; the payload file is in place already
)
