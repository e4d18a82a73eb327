# shellcheck shell=bash disable=SC2154
# The package under systemd: installation, timer, an outage with a reboot, instances, upgrade, removal, purge.
# Sourced by run.sh.

spool=/var/lib/bitville-apm/buffer
state=/var/lib/bitville-apm/circuit-breaker-state

# produce FROM [TO] [SPOOL]: spool the objects {"n":FROM} to {"n":TO} with the shell producer, as the producer's user.
produce() {
    inside runuser -u www-data -- sh -c ". /usr/share/doc/spoolfwd/examples/spool_put.sh
        for n in \$(seq $1 ${2:-$1}); do printf '{\"n\":%d}' \"\$n\" | spool_put ${3:-$spool} || exit; done"
}

payload_files() { inside sh -c "ls $spool | grep -c '[.]json\$'" || true; }
spool_is_empty() { [[ $(payload_files) == 0 ]]; }
breaker_is() { inside grep -Eq "\"state\": *\"$1\"" "$state/central_listener.state"; }
opened_at() { inside grep -Eo '"opened_at": *[0-9.]+' "$state/central_listener.state"; }

# journal prints the messages of the unit's runs since boot; lines_with counts those that match. Both take options of journalctl.
journal() { inside journalctl --no-pager -q -o cat -b -u spoolfwd.service "$@"; }
lines_with() { journal "${@:2}" | grep -c -- "$1" || true; }

# property NAME: of the last run.
property() { inside systemctl show spoolfwd.service --value -p "$1"; }
# ended_with CODE: the last run has ended with this exit code. While the next run is under way, systemd shows no exit code.
ended_with() { [[ $(inside systemctl show spoolfwd.service --value -p ActiveState -p ExecMainStatus | sort | xargs) == "$1 inactive" ]]; }
# journal_lines N: the journal, which lags behind, has this many lines of the unit.
journal_lines() { [[ $(journal | wc -l) -eq $1 ]]; }
said_by_unit() { (($(lines_with "$1") > 0)); }
another_run() { [[ $(property ActiveState) == inactive && $(property InvocationID) != "$1" ]]; }

# more_runs N: let N more runs of the timer begin and end.
more_runs() {
    local i before
    for ((i = 0; i < $1; i++)); do
        before=$(property InvocationID)
        eventually 60 "the timer starts another run" another_run "$before"
    done
}

# stop_timer: and let the run end that it may have started just before.
stop_timer() {
    inside systemctl stop spoolfwd.timer
    eventually 60 "the timer is stopped, and no run is under way" no_run
}
no_run() { [[ $(property ActiveState) != activating ]]; }

# package OPTION NAME: run dpkg, with its output in a file.
package() { inside dpkg "$@" >>"$work/$container/dpkg" 2>&1; }
install_package() { package -i "/run/share/$1"; }

