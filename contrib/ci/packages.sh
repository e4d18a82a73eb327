#!/bin/sh
# Prints the Debian packages that the tests and linters need, one per line. The comments are the reasons.
sed 's/ *#.*//' <<'PACKAGES'
shellcheck        # lints the shell scripts
strace            # counts system calls, kills and fails them
php-cli           # runs the PHP producer
python3           # runs the Python producer
dash              # runs the shell producer
valgrind          # counts the instructions of an idle run
systemd           # verifies the units
systemd-container # boots the Debian of the system test
debootstrap       # makes it
curl              # asks the listener for its counts
openssh-client    # signs and verifies a release
procps            # watches processes
lintian           # checks the Debian packages
rpm               # checks the others
mandoc            # checks the manual pages
xfsprogs          # a file system to cut the power of
e2fsprogs         # another one
prometheus        # promtool checks metrics, alerts and dashboard
prometheus-node-exporter # serves the metrics file
haproxy           # balances two listeners, one of which dies
nginx-light       # stores what is PUT
victoria-metrics  # takes batches
nats-server       # stores a message once under its key
zsh               # completes words
fish              # likewise
php-curl          # a contender in the race
PACKAGES
