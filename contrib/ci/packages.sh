#!/bin/sh
# Prints the Debian packages that the tests and linters need, one per line, each
# with its reason.
sed 's/ *#.*//' <<'PACKAGES'
shellcheck        # lints the shell scripts
strace            # counts system calls, kills and fails them
php-cli           # runs the PHP producer
python3           # runs the Python producer
dash              # runs the shell producer
PACKAGES
