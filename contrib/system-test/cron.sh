# shellcheck shell=bash disable=SC2154
# The package under Debian's real cron, with a sendmail that keeps each mail in a file. cron knows whole minutes only, so this
# takes several; run.sh runs it beside the other scenario. Sourced by run.sh.

mails() { inside sh -c 'ls /var/mail-out 2>/dev/null | wc -l'; }
mails_are() { [[ $(mails) == "$1" ]]; }

# next_minute: let cron begin its next minute, and its job end.
next_minute() {
    local before
    before=$(jobs_begun)
    eventually 120 "cron begins another minute" more_jobs_than "$before"
    eventually 60 "its run ends" idle
}

jobs_begun() { inside journalctl --no-pager -q -o cat -t CRON | grep -c 'CMD (.*cron-run' || true; }
more_jobs_than() { (($(jobs_begun) > $1)); }
# cron's child logs the command, runs it and mails its output. Its name is CRON.
idle() { ! inside pgrep -f 'CRON|cron-run'; }
said() { inside journalctl --no-pager -q -o cat -t spoolfwd; }
said_once() { [[ $(said | grep -c -- "$1") == 1 ]]; }

cron_scenario() {
    create cron
    local root=$work/cron/root
    # cron mails through this program.
    cat >"$root/usr/sbin/sendmail" <<'EOS'
#!/bin/sh
exec cat >"/var/mail-out/$(date +%s.%N)"
EOS
    chmod 0755 "$root/usr/sbin/sendmail"
    install -d -m 1777 "$root/var/mail-out"
    listen cron 200
    boot cron
    check "dpkg installs it" install_package old.deb
    inside sh -c "printf 'url = \"%s\"\nretry-jitter = 0\nretry-timeout = \"90s\"\n' '$(<"$work/cron.url")' >>/etc/spoolfwd/spoolfwd.toml"
    produce 1 10
    inside cp /usr/share/doc/spoolfwd/examples/spoolfwd.cron /etc/cron.d/spoolfwd
    # The scenario counts minutes, and ends sooner if each run begins with its minute.
    inside sed -i '1i SPOOLFWD_CRON_SPREAD=0' /etc/cron.d/spoolfwd

    eventually 120 "cron runs it, and the spool is empty" spool_is_empty
    same "the listener has every payload, once" "10 10" "$(stat_of cron distinct_bodies) $(stat_of cron requests)"

    answer cron 503
    produce 11 18
    eventually 120 "the listener fails, the breaker opens" breaker_is open
    eventually 60 "the run ends" idle
    same "after five failures" 15 "$(stat_of cron requests)"
    # The next minute is within the retry timeout, the minute after it is not.
    next_minute
    same "the next run sends nothing" 15 "$(stat_of cron requests)"
    check "the breaker is open" breaker_is open
    same "nothing is lost" 8 "$(payload_files)"
    eventually 60 "the system log says that it opened" said_once 'opened after 5 failures'
    same "and has no other line" 1 "$(said | wc -l)"
    same "nobody is mailed" 0 "$(mails)"

    # The listener is back and refuses one payload: a message for the system log, and a mail.
    answer cron 200x3,400,200
    produce 19
    eventually 180 "the listener is back, the spool is empty" spool_is_empty
    eventually 60 "the run ends" idle
    same "the listener has every payload but one" "18 1" "$(stat_of cron distinct_bodies) $(stat_of cron 400)"
    eventually 60 "the system log says so" said_once 'the listener is back'
    same "the rejected payload is mailed" 1 "$(mails)"
    check "to root, with the message" inside sh -c "grep -q '^To: root' /var/mail-out/* && grep -q 'rejected' /var/mail-out/*"

    inside sh -c "echo 'no-such-key = 1' >>/etc/spoolfwd/spoolfwd.toml"
    eventually 120 "a broken configuration is mailed" mails_are 2
    next_minute
    same "once" 2 "$(mails)"

    # The administrator's copy of the cron file stays after the package is removed.
    check "purge" package -P spoolfwd
    same "the job of a removed package prints nothing" "" \
        "$(inside runuser -u www-data -- sh -c "$(inside sed -n 's/^\* .* www-data //p' /etc/cron.d/spoolfwd)" 2>&1)"
    stop cron
    hang_up cron
}
