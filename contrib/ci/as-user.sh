#!/bin/sh
# Runs a command as an ordinary user, in a clone of the last commit that belongs to that user.
set -eu
cd "$(dirname "$0")/../.."

if [ "$(id -u)" -ne 0 ]; then
	exec "$@"
fi
home=$(mktemp -d)
trap 'chmod -R u+w "$home"; rm -rf "$home"' EXIT
# daemon and not nobody, since tests give files to nobody. Without hard links, since the objects
# change their owner.
git clone -q --no-hardlinks . "$home/spoolfwd"
chown -R daemon: "$home"
cd "$home/spoolfwd"
setpriv --reuid=daemon --regid=daemon --clear-groups \
	env HOME="$home" GOCACHE="$home/cache" GOPATH="$home/go" "$@"
