# fish completion for spoolfwd(8).
# Made from the program's tables by
#   go test ./cmd/spoolfwd -run TestCompletions -update

# Is the command line at one of these commands?
function __spoolfwd_at
    set -l words (commandline -opc)
    for command in $argv
        set -l n (count (string split ' ' -- $command))
        test "$words[2..$(math $n + 1)]" = "$command"; and return 0
    end
    return 1
end

# Are these all the words before the cursor?
function __spoolfwd_after
    set -l words (commandline -opc)
    test "$words[2..]" = "$argv"
end

function __spoolfwd_rejected
    set -l words (commandline -opc)
    set -l from
    for i in (seq (count $words))
        contains -- $words[$i] --spool --config; and set -a from $words[$i] $words[(math $i + 1)]
    end
    spoolfwd rejected list --json $from 2>/dev/null | string replace -rf '^    "name": "(.*)",$' '$1'
end

complete -c spoolfwd -f
complete -c spoolfwd -n __spoolfwd_after -l version -d 'print the version'
complete -c spoolfwd -n __spoolfwd_after -s h -l help -d 'show this help'
complete -c spoolfwd -n __spoolfwd_after -a run -d 'send what is in the spool; for schedulers'
complete -c spoolfwd -n __spoolfwd_after -a flush -d 'send what is in the spool; by hand'
complete -c spoolfwd -n __spoolfwd_after -a status -d 'show breaker and spool'
complete -c spoolfwd -n __spoolfwd_after -a put -d 'spool payloads, durably'
complete -c spoolfwd -n __spoolfwd_after -a rejected -d 'look after rejected payloads'
complete -c spoolfwd -n __spoolfwd_after -a breaker -d 'look after the breaker'
complete -c spoolfwd -n __spoolfwd_after -a check -d 'examine configuration, directories and listener; sends no payload'
complete -c spoolfwd -n __spoolfwd_after -a help -d 'show help for a command'
complete -c spoolfwd -n '__spoolfwd_after help' -a run -d 'send what is in the spool; for schedulers'
complete -c spoolfwd -n '__spoolfwd_after help' -a flush -d 'send what is in the spool; by hand'
complete -c spoolfwd -n '__spoolfwd_after help' -a status -d 'show breaker and spool'
complete -c spoolfwd -n '__spoolfwd_after help' -a put -d 'spool payloads, durably'
complete -c spoolfwd -n '__spoolfwd_after help' -a rejected -d 'look after rejected payloads'
complete -c spoolfwd -n '__spoolfwd_after rejected; or __spoolfwd_after help rejected' -a list -d 'list rejected payloads'
complete -c spoolfwd -n '__spoolfwd_after rejected; or __spoolfwd_after help rejected' -a show -d 'show why a payload was rejected, and the payload'
complete -c spoolfwd -n '__spoolfwd_after rejected; or __spoolfwd_after help rejected' -a retry -d 'put rejected payloads back into the spool'
complete -c spoolfwd -n '__spoolfwd_after rejected; or __spoolfwd_after help rejected' -a remove -d 'delete rejected payloads for good'
complete -c spoolfwd -n '__spoolfwd_after help' -a breaker -d 'look after the breaker'
complete -c spoolfwd -n '__spoolfwd_after breaker; or __spoolfwd_after help breaker' -a show -d 'show the breaker\'s state'
complete -c spoolfwd -n '__spoolfwd_after breaker; or __spoolfwd_after help breaker' -a reset -d 'close the breaker and forget its failures'
complete -c spoolfwd -n '__spoolfwd_after breaker; or __spoolfwd_after help breaker' -a trip -d 'open the breaker by hand'
complete -c spoolfwd -n '__spoolfwd_after help' -a check -d 'examine configuration, directories and listener; sends no payload'
complete -c spoolfwd -n '__spoolfwd_at put' -F
complete -c spoolfwd -n '__spoolfwd_at "rejected list"' -a '(__spoolfwd_rejected)' -d 'rejected payload'
complete -c spoolfwd -n '__spoolfwd_at "rejected show"' -a '(__spoolfwd_rejected)' -d 'rejected payload'
complete -c spoolfwd -n '__spoolfwd_at "rejected retry"' -a '(__spoolfwd_rejected)' -d 'rejected payload'
complete -c spoolfwd -n '__spoolfwd_at "rejected remove"' -a '(__spoolfwd_rejected)' -d 'rejected payload'
complete -c spoolfwd -n '__spoolfwd_at run flush status put "rejected list" "rejected show" "rejected retry" "rejected remove" check' -l spool -x -a '(__fish_complete_directories)' -d 'the spool directory'
complete -c spoolfwd -n '__spoolfwd_at run flush status put "rejected list" "rejected show" "rejected retry" "rejected remove" check' -l pattern -x -d 'which names in the spool are payload files'
complete -c spoolfwd -n '__spoolfwd_at run flush status put "rejected list" "rejected show" "rejected retry" "rejected remove" check' -l max-file-size -x -d 'payload files above this are rejected unread'
complete -c spoolfwd -n '__spoolfwd_at run flush check' -l array-files -x -a 'split whole' -d 'POST each element of a JSON array by itself, or the array as it stands'
complete -c spoolfwd -n '__spoolfwd_at run flush put check' -l raw -d 'payload files need not be JSON; each is one item'
complete -c spoolfwd -n '__spoolfwd_at run flush status check' -l url -x -d 'the listener'
complete -c spoolfwd -n '__spoolfwd_at run flush status check' -l timeout -x -d 'time for a whole request and its answer'
complete -c spoolfwd -n '__spoolfwd_at run flush status check' -l connect-timeout -x -d 'time for connecting to the listener'
complete -c spoolfwd -n '__spoolfwd_at run flush check' -l content-type -x -d 'the Content-Type of every request'
complete -c spoolfwd -n '__spoolfwd_at run flush check' -l compress -x -a 'gzip zstd none' -d 'compress request bodies; the listener must understand it'
complete -c spoolfwd -n '__spoolfwd_at run flush check' -l header -x -d 'send this header too, or those in a file with @FILE; may be repeated'
complete -c spoolfwd -n '__spoolfwd_at run flush check' -l token-file -r -F -d 'send the content of FILE as a bearer token; the systemd credential spoolfwd.token is taken by itself'
complete -c spoolfwd -n '__spoolfwd_at run flush check' -l ca-file -r -F -d 'trust the certificate authorities in this PEM file instead of the system\'s'
complete -c spoolfwd -n '__spoolfwd_at run flush check' -l cert-file -r -F -d 'client certificate for the listener, PEM'
complete -c spoolfwd -n '__spoolfwd_at run flush check' -l key-file -r -F -d 'private key of --cert-file, PEM'
complete -c spoolfwd -n '__spoolfwd_at run flush check' -l on-status -x -d 'delivered, reject or keep the payload for a status or a range (404=reject, 4xx=keep); may be repeated'
complete -c spoolfwd -n '__spoolfwd_at run flush status "rejected retry" "rejected remove" "breaker show" "breaker reset" "breaker trip" check' -l name -x -d 'the breaker\'s name; one per listener'
complete -c spoolfwd -n '__spoolfwd_at run flush status "rejected retry" "rejected remove" "breaker show" "breaker reset" "breaker trip" check' -l state-dir -x -a '(__fish_complete_directories)' -d 'where the breaker\'s state and the lock are kept'
complete -c spoolfwd -n '__spoolfwd_at run flush status "breaker show" "breaker reset" "breaker trip" check' -l failure-threshold -x -d 'the breaker opens after N failures in a row'
complete -c spoolfwd -n '__spoolfwd_at run flush status "breaker show" "breaker reset" "breaker trip" check' -l retry-timeout -x -d 'an open breaker lets one probe through after D'
complete -c spoolfwd -n '__spoolfwd_at run flush status "breaker show" "breaker reset" "breaker trip" check' -l retry-jitter -x -d 'lengthen the retry timeout by up to PCT percent, a fixed part per machine; 0 is off'
complete -c spoolfwd -n '__spoolfwd_at run flush status "breaker show" "breaker reset" "breaker trip" check' -l max-retry-after -x -d 'obey a listener\'s Retry-After up to D'
complete -c spoolfwd -n '__spoolfwd_at run flush' -l concurrency -x -d 'requests in flight at most; 1 keeps strict order'
complete -c spoolfwd -n '__spoolfwd_at run flush' -l batch-items -x -d 'send up to N items in one request, to a listener that takes that'
complete -c spoolfwd -n '__spoolfwd_at run flush' -l batch-bytes -x -d '--batch-items: up to BYTES of items in one request'
complete -c spoolfwd -n '__spoolfwd_at run flush' -l batch-format -x -a 'ndjson array' -d '--batch-items: one item a line, or a JSON array of them'
complete -c spoolfwd -n '__spoolfwd_at run flush' -l max-attempts -x -d 'reject a payload after N runs in which it failed and others did not'
complete -c spoolfwd -n '__spoolfwd_at run flush' -l max-runtime -x -d 'stop after D; 0 is no limit'
complete -c spoolfwd -n '__spoolfwd_at run flush' -l max-items -x -d 'stop after N items; 0 is no limit'
complete -c spoolfwd -n '__spoolfwd_at run flush' -l max-bytes -x -d 'stop after BYTES of payload; 0 is no limit'
complete -c spoolfwd -n '__spoolfwd_at run flush' -l rejected-max-age -x -d 'delete rejected payloads older than D; 0 keeps them'
complete -c spoolfwd -n '__spoolfwd_at run flush' -l rejected-max-bytes -x -d 'delete the oldest rejected payloads above BYTES in all; 0 keeps them'
complete -c spoolfwd -n '__spoolfwd_at run flush' -l metrics-file -r -F -d 'write metrics for Prometheus into FILE at the end; node_exporter\'s textfile collector reads *.prom'
complete -c spoolfwd -n '__spoolfwd_at run flush' -l dry-run -d 'say what would be sent, in order, and touch nothing'
complete -c spoolfwd -n '__spoolfwd_at flush' -l force -d 'probe although the breaker is open'
complete -c spoolfwd -n '__spoolfwd_at flush' -l wait -x -d 'when the breaker is open, wait for it up to D'
complete -c spoolfwd -n '__spoolfwd_at put' -l max-spool-bytes -x -d 'refuse when the spool would hold more than BYTES; 0 is no limit'
complete -c spoolfwd -n '__spoolfwd_at put' -l max-spool-files -x -d 'refuse when the spool holds N payload files; 0 is no limit'
complete -c spoolfwd -n '__spoolfwd_at "rejected list" "rejected show" "rejected retry" "rejected remove"' -l status -x -d 'only payloads rejected with this HTTP status or range (400, 4xx); may be repeated'
complete -c spoolfwd -n '__spoolfwd_at "rejected list" "rejected show" "rejected retry" "rejected remove"' -l older-than -x -d 'only payloads rejected longer ago than D'
complete -c spoolfwd -n '__spoolfwd_at "rejected show" "rejected retry" "rejected remove"' -l all -d 'every rejected payload'
complete -c spoolfwd -n '__spoolfwd_at "breaker trip"' -l for -x -d 'keep the breaker open for D; 0 is one retry timeout'
complete -c spoolfwd -n '__spoolfwd_at status' -l check -d 'be a Nagios plugin: one line, performance data, exit codes 0 to 3'
complete -c spoolfwd -n '__spoolfwd_at status' -l warning-age -x -d '--check: warn when the oldest payload file is older than D; 0 is never'
complete -c spoolfwd -n '__spoolfwd_at status' -l critical-age -x -d '--check: critical when the oldest payload file is older than D; 0 is never'
complete -c spoolfwd -n '__spoolfwd_at status' -l warning-files -x -d '--check: warn above N payload files; 0 is never'
complete -c spoolfwd -n '__spoolfwd_at status' -l critical-files -x -d '--check: critical above N payload files; 0 is never'
complete -c spoolfwd -n '__spoolfwd_at run flush status put "rejected list" "rejected show" "rejected retry" "rejected remove" "breaker show" "breaker reset" "breaker trip" check' -l json -d 'print JSON'
complete -c spoolfwd -n '__spoolfwd_at run flush status put "rejected list" "rejected show" "rejected retry" "rejected remove" "breaker show" "breaker reset" "breaker trip" check' -l verbose -s v -d 'say more'
complete -c spoolfwd -n '__spoolfwd_at run flush status put "rejected list" "rejected show" "rejected retry" "rejected remove" "breaker show" "breaker reset" "breaker trip" check' -l log-format -x -a 'text json' -d 'how messages on standard error look'
complete -c spoolfwd -n '__spoolfwd_at run flush status put "rejected list" "rejected show" "rejected retry" "rejected remove" "breaker show" "breaker reset" "breaker trip" check' -l config -r -F -d 'read settings from this TOML file; without it, from /etc/spoolfwd/spoolfwd.toml if that exists'
complete -c spoolfwd -n '__spoolfwd_at run flush status put "rejected list" "rejected show" "rejected retry" "rejected remove" "breaker show" "breaker reset" "breaker trip" check' -l help -s h -d 'show this help'
