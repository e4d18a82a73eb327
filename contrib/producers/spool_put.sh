# shellcheck shell=sh
# spool_put spools standard input as one payload file for spoolfwd, in a POSIX shell. Copy the function, or source this file:
#
#     . ./spool_put.sh
#     printf '{"host":"%s","load":%s}\n' "$(hostname)" "$(cut -d' ' -f1 /proc/loadavg)" | spool_put /var/spool/metrics
#
# Promises. A file that ends in .json appears in the spool complete or not at all: the bytes go to a temporary name in the
# same directory, are flushed, and take their final name by rename(2). It prints nothing, but for the refusal below, and
# changes nothing in the calling shell. The exit status is 0 once the payload file has its final name, otherwise 1. The file
# has mode 0600, or 0640 in a spool with the set-group-ID bit.
#
# The bytes are written through the one handle that made the temporary, whatever becomes of its name. But a shell can flush
# and rename a file by name only, and whoever may write the directory can put another file there at any moment. Root would
# then act on a file that somebody else has chosen. Therefore root is refused, in one line, if the spool belongs to another
# user or if others may write it: use `spoolfwd put` there, which becomes the spool's owner.
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
    exec 4>&2 2>/dev/null
    CDPATH='' cd -P -- "$dir" || exit 1 # from here on it is the same directory, whatever becomes of its path
    if [ "$(id -u)" -eq 0 ]; then
        unset IFS
        # shellcheck disable=SC2046 # split into fields: mode, links, owner ...
        set -- $(ls -nd .)
        case $1:$3 in
        ?????w* | ????????w* | *:[!0]*)
            echo "spool_put: root does not write into $dir, which is another user's or which others may write; use spoolfwd put" >&4
            exit 1
            ;;
        esac
    fi
    # Two numbers: whoever sees the temporary must not know the final name before it is taken.
    id=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n') && [ "${#id}" -eq 16 ] || exit 1
    tmp=profiling_${id%????????}
    final=profile_$(date +%Y%m%d_%H%M%S)_${id#????????}.json || exit 1
    [ ! -e "$final" ] || exit 1
    umask 077
    [ ! -g . ] || umask 027 # this bit gives the directory's group to the file, for a reader that is not its owner
    set -C # a redirection now creates its file (O_EXCL) and never follows a name that is there already
    {
        trap 'rm -f "$tmp"' EXIT
        trap 'exit 1' HUP INT TERM PIPE
        head -c "$((max + 1))" >&3 || exit 1
    } 3>"$tmp" || exit 1
    size=$(wc -c <"$tmp") && [ "$size" -gt 0 ] && [ "$size" -le "$max" ] || exit 1
    sync "$tmp" || exit 1
    mv "$tmp" "$final" || exit 1
    trap - EXIT
    sync . || : # makes the new name survive a power cut; the payload file is in place already
)
