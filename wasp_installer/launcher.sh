#!/bin/sh
# Starts Wasp. The Wasp installer writes this file anew whenever the current version changes.
wasp_version=@VERSION@
wasp_root=@ROOT@
wasp_python=@PYTHON@
wasp_dir=$wasp_root/$wasp_version
if ! [ -x "$wasp_dir/wasp-bin" ]; then
    # An install that was killed while it replaced this version left the old one aside.
    for replaced in "$wasp_root"/.staging-*/replaced/"$wasp_version"; do
        [ ! -x "$replaced/wasp-bin" ] || wasp_dir=$replaced
    done
    if ! [ -x "$wasp_dir/wasp-bin" ]; then
        printf 'wasp: Wasp %s is no longer in %s.\n' "$wasp_version" "$wasp_root" >&2
        printf '      Install it again: curl -sSL https://get.wasp.sh/install.sh | sh\n' >&2
        exit 127
    fi
fi
export waspc_datadir="$wasp_dir/data"

# Telemetry. What is sent, and when, is in telemetry_ping.py; Wasp then sends nothing itself.
# The rule is that of opt_out_reason there.
wasp_opted_out() {
    [ -z "${WASP_TELEMETRY_DISABLE+set}" ] || return 0
    case ${DO_NOT_TRACK-} in
        '' | 0 | [Ff][Aa][Ll][Ss][Ee] | [Nn][Oo] | [Oo][Ff][Ff]) ;;
        *) return 0 ;;
    esac
    case ${XDG_CONFIG_HOME-},${HOME-} in
        /*) wasp_config=$XDG_CONFIG_HOME/wasp ;;
        *,/*) wasp_config=$HOME/.config/wasp ;;
        *) return 1 ;;
    esac
    [ -e "$wasp_config/telemetry-off" ] || [ -L "$wasp_config/telemetry-off" ] \
        || wasp_is_closed "$wasp_config"
}

# What is in the folder cannot be looked for, as one on the way to it may not be entered.
wasp_is_closed() {
    wasp_folder=$1
    until [ -d "$wasp_folder/" ]; do wasp_folder=${wasp_folder%/*}; done
    ! [ -x "$wasp_folder/" ]
}

wasp_in_project() {
    wasp_folder=$PWD
    wasp_has_root || {
        # Through a link, the folders above may be others than one came by.
        wasp_folder=$(pwd -P 2>/dev/null)
        wasp_has_root
    }
}

wasp_has_root() {
    # In a folder that was removed, some shells have no whole path.
    case $wasp_folder in /*) ;; *) return 1 ;; esac
    until [ -e "$wasp_folder/.wasproot" ]; do
        [ -n "$wasp_folder" ] || return 1
        wasp_folder=${wasp_folder%/*}
    done
}

# Imported, and not run, so that Python keeps what it compiled, unless the folder is another user's.
wasp_ping='import os, sys
folder = sys.argv[1]
sys.path.insert(0, folder)
sys.dont_write_bytecode = os.stat(folder).st_uid != os.geteuid()
import telemetry_ping
telemetry_ping.run(sys.argv[2:])'

wasp_has_ping() {
    [ -x "$wasp_python" ] && [ -r "$wasp_root/telemetry_ping.py" ] && [ -w /dev/null ]
}

# Hands over only the words that telemetry looks at: others see the arguments of a process. The rule
# is that of counting_words there.
wasp_send() {
    case ${1-} in
        deploy)
            shift
            wasp_left=$#
            while [ "$wasp_left" -gt 0 ]; do
                wasp_left=$((wasp_left - 1)) wasp_word=$1
                shift
                case $wasp_word in
                    fly | setup | create-db | deploy | cmd) set -- "$@" "$wasp_word" ;;
                esac
            done
            set -- deploy "$@"
            ;;
        build)
            case ${2-} in
                start) set -- build start ;;
                *) set -- build ;;
            esac
            ;;
        *) set -- ;;
    esac
    case ${WASP_TELEMETRY_DEBUG-} in
        '' | 0)
            # From a subshell, which ends at once: Wasp would not collect what becomes of a child that
            # it does not know.
            ! wasp_in_project || (
                trap '' HUP INT QUIT
                "$wasp_python" -I -S -c "$wasp_ping" "$wasp_root" invoked "$wasp_version" ${1+"$@"} \
                    </dev/null >/dev/null 2>&1 &
            )
            ;;
        *)
            "$wasp_python" -I -S -c "$wasp_ping" "$wasp_root" invoked "$wasp_version" ${1+"$@"} \
                </dev/null >&2 || :
            ;;
    esac
}

wasp_show_messages() {
    case ${XDG_CACHE_HOME-} in
        /*) wasp_flag=$XDG_CACHE_HOME/wasp/telemetry/messages-$wasp_version ;;
        *) wasp_flag=${HOME-}/.cache/wasp/telemetry/messages-$wasp_version ;;
    esac
    [ -e "$wasp_flag" ] && [ -t 2 ] && [ -z "${WASP_AUTO_NEWS_DISABLE+set}" ] || return 0
    case ${CI-} in '' | 0 | false) ;; *) return 0 ;; esac
    # Only messages are for the terminal, and not what may be wrong with this Python.
    "$wasp_python" -I -S -c "$wasp_ping" "$wasp_root" messages "$wasp_version" \
        </dev/null >&2 2>/dev/null || :
}

if [ "${1-}" = telemetry ] && wasp_has_ping; then
    shift
    exec "$wasp_python" -I -S -B -c "$wasp_ping" "$wasp_root" telemetry "$wasp_version" ${1+"$@"}
fi
if wasp_opted_out; then
    export WASP_TELEMETRY_DISABLE=1
elif wasp_has_ping; then
    case ${1-} in
        completion:*) ;;
        *)
            wasp_send ${1+"$@"}
            wasp_show_messages
            ;;
    esac
    export WASP_TELEMETRY_DISABLE=1 WASP_AUTO_NEWS_DISABLE=1
fi
exec "$wasp_dir/wasp-bin" ${1+"$@"}
