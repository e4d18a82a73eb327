# shellcheck shell=bash disable=SC2154
# The package and Debian's nats-server: an instance whose items go into a stream. Sourced by run.sh.

# port_of KIND: where the server listens for clients (nats) or tells about itself (monitoring).
port_of() { tr -d ' \n\t' <"$work/nats-server_$server.ports" | sed -n "s/.*\"$1\":\[\"[a-z]*:\/\/[^\"]*:\([0-9]*\)\".*/\1/p"; }
server_is_up() { [[ -s $work/nats-server_$server.ports && -n $(port_of nats) ]]; }

# told COUNT: what the server tells about all its streams.
told() { curl -fsS "http://127.0.0.1:$(port_of monitoring)/jsz" | sed -n "s/^ *\"$1\": *\([0-9]*\),*$/\1/p"; }
told_is() { [[ $(told "$1") == "$2" ]]; }

# make_stream asks for a stream as the nats command does, which Debian does not have.
make_stream() {
    local config='{"name":"items","subjects":["items.>"]}'
    exec 3<>"/dev/tcp/127.0.0.1/$(port_of nats)"
    # shellcheck disable=SC2016 # the server's own subjects begin with a dollar sign
    printf 'CONNECT {"user":"spoolfwd","pass":"change-me","verbose":false}\r\nPUB $JS.API.STREAM.CREATE.items _INBOX.nobody %d\r\n%s\r\nPING\r\n' \
        ${#config} "$config" >&3
    eventually 60 "the stream is there" told_is streams 1
    exec 3>&-
}

nats_scenario() {
    local server items=/var/lib/bitville-apm/nats
    say "# an instance for a stream of NATS: $(nats-server --version)"
    nats-server -a 127.0.0.1 -p -1 -m -1 -js -sd "$work/stream" --user spoolfwd --pass change-me --ports_file_dir "$work" >"$work/nats-server.log" 2>&1 &
    server=$!
    eventually 60 "the server is up" server_is_up
    make_stream
    inside install -d -o www-data -g www-data $items
    inside tee /etc/spoolfwd/nats.toml >/dev/null <<<"url = \"nats://127.0.0.1:$(port_of nats)/items.new\"
name = \"nats\"
spool = \"$items\""
    inside install -D -m 0600 /dev/stdin /etc/credstore/spoolfwd.nats.token <<<spoolfwd:change-me
    check "check knows the stream" inside sh -c "spoolfwd check --config /etc/spoolfwd/nats.toml | grep -q 'items takes items.new'"
    produce 701 720 $items
    check "a run of the instance" inside systemctl start spoolfwd@nats.service
    same "the stream has each item, and the spool none" "20 0" "$(told messages) $(inside sh -c "ls $items | grep -c '[.]json\$'" || true)"
    kill "$server"
    wait "$server" 2>/dev/null || true
    produce 721 721 $items
    check "a server that is away fails a run, and not the unit" inside systemctl start spoolfwd@nats.service
    same "and the item waits" 1 "$(inside sh -c "ls $items | grep -c '[.]json\$'" || true)"
    inside rm -r $items
}
