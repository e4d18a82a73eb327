# bash completion for spoolfwd(8).
# Made from the program's tables by
#   go test ./cmd/spoolfwd -run TestCompletions -update

# Prints the names of the rejected payloads of the spool that the command line
# names.
_spoolfwd_rejected() {
    local i
    local -a from=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --spool | --config) from+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}") ;;
        esac
    done
    "${COMP_WORDS[0]}" rejected list --json "${from[@]}" 2>/dev/null | sed -n 's/^    "name": "\(.*\)",$/\1/p'
}

_spoolfwd() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} first=${COMP_WORDS[1]} second=${COMP_WORDS[2]-}
    local flags='' operands=''
    COMPREPLY=()

    # help COMMAND
    if [[ $first == help && $COMP_CWORD -gt 1 ]]; then
        first=$second
        case $COMP_CWORD/$first in
        2/*) mapfile -t COMPREPLY < <(compgen -W 'run flush status put rejected breaker check' -- "$cur") ;;
        3/rejected) mapfile -t COMPREPLY < <(compgen -W 'list show retry remove' -- "$cur") ;;
        3/breaker) mapfile -t COMPREPLY < <(compgen -W 'show reset trip' -- "$cur") ;;
        esac
        return
    fi

    case $COMP_CWORD/$first in
    1/*)
        mapfile -t COMPREPLY < <(compgen -W 'run flush status put rejected breaker check help --help --version' -- "$cur")
        return
        ;;
    2/rejected)
        mapfile -t COMPREPLY < <(compgen -W 'list show retry remove --help' -- "$cur")
        return
        ;;
    2/breaker)
        mapfile -t COMPREPLY < <(compgen -W 'show reset trip --help' -- "$cur")
        return
        ;;
    esac

    # The value of the flag before.
    case $prev in
    --array-files)
        mapfile -t COMPREPLY < <(compgen -W 'split whole' -- "$cur")
        return
        ;;
    --compress)
        mapfile -t COMPREPLY < <(compgen -W 'gzip zstd none' -- "$cur")
        return
        ;;
    --batch-format)
        mapfile -t COMPREPLY < <(compgen -W 'ndjson array' -- "$cur")
        return
        ;;
    --log-format)
        mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$cur")
        return
        ;;
    --spool | --state-dir)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    --token-file | --ca-file | --cert-file | --key-file | --metrics-file | --config)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    --pattern | --max-file-size | --url | --timeout | --connect-timeout | --content-type | --header | --on-status | --name | --failure-threshold | --retry-timeout | --retry-jitter | --max-retry-after | --concurrency | --batch-items | --batch-bytes | --max-attempts | --max-runtime | --max-items | --max-bytes | --rejected-max-age | --rejected-max-bytes | --wait | --max-spool-bytes | --max-spool-files | --status | --older-than | --for | --warning-age | --critical-age | --warning-files | --critical-files)
        return
        ;;
    esac

    case $first in
    run)
        flags='--spool --pattern --max-file-size --array-files --raw --url --timeout --connect-timeout --content-type --compress --header --token-file --ca-file --cert-file --key-file --on-status --name --state-dir --failure-threshold --retry-timeout --retry-jitter --max-retry-after --concurrency --batch-items --batch-bytes --batch-format --max-attempts --max-runtime --max-items --max-bytes --rejected-max-age --rejected-max-bytes --metrics-file --dry-run --json --verbose --log-format --config --help'
        ;;
    flush)
        flags='--spool --pattern --max-file-size --array-files --raw --url --timeout --connect-timeout --content-type --compress --header --token-file --ca-file --cert-file --key-file --on-status --name --state-dir --failure-threshold --retry-timeout --retry-jitter --max-retry-after --concurrency --batch-items --batch-bytes --batch-format --max-attempts --max-runtime --max-items --max-bytes --rejected-max-age --rejected-max-bytes --metrics-file --dry-run --force --wait --json --verbose --log-format --config --help'
        ;;
    status)
        flags='--spool --pattern --max-file-size --url --timeout --connect-timeout --name --state-dir --failure-threshold --retry-timeout --retry-jitter --max-retry-after --check --warning-age --critical-age --warning-files --critical-files --json --verbose --log-format --config --help'
        ;;
    put)
        flags='--spool --pattern --max-file-size --raw --max-spool-bytes --max-spool-files --json --verbose --log-format --config --help'
        operands=files
        ;;
    rejected)
        case $second in
        list)
            flags='--spool --pattern --max-file-size --status --older-than --json --verbose --log-format --config --help'
            operands=rejected
            ;;
        show)
            flags='--spool --pattern --max-file-size --status --older-than --all --json --verbose --log-format --config --help'
            operands=rejected
            ;;
        retry)
            flags='--spool --pattern --max-file-size --name --state-dir --status --older-than --all --json --verbose --log-format --config --help'
            operands=rejected
            ;;
        remove)
            flags='--spool --pattern --max-file-size --name --state-dir --status --older-than --all --json --verbose --log-format --config --help'
            operands=rejected
            ;;
        esac
        ;;
    breaker)
        case $second in
        show)
            flags='--name --state-dir --failure-threshold --retry-timeout --retry-jitter --max-retry-after --json --verbose --log-format --config --help'
            ;;
        reset)
            flags='--name --state-dir --failure-threshold --retry-timeout --retry-jitter --max-retry-after --json --verbose --log-format --config --help'
            ;;
        trip)
            flags='--name --state-dir --failure-threshold --retry-timeout --retry-jitter --max-retry-after --for --json --verbose --log-format --config --help'
            ;;
        esac
        ;;
    check)
        flags='--spool --pattern --max-file-size --array-files --raw --url --timeout --connect-timeout --content-type --compress --header --token-file --ca-file --cert-file --key-file --on-status --name --state-dir --failure-threshold --retry-timeout --retry-jitter --max-retry-after --json --verbose --log-format --config --help'
        ;;
    esac
    case $operands/$cur in
    */-*) mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur") ;;
    files/*)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        ;;
    rejected/*)
        # No word list: names may hold spaces and what the shell would expand.
        compopt -o filenames 2>/dev/null
        local name
        while IFS= read -r name; do
            [[ $name != "$cur"* ]] || COMPREPLY+=("$name")
        done < <(_spoolfwd_rejected)
        ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur") ;;
    esac
}

complete -F _spoolfwd spoolfwd