# own_user_scenario sets spoolfwd up as a user of its own, and back.
own_user_scenario() {
    say "# a user of its own, as contrib/doc/own-user.md sets it up"
    inside useradd --system --user-group --groups www-data --home-dir /nonexistent --shell /usr/sbin/nologin spoolfwd
    inside install -d -o spoolfwd -g www-data -m 3770 $spool
    inside chown -R spoolfwd: $spool/rejected
    inside install -D -m 0644 /usr/share/doc/spoolfwd/examples/own-user.conf /etc/systemd/system/spoolfwd.service.d/own-user.conf
    inside systemctl daemon-reload
    answer units 200,400,200
    control units reset -X POST >/dev/null
    inside runuser -u www-data -- sh -c "umask 0007; cd $spool; printf '[{\"n\":451},{\"n\":452},{\"n\":453}]' >x.tmp && mv x.tmp x.json"
    inside runuser -u www-data -- sh -c "echo '{\"n\":454}' | spoolfwd put" >/dev/null
    produce 455
    inside systemctl start spoolfwd.service 2>/dev/null && fail "a run that rejects an item is a success"
    same "a run sends what the group may read" "failed 65" "$(property ActiveState) $(property ExecMainStatus)"
    same "every item has arrived or was rejected" "4 5" "$(stat_of units delivered) $(stat_of units requests)"
    same "the spool is empty" 0 "$(payload_files)"
    same "the state belongs to the new user" spoolfwd "$(inside stat -c %U $state/central_listener.lock)"
    inside runuser -u www-data -- mv $spool/rejected $spool/gone 2>/dev/null && fail "the producer can move rejected/ away"
    inside runuser -u www-data -- ls $spool/rejected >/dev/null 2>&1 && fail "the producer can read what was rejected"
    inside runuser -u www-data -- cat $state/central_listener.lock >/dev/null 2>&1 && fail "the producer can open the lock"
    check "the producer cannot reset the breaker" test "$(inside runuser -u www-data -- spoolfwd breaker reset >/dev/null 2>&1 && echo 0 || echo $?)" = 77
    check "root works as the new user" inside sh -c "spoolfwd check | grep -q 'root becomes spoolfwd'"
    check "and leaves nothing of its own" test -z "$(inside find $spool $state -user root)"
    say "$(inside systemd-analyze security --no-pager spoolfwd.service | tail -n 1)"
    inside tee /etc/systemd/system/spoolfwd.service.d/lease.conf >/dev/null <<<$'[Service]\nAmbientCapabilities=CAP_LEASE
CapabilityBoundingSet=CAP_LEASE\nPrivateUsers=no'
    inside systemctl daemon-reload
    inside runuser -u www-data -- sh -c "umask 0007; exec 3>$spool/open.json; printf '{\"n\":' >&3
        until [ -e $spool/go ]; do sleep 0.1; done; printf '456}' >&3" &
    eventually 60 "a producer is writing a payload file" inside test -s $spool/open.json
    check "a run that meets it is a success" inside systemctl start spoolfwd.service
    same "with CAP_LEASE it leaves the file alone" 1 "$(payload_files)"
    inside touch $spool/go
    wait $!
    inside rm $spool/go
    check "the producer is done" inside systemctl start spoolfwd.service
    same "and the file has left" "5 0" "$(stat_of units delivered) $(payload_files)"
    inside rm -r /etc/systemd/system/spoolfwd.service.d
    inside systemctl daemon-reload
    inside chown -R www-data: $spool
    inside chmod 0750 $spool
    answer units 200
    control units reset -X POST >/dev/null
}

# token_scenario tries the two ways to the token that are not the timer's.
token_scenario() {
    say "# by hand, with the token that is root's"
    answer units 200
    control units reset -X POST >/dev/null
    produce 241 242
    check "flush, started by root" inside sh -c "spoolfwd flush >/dev/null"
    same "delivers with the token of /etc/credstore" 2 "$(stat_of units delivered)"
    check "and leaves nothing of root's" test -z "$(inside find $spool $state -user root)"
    produce 243
    same "the spool's owner has no token, and is told so" 1 \
        "$(inside runuser -u www-data -- spoolfwd flush 2>&1 | grep -c 'answered 401 Unauthorized, and no token was sent')"

    say "# a token command under the unit: it finds the credential, and is asked again after a 401"
    inside install -m 0755 /dev/stdin /usr/local/bin/new-token <<<$'#!/bin/sh
if [ -e /tmp/asked ]; then exec cat "$CREDENTIALS_DIRECTORY/spoolfwd.token"; fi
: >/tmp/asked
echo outdated'
    inside mkdir -p /etc/systemd/system/spoolfwd.service.d
    inside tee /etc/systemd/system/spoolfwd.service.d/token.conf >/dev/null <<<$'[Service]\nEnvironment=SPOOLFWD_TOKEN_COMMAND=/usr/local/bin/new-token'
    inside systemctl daemon-reload
    check "a run of the unit" inside systemctl start spoolfwd.service
    same "delivers" "0 3" "$(payload_files) $(stat_of units delivered)"
    check "its /tmp is its own" inside test ! -e /tmp/asked
    eventually 60 "and says that deliveries are back" said_by_unit 'deliveries are back'
    inside install -m 0755 /dev/stdin /usr/local/bin/new-token <<<$'#!/bin/sh\necho "no ticket" >&2; exit 3'
    produce 244
    inside systemctl start spoolfwd.service 2>/dev/null && fail "a run whose token command fails is a success of the unit"
    same "a token command that fails is a wrong configuration" "failed 78" "$(property ActiveState) $(property ExecMainStatus)"
    eventually 60 "the journal says why" said_by_unit 'ended with exit status 3: no ticket'
    inside rm -r /etc/systemd/system/spoolfwd.service.d /usr/local/bin/new-token
    inside systemctl daemon-reload
    check "without it, the next run is a success" inside systemctl start spoolfwd.service
    same "and delivers what waited" "0 4" "$(payload_files) $(stat_of units delivered)"
}

