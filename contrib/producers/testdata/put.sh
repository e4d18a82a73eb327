# shellcheck shell=sh
# Calls spool_put as a script would: put.sh DIR CASE, from this directory. The case's bytes come on standard input.
# Exit status that of spool_put.
# shellcheck source=contrib/producers/spool_put.sh
. ../spool_put.sh
spool_put "$1"
