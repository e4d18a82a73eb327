# shellcheck shell=bash disable=SC2154
# The RPM. debootstrap cannot make a Fedora or Red Hat system. The RPM's scripts, user and units need nothing but systemd, so a
# Debian with rpm(8) from outside is enough. Sourced by run.sh.

rpm_in() { rpm --root "$work/rpm/root" --nodeps "$@" >>"$work/rpm/rpm" 2>&1; }

rpm_scenario() {
    if ! command -v rpm >/dev/null; then
        [[ ${CI:-} != true ]] || fail "rpm is not installed"
        say "not tested: rpm is not installed"
        return
    fi
    create rpm
    listen rpm 200
    check "rpm installs it" rpm_in --install "$work/share/new.rpm"
    boot rpm
    same "the spool is that of PHP-FPM's user there" "750 apache apache" "$(inside stat -c '%a %U %G' "$spool")"
    same "the timer is not enabled" disabled "$(inside systemctl is-enabled spoolfwd.timer || true)"
    inside sh -c "printf 'url = \"%s\"\n' '$(<"$work/rpm.url")' >>/etc/spoolfwd/spoolfwd.toml"
    inside runuser -u apache -- sh -c ". /usr/share/doc/spoolfwd/examples/spool_put.sh; echo '{\"n\":1}' | spool_put $spool"
    check "a run" inside systemctl start spoolfwd.service
    same "the payload has arrived" 1 "$(stat_of rpm delivered)"
    same "by that user" apache "$(inside stat -c %U "$state/central_listener.lock")"
    inside systemctl enable --quiet --now spoolfwd.timer
    inside sh -c "echo '{\"n\":2}' >$spool/left.json" # root's, so that no run takes it
    check "rpm upgrades it" rpm_in --upgrade --force "$work/share/new.rpm"
    same "the timer is still enabled, and active" "enabled active" "$(inside systemctl is-enabled spoolfwd.timer) $(inside systemctl is-active spoolfwd.timer)"
    check "the configuration is the administrator's" inside grep -q "^url = " /etc/spoolfwd/spoolfwd.toml
    check "rpm erases it" rpm_in --erase spoolfwd
    same "nothing is enabled" "" "$(inside find /etc/systemd/system -name 'spoolfwd*' -type l)"
    check "the changed configuration is kept" inside grep -q "^url = " /etc/spoolfwd/spoolfwd.toml.rpmsave
    check "the payload file is kept" inside test -e "$spool/left.json"
    stop rpm
    hang_up rpm
}