units_scenario() {
    local before opened
    create units
    echo s3cret >"$work/token"
    listen units 200 --token-file "$work/token"
    boot units

    say "# the package installs, and starts nothing"
    check "dpkg installs it" install_package old.deb
    same "the timer is not enabled" disabled "$(inside systemctl is-enabled spoolfwd.timer || true)"
    same "no unit of it is active" "" "$(inside systemctl list-units --no-legend --all 'spoolfwd*')"
    same "the spool is the producer's" "750 www-data www-data" "$(inside stat -c '%a %U %G' "$spool")"
    check "systemd-analyze verify reports nothing" test -z "$(inside systemd-analyze verify --man=no /lib/systemd/system/spoolfwd.{service,timer,path} 2>&1)"

    say "# the timer delivers what producers spool"
    inside sh -c "printf 'url = \"%s\"\nretry-jitter = 0\nretry-timeout = \"90s\"\n' '$(<"$work/units.url")' >>/etc/spoolfwd/spoolfwd.toml"
    inside install -D -m 0600 /dev/stdin /etc/credstore/spoolfwd.token <"$work/token"
    # A minute is long in a test.
    inside mkdir -p /etc/systemd/system/spoolfwd.timer.d
    inside tee /etc/systemd/system/spoolfwd.timer.d/test.conf >/dev/null <<<$'[Timer]\nOnCalendar=\nOnCalendar=*:*:0/2\nRandomizedDelaySec=0'
    inside systemctl daemon-reload
    produce 1 20
    check "enable the timer" inside systemctl enable --now spoolfwd.timer
    eventually 60 "the spool is empty" spool_is_empty
    same "the listener has every payload" 20 "$(stat_of units distinct_bodies)"
    same "and each once" 20 "$(stat_of units requests)"
    more_runs 2
    same "healthy and empty runs print nothing" "" "$(journal)"

    say "# the listener fails: the breaker opens and stays open"
    answer units 503
    control units reset -X POST >/dev/null
    stop_timer # so that one run meets all eight, and not the first few
    produce 101 108
    inside systemctl start spoolfwd.timer
    eventually 60 "the breaker opens" breaker_is open
    more_runs 2
    same "five failures, and nothing sent after them" 5 "$(stat_of units requests)"
    eventually 60 "the journal has one line" journal_lines 1
    same "about the opening, at level err" 1 "$(lines_with 'opened after 5 failures' -p 3..3)"
    eventually 60 "the run ended with 69" ended_with 69
    same "which is not a failure of the unit" success "$(property Result)"
    same "nothing is lost" 8 "$(payload_files)"

    say "# the breaker stays open across a reboot"
    opened=$(opened_at)
    hang_up units
    reboot units
    more_runs 1
    same "the breaker is open since the same moment" "$opened" "$(opened_at)"
    same "the journal of this boot does not mention it" "" "$(journal)"
    same "all payload files are still there" 8 "$(payload_files)"

    say "# the listener comes back"
    listen units 200 --token-file "$work/token"
    eventually 120 "the spool is empty" spool_is_empty
    same "every payload has arrived, once" "8 8" "$(stat_of units distinct_bodies) $(stat_of units requests)"
    eventually 60 "the journal has one line" journal_lines 1
    same "about the recovery, at level notice" 1 "$(lines_with 'the listener is back' -p 5..5)"
    check "the breaker is closed" breaker_is closed

    say "# a run that needs a person fails the unit"
    stop_timer
    answer units 400,200
    produce 201
    inside systemctl start spoolfwd.service 2>/dev/null && fail "a run that rejects a payload is a success of the unit"
    same "a rejected payload fails the unit" "failed 65" "$(property ActiveState) $(property ExecMainStatus)"
    check "a good run clears the failure" inside systemctl start spoolfwd.service
    check "the payload is kept" test "$(inside sh -c "ls $spool/rejected/*.json | wc -l")" -ge 1

    say "# a stopped run is not a failure, and loses and repeats nothing"
    answer units 200:delay=500ms
    control units reset -X POST >/dev/null
    produce 211 240
    inside systemctl start --no-block spoolfwd.service
    eventually 60 "the run is under way" some_are units delivered
    check "stop it" inside systemctl stop spoolfwd.service
    same "it ends by the signal, as a success" "143 success" "$(property ExecMainStatus) $(property Result)"
    check "before the spool is empty" test "$(payload_files)" -ge 1
    answer units 200
    check "the next run goes on" inside systemctl start spoolfwd.service
    same "every payload has arrived, once" "30 30" "$(stat_of units distinct_bodies) $(stat_of units requests)"

    token_scenario

    say "# what an agent left in /tmp, as contrib/doc/bitville.md brings it back"
    inside install -d -o www-data /tmp/agent
    inside runuser -u www-data -- sh -c 'for n in 261 262; do echo "{\"n\":$n}" >/tmp/agent/$n.json; done'
    check "put it as its owner" inside runuser -u www-data -- sh -c 'spoolfwd put /tmp/agent/*.json >/dev/null && rm /tmp/agent/*.json'
    check "a run" inside systemctl start spoolfwd.service
    same "delivers it" "6 0" "$(stat_of units delivered) $(inside sh -c 'ls /tmp/agent | wc -l')"

    say "# an instance for a second listener, and a run soon after arrival"
    inside install -d -o www-data -g www-data /var/lib/bitville-apm/second
    inside tee /etc/spoolfwd/second.toml >/dev/null <<<"url = \"$(<"$work/units.url")\"
name = \"second\"
spool = \"/var/lib/bitville-apm/second\""
    inside cp /etc/credstore/spoolfwd.token /etc/credstore/spoolfwd.second.token
    control units reset -X POST >/dev/null
    produce 301 301 /var/lib/bitville-apm/second
    check "a run of the instance" inside systemctl start spoolfwd@second.service
    same "its payload has arrived, with its token" 1 "$(stat_of units delivered)"
    check "its breaker has its own lock" inside test -e $state/second.lock
    produce 302 302 /var/lib/bitville-apm/second
    inside mv /etc/credstore/spoolfwd.token /etc/credstore/aside
    check "flush of the instance, by root" inside sh -c "spoolfwd flush --config /etc/spoolfwd/second.toml >/dev/null"
    inside mv /etc/credstore/aside /etc/credstore/spoolfwd.token
    same "finds the token of the instance" 2 "$(stat_of units delivered)"
    check "enable the path unit" inside systemctl start spoolfwd.path
    produce 401
    eventually 60 "a payload file starts a run, without the timer" count_is units delivered 3
    inside systemctl stop spoolfwd.path

    nats_scenario
    own_user_scenario

    say "# upgrade"
    inside systemctl start spoolfwd.timer
    check "dpkg upgrades it" install_package new.deb
    same "to the new version" "spoolfwd 2.0.0" "$(inside spoolfwd --version | cut -d ' ' -f 1,2)"
    same "the timer is still enabled" enabled "$(inside systemctl is-enabled spoolfwd.timer)"
    same "and active" active "$(inside systemctl is-active spoolfwd.timer)"
    check "the configuration is the administrator's" inside grep -q "^url = " /etc/spoolfwd/spoolfwd.toml
    produce 501
    eventually 60 "and it delivers" count_is units delivered 1

    say "# removal keeps the configuration, purge keeps payload files"
    check "start an instance's timer, without enabling it" inside systemctl start spoolfwd@second.timer
    check "remove" package -r spoolfwd
    same "the timer is gone" inactive "$(inside systemctl is-active spoolfwd.timer || true)"
    same "and so is that of the instance" inactive "$(inside systemctl is-active spoolfwd@second.timer || true)"
    check "the configuration stays" inside grep -q "^url = " /etc/spoolfwd/spoolfwd.toml
    check "and so does the breaker's state" inside test -e $state/central_listener.lock
    inside sh -c "echo '{\"n\":601}' >$spool/left.json; chown www-data: $spool/left.json"
    check "install it again" install_package new.deb
    same "the timer is enabled as it was" enabled "$(inside systemctl is-enabled spoolfwd.timer)"
    same "and not started by the package" inactive "$(inside systemctl is-active spoolfwd.timer || true)"
    # Files that damage, a crash, and metrics leave beside the breaker's state.
    inside sh -c "cd $state && touch central_listener.state.corrupt central_listener.state1234 central_listener.index.corrupt \
        central_listener.index5678 central_listener.session central_listener.session90 central_listener.lastrun12 spoolfwd.prom .spoolfwd.prom.lock host-id"
    check "purge" package -P spoolfwd
    check "says that the spool is kept" grep -q "$spool is kept" "$work/units/dpkg"
    check "the payload file is still there" inside test -e $spool/left.json
    check "and the rejected payload" test "$(inside sh -c "ls $spool/rejected/*.json | wc -l")" -ge 1
    check "the configuration is gone" inside test ! -e /etc/spoolfwd/spoolfwd.toml
    check "the breaker's state is gone" inside test ! -e $state
    same "nothing is enabled" "" "$(inside find /etc/systemd/system -name 'spoolfwd*' -type l)"
    inside rm -rf "$spool" /var/lib/bitville-apm/second
    check "install it once more" install_package new.deb
    check "purge with an empty spool" package -P spoolfwd
    check "leaves nothing" inside test ! -e /var/lib/bitville-apm
    same "and no failed unit" "" "$(inside systemctl list-units --failed --no-legend 'spoolfwd*')"
    stop units
    hang_up units
}
