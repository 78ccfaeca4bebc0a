#!/bin/sh
# Installs Wasp, the full-stack web framework: https://wasp.sh
#
#     curl -sSL https://get.wasp.sh/install.sh | sh
#     sh install.sh --help
#
# POSIX sh. Needs curl or wget, tar, gzip, awk, and sha512sum, shasum or openssl; no Python.
# Reading order: "main" at the end names the steps; each section above it is one subject.
# Every function that can fail in a way worth explaining ends in "die", which leaves the script, so
# none of them is ever called inside $(...), where leaving would only leave the subshell.
# A command that may take a moment has one $(...) only: bash (5.2) forgets the trap of a signal that
# comes during one when another follows in the same command.

# To the linter: functions whose name is put together ("fetch_with_$downloader") are reachable, and
# "A && B || C" is meant as it works, with C also where B fails.
# shellcheck disable=SC2015,SC2317,SC2329

# Aliases and functions that ~/.zshenv, BASH_ENV or the environment define would stand for the tools below.
# Undone here, since a shell expands aliases while it reads a brace group; without the backslashes, an alias
# would stand for these words too. The variable makes bash find its own "unset" before a function; zsh
# complains of a function that is not there.
POSIXLY_CORRECT=1
\unset -f unset unalias alias command builtin exec eval exit set shift trap wait kill read umask ulimit export \
    readonly return break continue printf echo test '[' true false cd pwd hash type local times . : \
    awk base64 basename cat chmod chown cmp cp curl cut date df dirname env find getconf grep gzip head id ldd ln \
    ls mkdir mkfifo mktemp mv node npm od openssl python python3 readlink rm rmdir sed sh sha256sum sha512sum \
    shasum sleep sort stat stty sysctl tail tar timeout touch tr tput uname uniq wc wget xargs \
    emulate setopt shopt chpwd command_not_found_handle command_not_found_handler 2>/dev/null || \:
\unalias -a 2>/dev/null || \:

# In zsh, a trap would else wait for the end of what "wait" waits for.
[ -z "${ZSH_VERSION-}" ] || { emulate sh && setopt traps_async; }

# All that follows is one brace group, which a shell reads to its end before it runs any of it. So a
# script that was cut anywhere is a syntax error, and does nothing: not even what the beginning of a
# function's name would do, as "make" does of "make_staging".
{
    # The caller's options, such as noclobber and noglob, are not meant for this script.
    set +aCef
    set -u
    # shellcheck disable=SC3044 # bash has it
    [ -z "${BASH_VERSION-}" ] || shopt -u failglob nullglob dotglob nocaseglob nocasematch 2>/dev/null

    # --- constants ---------------------------------------------------------------------------------------

    readonly NPM_SCOPE=@wasp.sh
    readonly NPM_PACKAGE='@wasp.sh%2fwasp-cli'
    readonly FIRST_NPM_VERSION=0.20.2
    readonly DEFAULT_GITHUB_URL=https://github.com
    readonly RELEASES_URL=https://github.com/wasp-lang/wasp/releases
    # The oldest glibc that the release binaries run on (objdump -T wasp-bin | grep GLIBC_).
    readonly OLDEST_GLIBC=2.29
    readonly ATTEMPTS=4
    readonly LONGEST_RETRY_AFTER=60
    readonly REDIRECT_LIMIT=10
    # An archive beyond these is not a Wasp release (0.25.0: 522 entries, 67 MB unpacked).
    readonly UNPACKED_LIMIT=1073741824
    readonly ENTRY_LIMIT=100000
    # No answer is longer (GitHub says some 50 kB of each of a hundred releases).
    readonly ANSWER_LIMIT=16777216
    # Fewer bytes a second than this are no progress.
    readonly SLOWEST=100
    # Of what tar prints of the entries; of a path, as some systems take no more than 1024 bytes, and of a
    # name in it.
    readonly LISTING_LIMIT=33554432
    readonly LONGEST_PATH=500
    readonly LONGEST_NAME=255
    # Where the install event goes; telemetry_ping.py has the same three.
    readonly TELEMETRY_URL=https://app.posthog.com/capture/
    readonly TELEMETRY_KEY=CdDd2A0jKTI2vFAsrI9JWm3MqpOcgHz1bMyogAcwsE4
    readonly TELEMETRY_DEADLINE=10
    # What a Python that can run telemetry_ping.py prints: where it is. That of a virtual environment, which
    # may be gone tomorrow, names the one that it was made from.
    readonly PYTHON_PROBE='import os, sys
path = sys.executable
if os.path.exists(os.path.join(os.path.dirname(path), "..", "pyvenv.cfg")):
    path = os.path.realpath(path)
if sys.version_info >= (3, 8):
    print(path)'
    readonly PROGRESS_BAR='########################'
    # What ends a line of ours in a start-up file; wasp_installer/shells.py has the same.
    readonly STARTUP_MARK='# added by the Wasp installer'
    readonly COMPLETION_SCRIPTS='wasp.bash _wasp wasp.fish'

    # --- words -------------------------------------------------------------------------------------------

    usage() {
        cat <<'USAGE'
Installs Wasp (https://wasp.sh) and manages the installed versions.

usage: install.sh [COMMAND] [OPTIONS]

commands:
  install                  install a version, make it the current one (default)
  list                     print the installed versions, or with --remote all
  use VERSION              make an installed version the current one
  uninstall [VERSION]      remove one version, or Wasp as a whole
  migrate-to-npm           remove all of it, so that npm can take over

options:
  -v, --version VERSION    X.Y.Z[-rcN] or latest (default; env WASP_VERSION)
      --prefix DIR         default ~/.local (env WASP_INSTALL_PREFIX)
      --destdir DIR        for packagers: files go below it (env DESTDIR)
      --source SOURCE      auto (default), npm or github
      --from-file ARCHIVE  install from a downloaded archive, offline
      --sha256 HEX         refuse the archive unless it has this SHA-256
      --require-checksum   refuse an archive that has no known checksum
      --remote             with list: the versions that can be installed
      --no-modify-path     leave the shell's start-up files alone
      --no-telemetry       send no install event
      --force              install again; take over from npm or another wasp
      --dry-run            say what would be done, and do nothing
      --json               print one JSON object on stdout
  -q, --quiet              print errors only
      --verbose            print each step
  -y, --yes                ask nothing
  -h, --help               print this

exit codes: 0 done, 1 unexpected, 2 usage, 3 platform not supported, 4 network,
  5 no such version, 6 integrity, 7 file system, 8 conflict, 130 interrupted
USAGE
    }

    # Colours and bars only where somebody wants to see them: https://no-color.org
    choose_colours() {
        bold='' red='' yellow='' plain='' on_terminal=no
        [ -t 2 ] && [ "${TERM-}" != dumb ] && [ -z "${NO_COLOR-}" ] || return 0
        on_terminal=yes
        escape=$(printf '\033')
        bold="${escape}[1m" red="${escape}[1;31m" yellow="${escape}[1;33m" plain="${escape}[0m"
    }

    # say LINE: to a person, on stderr; stdout is for results
    say() {
        [ "$quiet" = yes ] || printf '%s\n' "$1" >&2
    }

    # say_step LINE: only with --verbose
    say_step() {
        [ "$verbose" = no ] || printf '%s\n' "$1" >&2
    }

    # indented PAD TEXT: every line of TEXT but the first starts with PAD
    indented() {
        _text=$2
        while :; do
            _line=${_text%%"$newline"*}
            [ "$_line" != "$_text" ] || break
            printf '%s\n%s' "$_line" "$1"
            _text=${_text#*"$newline"}
        done
        printf '%s\n' "$_text"
    }

    # warn TEXT: a person sees it at once or, when "later" is set, after the result; JSON always has it
    warn() {
        [ "$json" = no ] || warnings_json="$warnings_json${warnings_json:+, }$(json_string "$1")"
        if [ "$hold_warnings" = yes ]; then
            held_warnings="$held_warnings$(warning_text "$1")$newline"
        else
            [ "$quiet" = yes ] || printf '%s\n' "$(warning_text "$1")" >&2
        fi
    }

    warning_text() {
        printf '%swarning:%s ' "$yellow" "$plain"
        indented '         ' "$1"
    }

    # die SLUG MESSAGE [HINT]: the cause, then what to do; leaves with the exit code of SLUG
    die() {
        exit_code_of "$1"
        # A failed printf (a closed stderr) must not keep the exit code from being reported.
        {
            printf '%serror:%s ' "$red" "$plain"
            indented '       ' "$2"
            [ -z "${3-}" ] || {
                printf '%7s' ''
                indented '       ' "$3"
            }
        } >&2 || :
        [ "$json" = no ] || print_json error "$1" "$2" "${3-}"
        exit "$exit_code"
    }

    exit_code_of() {
        case $1 in
            usage | bad-version) exit_code=2 ;;
            unsupported-platform | missing-tool | binary-does-not-run) exit_code=3 ;;
            dns | connection | timeout | tls | proxy | http-status | captive-portal | bad-answer | \
                insecure-url | no-downloader) exit_code=4 ;;
            no-such-version | not-installed) exit_code=5 ;;
            checksum-mismatch | no-checksum | no-hash-tool | corrupt-archive | unsafe-archive | \
                wrong-version) exit_code=6 ;;
            permission-denied | read-only | no-space | file-system) exit_code=7 ;;
            npm-managed | foreign-launcher) exit_code=8 ;;
            interrupted) exit_code=$interrupted_code ;;
            *) exit_code=1 ;;
        esac
    }

    # pretty PATH: with ~ for the home folder
    pretty() {
        case $1 in
            "${HOME:-/nonexistent}"/*)
                _below=${1#"$HOME"}
                printf '~%s' "$_below"
                ;;
            *) printf '%s' "$1" ;;
        esac
    }

    # --- JSON --------------------------------------------------------------------------------------------

    # json_string TEXT: TEXT as a JSON string
    json_string() {
        case $1 in
            *[!A-Za-z0-9\ ._/:,@%+=\>-]*)
                printf '%s.' "$1" | awk '
                BEGIN {
                    for (i = 1; i < 32; i++) escape[sprintf("%c", i)] = sprintf("\\u%04x", i)
                    escape["\b"] = "\\b"; escape["\f"] = "\\f"; escape["\n"] = "\\n"
                    escape["\r"] = "\\r"; escape["\t"] = "\\t"
                    escape["\""] = "\\\""; escape["\\"] = "\\\\"
                }
                { text = text (NR > 1 ? "\n" : "") $0 }
                END {
                    printf "\""
                    for (i = 1; i < length(text); i++) {
                        c = substr(text, i, 1)
                        printf "%s", (c in escape) ? escape[c] : c
                    }
                    printf "\""
                }'
                ;;
            *) printf '"%s"' "$1" ;;
        esac
    }

    # json_or_null TEXT: null for an empty TEXT
    json_or_null() {
        if [ -n "$1" ]; then json_string "$1"; else printf null; fi
    }

    yes_to_json() {
        if [ "$1" = yes ]; then printf true; else printf false; fi
    }

    # json_list LINES: as strings with commas between; the lines have nothing in them that JSON escapes
    json_list() {
        [ -z "$1" ] || printf '%s\n' "$1" | sed -e 's/.*/"&"/' -e '$!s/$/,/' | tr '\n' ' ' | sed 's/ $//'
    }

    # print_json STATUS [SLUG MESSAGE HINT]: the one object of --json
    print_json() {
        is_on_path
        printf '{"status": "%s"' "$1"
        if [ "$1" = listed ]; then
            printf ', "current": %s, "versions": [%s]' "$(json_or_null "$current")" "$(json_list "$installed")"
            [ "$remote" = no ] || printf ', "remote": [%s]' "$(json_list "$available")"
        fi
        printf ', "version": %s' "$(json_or_null "$version")"
        printf ', "source": %s' "$(json_or_null "$release_source")"
        printf ', "url": %s' "$(json_or_null "$release_url")"
        printf ', "digest": %s' "$(json_or_null "$release_digest")"
        printf ', "platform": {"os": %s, "arch": %s, "libc": %s, "distro": %s}' \
            "$(json_or_null "$os")" "$(json_or_null "$arch")" \
            "$(json_or_null "$libc")" "$(json_or_null "$distro_id")"
        printf ', "prefix": %s' "$(json_or_null "$prefix")"
        printf ', "wasp_dir": %s' "$(json_or_null "${version:+$wasp_root/$version}")"
        printf ', "executable": %s' "$(json_or_null "${prefix:+$prefix/bin/wasp}")"
        printf ', "on_path": %s' "$(yes_to_json "$on_path")"
        printf ', "telemetry": "%s"' "$telemetry"
        printf ', "elapsed_s": %s' "$(($(date +%s) - started_at))"
        printf ', "warnings": [%s]' "$warnings_json"
        [ "$1" != error ] || printf ', "code": %s, "error": "%s", "message": %s, "hint": %s' \
            "$exit_code" "$2" "$(json_string "$3")" "$(json_or_null "$4")"
        printf '}\n'
    }

    # json_values FILE: one line "path<TAB>value" for each scalar of a JSON document, such as
    # "dist.tarball	https://..." or "assets.0.name	wasp.tar.gz". Fails on what is not JSON.
    json_values() {
        awk '
        function fail() { exit 1 }
        # Only the next pieces are in text, since awk copies the rest of it with each step.
        function more() {
            if (taken >= pieces) return 0
            text = text piece[++taken]
            return 1
        }
        function skip_space() {
            do if (match(text, /^[ \t\r\n]+/)) text = substr(text, RLENGTH + 1)
            while (length(text) < 512 && more())
        }
        # The string that text starts with, without its quotes; text moves past it.
        function take_string(    value, at, run, part) {
            text = substr(text, 2); value = ""
            while (1) {
                while ((at = index(text, "\"")) == 0) if (!more()) fail()
                part = substr(text, 1, at - 1)
                # A longer one is neither a version nor an address.
                if (length(value) < 4096) value = value substr(part, 1, 4096) "\""
                text = substr(text, at + 1)
                if (length(part) > 256) part = substr(part, length(part) - 255)
                run = 0
                while (run < length(part) && substr(part, length(part) - run, 1) == "\\") run++
                if (run == 256) fail()
                if (run % 2 == 0) break
            }
            sub(/"$/, "", value)
            gsub(/\\\//, "/", value); gsub(/\\"/, "\"", value)
            # Some servers write ">" and "&" so.
            while (match(value, /\\u00[2-7][0-9a-fA-F]/)) {
                digits = tolower(substr(value, RSTART + 4, 2))
                code = 16 * index("123456789abcdef", substr(digits, 1, 1)) + index("123456789abcdef", substr(digits, 2, 1))
                value = substr(value, 1, RSTART - 1) sprintf("%c", code) substr(value, RSTART + 6)
            }
            gsub(/[\t\r\n]/, " ", value)
            return value
        }
        function path(    i, joined) {
            joined = name[1]
            for (i = 2; i <= depth; i++) joined = joined "." name[i]
            return joined
        }
        {
            for (i = 1; i <= length($0); i += 1024) piece[++pieces] = substr($0, i, 1024)
            piece[++pieces] = "\n"
        }
        END {
            want = "value"
            while (1) {
                skip_space()
                if (text == "") break
                c = substr(text, 1, 1)
                if (want == "value" && (c == "{" || c == "[")) {
                    if (++depth > 100) fail()
                    kind[depth] = c; name[depth] = (c == "[") ? 0 : ""
                    text = substr(text, 2); skip_space()
                    d = substr(text, 1, 1)
                    if (c == "{" && d == "}" || c == "[" && d == "]") want = "more"
                    else want = (c == "{") ? "key" : "value"
                } else if (want == "key" && c == "\"") {
                    name[depth] = take_string()
                    skip_space()
                    if (substr(text, 1, 1) != ":") fail()
                    text = substr(text, 2); want = "value"
                } else if (want == "value" && c == "\"") {
                    print path() "\t" take_string(); want = "more"
                } else if (want == "value" && match(text, /^(true|false|null|-?[0-9][-+.0-9eE]*)/)) {
                    value = substr(text, 1, RLENGTH); text = substr(text, RLENGTH + 1)
                    if (value != "null") print path() "\t" value
                    want = "more"
                } else if (want == "more" && c == "," && depth > 0) {
                    text = substr(text, 2)
                    if (kind[depth] == "[") name[depth]++
                    want = (kind[depth] == "[") ? "value" : "key"
                } else if (want == "more" && depth > 0 && (c == "}" && kind[depth] == "{" || c == "]" && kind[depth] == "[")) {
                    text = substr(text, 2); depth--
                } else fail()
            }
            if (depth != 0 || want != "more") exit 1
        }' "$1" 2>/dev/null
    }

    # pick PATH: the value of PATH among the "path<TAB>value" lines of $values
    pick() {
        _values="$newline$values$newline"
        case $_values in
            *"$newline$1$tab"*)
                _values=${_values#*"$newline$1$tab"}
                picked=${_values%%"$newline"*}
                ;;
            *) picked='' ;;
        esac
    }

    # --- small verbs -------------------------------------------------------------------------------------

    have() {
        command -v "$1" >/dev/null 2>&1
    }

    need() {
        have "$1" || die missing-tool "this installer needs '$1', which is not on PATH." "$(how_to_install "$1")"
    }

    # run_waiting STDOUT STDERR COMMAND...: runs it with its output in these files, so that a signal to this
    # shell is answered at once, not at its end; what is then said must not go into the files
    run_waiting() {
        _stdout=$1 _stderr=$2
        shift 2
        "$@" 2>"$_stderr" >"$_stdout" &
        child=$!
        wait "$child"
        _status=$?
        child=''
        return "$_status"
    }

    # change ACTION COMMAND...: a command that changes the file system; explains its failure as ACTION
    change() {
        _action=$1
        shift
        _errors=$("$@" 2>&1 >/dev/null) || die_file_system "cannot $_action" "$_errors"
    }

    # die_file_system MESSAGE ERRORS: what the system said decides what to tell
    die_file_system() {
        case $2 in
            *'ermission denied'* | *'not permitted'*)
                die permission-denied "$1: permission denied." \
                    "Choose a folder that you may write to, for example: --prefix \"\$HOME/.local\""
                ;;
            *'ead-only file system'*)
                die read-only "$1: the file system is read-only." \
                    'Choose another place with --prefix DIR.'
                ;;
            *'o space left'* | *'uota exceeded'*)
                die no-space "$1: no space left on the device." \
                    'Make room (about 170 MB for one version), or choose another place with --prefix DIR.'
                ;;
            *)
                _cause=${2##*: }
                # zsh names the file last.
                case $_cause in
                    /*) _cause=${2%": $_cause"} _cause=${_cause##*: } ;;
                esac
                die file-system "$1: ${_cause:-it failed}." 'See to that path, or choose another one with --prefix DIR.'
                ;;
        esac
    }

    # die_if_full MESSAGE FILE: on a full disk, a program's own complaint does not fit into a file either, and
    # some shells do not name the cause; so what it met is found out by writing something
    die_if_full() {
        _unwritten=$( (head -c 65536 /dev/zero >"$2") 2>&1) || die_file_system "$1" "$_unwritten"
        rm -f "$2"
    }

    # write_file FILE COMMAND...: what the command prints becomes the content of FILE; explains a failure
    write_file() {
        _file=$1
        shift
        _errors=$( ("$@" >"$_file") 2>&1) && return 0
        die_if_full "cannot write to $(pretty "${_file%/*}")" "$_file"
        die_file_system "cannot write to $(pretty "${_file%/*}")" "$_errors"
    }

    # is_of_the_system ERRORS: a program names what it met in the file system, not in what it read
    is_of_the_system() {
        case $1 in
            *'nput/output error'* | *'I/O error'* | *'rite error'* | *'o space left'* | *'uota exceeded'* | \
                *'ead-only file'* | *'ermission denied'*) ;;
            *) return 1 ;;
        esac
    }

    # older_than A B: A comes before B, both dotted numbers; a suffix such as -rc1 is not looked at
    older_than() {
        _a=${1%%-*}. _b=${2%%-*}.
        while [ -n "$_a$_b" ]; do
            _x=${_a%%.*} _y=${_b%%.*}
            [ "${_x:-0}" -ge "${_y:-0}" ] || return 0
            [ "${_x:-0}" -le "${_y:-0}" ] || return 1
            _a=${_a#*.} _b=${_b#*.}
        done
        return 1
    }

    # newest_first: sorts the versions on stdin; a release candidate comes before its release
    newest_first() {
        awk '{
        split($0, parts, "-rc"); split(parts[1], n, ".")
        candidate = (parts[2] == "") ? 999999 : parts[2]
        printf "%06d%06d%06d%06d%06d %s\n", n[1], n[2], n[3], n[4], candidate, $0
    }' | sort -r | sed 's/^[^ ]* //'
    }

    # is_version TEXT: X.Y.Z, with a fourth number in old releases, or X.Y.Z-rcN; nothing else may reach
    # a path or a URL
    is_version() {
        case $1 in
            *-rc*)
                is_number "${1##*-rc}" && is_dotted "${1%-rc*}" 3
                ;;
            *) is_dotted "$1" 3 || is_dotted "$1" 4 ;;
        esac
    }

    # is_dotted TEXT COUNT: COUNT numbers with a dot between
    is_dotted() {
        _rest=$1 _left=$2
        while [ "$_left" -gt 1 ]; do
            case $_rest in *.*) ;; *) return 1 ;; esac
            is_number "${_rest%%.*}" || return 1
            _rest=${_rest#*.}
            _left=$((_left - 1))
        done
        is_number "$_rest"
    }

    is_number() {
        case $1 in
            '' | *[!0-9]* | 0?* | ???????*) return 1 ;;
        esac
    }

    # --- arguments ---------------------------------------------------------------------------------------

    set_defaults() {
        newline='
'
        tab=$(printf '\t') carriage_return=$(printf '\r')
        command=install named_version='' wanted=${WASP_VERSION:-latest} wanted_from=WASP_VERSION
        prefix=${WASP_INSTALL_PREFIX:-${HOME:+$HOME/.local}} destdir=${DESTDIR-}
        source=auto archive_file='' wanted_sha256='' require_checksum=no
        force=no dry_run=no json=no quiet=no verbose=no assume_yes=no wants_telemetry=yes
        modify_path=yes remote=no
        timeout=${WASP_HTTP_TIMEOUT:-30}

        # What becomes known on the way.
        version='' release_source='' release_url='' release_digest='' release_node=''
        os='' arch='' libc='' distro_id='' distro_family='' current='' available='' on_path=no
        warnings_json='' held_warnings='' hold_warnings=no telemetry=none announced=no
        staging='' child='' asking='' new_launcher='' old_startup='' new_startup='' made_share='' made_bin='' changing=no placed='' committed=no
        path_message='' _owner='' node_version='' node_known=no
        interrupted_code=130 exit_code='' wasp_root='' started_at=$(date +%s)
    }

    # value_of OPTION [VALUE]: refuses an option that ends the line or is followed by another option
    value_of() {
        case ${2-} in
            '' | -*) die usage "$1 needs a value." "For example: $1 $(example_of "$1")" ;;
        esac
    }

    example_of() {
        case $1 in
            -v | --version) printf '0.25.0' ;;
            --prefix) printf '/opt/wasp' ;;
            --destdir) printf '/tmp/package' ;;
            --source) printf 'npm' ;;
            --from-file) printf 'wasp-linux-x86_64.tar.gz' ;;
            --sha256) printf '9f86d081884c7d65... (64 hex digits)' ;;
        esac
    }

    parse_arguments() {
        # A refused argument is reported in JSON too, wherever --json stands.
        for _argument in "$@"; do
            [ "$_argument" != --json ] || json=yes
        done
        _commands=0 _operands=0
        while [ $# -gt 0 ]; do
            case $1 in
                --version=* | --prefix=* | --destdir=* | --source=* | --from-file=* | --sha256=*)
                    _option=${1%%=*} _value=${1#*=}
                    shift
                    # posh takes an empty "$@" for an unset parameter.
                    set -- "$_option" "$_value" ${1+"$@"}
                    ;;
                -v?*)
                    _value=${1#-v}
                    shift
                    set -- -v "$_value" ${1+"$@"}
                    ;;
                -[qyh]?*)
                    _option=${1%"${1#-?}"} _value=-${1#-?}
                    shift
                    set -- "$_option" "$_value" ${1+"$@"}
                    ;;
            esac
            case $1 in
                # zsh looks at $2 even when value_of has left the script.
                -v | --version) value_of "$@" && wanted=${2-} wanted_from='' && shift ;;
                --prefix) value_of "$@" && prefix=${2-} && shift ;;
                --destdir) value_of "$@" && destdir=${2-} && shift ;;
                --source) value_of "$@" && source=${2-} && shift ;;
                --from-file) value_of "$@" && archive_file=${2-} && shift ;;
                --sha256) value_of "$@" && wanted_sha256=${2-} && shift ;;
                --require-checksum) require_checksum=yes ;;
                --no-telemetry) wants_telemetry=no ;;
                --no-modify-path) modify_path=no ;;
                --remote) remote=yes ;;
                --force) force=yes ;;
                --dry-run) dry_run=yes ;;
                --json) json=yes ;;
                -q | --quiet) quiet=yes ;;
                --verbose) verbose=yes ;;
                -y | --yes) assume_yes=yes ;;
                -h | --help)
                    usage
                    exit 0
                    ;;
                --) ;;
                -*) die usage "there is no option '$1'." 'See them all with: --help' ;;
                install | list | use | uninstall | migrate-to-npm)
                    _commands=$((_commands + 1)) command=$1
                    [ "$_commands" = 1 ] || die usage "one command at a time, not also '$1'." 'See: --help'
                    ;;
                '') die usage 'one of the arguments is empty.' 'Is a variable not set?' ;;
                *)
                    _operands=$((_operands + 1)) named_version=$1
                    [ "$_operands" = 1 ] || die usage "do not know what to do with '$1'." 'See: --help'
                    ;;
            esac
            shift
        done
    }

    # check_arguments: refuses what cannot be meant, before anything is touched
    check_arguments() {
        case $command in
            use)
                [ -n "$named_version" ] || die usage "'use' needs a version." 'See what is installed: list'
                ;;
            uninstall) ;;
            *) [ -z "$named_version" ] || die_unknown_word "$named_version" ;;
        esac
        [ "$remote" = no ] || [ "$command" = list ] || die usage '--remote belongs to the command list.' \
            'For example: list --remote'
        case $source in
            auto | npm | github) ;;
            *) die usage "there is no source '$source'." 'Choose auto, npm or github.' ;;
        esac
        case $timeout in
            '' | *[!0-9]* | 0* | ??????*) die usage "WASP_HTTP_TIMEOUT is '$timeout', not a number of seconds." 'For example: 30' ;;
        esac
        case $wanted_sha256 in
            *[!0-9a-fA-F]*) die usage "'$wanted_sha256' is not a SHA-256." 'It has 64 hexadecimal digits.' ;;
            '') ;;
            *)
                [ ${#wanted_sha256} = 64 ] || die usage "'$wanted_sha256' is not a SHA-256." \
                    'It has 64 hexadecimal digits.'
                wanted_sha256=$(printf '%s' "$wanted_sha256" | tr A-F a-f)
                ;;
        esac
        if [ "$wanted" != latest ] && { [ "$command" = install ] || [ -z "$wanted_from" ]; }; then
            wanted=${wanted#v}
            is_version "$wanted" || die_bad_version "$wanted" "$wanted_from"
        fi
        if [ -n "$named_version" ]; then
            named_version=${named_version#v}
            is_version "$named_version" || die bad-version "'$named_version' is not a version of Wasp." \
                'It is X.Y.Z (0.25.0) or X.Y.Z-rcN. See what is installed: list'
        fi
        [ -n "$prefix" ] || die usage 'HOME is not set, so there is no default place to install to.' \
            'Say where: --prefix DIR'
        make_absolute "$prefix"
        prefix=$absolute
        if [ -n "$destdir" ]; then
            make_absolute "$destdir"
            destdir=$absolute
        fi
        if [ -n "$archive_file" ]; then
            [ -f "$archive_file" ] && [ -r "$archive_file" ] \
                || die file-system "cannot read the archive '$archive_file'." 'Give the path of a downloaded release.'
            make_absolute "$archive_file"
            archive_file=$absolute
        fi
        wasp_root=$prefix/share/wasp-lang
        # Where things are put now (below DESTDIR), as against where they will be found ("wasp_root").
        share_dir=$destdir$wasp_root bin_dir=$destdir$prefix/bin
    }

    # die_unknown_word WORD: it is no command, and belongs to none
    die_unknown_word() {
        _hint='The commands are install, list, use, uninstall and migrate-to-npm. See: --help'
        ! is_version "${1#v}" || _hint="To install a version: -v $1"
        case $1 in upgrade | update) _hint='To move to the newest version: run this without a command.' ;; esac
        die usage "do not know what to do with '$1'." "$_hint"
    }

    # die_bad_version TEXT [WHERE]: WHERE names the variable that it came from
    die_bad_version() {
        die bad-version "'$1'${2:+ (in $2)} is not a version of Wasp." \
            "A version is X.Y.Z (0.25.0), X.Y.Z-rcN, or latest: $RELEASES_URL"
    }

    make_absolute() {
        absolute=$1
        case $absolute in
            /*) ;;
            *) absolute=$PWD/$absolute ;;
        esac
        while [ "$absolute" != "${absolute%/}" ]; do absolute=${absolute%/}; done
    }

    # --- platform ----------------------------------------------------------------------------------------

    # identify_platform: sets os (linux, macos or windows), arch (x86_64 or aarch64) and libc (glibc or
    # musl), each empty where Wasp has nothing for it; also system and machine as uname calls them
    identify_platform() {
        system=$(uname -s)
        machine=$(uname -m)
        case $machine in
            x86_64 | amd64 | x64) arch=x86_64 ;;
            aarch64 | arm64) arch=aarch64 ;;
        esac
        case $system in
            Linux)
                os=linux
                read_os_release
                detect_libc
                ;;
            Darwin)
                os=macos
                # A shell under Rosetta sees an x86_64 machine.
                if [ "$(sysctl -n sysctl.proc_translated 2>/dev/null)" = 1 ] \
                    || [ "$(sysctl -n hw.optional.arm64 2>/dev/null)" = 1 ]; then
                    arch=aarch64
                fi
                ;;
            MINGW* | MSYS* | CYGWIN* | Windows*) os=windows ;;
        esac
        say_step "Platform: $system $machine${libc:+ $libc}${distro_id:+ ($distro_id)}"
    }

    # choose_build: sets which build of Wasp runs here: npm_build and github_builds, the latter in order
    # of preference
    choose_build() {
        case $os in
            '') die_unsupported "$system" ;;
            windows)
                die unsupported-platform "$system is Windows: Wasp runs there inside WSL." \
                    'Open WSL (wsl --install, if there is none) and run this again in it.'
                ;;
        esac
        [ -n "$arch" ] || die_unsupported "$machine processors"
        [ "$(getconf LONG_BIT 2>/dev/null)" != 32 ] \
            || die_unsupported "a 32-bit userland on a $arch processor"
        _needs_static=no
        [ "$libc" != musl ] || _needs_static=yes
        [ "$libc" != glibc ] || ! older_than "$glibc_version" "$OLDEST_GLIBC" || _needs_static=yes
        case $os,$arch,$_needs_static in
            macos,x86_64,*) npm_build=darwin-x64-unknown github_builds='macos-x86_64 macos-universal' ;;
            macos,aarch64,*) npm_build=darwin-arm64-unknown github_builds='macos-aarch64 macos-universal macos-x86_64' ;;
            linux,x86_64,no) npm_build=linux-x64-glibc github_builds=linux-x86_64 ;;
            linux,x86_64,yes) npm_build=linux-x64-musl github_builds=linux-x86_64-static ;;
            linux,aarch64,no) npm_build=linux-arm64-glibc github_builds=linux-aarch64 ;;
            linux,aarch64,yes) die_static_only ;;
        esac
    }

    die_static_only() {
        [ "$libc" = glibc ] || die_unsupported "$libc (Alpine) on $arch"
        die unsupported-platform \
            "Wasp needs glibc $OLDEST_GLIBC or newer on $arch; this system has $glibc_version." \
            'Use a newer release of your distribution.'
    }

    die_unsupported() {
        die unsupported-platform "Wasp has no release for $1." \
            "There is one for Linux (x86_64, aarch64), macOS (Intel, Apple silicon), and Windows through WSL."
    }

    # detect_libc: sets libc, and glibc_version for glibc
    detect_libc() {
        _ldd=$(ldd --version 2>&1 || :)
        case $_ldd in
            *musl*)
                libc=musl
                return
                ;;
            *GLIBC* | *GNU* | *'Free Software'*)
                _first=${_ldd%%"$newline"*}
                glibc_version=${_first##* }
                ;;
            *)
                glibc_version=$(getconf GNU_LIBC_VERSION 2>/dev/null)
                glibc_version=${glibc_version#glibc }
                ;;
        esac
        case $glibc_version in
            [0-9]*.[0-9]*) libc=glibc ;;
            # Neither is known to be here: the static build needs neither.
            *) libc=musl ;;
        esac
    }

    # read_os_release: which Linux this is (https://www.freedesktop.org/software/systemd/man/os-release.html)
    read_os_release() {
        [ -r /etc/os-release ] || return 0
        while IFS='=' read -r _key _value; do
            _value=${_value#[\"\']} _value=${_value%[\"\']}
            case $_key in
                ID) distro_id=$_value ;;
                ID_LIKE) distro_family=$_value ;;
            esac
        done </etc/os-release
    }

    # how_to_install TOOL: the command of this system's package manager
    how_to_install() {
        [ -n "$distro_id" ] || read_os_release
        _sudo='sudo '
        [ "$(id -u)" != 0 ] || _sudo=''
        case " $distro_id $distro_family " in
            *' debian '* | *' ubuntu '*) printf 'Install it: %sapt-get install %s' "$_sudo" "$1" ;;
            *' alpine '*) printf 'Install it: %sapk add %s' "$_sudo" "$1" ;;
            *' fedora '* | *' rhel '*) printf 'Install it: %sdnf install %s' "$_sudo" "$1" ;;
            *' arch '*) printf 'Install it: %spacman -S %s' "$_sudo" "$1" ;;
            *' suse '*) printf 'Install it: %szypper install %s' "$_sudo" "$1" ;;
            *)
                if have brew; then
                    printf 'Install it: brew install %s' "$1"
                else
                    printf "Install it with your system's package manager."
                fi
                ;;
        esac
    }

    # --- network -----------------------------------------------------------------------------------------
    # fetch sets "problem" (a slug of exit_code_of, or not-found) and "problem_text" when it fails.

    choose_downloader() {
        downloader='' curl_version=''
        _curl=$(command -v curl || :)
        case $_curl in
            # Snap confines its curl: it may not write into hidden folders, where all this goes.
            /snap/* | */snap/bin/*) have wget || downloader=snap_curl ;;
            ?*) downloader=curl ;;
        esac
        [ -z "$downloader" ] || return 0
        have wget || die no-downloader 'this installer needs curl or wget, and neither is on PATH.' \
            "$(how_to_install curl)"
        case $(wget --version 2>/dev/null) in
            *'GNU Wget'*) downloader=gnu_wget ;;
            *) downloader=busybox_wget ;;
        esac
        prepare_wget
    }

    prepare_wget() {
        # Unlike curl, it knows the names in lower case only.
        [ -z "${HTTPS_PROXY-}" ] || export https_proxy="${https_proxy:-$HTTPS_PROXY}"
        [ -z "${NO_PROXY-}" ] || export no_proxy="${no_proxy:-$NO_PROXY}"
        # Else it keeps a file of hosts in the home.
        wget_hsts=''
        case $(wget --help 2>&1) in *--no-hsts*) wget_hsts=--no-hsts ;; esac
    }

    set_problem() {
        problem=$1 problem_text=$2
    }

    # check_url URL: only https, or plain http on this very machine
    check_url() {
        case $1 in
            *[!A-Za-z0-9._~:/?\#@!\$\&\'\(\)*+,\;=%\[\]-]*)
                set_problem bad-answer 'the address of the download holds characters that no URL has'
                return 1
                ;;
            https://?*) return 0 ;;
            http://*) ! is_loopback "$1" || return 0 ;;
        esac
        set_problem insecure-url "$1 is not an https address"
        return 1
    }

    is_loopback() {
        host_of "$1"
        case $host in
            localhost | '[::1]') ;;
            *[!0-9.]*) return 1 ;;
            127.*.*.*) ;;
            *) return 1 ;;
        esac
    }

    # host_of URL: sets host; a user name before it ("127.0.0.1@elsewhere") is no host
    host_of() {
        host=${1#*://}
        host=${host%%[/?#]*}
        host=${host##*@}
        case $host in
            '['*) host=${host%%]*}']' ;;
            *) host=${host%%:*} ;;
        esac
    }

    # fetch URL FILE [METHOD]: METHOD is get (default), head, or location: the answer's headers only,
    # without going where they point. Tries again what may pass by itself.
    fetch() {
        _attempt=1
        while :; do
            say_step "${3:-get} $1"
            fetch_once "$1" "$2" "${3:-get}" && return 0
            [ "$_attempt" -lt "$ATTEMPTS" ] || return 1
            may_pass || return 1
            _pause=$((1 << (_attempt - 1)))
            while [ "$retry_after" != "${retry_after#0?}" ]; do retry_after=${retry_after#0}; done
            case $retry_after in
                '' | *[!0-9]*) ;;
                ?????*) _pause=$LONGEST_RETRY_AFTER ;;
                *) _pause=$((retry_after < LONGEST_RETRY_AFTER ? retry_after : LONGEST_RETRY_AFTER)) ;;
            esac
            say "$problem_text; trying again in $_pause s"
            run_waiting /dev/null /dev/null sleep "$_pause"
            _attempt=$((_attempt + 1))
        done
    }

    # may_pass: the problem is one that a second try may not meet
    may_pass() {
        case $problem,$http_status in
            connection,*) ;;
            http-status,429 | http-status,5??) ;;
            *) return 1 ;;
        esac
    }

    fetch_once() {
        problem='' problem_text='' http_status='' location='' retry_after=''
        check_url "$1" || return 1
        host_of "$1"
        : >"$work/headers"
        rm -f "$work/stalled"
        case $2 in
            */archive) _limit=$UNPACKED_LIMIT ;;
            *) _limit=$ANSWER_LIMIT ;;
        esac
        "fetch_with_$downloader" "$@"
    }

    # limited COMMAND...: for run_waiting: no file grows beyond the limit of this download; writing more fails
    limited() {
        trap '' XFSZ 2>/dev/null
        ulimit -f "$((_limit / 512))" 2>/dev/null
        exec "$@"
    }

    # explain_excess: sets a problem when the download, or what was said before it, has reached the limit
    explain_excess() {
        [ -n "$(find "$_file" "$work/headers" "$work/errors" -size "+$((_limit / 512 - 1))" 2>/dev/null)" ] || return 1
        set_problem bad-answer "$host offers a file that is far too large"
    }

    fetch_with_curl() {
        # From https never to http; what begins on this very machine may stay plain.
        _protocols='=https'
        case $1 in http:*) _protocols='=http,https' ;; esac
        _url=$1 _file=$2 _method=$3
        # --disable, first: what a person has in ~/.curlrc is for other downloads.
        set -- --disable --silent --show-error --fail --dump-header "$work/headers" --max-redirs "$REDIRECT_LIMIT" \
            --proto "$_protocols" --proto-redir "$_protocols" --connect-timeout "$timeout" \
            --speed-limit "$SLOWEST" --speed-time "$timeout" --max-filesize "$_limit" \
            --user-agent 'wasp-installer (sh)'
        # Else the answer of a proxy would pass for that of the server.
        ! is_proxied || ! knows_curl 7.54 || set -- "$@" --suppress-connect-headers
        case $_method in
            head) set -- "$@" --location --head ;;
            get) set -- "$@" --location ;;
        esac
        run_waiting "$_file" "$work/errors" limited curl "$@" "$_url"
        _status=$?
        read_headers
        [ "$_status" != 0 ] || return 0
        explain_excess || explain_curl "$_status"
        return 1
    }

    is_proxied() {
        [ -n "${https_proxy-}${HTTPS_PROXY-}${http_proxy-}${all_proxy-}${ALL_PROXY-}" ]
    }

    # knows_curl VERSION: this one is not older
    knows_curl() {
        [ -n "$curl_version" ] || curl_version=$(curl --version 2>/dev/null | sed -n '1s/^curl \([0-9.]*\).*/\1/p')
        ! older_than "${curl_version:-0}" "$1"
    }

    fetch_with_snap_curl() {
        die no-downloader "curl is snap's, which may not write into hidden folders such as $(pretty "$prefix")." \
            "Put an ordinary curl in its place: sudo snap remove curl && sudo apt-get install curl"
    }

    # explain_curl STATUS: https://curl.se/libcurl/c/libcurl-errors.html
    explain_curl() {
        case $1,$(last_error_line) in
            56,*roxy* | 56,*CONNECT*)
                set_problem proxy "the proxy did not let us through to $host ($(last_error_line))"
                return
                ;;
        esac
        case $1 in
            1)
                case $(last_error_line) in
                    *HTTP/0.9*) set_problem bad-answer "$host answered with something that is not HTTP" ;;
                    *) refuse_downgrade ;;
                esac
                ;;
            3) set_problem bad-answer "$host sent us on to what is no address" ;;
            5 | 97) set_problem proxy "the proxy's name cannot be resolved ($(last_error_line))" ;;
            6) set_problem dns "the name $host cannot be resolved" ;;
            7) explain_refusal ;;
            18) set_problem connection "$host closed the connection before the end" ;;
            22)
                # Of a proxy's own answer there are no headers.
                case $http_status in
                    [45]??) explain_http_status ;;
                    *) explain_proxy ;;
                esac
                ;;
            23) explain_unwritten ;;
            28) set_problem timeout "$host sent nothing for $timeout s" ;;
            35)
                case $(cat "$work/errors") in
                    *reset* | *unexpected\ eof* | *SYSCALL*) set_problem connection "$host closed the connection" ;;
                    *) explain_tls ;;
                esac
                ;;
            51 | 53 | 54 | 58 | 59 | 60 | 64 | 66 | 77 | 80 | 82 | 83 | 90 | 91) explain_tls ;;
            47) set_problem bad-answer "$host redirects without end" ;;
            63) set_problem bad-answer "$host offers a file that is far too large" ;;
            *) explain_failure ;;
        esac
    }

    # explain_proxy: it answered, and not with a connection
    explain_proxy() {
        case $(last_error_line) in
            *407*) set_problem proxy 'the proxy wants a user name and a password' ;;
            *) set_problem proxy "the proxy did not let us through to $host ($(last_error_line))" ;;
        esac
    }

    # explain_failure: of a kind that has no words of its own here
    explain_failure() {
        _said=$(last_error_line)
        [ -n "$_said" ] || ! is_proxied || _said='or that to the proxy'
        set_problem connection "the connection to $host failed${_said:+ ($_said)}"
    }

    refuse_downgrade() {
        set_problem insecure-url "$host sent us on to an address that is not https"
    }

    explain_tls() {
        set_problem tls "the TLS certificate of $host is not accepted ($(last_error_line))"
    }

    # explain_refusal: curl names the host and port that refused, which may be a proxy's
    explain_refusal() {
        if ! is_proxied; then
            set_problem connection "$host refuses the connection"
            return
        fi
        _authority=${_url#*://}
        _authority=${_authority%%/*}
        case ${_authority##*]} in
            *:*) _port=${_authority##*:} ;;
            *) _port=443 ;;
        esac
        case $(last_error_line) in
            *" port $_port"*) set_problem connection "$host refuses the connection" ;;
            *) set_problem proxy "the proxy cannot be reached ($(last_error_line))" ;;
        esac
    }

    explain_http_status() {
        case $http_status in
            404 | 410) set_problem not-found "$host does not have it" ;;
            407) set_problem proxy 'the proxy wants a user name and a password' ;;
            *) set_problem http-status "$host answered with HTTP status $http_status" ;;
        esac
    }

    # explain_unwritten: the downloader could not write what it received
    explain_unwritten() {
        die_if_full "cannot write the download to $(pretty "$work")" "$work/probe"
        case $(last_error_line) in
            *'No space'*) die_file_system "cannot write the download to $(pretty "$work")" 'No space left' ;;
        esac
        die no-downloader "curl cannot write what it received to $(pretty "$work")." \
            "A curl that is confined (snap's is) cannot be used: $(how_to_install curl)"
    }

    # last_error_line: what the downloader said last, without its name and its advice
    last_error_line() {
        # shellcheck disable=SC2016 # $ is the last line
        sed -n -e '/^curl: ([0-9]*) /{s///;h;}' -e '/^wget: /{s///;h;}' -e '/^ERROR: /{s///;h;}' \
            -e '${x;s/[[:cntrl:]]//g;s/[.: ]*$//;p;}' "$work/errors"
    }

    # read_headers: http_status, location and retry_after from what the downloader wrote of the headers;
    # after a redirect those of the last answer count
    read_headers() {
        while read -r _key _value; do
            _value=${_value%"$carriage_return"}
            case $_key in
                HTTP/*) http_status=${_value%% *} retry_after='' ;;
                [Ll]ocation:) location=${_value%% *} ;;
                [Rr]etry-[Aa]fter:) retry_after=$_value ;;
                [Cc]ontent-[Ll]ength:) content_length=$_value ;;
            esac
        done <"$work/headers"
    }

    # wget goes to any address that it is sent to, http too; so each redirect is followed from here
    fetch_with_gnu_wget() {
        _url=$1 _file=$2 _method=$3 _redirects=0
        while :; do
            # What a person has in ~/.wgetrc and ~/.netrc is for other downloads.
            set -- --no-config --no-netrc -nv --server-response --output-document=- --tries=1 --timeout="$timeout" \
                --max-redirect=0 --user-agent='wasp-installer (sh)' ${wget_hsts:+"$wget_hsts"}
            [ "$_method" != head ] || set -- "$@" --spider
            # Unlike curl, it does not look for the variable itself.
            [ -z "${SSL_CERT_FILE-}" ] || set -- "$@" --ca-certificate="$SSL_CERT_FILE"
            run_watched limited wget "$@" "$_url"
            _status=$?
            cp "$work/errors" "$work/headers"
            http_status='' location='' retry_after=''
            read_headers
            case $http_status in
                30[12378]) [ "$_method" != location ] || return 0 ;;
                *) break ;;
            esac
            _redirects=$((_redirects + 1))
            if [ "$_redirects" -gt "$REDIRECT_LIMIT" ]; then
                set_problem bad-answer "$host redirects without end"
                return 1
            fi
            case $location in
                https://*) _url=$location ;;
                http://*) case $_url in http://*) _url=$location ;; *) refuse_downgrade && return 1 ;; esac ;;
                /*) _url="${_url%%://*}://$(authority_of "$_url")$location" ;;
                *)
                    refuse_downgrade
                    return 1
                    ;;
            esac
            check_url "$_url" || return 1
            host_of "$_url"
        done
        [ "$_status" != 0 ] || return 0
        explain_excess || explain_wget
        return 1
    }

    authority_of() {
        _authority=${1#*://}
        printf '%s' "${_authority%%/*}"
    }

    # Busybox's wget follows redirects by itself, so that one to http is seen only afterwards
    fetch_with_busybox_wget() {
        _url=$1 _file=$2 _method=$3
        set -- -S -O -
        case $(wget --help 2>&1) in *'-T '*) set -- "$@" -T "$timeout" ;; esac
        [ "$_method" != head ] || set -- "$@" --spider
        run_watched limited wget "$@" "$_url"
        _status=$?
        case $(cat "$work/errors") in
            *'certificate validation not implemented'*)
                die no-downloader 'the wget on PATH does not check certificates, so it cannot be trusted.' \
                    "$(how_to_install curl)"
                ;;
        esac
        cp "$work/errors" "$work/headers"
        read_headers
        # Any hop counts, not only the last.
        if [ "${_url#https:}" != "$_url" ] && grep -qi '^ *location: *http:' "$work/headers"; then
            refuse_downgrade
            return 1
        fi
        [ "$_status" != 0 ] || return 0
        explain_excess || explain_wget
        return 1
    }

    # run_watched COMMAND...: as run_waiting, and ended when it makes no progress: wget gives up only on
    # silence, and takes a byte now and then for none
    run_watched() {
        "$@" 2>"$work/errors" >"$_file" &
        child=$!
        watch_progress "$child" &
        watcher=$!
        # Some shells tell of a process that was ended.
        wait "$child" 2>/dev/null
        _status=$?
        child=''
        kill "$watcher" 2>/dev/null
        wait "$watcher" 2>/dev/null
        watcher=''
        return "$_status"
    }

    # watch_progress PROCESS: ends it, and leaves a file "stalled", when _file grows too slowly; at first it
    # has twice the time, since there is a connection to be made
    watch_progress() {
        trap 'exit 0' TERM
        trap - EXIT INT
        _seen=0 _until=$(($(date +%s) + 2 * timeout))
        while kill -0 "$1" 2>/dev/null; do
            sleep 0.5 2>/dev/null || sleep 1
            [ "$(date +%s)" -ge "$_until" ] || continue
            _now=$(wc -c <"$_file")
            if [ $((_now - _seen)) -lt $((SLOWEST * timeout)) ]; then
                : >"$work/stalled"
                kill "$1" 2>/dev/null
            fi
            _seen=$_now _until=$((_until + timeout))
        done
    }

    explain_wget() {
        if [ -e "$work/stalled" ]; then
            set_problem timeout "$host sent nothing for $timeout s"
            return
        fi
        # Without the headers, which it writes there too, with two spaces before them.
        _errors=$(sed '/^  /d' "$work/errors")
        case $_errors in
            *'No space left'*) explain_unwritten ;;
        esac
        case $http_status in
            '' | 2??) ;;
            *)
                explain_http_status
                return
                ;;
        esac
        case $_errors in
            *roxy*) set_problem proxy "the proxy did not let us through to $host ($(last_error_line))" ;;
            *'unable to resolve'* | *'bad address'*) set_problem dns "the name $host cannot be resolved" ;;
            *'timed out'*) set_problem timeout "$host sent nothing for $timeout s" ;;
            *'properly terminated'*) set_problem connection "$host closed the connection before the end" ;;
            *ertificate* | *TLS* | *SSL*) explain_tls ;;
            *refused*) set_problem connection "$host refuses the connection" ;;
            *) explain_failure ;;
        esac
    }

    # fetch_json URL: sets values, one "path<TAB>value" a line
    fetch_json() {
        fetch "$1" "$work/answer" || return 1
        values=$(json_values "$work/answer") && return 0
        if is_web_page "$work/answer"; then
            set_problem captive-portal "$host answered with a web page, as the login page of a network does"
        else
            set_problem bad-answer "$host answered with something that is not JSON"
        fi
        return 1
    }

    # is_web_page FILE: HTML where something else is due
    is_web_page() {
        case $(head -c 512 "$1" | tr -d '\000' | tr '[:upper:]' '[:lower:]') in
            *'<!doctype html'* | *'<html'* | *'<head'* | *'<script'*) return 0 ;;
            *) return 1 ;;
        esac
    }

    # die_of_problem WHAT: the problem as an error; WHAT names what was wanted
    die_of_problem() {
        case $problem in
            dns) _hint='Check the network connection, and HTTPS_PROXY if you are behind a proxy; then run this again.' ;;
            connection | timeout | http-status) _hint='Check the network connection, or wait a little; then run this again.' ;;
            tls) _hint="Check the clock, and that the system's CA certificates are installed (package ca-certificates).${newline}Behind a corporate proxy, name its CA file: SSL_CERT_FILE=/path/to/ca.pem" ;;
            proxy) _hint='Check HTTPS_PROXY (http://user:password@host:port) and NO_PROXY.' ;;
            captive-portal) _hint='Open a web page in a browser to log in to the network; then run this again.' ;;
            insecure-url) _hint='Only https is used. See WASP_NPM_REGISTRY, WASP_GITHUB_URL and npm config get registry.' ;;
            *) _hint='Run this again with --verbose to see each step, or choose the other one with --source npm or github.' ;;
        esac
        die "$problem" "cannot get $1: $problem_text." "$_hint"
    }

    # --- where Wasp comes from ---------------------------------------------------------------------------
    # find_release_at_SOURCE sets version, release_source, release_url, release_digest and release_node,
    # or fails with a problem.

    # obtain_release: the release from the first source that has it and delivers it
    obtain_release() {
        ! try_sources take_release_from || return 0
        version=''
        _wanted_words=$(wanted_words)
        die_of_network_problem "$_wanted_words"
        [ "$problem" != no-build ] || die unsupported-platform "$_wanted_words has no build for $(platform_words)." \
            "Another version may have one: $RELEASES_URL"
        [ "$wanted" != latest ] || die no-such-version 'no release of Wasp is to be found.' \
            'See with --verbose where it was looked for.'
        [ "$source" = auto ] || die no-such-version "$(source_name "$source") has no Wasp $wanted." \
            'Another source may have it: leave out --source, or see list --remote.'
        die no-such-version "there is no Wasp $wanted." \
            "The versions that there are: $RELEASES_URL"
    }

    take_release_from() {
        version='' release_source='' release_url='' release_digest='' release_node=''
        "find_release_at_$1" && take_release
    }

    # try_sources DO: "DO SOURCE" for each until one succeeds; else fails, with the problem of the last one, and with
    # network_problem, the first that another try could end
    try_sources() {
        choose_downloader
        plan_sources
        _tried='' network_problem=''
        for _source in $sources; do
            if [ -n "$_tried" ]; then
                _instead=$(source_name "$_source")
                warn "$(source_name "$_tried"): $problem_text. Trying $_instead instead."
            fi
            _tried=$_source
            ! "$1" "$_source" || return 0
            say_step "$(source_name "$_source"): $problem_text"
            case $problem in
                not-found | no-build) ;;
                *) [ -n "$network_problem" ] || network_problem="$problem $problem_text" ;;
            esac
        done
        return 1
    }

    # die_of_network_problem WHAT: if there was one; WHAT names what was wanted
    die_of_network_problem() {
        [ -n "$network_problem" ] || return 0
        problem=${network_problem%% *} problem_text=${network_problem#* }
        die_of_problem "$1"
    }

    wanted_words() {
        if [ "$wanted" = latest ]; then printf 'the newest Wasp'; else printf 'Wasp %s' "$wanted"; fi
    }

    source_name() {
        case $1 in
            npm) printf 'the npm registry' ;;
            github) printf 'GitHub' ;;
        esac
    }

    # plan_sources: sets sources, in the order in which they are tried
    plan_sources() {
        case $source in
            github) sources=github ;;
            npm)
                find_registry
                [ -n "$registry" ] || die bad-answer 'no npm registry is known here.' \
                    'Name one in WASP_NPM_REGISTRY, install npm, or use --source github.'
                sources=npm
                ;;
            auto)
                find_registry
                sources=${registry:+npm }github
                ;;
        esac
    }

    # start_registry_lookup: starting npm costs a fifth of a second, so it is asked while the platform is being
    # detected
    start_registry_lookup() {
        asks_npm || return 0
        registry=${WASP_NPM_REGISTRY-}
        [ -z "$registry" ] || return 0
        if have npm; then
            say_step 'Asking npm for its registry'
            ask_npm "$NPM_SCOPE:registry" registry &
            npm_lookup=$!
        else
            registry=${npm_config_registry-}
        fi
    }

    # ask_npm KEY...: in the background; in a folder that is a project of its own, since a project that somebody
    # has cloned must not choose, by its .npmrc, where programs come from. Nothing is left in the home, or asked of
    # the network.
    ask_npm() {
        mkdir -p "$work/npm" && printf '{}\n' >"$work/npm/package.json" && cd "$work/npm" || exit
        # Which npm refuses together with --no-workspaces.
        unset npm_config_workspace npm_config_workspaces
        export npm_config_cache="$work/npm/cache" npm_config_logs_max=0 npm_config_update_notifier=false
        exec npm config get --no-workspaces "$@" >"$work/registry" 2>/dev/null </dev/null
    }

    # asks_npm: npm may have the wanted version, and may be asked
    asks_npm() {
        [ -z "$archive_file" ] || return 1
        case $source in
            npm) ;;
            github) return 1 ;;
            *) [ "$wanted" = latest ] || ! older_than "$wanted" "$FIRST_NPM_VERSION" ;;
        esac
    }

    # find_registry: sets registry as npm would, or to nothing
    find_registry() {
        if [ -n "$npm_lookup" ]; then
            ! wait "$npm_lookup" || read_registry
            if [ "$registry" = undefined ]; then
                # npm 6 answers the first question only.
                ask_npm registry &
                npm_lookup=$!
                registry=''
                ! wait "$npm_lookup" || read_registry
            fi
            npm_lookup=''
            [ "$registry" != undefined ] || registry=''
        fi
        registry=${registry%/}
    }

    # read_registry: of what npm says, the scope's own comes first: lines of "KEY=VALUE", or one value
    read_registry() {
        while IFS= read -r _line; do
            case $_line in
                "$NPM_SCOPE:registry=undefined") ;;
                "$NPM_SCOPE:registry="*)
                    registry=${_line#*=}
                    return
                    ;;
                registry=*) registry=${_line#*=} ;;
                *) [ -n "$registry" ] || registry=$_line ;;
            esac
        done <"$work/registry"
    }

    check_registry() {
        case $registry in *://*) return 0 ;; esac
        set_problem insecure-url "'$registry' is not the address of an npm registry"
        return 1
    }

    find_release_at_npm() {
        check_registry || return 1
        if ! fetch_json "$registry/$NPM_PACKAGE/$wanted"; then
            [ "$problem" != not-found ] || set_problem not-found "it does not have $(wanted_words)"
            return 1
        fi
        pick version
        version=$picked
        if ! is_version "$version"; then
            set_problem bad-answer "$host did not say which version it has"
            return 1
        fi
        pick engines.node
        release_node=$picked
        if ! fetch_json "$registry/$NPM_PACKAGE-$npm_build/$version"; then
            [ "$problem" != not-found ] || set_problem no-build "Wasp $version has no package $npm_build"
            return 1
        fi
        release_source=npm
        pick dist.tarball
        release_url=$picked
        pick dist.integrity
        # There may be several, with a space between (https://www.w3.org/TR/sri).
        for _integrity in $picked; do
            case $_integrity in
                sha512-*)
                    # A digest that cannot be read must not pass for one that is not published.
                    base64_to_hex "${_integrity#sha512-}" || {
                        set_problem bad-answer "$host gave a checksum that cannot be read"
                        return 1
                    }
                    release_digest="sha512:$hex"
                    ;;
            esac
        done
        if [ -z "$release_url" ]; then
            set_problem bad-answer "$host did not say where the archive is"
            return 1
        fi
        check_url "$release_url"
    }

    # base64_to_hex TEXT: sets hex; fails on what is not base64 of a SHA-512
    base64_to_hex() {
        hex=$(printf '%s\n' "$1" | awk '{
        digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        if (length($0) % 4) exit 1
        sub(/==?$/, "")
        # Four digits are three bytes; padding stands for bytes that are not there.
        bytes = int(length($0) * 3 / 4)
        while (length($0) % 4) $0 = $0 "A"
        for (i = 1; i <= length($0); i += 4) {
            value = 0
            for (j = 0; j < 4; j++) {
                n = index(digits, substr($0, i + j, 1)) - 1
                if (n < 0) exit 1
                value = value * 64 + n
            }
            hex = hex sprintf("%06x", value)
        }
        print substr(hex, 1, bytes * 2)
    }') && [ ${#hex} = 128 ]
    }

    # name_github: sets github, and github_api
    name_github() {
        github=${WASP_GITHUB_URL:-$DEFAULT_GITHUB_URL}
        github=${github%/}
        case $github in
            "$DEFAULT_GITHUB_URL") github_api=https://api.github.com ;;
            *) github_api=$github/api/v3 ;;
        esac
    }

    find_release_at_github() {
        name_github
        if [ "$wanted" = latest ]; then
            fetch "$github/wasp-lang/wasp/releases/latest" "$work/answer" location || return 1
            read_headers
            version=${location##*/tag/v}
            if [ "$version" = "$location" ] || ! is_version "$version"; then
                set_problem bad-answer "$host did not say which version is the newest"
                is_redirected || set_problem captive-portal "$host answered with a page of its own"
                return 1
            fi
        else
            version=$wanted
        fi
        release_source=github
        ask_github_for_assets
        for _build in $github_builds; do
            release_url="$github/wasp-lang/wasp/releases/download/v$version/wasp-$_build.tar.gz"
            asset_is_there "wasp-$_build.tar.gz" && return 0
            [ "$problem" = not-found ] || return 1
        done
        release_url=''
        # A release without this asset is another thing than no such release.
        if fetch "$github/wasp-lang/wasp/releases/tag/v$version" /dev/null head; then
            set_problem no-build "Wasp $version has no build for $os $arch"
        fi
        return 1
    }

    is_redirected() {
        case $http_status in 3??) ;; *) return 1 ;; esac
    }

    # ask_github_for_assets: sets assets to the names and digests of the release, if the API answers. It
    # has a limit on requests from one address, so that its silence must not stop anything.
    ask_github_for_assets() {
        assets=''
        fetch_once "$github_api/repos/wasp-lang/wasp/releases/tags/v$version" "$work/answer" get || return 0
        assets=$(json_values "$work/answer") || assets=''
        case $assets in *assets.*) ;; *) assets='' ;; esac
    }

    # asset_is_there NAME: and sets release_digest, when it is known
    asset_is_there() {
        set_problem not-found "Wasp $version has no $1"
        case $assets in
            '')
                fetch "$release_url" /dev/null head
                return
                ;;
        esac
        values=$assets
        _asset=$(printf '%s\n' "$assets" | sed -n "s/^assets\.\([0-9]*\)\.name$tab$1\$/\1/p")
        [ -n "$_asset" ] || return 1
        pick "assets.$_asset.digest"
        case $picked in
            sha256:*) release_digest=$(printf '%s' "$picked" | tr A-F a-f) ;;
        esac
    }

    # --- what there is to install ------------------------------------------------------------------------

    # find_available: sets available to the versions that there are, newest first, and release_source
    find_available() {
        wanted=latest
        make_work_folder
        start_registry_lookup
        choose_build
        ! try_sources list_versions_at || return 0
        die_of_network_problem 'the list of versions'
        die no-such-version 'no release of Wasp is to be found.' 'See with --verbose where it was looked for.'
    }

    # list_versions_at SOURCE: sets available, or fails with a problem
    list_versions_at() {
        "read_versions_of_$1" || return 1
        available=$(
            for _version in $available; do
                ! is_version "$_version" || printf '%s\n' "$_version"
            done | newest_first
        )
        set_problem not-found 'it has no version of Wasp'
        [ -n "$available" ] || return 1
        release_source=$1
    }

    # https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md#getpackage
    read_versions_of_npm() {
        check_registry && fetch_json "$registry/$NPM_PACKAGE" || return 1
        available=$(printf '%s\n' "$values" | sed -n "s/^versions\..*\.version$tab//p")
    }

    # https://docs.github.com/rest/releases/releases#list-releases. What it tells of a hundred releases is too long for
    # json_values; inside a string, such as the notes of a release, quotes are escaped.
    read_versions_of_github() {
        name_github
        fetch "$github_api/repos/wasp-lang/wasp/releases?per_page=100" "$work/answer" || return 1
        if is_web_page "$work/answer"; then
            set_problem captive-portal "$host answered with a web page, as the login page of a network does"
            return 1
        fi
        available=$(tr ',' '\n' <"$work/answer" | tr '{' '\n' | sed -n 's/^[[:space:]]*"tag_name"[[:space:]]*:[[:space:]]*"v\([^"]*\)".*/\1/p')
    }

    # --- archive -----------------------------------------------------------------------------------------

    # take_release: what follows a found release; leaves $staging/new, unless there is nothing to do.
    # Fails with a problem while another source could do better; dies of an archive that is not what it
    # should be.
    take_release() {
        [ "$dry_run" = no ] || return 0
        ! is_to_be_kept "$version" || return 0
        announce_install
        _platform=$(platform_words)
        say "Wasp $version for $_platform, from $(source_name "$release_source")"
        require_checksum_or_say
        download_archive || return 1
        archive=$staging/archive
        if ! unpack_archive; then
            set_problem captive-portal "$host answered with a web page, as the login page of a network does"
            return 1
        fi
        check_binary
    }

    platform_words() {
        case $os in
            linux) printf 'Linux %s%s' "$arch" "${libc:+ ($libc)}" ;;
            macos) printf 'macOS %s' "$arch" ;;
        esac
    }

    require_checksum_or_say() {
        [ -z "$wanted_sha256$release_digest" ] || {
            need_hash_tool
            return
        }
        [ "$require_checksum" = no ] || die no-checksum "no checksum is known for $release_url." \
            'Give the one that you trust with --sha256 HEX, or leave out --require-checksum.'
        warn 'No checksum is known for this archive; it is installed unchecked.'
    }

    need_hash_tool() {
        have_hash_tool || {
            die no-hash-tool "the archive cannot be checked: there is no sha256sum, shasum or openssl on PATH." \
                "$(how_to_install openssl)"
        }
    }

    have_hash_tool() {
        have sha512sum && have sha256sum || have shasum || have openssl
    }

    download_archive() {
        content_length=''
        start_progress
        fetch "$release_url" "$staging/archive" || {
            stop_progress
            return 1
        }
        stop_progress
    }

    start_progress() {
        progress=''
        [ "$on_terminal" = yes ] && [ "$quiet" = no ] && is_wide_enough || return 0
        : >"$work/downloading"
        draw_progress "$staging/archive" &
        progress=$!
    }

    # is_wide_enough: a bar that wraps would scroll
    is_wide_enough() {
        _size=$(stty size <&2 2>/dev/null) || return 0
        [ "${_size#* }" = 0 ] || [ "${_size#* }" -gt 60 ]
    }

    stop_progress() {
        [ -n "$progress" ] || return 0
        rm -f "$work/downloading"
        kill "$progress" 2>/dev/null
        wait "$progress" 2>/dev/null
        progress=''
        printf '\r%61s\r' '' >&2
    }

    # draw_progress FILE: a bar of how much of the FILE is there, until the download has ended
    draw_progress() {
        trap 'exit 0' TERM
        trap - EXIT INT
        while [ -e "$work/downloading" ]; do
            sleep 0.1 2>/dev/null || sleep 1
            [ -s "$1" ] || continue
            read_headers 2>/dev/null
            _done=$(wc -c <"$1") _total=${content_length:-0}
            case $_total in *[!0-9]*) _total=0 ;; esac
            if [ "$_total" -gt 0 ] && [ "$_done" -le "$_total" ]; then
                _filled=$((_done * 24 / _total))
                printf '\rDownloading [%-24s] %3d%% of %d.%d MB ' "$(printf "%.${_filled}s" "$PROGRESS_BAR")" \
                    $((_done * 100 / _total)) $((_total / 1000000)) $((_total / 100000 % 10)) >&2
            else
                printf '\rDownloading %d.%d MB ' $((_done / 1000000)) $((_done / 100000 % 10)) >&2
            fi
        done
    }

    # hash_with ALGORITHM: the hash of stdin; ALGORITHM is 256 or 512
    hash_with() {
        if have "sha${1}sum"; then
            "sha${1}sum"
        elif have shasum; then
            shasum -a "$1"
        else
            openssl dgst -r "-sha$1"
        fi
    }

    # unpack_archive: checks the archive as a whole, then each entry, and only then unpacks; fails when it
    # is a web page
    unpack_archive() {
        need tar
        need gzip
        # What another source sent before must not be taken for this one's.
        change "write to $(pretty "$staging")" \
            rm -rf "$staging/unpacked" "$staging/new" "$staging/tar" "$staging/sha256" "$staging/sha512"
        change "write to $(pretty "$staging")" mkdir "$staging/unpacked" "$staging/new"
        # Decompressing writes one file of limited size, whose content is looked at only when the checksum
        # is right; so both may be done at once.
        hash_archive &
        hashing=$!
        run_waiting "$staging/tar" "$staging/errors" decompress_archive
        _status=$?
        wait "$hashing"
        _hashed=$?
        hashing=''
        [ "$_status" = 0 ] || ! is_web_page "$archive" || return 1
        explain_hashing "$_hashed"
        verify_archive
        say_step 'Unpacking'
        explain_decompression "$_status"
        list_entries
        run_waiting /dev/null "$staging/errors" unpack_entries || explain_unpacking "$?"
        keep_wasp_only
    }

    hash_archive() {
        # The digest of a file is only for its receipt, unless one is wanted.
        have_hash_tool || return 0
        for _digest in "${release_digest%%:*}" "${wanted_sha256:+sha256}" "${archive_file:+sha256}"; do
            [ -n "$_digest" ] && ! [ -e "$staging/$_digest" ] || continue
            _errors=$( (hash_with "${_digest#sha}" <"$archive" >"$staging/$_digest") 2>&1) || {
                # Without a digest, the archive does not pass for the right one.
                printf '%s\n' "$_errors" >"$staging/hash-errors"
                is_of_the_system "$_errors" || return 1
                return 2
            }
        done
    }

    explain_hashing() {
        [ "$1" != 0 ] || return 0
        die_if_full "cannot write to $(pretty "$staging")" "$staging/probe"
        _errors=$(cat "$staging/hash-errors" 2>/dev/null)
        [ "$1" != 2 ] || die_file_system 'cannot check the archive' "$_errors"
        die no-hash-tool "the archive cannot be checked: the program for that failed${_errors:+ ($_errors)}." \
            'Nothing was installed. Run this again.'
    }

    # verify_archive: dies unless the archive has every checksum that is known of it
    verify_archive() {
        [ -z "$release_digest" ] || verify_digest "${release_digest%%:*}" "${release_digest#*:}"
        [ -z "$wanted_sha256" ] || verify_digest sha256 "$wanted_sha256"
        if [ -z "$release_digest" ] && [ -s "$staging/sha256" ]; then
            read_digest sha256
            release_digest="sha256:$digest"
        fi
    }

    verify_digest() {
        read_digest "$1"
        [ "$digest" = "$2" ] || die checksum-mismatch \
            "the archive is not the one that was published: its $1 is${newline}${digest:-unknown}, and should be${newline}$2." \
            'Nothing was installed. Run this again; if it stays so, something between here and the source changes it.'
        say_step "Checked: $1 $digest"
    }

    read_digest() {
        digest=''
        read -r digest _ <"$staging/$1" || :
    }

    # decompress_archive, unpack_entries: for run_waiting, that is in a process of their own
    decompress_archive() {
        # Files end at the limit (SIGXFSZ), whatever the archive claims.
        ulimit -f "$((UNPACKED_LIMIT / 512))" 2>/dev/null
        exec gzip -dc <"$archive"
    }

    explain_decompression() {
        # The limit of ulimit is in blocks, which are larger in some shells; those of find are not.
        [ "$1" = 0 ] || die_if_full "cannot unpack into $(pretty "$staging")" "$staging/probe"
        _errors=$(cat "$staging/errors" 2>&1)
        [ -e "$staging/tar" ] && ! is_of_the_system "$_errors" \
            || die_file_system "cannot unpack into $(pretty "$staging")" "$_errors"
        [ -z "$(find "$staging/tar" -size "+$((UNPACKED_LIMIT / 512))")" ] || die_too_large
        [ "$1" != 0 ] || return 0
        # Where the limit on files ended it, what was written is as long as the limit.
        [ -n "$(find "$staging/tar" -size "-$((UNPACKED_LIMIT / 512))")" ] || die_too_large
        die corrupt-archive 'the archive is damaged or cut short.' \
            'Nothing was installed. Get it again, whole.'
    }

    die_too_large() {
        die unsafe-archive 'the archive unpacks to more than 1 GB, which no release of Wasp does.' \
            'Nothing was installed.'
    }

    # list_entries: dies of an archive with anything but files, folders and links that stay inside; sets
    # root, the folder that wasp-bin and data are in
    list_entries() {
        # tar would unpack a compressed archive inside this one, past the limit.
        [ "$(dd if="$staging/tar" bs=1 skip=257 count=5 2>/dev/null)" = ustar ] || die_damaged
        # It ends in zeros, which are missed by no tar.
        [ "$(tail -c 512 "$staging/tar" | tr -d '\000' | wc -c)" -eq 0 ] || die_damaged
        list_names || explain_listing
        _complaints=$_errors
        _errors=$( (tar_in "$staging" -tvf tar >"$staging/modes") 2>&1) || explain_listing
        case $_complaints in
            # BSD tar passes over a damaged header, and ends well.
            *'Damaged tar'*) die_damaged ;;
            # What tar says of an absolute path or of "..", which some print without it.
            *'emoving leading'*) die_unsafe 'an entry that leads outside' ;;
        esac
        _verdict=$(awk -v limit="$ENTRY_LIMIT" -v longest_path="$LONGEST_PATH" -v longest="$LONGEST_NAME" '
        function unsafe(what) { print "unsafe " what; done = 1; exit }
        # tar prints a byte of a name that is no ASCII as \nnn, and any other unusual one with a
        # backslash too.
        function plain(name) { gsub(/\\[23][0-7][0-7]/, "", name); return name !~ /[[:cntrl:]\\]/ }
        FILENAME != first && first != "" { checking = 1 }
        first == "" { first = FILENAME }
        !checking { name[++count] = $0; next }
        {
            n = name[++line]; mode = $0
            if (mode !~ /^[-dl][-r][-w][-x][-r][-w][-x][-r][-w][-x]/) unsafe("an entry that is no plain file, folder or link")
            type = substr(mode, 1, 1)
            if (line > limit) unsafe("more than " limit " entries")
            if (!plain(n)) unsafe("a name with unusual characters")
            if (length(n) > longest_path || has_long_name(n)) unsafe("a name that is far too long")
            if (n == "") { print "corrupt"; done = 1; exit }
            if (type != "l" && mode ~ / (->|link to) /) unsafe("a hard link")
            if (n ~ /^\//) unsafe("an entry that leads outside")
            while (sub(/^\.\//, "", n)) {}
            sub(/\/+$/, "", n)
            if (n == "" || n == ".") next
            if (("/" n "/") ~ /\/\.?\.?\//) unsafe("an entry that leads outside")
            if (n in kind && !(kind[n] == "d" && type == "d")) unsafe("two entries of one name")
            kind[n] = type
            if (type == "l") {
                target[n] = (mode ~ / -> /) ? mode : ""
                if (mode ~ / -> .* -> /) unsafe("a link whose name cannot be told from its target")
                sub(/^.* -> /, "", target[n])
                if (!plain(target[n])) unsafe("a link with unusual characters")
            }
        }
        END {
            if (done) exit
            if (line != count) unsafe("a name that is more than one line")
            if (is_file("package/wasp-bin")) root = "package/"
            else if (!is_file("wasp-bin")) { print "corrupt"; exit }
            for (n in kind) {
                parent = n
                check_spelling(n)
                while (sub(/\/[^\/]*$/, "", parent)) {
                    if ((parent in kind) && kind[parent] != "d") unsafe("an entry below one that is no folder")
                    check_spelling(parent)
                }
                if (kind[n] == "l" && leads_outside(n, target[n])) unsafe("a link that leads outside")
            }
            print "root " root
        }
        function has_long_name(n,    parts, i) {
            if (length(n) <= longest) return 0
            for (i = split(n, parts, "/"); i > 0; i--) if (length(parts[i]) > longest) return 1
            return 0
        }
        function is_file(n) { return (n in kind) && kind[n] == "-" }
        # Some file systems do not tell "a" from "A", as on macOS.
        function check_spelling(n,    folded) {
            folded = tolower(n)
            if (!(folded in spelled)) spelled[folded] = n
            if (spelled[folded] != n) unsafe("two names that differ only in upper and lower case")
        }
        function leads_outside(n, to,    depth) {
            if (index(n, root) == 1) n = substr(n, length(root) + 1)
            depth = gsub(/\//, "/", n)
            if (to == "" || to ~ /^\//) return 1
            while (sub(/^\.\.(\/|$)/, "", to)) if (--depth < 0) return 1
            return ("/" to "/") ~ /\/\.\.\//
        }' "$staging/names" "$staging/modes")
        case $_verdict in
            'root '*) root=${_verdict#root } ;;
            unsafe*) die_unsafe "${_verdict#unsafe }" ;;
            *) die corrupt-archive 'the archive holds no wasp-bin: it is no release of Wasp.' 'Nothing was installed.' ;;
        esac
    }

    explain_listing() {
        die_if_full "cannot write to $(pretty "$staging")" "$staging/probe"
        ! is_of_the_system "$_errors" || die_file_system "cannot write to $(pretty "$staging")" "$_errors"
        # The limit on files ended it.
        [ -z "$(find "$staging/names" "$staging/modes" -size "+$((LISTING_LIMIT / 512 - 1))" 2>/dev/null)" ] \
            || die_unsafe "more than $ENTRY_LIMIT entries"
        die_damaged
    }

    die_damaged() {
        die corrupt-archive 'the archive is damaged or no tar archive.' 'Nothing was installed. Get it again, whole.'
    }

    die_unsafe() {
        die unsafe-archive "the archive holds $1." \
            'No release of Wasp does. Nothing was installed; please report where it came from.'
    }

    # list_names: sets _errors to tar's complaints, and tar_locale to one in which tar can read names in UTF-8: bsdtar fails without.
    # macOS may lack the first, others the second.
    list_names() {
        for _locale in C.UTF-8 en_US.UTF-8; do
            # In yash, the variable of a loop is local to its function.
            tar_locale=$_locale
            _errors=$( (tar_in "$staging" -tf tar >"$staging/names") 2>&1) && return 0
        done
        return 1
    }

    # tar_in FOLDER ARGUMENTS...: tar takes a backslash in a path for an escape, so it is given none
    tar_in() {
        (
            cd "$1" || exit 1
            shift
            # Some archives make the tar of busybox go on without end.
            ulimit -f "$((LISTING_LIMIT / 512))" 2>/dev/null
            LC_ALL=$tar_locale
            exec tar "$@"
        )
    }

    unpack_entries() {
        ulimit -f "$((UNPACKED_LIMIT / 512))" 2>/dev/null
        cd "$staging/unpacked" || exit 1
        LC_ALL=$tar_locale
        exec tar -xomf ../tar
    }

    explain_unpacking() {
        die_if_full "cannot unpack into $(pretty "$staging")" "$staging/probe"
        case $1 in
            # The limit on files ended it (SIGXFSZ, as each shell tells of it).
            153 | 281 | 409) die_too_large ;;
        esac
        _errors=$(cat "$staging/errors" 2>&1)
        # A tar that finds the archive damaged says so.
        [ -n "$_errors" ] && ! is_of_the_system "$_errors" \
            || die_file_system "cannot unpack into $(pretty "$staging")" "$_errors"
        die_damaged
    }

    # keep_wasp_only: moves wasp-bin and data to $staging/new, readable by all and writable by the owner
    keep_wasp_only() {
        _from=$staging/unpacked/$root
        [ -d "$_from/data" ] && ! [ -L "$_from/data" ] || die corrupt-archive 'the archive holds no data folder: it is no release of Wasp.' 'Nothing was installed.'
        _unpacking="unpack into $(pretty "$staging")"
        change "$_unpacking" chmod -R u=rwX,go=rX "$_from/data"
        change "$_unpacking" chmod 755 "$_from/wasp-bin"
        [ -n "$release_node" ] || read_package_json "$_from/package.json"
        change "$_unpacking" mv "$_from/wasp-bin" "$_from/data" "$staging/new/"
    }

    # read_package_json FILE: an npm archive says itself which Node.js it wants
    read_package_json() {
        [ -f "$1" ] || return 0
        values=$(json_values "$1") || return 0
        pick engines.node
        release_node=$picked
    }

    # check_binary: dies unless the unpacked binary runs here and is the version that was asked for
    check_binary() {
        say_step 'Running wasp-bin version'
        _said=$(run_unpacked_binary 2>/dev/null) || {
            # Once more, to see what it has to say: a full disk could not hold that.
            _said=$(run_unpacked_binary 2>&1)
            explain_binary "$?" "$_said"
        }
        _reported=$(printf '%s\n' "$_said" | sed -n 's/^[^0-9]*\([0-9][0-9]*\(\.[0-9][0-9]*\)\{2,3\}\(-rc[0-9]*\)\{0,1\}\).*/\1/p' | head -n 1)
        is_version "$_reported" || die binary-does-not-run 'the binary in the archive does not say which version it is.' \
            'Nothing was installed.'
        [ -n "$version" ] || version=$_reported
        # A release candidate may call itself by the version that it is a candidate for.
        [ "${_reported%-rc*}" = "${version%-rc*}" ] || die wrong-version \
            "the archive holds Wasp $_reported, not $version." 'Nothing was installed.'
    }

    run_unpacked_binary() {
        if [ -n "$user_locale" ]; then LC_ALL=$user_locale; else unset LC_ALL; fi
        WASP_TELEMETRY_DISABLE=1 WASP_AUTO_NEWS_DISABLE=1 waspc_datadir="$staging/new/data" \
            "$staging/new/wasp-bin" version </dev/null
    }

    # explain_binary STATUS OUTPUT: why the binary does not run
    explain_binary() {
        _first=${2%%"$newline"*}
        case $2 in
            *'error while loading shared libraries: '*)
                _library=${2#*'shared libraries: '}
                _library=${_library%%:*}
                _hint=$(how_to_install "$(library_package "$_library")")
                ;;
            *GLIBC_*) _hint="Wasp needs glibc $OLDEST_GLIBC or newer: use a newer release of your distribution." ;;
            *'Bad CPU type'*) _hint='Install Rosetta: softwareupdate --install-rosetta' ;;
            *'ermission denied'*)
                die permission-denied "programs may not run from $(pretty "$prefix") (is it mounted noexec?)." \
                    'Choose another place with --prefix DIR.'
                ;;
            *'not found'* | *'No such file'*) _hint="This system lacks the program loader that the binary asks for (${libc:-$os}); see --source github." ;;
            *) _hint='Please report it: https://github.com/wasp-lang/wasp/issues' ;;
        esac
        die binary-does-not-run "Wasp${version:+ $version} was unpacked but does not run here (exit code $1): ${_first##*wasp-bin: }" \
            "Nothing was installed. $_hint"
    }

    # library_package LIBRARY: the package that brings it, by the name most distributions give
    library_package() {
        case $1,$distro_id,$distro_family in
            libgmp.so.10,debian,* | libgmp.so.10,*,*debian*) printf libgmp10 ;;
            libgmp.*) printf gmp ;;
            libz.so.1,debian,* | libz.so.1,*,*debian*) printf zlib1g ;;
            libz.*) printf zlib ;;
            *) printf '%s' "$1" ;;
        esac
    }

    # --- on disk -----------------------------------------------------------------------------------------
    # Nothing is locked. A version is made in a staging folder beside its place and renamed to it; whoever
    # changes a version or the launcher looks afterwards whether they still fit together (settle_launcher).
    # A staging name says which process of which machine it belongs to, so that the next run can tell
    # what a killed one left.

    # make_work_folder: where answers from the network are kept; beside the target when something will be
    # installed, since there the archive is unpacked too
    make_work_folder() {
        if changes_nothing; then
            name_staging_owner
            for _left in "${TMPDIR:-/tmp}"/wasp-staging-*; do
                ! [ -d "$_left" ] || ! is_abandoned "$_left" || rm -rf "$_left" 2>/dev/null
            done
            work=$(mktemp -d "${TMPDIR:-/tmp}/wasp-staging-$_owner-XXXXXX" 2>&1) \
                || die_file_system "cannot make a temporary folder" "$work"
            return
        fi
        make_staging
        work=$staging
    }

    changes_nothing() {
        [ "$dry_run" = yes ] || [ "$command" = list ]
    }

    # name_staging_owner: sets _host and _owner, for names of what this run stages
    name_staging_owner() {
        _host=$(uname -n)
        # Containers may share a folder and a name, but have process ids of their own.
        ! [ -L /proc/self/ns/pid ] || _host=${_host}_$(readlink /proc/self/ns/pid 2>/dev/null)
        _host=$(printf '%s\n' "$_host" | tr -c 'A-Za-z0-9\n' _)
        _owner=$_host-$$
    }

    # refuse_foreign_folders: root installs nothing where another user can exchange what root will then run; what is
    # staged for a package is not run there
    refuse_foreign_folders() {
        [ -z "$destdir" ] && [ "$(id -u)" = 0 ] && find_foreign_folder || return 0
        if is_on_ci; then
            say "Installing as root below $foreign, which $foreign_reason (allowed on CI)"
            return
        fi
        case $foreign_reason in
            belongs*)
                _again='Run this again without sudo'
                read_owner "$share_dir"
                # Root has installed there before.
                [ "$owner" != 0 ] || _again="$_again, after: sudo chown -R $whose $(quoted "$prefix")"
                _again="$_again${newline}Or choose a place of root's own, for example: --prefix /usr/local"
                ;;
            *) _again="Close it: chmod o-w $(quoted "$foreign")${newline}Or choose another place with --prefix DIR." ;;
        esac
        die permission-denied "$foreign $foreign_reason, who could exchange what root installs below it." "$_again"
    }

    # find_foreign_folder: sets foreign to the first folder on the way to where things are put in which another user
    # has a hand, foreign_reason to the rest of a sentence about it, and whose; fails if there is none
    find_foreign_folder() {
        set --
        for _place in "$share_dir" "$bin_dir"; do
            until [ -d "$_place/" ]; do _place=${_place%/*}; done
            _real=$(cd -P "$_place/" 2>/dev/null && pwd -P && printf .)
            _real=${_real%"$newline".}
            # By the names in the path, then past links.
            for _way in "$_place/" "${_real%/}/"; do
                _done=''
                while [ -n "$_way" ]; do
                    _done=$_done${_way%%/*}/ _way=${_way#*/}
                    set -- ${1+"$@"} "$_done."
                done
            done
        done
        # All at once, as mostly there is none.
        [ -n "$(hands_in "$@")" ] || return 1
        for _done; do
            case $(hands_in "$_done") in
                all*) foreign_reason='may be written to by all users' ;;
                ?*)
                    # shellcheck disable=SC2012 # of the names that ls may spell oddly none is looked at
                    whose=$(ls -ld "$_done" | awk 'NR == 1 { print $3 }')
                    foreign_reason="belongs to $whose"
                    ;;
                *) continue ;;
            esac
            foreign=${_done%/.}
            foreign=${foreign:-/}
            return 0
        done
        return 1
    }

    # hands_in FOLDER...: the number of another user who owns one of them, or "all" where all may write. The number
    # of nobody does not count: whom a container does not know, it does not let in.
    hands_in() {
        # shellcheck disable=SC2012 # a name with a line break in it may only make more be looked at
        ls -ldn "$@" 2>/dev/null | awk '
        $1 !~ /^d/ { next }
        $3 != 0 && $3 != 65534 { print $3; next }
        $1 ~ /^d.......w[^tT]/ { print "all" }'
    }

    make_staging() {
        topmost_missing "$share_dir"
        made_share=$missing
        topmost_missing "$bin_dir"
        made_bin=$missing
        sweep
        make_inside "$share_dir" .staging -d && staging=$_made
        reserve_launcher || :
    }

    # make_inside FOLDER NAME [-d]: sets _made to a new file, or a folder, of this run. FOLDER is made too, and
    # made again when another run has removed it, having found it empty. Fails on a full disk for a command
    # that makes room.
    make_inside() {
        _try=0
        while :; do
            _action='make the folder'
            if _made=$(mkdir -p "$1" 2>&1); then
                _action='write to'
                ! _made=$(mktemp ${3:+"$3"} "$1/$2-$_owner-XXXXXX" 2>&1) || return 0
            fi
            _try=$((_try + 1))
            [ "$_try" = 10 ] || continue
            ! makes_room || ! is_about_room "$_made" || return 1
            die_file_system "cannot $_action $(pretty "$1")" "$_made"
        done
    }

    makes_room() {
        [ "$command" = uninstall ] || [ "$command" = migrate-to-npm ]
    }

    is_about_room() {
        case $1 in *'o space left'* | *'uota exceeded'*) ;; *) return 1 ;; esac
    }

    # reserve_launcher: the file that becomes the launcher; made early, since a folder that cannot be
    # written to is better known before the download
    reserve_launcher() {
        make_inside "$bin_dir" .wasp-staging && new_launcher=$_made
    }

    # topmost_missing PATH: sets missing to the highest folder of PATH that is not there, or to nothing
    topmost_missing() {
        missing='' _folder=$1
        while [ -n "$_folder" ] && ! [ -e "$_folder" ]; do
            missing=$_folder
            _folder=${_folder%/*}
        done
    }

    # remove_made FOLDER TOPMOST: removes the empty folders from FOLDER up to TOPMOST
    remove_made() {
        [ -n "$2" ] || return 0
        _folder=$1
        # A run that was ended early has not made all of them.
        while { rmdir "$_folder" 2>/dev/null || ! [ -e "$_folder" ]; } && [ "$_folder" != "$2" ]; do
            _folder=${_folder%/*}
        done
    }

    # sweep: removes what killed runs left, and puts back a version that one of them had moved aside
    sweep() {
        name_staging_owner
        for _left in "$share_dir"/.staging-* "$bin_dir"/.wasp-staging-*; do
            [ -e "$_left" ] && is_abandoned "$_left" || continue
            say_step "Cleaning up after an earlier run: $_left"
            discard "$_left"
        done
    }

    # is_abandoned STAGING: its process has ended; one of another machine (a shared home) has after a day. In
    # a container, a run may have the number of the one before it, and looks before it stages anything.
    is_abandoned() {
        _name=${1##*staging-}
        _name=${_name%-*}
        if [ "${_name%-*}" != "$_host" ]; then
            [ -n "$(find "$1" -prune -mtime +0 2>/dev/null)" ]
            return
        fi
        _pid=${_name##*-}
        [ "$_pid" = $$ ] || { ! kill -0 "$_pid" 2>/dev/null && ! [ -d "/proc/$_pid" ]; }
    }

    # discard STAGED [COMMITTED]: removes what was staged, but for a version that was moved aside and has no
    # other now; once the run has put another there, it is another run that has removed that
    discard() {
        for _aside in "$1"/replaced/*; do
            [ "${2-no}" = no ] && [ -d "$_aside" ] && ! [ -e "$share_dir/${_aside##*/}" ] || continue
            rename_folder "$_aside" "$share_dir/${_aside##*/}"
        done
        # One that is no longer whole must not be put back.
        [ ! -d "$1/replaced" ] || rename_folder "$1/replaced" "$1/discarded"
        # What cannot be removed now is left to the next run.
        remove_tree "$1" 2>/dev/null
    }

    remove_tree() {
        rm -rf "$1" 2>/dev/null || {
            # A folder without write permission, from an archive that has one.
            chmod -R u+rwx "$1" 2>/dev/null
            rm -rf "$1"
        }
    }

    # rename_folder FROM TO: fails when TO is a folder with something in it. Without -T (BSD), mv moves
    # FROM into such a folder, which is then undone.
    rename_folder() {
        _errors=$(mv -T "$1" "$2" 2>&1) && return 0
        case $_errors in *' option'*) ;; *) return 1 ;; esac
        _errors=$(mv "$1" "$2" 2>&1) || return 1
        [ -e "$2/${1##*/}" ] || return 0
        rm -rf "${2:?}/${1##*/}"
        return 1
    }

    # leave: at every end of the script; in mksh, the exit code would else be that of the cleaning up
    leave() {
        _code=$?
        ignore_signals
        trap - EXIT
        clean_up
        exit "${exit_code:-$_code}"
    }

    # ignore_signals: from here on they do not end the run, nor what it starts: half of what is to come would
    # be neither what was there before nor what was asked for
    ignore_signals() {
        trap '' INT TERM HUP
    }

    # stop_children: what still runs in the background would write into what is removed
    stop_children() {
        for _running in $child $watcher $hashing $progress $node_check $npm_lookup $python_lookup; do kill "$_running" 2>/dev/null; done
        # shellcheck disable=SC2086 # there may be none of them
        [ -z "$child$hashing$progress" ] || wait $child $hashing $progress 2>/dev/null
    }

    clean_up() {
        stop_children
        [ -z "$progress" ] || printf '\r%61s\r' '' >&2
        [ "$committed" = yes ] || take_back
        # By their names, since a signal may have come before this script knew of what was made.
        [ -z "$_owner" ] || for _made in "$share_dir/.staging-$_owner-"* "$bin_dir/.wasp-staging-$_owner-"*; do
            ! [ -e "$_made" ] || discard "$_made" "$committed"
        done
        [ -z "$_owner" ] || ! changes_nothing || for _made in "${TMPDIR:-/tmp}/wasp-staging-$_owner-"*; do
            remove_tree "$_made"
        done
        [ -z "$old_startup" ] || rm -f "$old_startup"
        [ -z "$new_startup" ] || rm -f "$new_startup"
        if [ "$committed" = no ]; then
            remove_made "$bin_dir" "$made_bin"
            remove_made "$share_dir" "$made_share"
        fi
    }

    # take_back: what a run put in its place that then failed, unless another run has made it the current one
    take_back() {
        [ "$changing" = yes ] || return 0
        changing=no
        inspect_launcher
        [ -z "$placed" ] || [ "$current" = "$placed" ] || rename_folder "$share_dir/$placed" "$staging/failed"
        list_versions_and_leftovers
        [ -n "$found" ] || remove_shared_files || :
    }

    interrupted() {
        ignore_signals
        interrupted_code=$1
        # First, since zsh leaves only when what it waits for has ended.
        stop_children
        [ -z "$sending" ] || kill "$sending" 2>/dev/null
        # The bar, or a question, stays as it is, and what is said goes below it.
        [ -z "$progress$asking" ] || printf '\n' >&2
        progress=''
        # Also where the signal came while the script was leaving, which it does only once.
        clean_up
        die interrupted 'interrupted.' 'What was installed before is as it was. Run this again to go on.'
    }

    is_installed() {
        [ -x "$share_dir/$1/wasp-bin" ] && [ -f "$share_dir/$1/.receipt.json" ] \
            && IFS= read -r _receipt_line <"$share_dir/$1/.receipt.json" || return 1
        # A disk that was full or lost power may have kept a part of it.
        case $_receipt_line in
            "{\"version\": \"$1\", "*'}') ;;
            *) return 1 ;;
        esac
    }

    # is_to_be_kept VERSION: it is installed, and there is no --force to install it again
    is_to_be_kept() {
        [ "$force" = no ] && is_installed "$1"
    }

    # list_installed [LEAVING]: sets installed to the installed versions, newest first, one a line, but for
    # one that is leaving
    list_installed() {
        installed=$(
            for _receipt in "$share_dir"/*/.receipt.json; do
                [ -e "$_receipt" ] || continue
                _version=${_receipt%/.receipt.json}
                _version=${_version##*/}
                [ "$_version" != "${1-}" ] || continue
                ! is_version "$_version" || ! is_installed "$_version" || printf '%s\n' "$_version"
            done | newest_first
        )
    }

    # write_receipt: last of all files, since a folder without one is not an install
    write_receipt() {
        write_file "$staging/new/.receipt.json" receipt_text
    }

    receipt_text() {
        printf '{"version": "%s", "source": "%s", "url": %s, "digest": %s, "node": %s, "platform": {"os": "%s", "arch": "%s", "libc": %s}}\n' \
            "$version" "$release_source" "$(json_or_null "$release_url")" "$(json_or_null "$release_digest")" \
            "$(json_or_null "$release_node")" "$os" "$arch" "$(json_or_null "$libc")"
    }

    # read_receipt VERSION: sets what is known of an installed version
    read_receipt() {
        version=$1
        values=$(json_values "$share_dir/$1/.receipt.json") || values=''
        pick source && release_source=$picked
        pick url && release_url=$picked
        pick digest && release_digest=$picked
        pick node && release_node=$picked
    }

    # place_version: renames the staged version to its place
    place_version() {
        _place=$share_dir/$version _try=0
        while [ "$_try" -lt 10 ]; do
            _try=$((_try + 1))
            if [ -e "$_place" ] || [ -L "$_place" ]; then
                # Another run may have installed the same meanwhile.
                ! is_to_be_kept "$version" || return 0
                change "write to $(pretty "$staging")" mkdir -p "$staging/replaced"
                remove_tree "$staging/replaced/$version"
                rename_folder "$_place" "$staging/replaced/$version" || continue
            fi
            rename_folder "$staging/new" "$_place" || continue
            placed=$version
            return 0
        done
        die_file_system "cannot put Wasp $version into $(pretty "$_place")" "$_errors"
    }

    # quoted TEXT: as one word of sh
    quoted() {
        printf "'"
        _text=$1
        while :; do
            case $_text in
                *\'*) printf "%s'\\\\''" "${_text%%\'*}" ;;
                *) break ;;
            esac
            _text=${_text#*\'}
        done
        printf "%s'" "$_text"
    }

    # launcher_text VERSION: the same as wasp_installer/launcher.sh, with its three values
    launcher_text() {
        printf '#!/bin/sh\n' \
            && printf '# Starts Wasp. The Wasp installer writes this file anew whenever the current version changes.\n' \
            && printf 'wasp_version=%s\n' "$1" \
            && printf 'wasp_root=%s\n' "$(quoted "$wasp_root")" \
            && printf 'wasp_python=%s\n' "$(quoted "$python")" \
            && cat <<'LAUNCHER'
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
LAUNCHER
    }

    # inspect_launcher: sets launcher to none, ours, foreign or folder, and current to its version
    inspect_launcher() {
        launcher=none current=''
        if [ -L "$bin_dir/wasp" ]; then
            launcher=foreign
        elif [ -d "$bin_dir/wasp" ]; then
            launcher=folder
        elif [ -e "$bin_dir/wasp" ]; then
            launcher=foreign
            read_launcher 2>/dev/null
        fi
    }

    # read_launcher: a script that sets waspc_datadir is a launcher of this installer or of an older one
    read_launcher() {
        IFS= read -r _line <"$bin_dir/wasp" || return 0
        case $_line in '#!'*) ;; *) return 0 ;; esac
        _version='' _lines=0
        while [ "$_lines" -lt 50 ] && IFS= read -r _line; do
            _lines=$((_lines + 1))
            case $_line in
                wasp_version=*) _version=${_line#*=} ;;
                *waspc_datadir=*)
                    launcher=ours
                    # The older installer wrote the version into its paths only.
                    case $_line in
                        */share/wasp-lang/*/wasp-bin*)
                            _version=${_line#*/share/wasp-lang/}
                            _version=${_version%%/*}
                            ;;
                    esac
                    ;;
            esac
        done <"$bin_dir/wasp"
        [ "$launcher" = foreign ] || ! is_version "$_version" || current=$_version
    }

    # write_launcher VERSION: a temporary file, then rename, so that it is never half there and never
    # written through a link
    write_launcher() {
        stage_launcher "$1"
        place_launcher
    }

    stage_launcher() {
        [ -n "$new_launcher" ] || reserve_launcher \
            || die_file_system "cannot write to $(pretty "$bin_dir")" "$_made"
        know_python
        write_file "$new_launcher" launcher_text "$1"
        change "write to $(pretty "$bin_dir")" chmod 755 "$new_launcher"
    }

    place_launcher() {
        # A link to a folder would send mv into that folder.
        [ ! -L "$bin_dir/wasp" ] || rm -f "$bin_dir/wasp"
        change "write the launcher $(pretty "$bin_dir/wasp")" mv -f "$new_launcher" "$bin_dir/wasp"
        new_launcher=''
    }

    # settle_launcher [LEAVING]: looks, after a change, whether the launcher and its version are there; if another
    # run removed one of them meanwhile, or it is the one that is leaving, goes to the newest that is left, or
    # removes the launcher. Both that run and this one look after they act, so the last of them sees the whole.
    settle_launcher() {
        _try=0
        while [ "$_try" -lt 10 ]; do
            _try=$((_try + 1))
            inspect_launcher
            case $launcher,$current in
                none,) ;;
                ours,?*) [ "$current" = "${1-}" ] || ! [ -x "$share_dir/$current/wasp-bin" ] || return 0 ;;
                *) return 0 ;;
            esac
            list_installed "${1-}"
            if [ -n "$installed" ]; then
                _newest=${installed%%"$newline"*}
                write_launcher "$_newest"
            elif [ "$launcher" = none ]; then
                return 0
            else
                rm -f "$bin_dir/wasp"
            fi
        done
    }

    # --- shared files ------------------------------------------------------------------------------------
    # What belongs to no single version, and is there as long as one is: the ping module, which the launcher
    # runs beside Wasp, and the scripts for tab completion.

    # stage_shared_files: where they may still be taken back
    stage_shared_files() {
        stage_ping_module
        stage_completions
    }

    # place_shared_files: where the launcher, the lines in start-up files and packages' links expect them
    place_shared_files() {
        place_shared_file telemetry_ping.py "$share_dir"
        for _script in $COMPLETION_SCRIPTS; do place_shared_file "$_script" "$share_dir/completions"; done
    }

    # place_shared_file NAME FOLDER: another run that removes the last version may remove the folder meanwhile
    place_shared_file() {
        [ -e "$staging/$1" ] || return 0
        _try=0
        until _errors=$( (mkdir -p "$2" && mv -f "$staging/$1" "$2/$1") 2>&1); do
            _try=$((_try + 1))
            [ "$_try" -lt 10 ] || die_file_system "cannot write to $(pretty "$2")" "$_errors"
        done
    }

    # remove_shared_files: with what Python has compiled of them; fails when something stays
    remove_shared_files() {
        _errors=$(rm -rf "$share_dir/telemetry_ping.py" "$share_dir/__pycache__" "$share_dir/completions" 2>&1)
    }

    # settle_shared_files: looks, after a change, whether they are there as long as a version is, and no longer, as
    # another run may have removed, or installed, the last version meanwhile. Both that run and this one look
    # after they act, so the last of them sees the whole.
    settle_shared_files() {
        _rounds=10
        until shared_files_are_right; do
            _rounds=$((_rounds - 1))
            if [ -n "$installed" ]; then
                [ "$_rounds" -gt 0 ] || die_file_system "cannot write to $(pretty "$share_dir")" 'other runs keep changing it'
                [ -n "$staging" ] || make_staging
                stage_shared_files
                place_shared_files
            else
                remove_shared_files || [ "$_rounds" -gt 0 ] \
                    || die_file_system "cannot remove from $(pretty "$share_dir")" "$_errors"
            fi
        done
    }

    shared_files_are_right() {
        list_installed
        if [ -n "$installed" ]; then
            has_shared_files
            return
        fi
        list_versions_and_leftovers
        # A version of an older installer has none.
        [ -n "$found" ] || ! { [ -e "$share_dir/telemetry_ping.py" ] || [ -e "$share_dir/__pycache__" ] || [ -e "$share_dir/completions" ]; }
    }

    has_shared_files() {
        [ -f "$share_dir/telemetry_ping.py" ] || ! ping_module >/dev/null 2>&1 || return 1
        for _script in $COMPLETION_SCRIPTS; do [ -f "$share_dir/completions/$_script" ] || return 1; done
    }

    # ping_module: prints telemetry_ping.py, which lies beside this script; the released script has its text
    # here, so that it needs nothing beside it
    # begin ping_module
    ping_module() {
        case $0 in
            */install.sh) cat "${0%/*}/telemetry_ping.py" ;;
            install.sh) cat ./telemetry_ping.py ;;
            *) return 1 ;;
        esac
    }
    # end ping_module

    # stage_ping_module: where this script has none, Wasp's own telemetry stays in charge
    stage_ping_module() {
        ping_module >/dev/null 2>&1 || return 0
        write_file "$staging/telemetry_ping.py" ping_module
        change "write to $(pretty "$staging")" chmod 644 "$staging/telemetry_ping.py"
    }

    # start_python_lookup: beside the download, since some Pythons take long to start
    start_python_lookup() {
        [ "$dry_run" = no ] || return 0
        find_python >"$work/python" 2>/dev/null </dev/null &
        python_lookup=$!
    }

    # know_python: sets python to the one that the launcher runs telemetry_ping.py with, or to nothing
    know_python() {
        [ "$python_known" = no ] || return 0
        python_known=yes
        if [ -n "$destdir" ]; then
            # Nothing of this machine, since what is staged is for others.
            [ "$os" != linux ] || python=/usr/bin/python3
        elif [ -n "$python_lookup" ]; then
            wait "$python_lookup"
            python_lookup=''
            IFS= read -r python <"$work/python" || :
        else
            python=$(find_python 2>/dev/null </dev/null)
        fi
    }

    # find_python: prints where a Python 3.8 or newer is that has just run
    find_python() {
        for _name in python3 python; do
            _candidate=$(command -v "$_name") || continue
            case $_candidate in
                # On a Mac without the command line tools, Apple's opens a window that offers them.
                /usr/bin/*) [ "$(uname -s)" != Darwin ] || xcode-select -p >/dev/null 2>&1 || continue ;;
                /*) ;;
                *) continue ;;
            esac
            _found=$("$_candidate" -I -S -c "$PYTHON_PROBE") && [ -n "$_found" ] || continue
            printf '%s\n' "$_found"
            return
        done
    }

    # --- telemetry ---------------------------------------------------------------------------------------
    # The one event of an installer: a random number and the operating system. What an installed Wasp sends
    # is in telemetry_ping.py.

    # announce_install: sends the event, once in a run, after one line that says so
    announce_install() {
        [ "$dry_run" = no ] && [ -z "$destdir" ] && [ "$announced" = no ] || return 0
        announced=yes
        if [ "$wants_telemetry" = no ] || is_opted_out; then
            telemetry=disabled
            return
        fi
        _target=${WASP_TELEMETRY_URL:-$TELEMETRY_URL}
        check_url "$_target" && make_install_event || return 0
        case ${WASP_TELEMETRY_DEBUG-} in
            '' | 0) ;;
            *)
                printf '%s\n' "$event" >&2
                return
                ;;
        esac
        choose_event_sender || return 0
        say "Telemetry: a random id and \"$telemetry_os\" are sent (opt out: WASP_TELEMETRY_DISABLE=1)"
        send_event "$_target"
        telemetry=sent
    }

    # announce_new_install: the same, as soon as it is certain that something will be installed
    announce_new_install() {
        list_installed
        [ "$force" = no ] && [ -n "$installed" ] && { [ "$wanted" = latest ] || [ -n "$archive_file" ]; } \
            || announce_install
    }

    # is_opted_out: the rule of opt_out_reason in telemetry_ping.py
    is_opted_out() {
        [ -z "${WASP_TELEMETRY_DISABLE+set}" ] || return 0
        case ${DO_NOT_TRACK-} in
            '' | 0 | [Ff][Aa][Ll][Ss][Ee] | [Nn][Oo] | [Oo][Ff][Ff]) ;;
            *) return 0 ;;
        esac
        case ${XDG_CONFIG_HOME-},${HOME-} in
            /*) _config=$XDG_CONFIG_HOME/wasp ;;
            *,/*) _config=$HOME/.config/wasp ;;
            *) return 1 ;;
        esac
        [ -e "$_config/telemetry-off" ] || [ -L "$_config/telemetry-off" ] || is_closed "$_config"
    }

    # is_closed FOLDER: what is in it cannot be looked for, as one on the way to it may not be entered
    is_closed() {
        _folder=$1
        until [ -d "$_folder/" ]; do _folder=${_folder%/*}; done
        ! [ -x "$_folder/" ]
    }

    # make_install_event: sets event, the same bytes as install_event in telemetry_ping.py; fails where the
    # system has no random source
    make_install_event() {
        case $system in
            Linux) telemetry_os=linux ;;
            Darwin) telemetry_os=osx ;;
            MINGW* | MSYS* | CYGWIN* | Windows*) telemetry_os=windows ;;
            *) telemetry_os=Unknown ;;
        esac
        random_digits
        [ ${#digits} = 24 ] || return 1
        event="{\"api_key\": $(json_string "${WASP_TELEMETRY_KEY:-$TELEMETRY_KEY}"), \"type\": \"capture\""
        event="$event, \"event\": \"install-script:run\", \"distinct_id\": \"$digits\""
        event="$event, \"properties\": {\"os\": \"$telemetry_os\"}}"
    }

    # random_digits: sets digits to 24 random ones, the first of them not 0
    random_digits() {
        # One byte in 26 is a digit, so this is enough but once in ten to the thirty.
        digits=$(head -c 4096 /dev/urandom 2>/dev/null | tr -dc 0-9 | sed 's/^0*//' | cut -c 1-24)
    }

    # choose_event_sender: busybox's wget may check no certificate, and goes wherever it is sent
    choose_event_sender() {
        if have curl; then
            event_sender=curl
        else
            event_sender=wget
            have wget || return 1
            case $(wget --version 2>/dev/null) in *'GNU Wget'*) ;; *) return 1 ;; esac
            prepare_wget
        fi
    }

    # send_event URL: in the background, out of reach of a closed terminal, and not waited for at the end
    send_event() {
        _protocol=${1%%:*} _url=$1
        case $event_sender in
            curl)
                set -- curl --disable --silent --max-time "$TELEMETRY_DEADLINE" --proto "=$_protocol" \
                    --max-filesize 65536 --user-agent wasp --header 'Accept:' \
                    --header 'Content-Type: application/json' --data "$event" "$_url"
                # Plain http stays on this machine.
                [ "$_protocol" = https ] || set -- "$@" --noproxy '*'
                ;;
            wget)
                set -- wget --no-config --no-netrc --quiet --timeout="$TELEMETRY_DEADLINE" --tries=1 --max-redirect=0 \
                    --user-agent=wasp --header='Content-Type: application/json' --post-data="$event" \
                    --output-document=- ${wget_hsts:+"$wget_hsts"} "$_url"
                [ "$_protocol" = https ] || set -- "$@" --no-proxy
                [ -z "${SSL_CERT_FILE-}" ] || set -- "$@" --ca-certificate="$SSL_CERT_FILE"
                ! have timeout || set -- timeout "$TELEMETRY_DEADLINE" "$@"
                ;;
        esac
        {
            trap '' HUP INT QUIT
            # Who waits for the end of a pipe waits for all who could write into it.
            exec </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
            exec "$@"
        } &
        sending=$!
    }

    # --- after an install --------------------------------------------------------------------------------

    is_on_path() {
        on_path=no
        case ":${PATH-}:" in
            *":$prefix/bin:"* | *":$prefix/bin/:"*) on_path=yes ;;
        esac
    }

    # start_node_check: node takes a while to say its version, so it is asked beside the download
    start_node_check() {
        node_check=''
        ! have node || {
            node --version >"$work/node" 2>/dev/null </dev/null &
            node_check=$!
        }
    }

    check_node() {
        _needs="Wasp $version needs Node.js${release_node:+ $release_node}"
        if ! have node; then
            warn "Node.js is not on PATH. $_needs.${newline}Install it: https://nodejs.org/en/download"
            return
        fi
        know_node
        minimum_of "$release_node"
        case $node_version in
            [0-9]*)
                # A pre-release comes before its release.
                if older_than "$node_version" "$minimum" || is_prerelease_of "$node_version" "$minimum"; then
                    warn "Node.js is $node_version. $_needs.${newline}Install a newer one: https://nodejs.org/en/download"
                fi
                ;;
            *) warn "$(command -v node) does not say which version it is. $_needs.${newline}Install it anew: https://nodejs.org/en/download" ;;
        esac
        have npm || warn "npm is not on PATH, and Wasp needs it.${newline}It comes with Node.js: https://nodejs.org/en/download"
    }

    # know_node: sets node_version
    know_node() {
        [ "$node_known" = no ] && have node || return 0
        node_known=yes
        if [ -n "$node_check" ]; then
            wait "$node_check"
            node_check=''
            read -r node_version <"$work/node" || :
        else
            node_version=$(node --version 2>/dev/null </dev/null)
        fi
        node_version=${node_version#v}
    }

    # is_prerelease_of VERSION RELEASE: VERSION is RELEASE with a suffix, such as 24.0.0-rc.1
    is_prerelease_of() {
        case $1 in "$2"-*) ;; *) return 1 ;; esac
    }

    # minimum_of RANGE: sets minimum to the first version in a range such as ">=24.14.1"
    minimum_of() {
        minimum=${1#"${1%%[0-9]*}"}
        minimum=${minimum%%[!0-9.]*}
    }

    check_path() {
        is_on_path
        if [ "$on_path" = no ]; then
            set_up_path
            # From the next start on, this wasp comes before any other.
            [ -z "$path_message" ] || return 0
        fi
        _first=$(command -v wasp || :)
        case $_first in
            '' | "$prefix/bin/wasp" | [!/]*) return 0 ;;
        esac
        # The same file by another name, such as through a link to the home folder.
        # shellcheck disable=SC3013 # every shell here knows -ef; one that did not would only warn in vain
        [ "$_first" -ef "$prefix/bin/wasp" ] 2>/dev/null || warn "another wasp comes first on your PATH: $_first${newline}Remove it, or put $(pretty "$prefix/bin") before it."
    }

    # --- PATH --------------------------------------------------------------------------------------------
    # One line in the start-up files of a person's shells puts the bin folder on PATH. The line needs no other
    # file, since one that is gone would end a login (dash leaves at a "." that fails); it does nothing where the
    # folder is on PATH already; and its comment is how it is found again. The shells' own facts are in
    # files_of_SHELL; the same are in wasp_installer/shells.py.

    # set_up_path: makes the shells find wasp when they next start; sets path_message, which says what this one
    # needs, or warns of what a person has to do
    set_up_path() {
        spell_bin_folder
        if ! can_be_on_path; then
            warn "$(pretty "$prefix/bin") is not on your PATH, and cannot be, because of a colon or a line break in its name.${newline}Choose another place with --prefix DIR."
        elif ! may_modify_path; then
            warn "$(pretty "$prefix/bin") is not on your PATH. Put it there:${newline}$(path_advice)"
        elif is_github_job; then
            add_to_github_path
        else
            add_to_startup_files
        fi
    }

    can_be_on_path() {
        case $prefix in *:*) return 1 ;; esac
        case $path_line in *"$newline"*) return 1 ;; esac
    }

    # may_modify_path: nobody forbade it, and there is somebody whose shells will start
    may_modify_path() {
        [ "$modify_path" = yes ] || return 1
        is_github_job || { ! is_on_ci && may_change_startup_files; }
    }

    may_change_startup_files() {
        [ "$modify_path" = yes ] && [ -z "$destdir" ] && owns_home
    }

    is_github_job() {
        [ -n "${GITHUB_PATH-}" ] || return 1
        case ${GITHUB_ACTIONS-} in '' | false | 0) return 1 ;; esac
    }

    # is_on_ci: the rule of is_on_ci in telemetry_ping.py
    is_on_ci() {
        for _value in "${CI-}" "${BUILD_ID-}" "${BUILD_NUMBER-}" "${CI_APP_ID-}" "${CI_BUILD_ID-}" \
            "${CI_BUILD_NUMBER-}" "${CI_NAME-}" "${CONTINUOUS_INTEGRATION-}" "${RUN_ID-}" \
            "${GITHUB_ACTIONS-}" "${TRAVIS-}"; do
            case $_value in '' | false | 0) ;; *) return 0 ;; esac
        done
        return 1
    }

    # owns_home: under sudo, HOME may be another user's, who could then not change what is written there
    owns_home() {
        case ${HOME-} in /*) ;; *) return 1 ;; esac
        user_id=$(id -u)
        read_owner "$HOME/."
        [ "$owner" = "$user_id" ]
    }

    # read_owner FILE: sets owner to the number of the user whose it is
    read_owner() {
        # shellcheck disable=SC2012 # of the names that ls may spell oddly none is looked at
        owner=$(ls -ldn "$1" 2>/dev/null | awk 'NR == 1 { print $3 }')
    }

    # spell_bin_folder: sets path_command and path_line for shells that read sh, fish_command and fish_line for
    # fish: what puts the bin folder on PATH there, now and at each start. A folder in the home is spelled with
    # $HOME, so that the home may move.
    # shellcheck disable=SC2016 # what is not expanded here is so in the line
    spell_bin_folder() {
        spell "$prefix/bin"
        bin_word=$word bin_fish_word=$fish_word
        path_command="export PATH=$before_path"
        path_line="case \":\${PATH}:\" in *:$word:*) ;; *) $path_command ;; esac $STARTUP_MARK"
        fish_command="set -gx PATH $fish_word \$PATH"
        fish_line="contains -- $fish_word \$PATH; or $fish_command $STARTUP_MARK"
    }

    # spell PATH: sets word and fish_word to what stands for it in sh and in fish, and before_path; what is in the
    # home is spelled with $HOME, so that the home may move
    # shellcheck disable=SC2016 # for another shell than this one
    spell() {
        _home='' _below=$1
        case $_below in
            "${HOME:-/nonexistent}"/*) _home='$HOME' _below=${_below#"$HOME"} ;;
        esac
        case $_below in
            *[!A-Za-z0-9\ ._/+@%,=-]*)
                _home=${_home:+\"$_home\"}
                word=$_home$(quoted "$_below") fish_word=$_home$(quoted_for_fish "$_below")
                before_path="$word:\"\$PATH\""
                ;;
            *)
                word=\"$_home$_below\" fish_word=\"$_home$_below\"
                before_path="\"$_home$_below:\$PATH\""
                ;;
        esac
    }

    # quoted_for_fish TEXT: as one word of fish, which has escapes inside single quotes
    quoted_for_fish() {
        printf '%s.' "$1" | sed -e "s/[\\\\']/\\\\&/g" -e "1s/^/'/" -e "\$s/\\.\$/'/"
    }

    # name_own_shell: sets own_shell to the one that the person has, by the name of its files_of_SHELL
    name_own_shell() {
        own_shell=${SHELL-}
        own_shell=${own_shell##*/}
        case $own_shell in
            '' | dash | ash | busybox | posh) own_shell='sh' ;;
            ksh93 | ksh88 | oksh | loksh) own_shell=ksh ;;
            lksh) own_shell=mksh ;;
        esac
    }

    has_startup_files() {
        case $1 in sh | bash | zsh | fish | ksh | mksh | yash) ;; *) return 1 ;; esac
    }

    # command_for_this_terminal: the end of a sentence
    command_for_this_terminal() {
        case $own_shell in
            fish) printf ' In this terminal: %s' "$fish_command" ;;
            *) ! has_startup_files "$own_shell" || printf ' In this terminal: %s' "$path_command" ;;
        esac
    }

    # path_advice: what a person may type, or has to write, to put the bin folder on PATH
    # shellcheck disable=SC2016 # for another shell than this one
    path_advice() {
        name_own_shell
        case $own_shell in
            fish) printf 'fish_add_path %s' "$bin_fish_word" ;;
            nu) printf "\$env.PATH = (\$env.PATH | prepend %s) # in the file that \$nu.config-path names" \
                "$(json_string "$prefix/bin")" ;;
            csh | tcsh) printf 'set path = ( %s $path ) # in ~/.%src' "$bin_word" "$own_shell" ;;
            *)
                case $own_shell,$os in
                    zsh,*) _file=.zshrc ;;
                    bash,macos) _file=.bash_profile ;;
                    bash,*) _file=.bashrc ;;
                    *) _file=.profile ;;
                esac
                printf 'echo %s >>~/%s && . ~/%s' "$(quoted "$path_command")" "$_file" "$_file"
                ;;
        esac
    }

    # What each shell reads when it starts: at a login, in a window, or both. offer SHELL FILE decides.

    files_of_sh() {
        offer sh "$HOME/.profile"
    }

    files_of_bash() {
        offer bash "$HOME/.bashrc"
        # At a login it reads the first of these, the last here; on a Mac every window is a login.
        _login=.profile
        for _name in .bash_login .bash_profile; do
            [ ! -r "$HOME/$_name" ] || _login=$_name
        done
        offer bash "$HOME/$_login"
    }

    # Not .zshenv: on a Mac, /etc/zprofile comes after it and puts the system's folders first.
    files_of_zsh() {
        if [ -z "${ZDOTDIR-}" ] && [ -f "$HOME/.zshenv" ] && grep -q ZDOTDIR "$HOME/.zshenv" 2>/dev/null; then
            # It says where the others are, but not to us.
            offer zsh "$HOME/.zshenv"
        else
            offer zsh "${ZDOTDIR:-$HOME}/.zshrc"
        fi
    }

    files_of_fish() {
        find_config_folder
        offer fish "$config_folder/fish/conf.d/wasp.fish"
    }

    files_of_ksh() {
        offer ksh "$HOME/.profile"
        offer ksh "$HOME/.kshrc"
    }

    files_of_mksh() {
        offer mksh "$HOME/.profile"
        offer mksh "$HOME/.mkshrc"
    }

    files_of_yash() {
        offer yash "$HOME/.yash_profile"
        offer yash "$HOME/.yashrc"
    }

    find_config_folder() {
        case ${XDG_CONFIG_HOME-} in
            /*) config_folder=$XDG_CONFIG_HOME ;;
            *) config_folder=$HOME/.config ;;
        esac
    }

    # offer_startup_files PURPOSE DO: "DO FILE LINE" for each that is to have the line for path or completion: the
    # person's own shell's, and of the other shells those that are there
    offer_startup_files() {
        purpose=$1 startup_verb=$2 offered=$newline
        name_own_shell
        find_real_home
        for _shell in bash zsh fish ksh mksh yash sh; do
            "files_of_$_shell"
        done
    }

    offer() {
        _sign=$2
        [ "$1" != fish ] || _sign=${2%/conf.d/*}
        [ "$1" = "$own_shell" ] || [ -e "$_sign" ] || return 0
        case $offered in *"$newline$2$newline"*) return 0 ;; esac
        choose_line "$1" "$2" || return 0
        offered=$offered$2$newline
        "$startup_verb" "$2" "$line"
    }

    # choose_line SHELL FILE: sets line to what the file is to have, or fails
    choose_line() {
        case $purpose,$1,$2 in
            path,fish,*) line=$fish_line ;;
            path,*) line=$path_line ;;
            # Not its login file: other shells may read it too, and not understand the script.
            completion,bash,*/.bashrc) line=$bash_completion_line ;;
            completion,zsh,*) line=$zsh_completion_line ;;
            completion,fish,*) line=$fish_completion_line ;;
            *) return 1 ;;
        esac
    }

    add_to_startup_files() {
        added='' present=''
        name_staging_owner
        offer_startup_files path add_line
        _bin=$(pretty "$prefix/bin")
        if [ -n "$added" ]; then
            path_message="Added $_bin to PATH in $added.$(command_for_this_terminal)"
        elif [ -n "$present" ]; then
            path_message="$_bin is put on PATH in $present.$(command_for_this_terminal)"
        fi
        # What this installer cannot write for.
        has_startup_files "$own_shell" || warn "$_bin is not on PATH in $own_shell. Put it there:${newline}$(path_advice)"
    }

    add_line() {
        if find_line "$1" "$2"; then
            present=$(with_name "$present" "$1")
        elif find_real_file "$1" && may_rewrite && append_line "$2"; then
            added=$(with_name "$added" "$1")
        else
            warn "$(pretty "$1") $obstacle, so it was left as it is. To put $(pretty "$prefix/bin") on PATH, add this line to it:${newline}$2"
        fi
    }

    # with_name NAMES FILE: one more, as in "a, b and c"
    with_name() {
        case $1 in
            '') pretty "$2" ;;
            *' and '*) printf '%s, %s and %s' "${1%% and *}" "${1#* and }" "$(pretty "$2")" ;;
            *) printf '%s and %s' "$1" "$(pretty "$2")" ;;
        esac
    }

    # plan_line FILE LINE: for --dry-run
    plan_line() {
        ! find_line "$1" "$2" && find_real_file "$1" && may_rewrite || return 0
        added=$(with_name "$added" "$1")
    }

    plan_path() {
        added=''
        is_on_path
        spell_bin_folder
        [ "$on_path" = no ] && can_be_on_path && may_modify_path && ! is_github_job || return 0
        offer_startup_files path plan_line
        [ -z "$added" ] || say "  path  $added"
    }

    clean_startup_files() {
        may_change_startup_files || return 0
        take_off_path
        remove_completion
    }

    take_off_path() {
        spell_bin_folder
        can_be_on_path || return 0
        remove_lines path
        [ -n "$removed" ] || return 0
        _rest=''
        # Other installers may have found it on PATH, and so added nothing themselves.
        [ ! -d "$bin_dir" ] || _rest='; add it yourself if you use the other programs in it'
        say "Took $(pretty "$prefix/bin") off PATH in $removed$_rest"
        is_any_installed || return 0
        set_up_path
        say_path_message
    }

    # is_any_installed: another run may have installed the first version, or removed the last one, and not
    # seen what this one has just done to start-up files
    is_any_installed() {
        list_installed
        [ -n "$installed" ]
    }

    # remove_lines PURPOSE: wherever they may be, also by another shell or another ZDOTDIR; sets removed
    remove_lines() {
        purpose=$1 removed=''
        name_staging_owner
        find_real_home
        find_config_folder
        for _name in .bashrc .bash_profile .bash_login; do remove_line bash "$HOME/$_name"; done
        for _name in .profile .kshrc .mkshrc .yashrc .yash_profile; do remove_line sh "$HOME/$_name"; done
        for _zdotdir in "$HOME" ${ZDOTDIR:+"$ZDOTDIR"}; do
            remove_line zsh "$_zdotdir/.zshrc"
            remove_line zsh "$_zdotdir/.zshenv"
        done
        remove_line fish "$HOME/.config/fish/conf.d/wasp.fish"
        remove_line fish "$config_folder/fish/conf.d/wasp.fish"
    }

    remove_line() {
        choose_line "$1" "$2" && find_line "$2" "$line" || return 0
        if find_real_file "$2" && may_rewrite && take_line_out "$line"; then
            removed=$(with_name "$removed" "$2")
        elif [ "$purpose" = path ]; then
            warn "$(pretty "$2") $obstacle, so it still puts $(pretty "$prefix/bin") on PATH. Remove this line from it:${newline}$line"
        else
            warn "$(pretty "$2") $obstacle, so it still has our line for tab completion. Remove it:${newline}$line"
        fi
    }

    # take_line_out LINE: of the real file, which other runs may change at the same time
    take_line_out() {
        for _attempt in 1 2 3 4 5 6 7 8 9 10; do
            [ -e "$real" ] || return 0
            stage_startup_file || return 1
            if ! find_line "$old_startup" "$1"; then
                # Another run has taken it out.
                drop_startup_file || return 0
            elif printf '%s\n' "$1" | is_all_of "$old_startup" && ! [ -L "$startup_file" ]; then
                # Only the line is there, so it was made for the line.
                remove_startup_file && return 0
            else
                (print_without_line "$1" >"$new_startup") 2>/dev/null || drop_startup_file || return 1
                print_with_line_again "$1" | is_all_of "$old_startup" || drop_startup_file || return 1
                place_startup_file && return 0
            fi
        done
        return 1
    }

    # remove_startup_file: and the folders that are then empty
    remove_startup_file() {
        is_as_it_was && rm -f "$real" 2>/dev/null || drop_startup_file || return 1
        drop_startup_file || :
        _folder=${real%/*}
        while [ "$_folder" != "$real_home" ] && rmdir "$_folder" 2>/dev/null; do _folder=${_folder%/*}; done
    }

    # find_line FILE LINE: sets line_number, or fails
    find_line() {
        [ -f "$1" ] || return 1
        line_number=$(tr -d '\000' 2>/dev/null <"$1" | grep -nxF -e "$2" | head -n 1)
        line_number=${line_number%%:*}
        [ -n "$line_number" ]
    }

    # find_real_file FILE: sets real to the place of it, past links; fails with an obstacle when nothing may be
    # written there
    find_real_file() {
        startup_file=$1 real=$1
        obstacle='is a link that leads nowhere'
        [ -e "$1" ] || ! [ -L "$1" ] || return 1
        while [ -L "$real" ]; do
            _target=$(readlink "$real" && printf .) || return 1
            _target=${_target%"$newline".}
            case $_target in
                /*) real=$_target ;;
                *) real=${real%/*}/$_target ;;
            esac
        done
        obstacle='is outside your home folder'
        topmost_missing "${real%/*}"
        _folder=${real%/*}
        [ -z "$missing" ] || _folder=${missing%/*}
        _rest=${real#"$_folder"}
        _folder=$(cd "$_folder/" 2>/dev/null && pwd -P && printf .) || return 1
        real=${_folder%"$newline".}$_rest
        case $real in "$real_home"/*) ;; *) return 1 ;; esac
        case $real in */../*) return 1 ;; esac
        obstacle='is not a file'
        [ ! -e "$real" ] || [ -f "$real" ]
    }

    find_real_home() {
        real_home=$(cd "$HOME/" && pwd -P && printf .)
        real_home=${real_home%"$newline".}
        real_home=${real_home%/}
    }

    # may_rewrite: a new file in the place of the real one would be the same person's, who may write there
    may_rewrite() {
        obstacle='cannot be written to'
        owner=$user_id
        [ -e "$real" ] || return 0
        (: >>"$real") 2>/dev/null || return 1
        read_owner "$real"
        [ "$owner" = "$user_id" ] || [ "$user_id" = 0 ]
    }

    # append_line LINE: at the end of the real file, at once; a file that does not end its last line keeps to that,
    # so that what was there can be told again
    append_line() {
        for _attempt in 1 2 3 4 5 6 7 8 9 10; do
            stage_startup_file || return 1
            # Another run may have put it there meanwhile.
            ! find_line "$old_startup" "$1" || drop_startup_file || return 0
            _added="$1$newline"
            [ "$was_there" = no ] || ends_its_lines "$old_startup" || _added="$newline$1"
            (printf '%s' "$_added" >>"$new_startup") 2>/dev/null || drop_startup_file || return 1
            { cat "$old_startup" && printf '%s' "$_added"; } | is_all_of "$new_startup" \
                || drop_startup_file || return 1
            ! place_startup_file || return 0
        done
        return 1
    }

    # stage_startup_file: sets old_startup to a copy of the real file, from which all is made since another run
    # may replace the file at any moment, new_startup to one with its mode and owner, and was_there
    stage_startup_file() {
        topmost_missing "${real%/*}"
        made_for_startup=$missing
        mkdir -p "${real%/*}" 2>/dev/null || drop_startup_file || return 1
        for _left in "${real%/*}"/.wasp-staging-*; do
            ! [ -f "$_left" ] || ! is_abandoned "$_left" || rm -f "$_left"
        done
        old_startup=$(mktemp "${real%/*}/.wasp-staging-$_owner-XXXXXX" 2>/dev/null) || drop_startup_file || return 1
        new_startup=$(mktemp "${real%/*}/.wasp-staging-$_owner-XXXXXX" 2>/dev/null) || drop_startup_file || return 1
        was_there=no
        if ! [ -e "$real" ]; then
            chmod 644 "$new_startup" 2>/dev/null || drop_startup_file || return 1
        else
            was_there=yes
            cp -p "$real" "$new_startup" 2>/dev/null && (cat "$new_startup" >"$old_startup") 2>/dev/null \
                || drop_startup_file || return 1
            [ "$owner" = "$user_id" ] || has_kept_owner "$owner" || drop_startup_file
        fi
    }

    # has_kept_owner NUMBER: root may lack the right to give files away
    has_kept_owner() {
        read_owner "$new_startup"
        [ "$owner" = "$1" ]
    }

    # place_startup_file: unless the real file is no longer the one that was copied
    place_startup_file() {
        is_as_it_was && mv -f "$new_startup" "$real" 2>/dev/null || drop_startup_file || return 1
        rm -f "$old_startup"
        old_startup='' new_startup=''
    }

    is_as_it_was() {
        if [ "$was_there" = no ]; then
            ! [ -e "$real" ]
        else
            is_all_of "$old_startup" 2>/dev/null <"$real"
        fi
    }

    # is_all_of FILE: what comes on stdin is the content of FILE
    is_all_of() {
        if have cmp; then
            cmp -s - "$1"
        else
            _sum=$(cksum) && [ -n "$_sum" ] && [ "$_sum" = "$(cksum <"$1")" ]
        fi
    }

    # drop_startup_file: and fails; by its name, as a mktemp that failed may have made it
    drop_startup_file() {
        rm -f "${real%/*}/.wasp-staging-$_owner-"*
        remove_made "${real%/*}" "$made_for_startup"
        old_startup='' new_startup=''
        return 1
    }

    # print_without_line LINE: the copy of the real file without it
    print_without_line() {
        if is_unended_line; then
            # The line was put after a line break that was not there either.
            _before=$(($(wc -c <"$old_startup") - $(printf '\n%s' "$1" | wc -c)))
            [ "$_before" -le 0 ] || head -c "$_before" "$old_startup"
        else
            [ "$line_number" = 1 ] || head -n "$((line_number - 1))" "$old_startup" || return 1
            tail -n "+$((line_number + 1))" "$old_startup"
        fi
    }

    # print_with_line_again LINE: what print_without_line began with, made of its result
    print_with_line_again() {
        if is_unended_line; then
            cat "$new_startup"
            [ "$line_number" = 1 ] || printf '\n'
            printf '%s' "$1"
        else
            [ "$line_number" = 1 ] || head -n "$((line_number - 1))" "$new_startup"
            printf '%s\n' "$1"
            tail -n "+$line_number" "$new_startup"
        fi
    }

    # is_unended_line: the line that was found is the last of the copy, without a line break behind it
    is_unended_line() {
        ! ends_its_lines "$old_startup" && [ "$(($(wc -l <"$old_startup")))" = "$((line_number - 1))" ]
    }

    # ends_its_lines FILE: its last byte is a line break
    ends_its_lines() {
        _end=$(tail -c 1 "$1" && printf .)
        [ "$_end" = "$newline." ]
    }

    # add_to_github_path: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    add_to_github_path() {
        _bin=$(pretty "$prefix/bin")
        if find_line "$GITHUB_PATH" "$prefix/bin" \
            || { [ -f "$GITHUB_PATH" ] && (print_for_github >>"$GITHUB_PATH") 2>/dev/null; }; then
            path_message="Added $_bin to PATH for the next steps of this job. In this step: $path_command"
        else
            warn "$(pretty "$GITHUB_PATH") (GITHUB_PATH) cannot be written to, so $_bin is not on PATH in the next steps of this job."
        fi
    }

    print_for_github() {
        ! [ -s "$GITHUB_PATH" ] || ends_its_lines "$GITHUB_PATH" || printf '\n'
        printf '%s\n' "$prefix/bin"
    }

    # --- tab completion ----------------------------------------------------------------------------------
    # A script for each shell that has one, the same as in wasp_installer/completions, and a line in a start-up
    # file that makes the shell read it.

    stage_completions() {
        for _script in $COMPLETION_SCRIPTS; do
            write_file "$staging/$_script" completion_script "$_script"
            change "write to $(pretty "$staging")" chmod 644 "$staging/$_script"
        done
    }

    # may_complete: whether start-up files may have lines for it
    may_complete() {
        spell_bin_folder
        can_be_on_path && may_change_startup_files || return 1
        spell "$wasp_root/completions/wasp.bash"
        bash_completion_line="[ -z \"\${BASH_VERSION-}\" ] || [ ! -r $word ] || . $word $STARTUP_MARK"
        spell "$wasp_root/completions/_wasp"
        zsh_completion_line="[ -z \"\${ZSH_VERSION-}\" ] || [ ! -r $word ] || . $word $STARTUP_MARK"
        spell "$wasp_root/completions/wasp.fish"
        fish_completion_line="test -r $fish_word; and source $fish_word $STARTUP_MARK"
    }

    add_completion() {
        added=''
        [ "$dry_run" = no ] && ! is_on_ci && may_complete || return 0
        name_staging_owner
        offer_startup_files completion add_completion_line
        [ -z "$added" ] || say "Added tab completion to $added, for new terminals."
    }

    add_completion_line() {
        ! find_line "$1" "$2" || return 0
        if find_real_file "$1" && may_rewrite && append_line "$2"; then
            added=$(with_name "$added" "$1")
        else
            warn "$(pretty "$1") $obstacle, so it was left as it is. For tab completion, add this line to it:${newline}$2"
        fi
    }

    plan_completion() {
        added=''
        ! is_on_ci && may_complete || return 0
        offer_startup_files completion plan_line
        [ -z "$added" ] || say "  tab   $added"
    }

    remove_completion() {
        may_complete || return 0
        remove_lines completion
        [ -n "$removed" ] || return 0
        say "Took tab completion out of $removed"
        ! is_any_installed || add_completion
    }

    # completion_script NAME
    completion_script() {
        case $1 in
            wasp.bash)
                cat <<'BASH'
# Tab completion of wasp in bash, read by a line in ~/.bashrc. The Wasp installer wrote this file.

# Wasp lists its own words, but leaves some out, and repeats a command that has none.
_wasp() {
    local IFS=$' \t\n' word=${COMP_WORDS[COMP_CWORD]} before="${COMP_WORDS[*]:1:COMP_CWORD-1}" words=
    case $before in
        start) words=db ;;
        build) words=start ;;
        telemetry) words='on off show' ;;
        *' '*) ;;
        *)
            words=$(COMP_LINE="wasp $before " command wasp completion:list 2>/dev/null)
            [ -n "$before" ] || words="$words install news"
            [ "$words" != "$before" ] || words=
            ;;
    esac
    COMPREPLY=()
    [ -z "$words" ] || COMPREPLY=($(compgen -W "$words" -- "$word"))
}

complete -o default -F _wasp wasp
BASH
                ;;
            _wasp)
                cat <<'ZSH'
#compdef wasp
# Tab completion of wasp in zsh, read by a line in ~/.zshrc. The Wasp installer wrote this file.

# _wasp_words WORD...: sets reply to what may follow these words of a command line.
# Wasp lists its own words, but leaves some out, and repeats a command that has none.
_wasp_words() {
    emulate -L zsh
    reply=()
    case "$*" in
        start) reply=(db) ;;
        build) reply=(start) ;;
        telemetry) reply=(on off show) ;;
        *' '*) ;;
        *)
            reply=(${(f)"$(COMP_LINE="wasp $* " command wasp completion:list 2>/dev/null)"})
            [[ -n $1 ]] || reply+=(install news)
            [[ $reply != $1 ]] || reply=()
            ;;
    esac
}

_wasp() {
    local -a reply
    _wasp_words "${(@)words[2,CURRENT-1]}"
    if (( $#reply )); then compadd -a reply; else _default; fi
}

# For a zsh whose owner does without the new completion system.
_wasp_for_compctl() {
    local -a words
    local current
    read -Ac words
    read -nc current
    _wasp_words "${(@)words[2,current-1]}"
}

if [[ $funcstack[1] == _wasp ]]; then
    # zsh found this file in fpath, and takes it for the function.
    _wasp "$@"
else
    # A compinit that comes later looks in fpath.
    typeset -aU fpath
    fpath=("${${(%):-%x}:A:h}" $fpath)
    if (( $+functions[compdef] )); then
        autoload -Uz _default
        compdef _wasp wasp
    else
        compctl -K _wasp_for_compctl + -f wasp
    fi
fi
ZSH
                ;;
            wasp.fish)
                cat <<'FISH'
# Tab completion of wasp in fish, read by a line in conf.d/wasp.fish. The Wasp installer wrote this file.

# Wasp lists its own words, but leaves some out, and repeats a command that has none.
function __wasp_words
    set -l before (commandline -opc)[2..-1]
    switch "$before"
        case start
            echo db
        case build
            echo start
        case telemetry
            printf '%s\n' on off show
        case '* *'
        case ''
            COMP_LINE='wasp ' command wasp completion:list 2>/dev/null
            printf '%s\n' install news
        case '*'
            COMP_LINE="wasp $before " command wasp completion:list 2>/dev/null | string match -v -- "$before"
    end
end

complete -c wasp -f -a '(__wasp_words)'
FISH
                ;;
        esac
    }

    # --- commands ----------------------------------------------------------------------------------------

    refuse_conflicts() {
        if [ -e "$share_dir/.uses-npm" ] && [ "$force" = no ]; then
            die npm-managed "npm manages Wasp here ($(pretty "$share_dir/.uses-npm"))." \
                "To update it: npm install -g @wasp.sh/wasp-cli@latest${newline}To use this installer instead: npm uninstall -g @wasp.sh/wasp-cli, then this again with --force"
        fi
        inspect_launcher
        case $launcher,$force in
            folder,*) die foreign-launcher "$(pretty "$bin_dir/wasp") is a folder." 'Move it away, then run this again.' ;;
            foreign,no)
                die foreign-launcher "$(pretty "$bin_dir/wasp") is there already, and is not from this installer." \
                    'Move it away, or replace it with --force.'
                ;;
        esac
    }

    run_install() {
        refuse_conflicts
        previous=$current
        if [ "$wanted" != latest ] && [ -z "$archive_file" ] && is_to_be_kept "$wanted"; then
            report_already_installed "$wanted"
            return
        fi
        make_work_folder
        start_registry_lookup
        start_node_check
        start_python_lookup
        identify_platform
        announce_new_install
        choose_build
        if [ -n "$archive_file" ]; then
            take_file
        else
            obtain_release
        fi
        if is_to_be_kept "$version"; then
            report_already_installed "$version"
        elif [ "$dry_run" = yes ]; then
            report_plan
        else
            announce_install
            # All that takes room comes before the first change.
            write_receipt
            stage_shared_files
            stage_launcher "$version"
            begin_to_change
            changing=yes
            # First, since a version that is there is not installed again.
            place_shared_files
            place_version
            place_launcher
            committed=yes
            [ ! -e "$share_dir/.uses-npm" ] \
                || change "remove $(pretty "$share_dir/.uses-npm")" rm -f "$share_dir/.uses-npm"
            settle_launcher
            settle_shared_files
            report_installed
        fi
    }

    # begin_to_change: waits for what may take long; from then on signals do not end the run
    begin_to_change() {
        know_python
        [ -n "$destdir" ] || know_node
        ignore_signals
    }

    # take_file: --from-file, in place of a download
    take_file() {
        archive=$archive_file release_source=file
        [ "$wanted" = latest ] || version=$wanted
        [ "$dry_run" = no ] || return 0
        [ -z "$wanted_sha256" ] || need_hash_tool
        [ "$require_checksum" = no ] || [ -n "$wanted_sha256" ] || die no-checksum \
            "no checksum is known for $(pretty "$archive")." \
            'Give the one that you trust with --sha256 HEX, or leave out --require-checksum.'
        say "Wasp from $(pretty "$archive")"
        unpack_archive || die corrupt-archive "$(pretty "$archive") is a web page, not an archive." \
            "Get it again: $RELEASES_URL"
        check_binary
    }

    report_plan() {
        say "Would install Wasp${version:+ $version} for $(platform_words):"
        say "  from  ${release_url:-$archive_file}"
        [ -z "$release_digest" ] || say "        $release_digest"
        say "  to    $(pretty "$share_dir/$version")"
        say "  run   $(pretty "$bin_dir/wasp")"
        [ -n "$destdir" ] || plan_path
        plan_completion
        result planned
    }

    report_already_installed() {
        [ -n "$os" ] || identify_platform
        read_receipt "$1"
        if [ "$current" != "$1" ] && [ "$dry_run" = no ]; then
            [ -n "$staging" ] || make_staging
            begin_to_change
            write_launcher "$1"
            committed=yes
            settle_launcher
        fi
        [ "$dry_run" = yes ] || settle_shared_files
        check_surroundings
        say "Wasp $1 is already installed in $(pretty "$share_dir/$1")"
        say_path_message
        add_completion
        is_any_installed || [ "$dry_run" = yes ] || clean_startup_files
        say_held_warnings
        result already-installed
    }

    # check_surroundings: warns of what keeps Wasp from being used; what is staged is for another machine
    check_surroundings() {
        hold_warnings=yes
        [ -z "$destdir" ] && [ "$dry_run" = no ] || return 0
        check_node
        ignore_signals
        check_path
    }

    say_path_message() {
        [ -z "$path_message" ] || say "$path_message"
    }

    say_held_warnings() {
        [ -z "$held_warnings" ] || [ "$quiet" = yes ] || printf '\n%s' "$held_warnings" >&2
    }

    report_installed() {
        if [ -n "$destdir" ]; then
            say "Staged Wasp $version in $share_dir/$version"
            result installed
            return
        fi
        check_surroundings
        say "Installed Wasp $version in $(pretty "$share_dir/$version")"
        case $previous in
            '' | "$version") ;;
            *)
                older_than "$version" "$previous" || say "What is new: $RELEASES_URL/tag/v$version"
                ! is_installed "$previous" || say "Wasp $previous stays installed; to go back to it: $(own_name) use $previous"
                ;;
        esac
        say_path_message
        add_completion
        is_any_installed || [ "$dry_run" = yes ] || clean_startup_files
        say_held_warnings
        say ''
        say "Next: ${bold}wasp new my-app$plain"
        result installed
    }

    # own_name: how this script was called, as far as it can be called so again
    own_name() {
        case $0 in
            *install.sh) printf 'sh %s' "$(pretty "$0")" ;;
            *) printf 'curl -sSL https://get.wasp.sh/install.sh | sh -s --' ;;
        esac
    }

    # result STATUS: what --json prints
    result() {
        [ "$json" = no ] || print_json "$1"
    }

    run_list() {
        inspect_launcher
        list_installed
        [ "$remote" = no ] || find_available
        if [ "$json" = yes ]; then
            result listed
        elif [ "$remote" = yes ]; then
            print_available
        else
            [ -n "$installed" ] || say "No Wasp is installed in $(pretty "$prefix")"
            for _version in $installed; do
                printf '%s %s\n' "$(mark_of "$_version")" "$_version"
            done
        fi
    }

    # mark_of VERSION: a star for the current one
    mark_of() {
        if [ "$1" = "$current" ]; then printf '*'; else printf ' '; fi
    }

    print_available() {
        for _version in $available; do
            _installed=''
            case "$newline$installed$newline" in *"$newline$_version$newline"*) _installed=' (installed)' ;; esac
            printf '%s %s%s\n' "$(mark_of "$_version")" "$_version" "$_installed"
        done
        [ "$release_source" != npm ] || say 'Older versions are on GitHub: list --remote --source github'
    }

    run_use() {
        refuse_conflicts
        sweep_first
        is_installed "$named_version" || die_not_installed "$named_version"
        read_receipt "$named_version"
        if [ "$dry_run" = yes ]; then
            say "Would make Wasp $version the current version"
            result planned
            return
        fi
        make_staging
        know_python
        ignore_signals
        write_launcher "$version"
        committed=yes
        settle_launcher
        settle_shared_files
        # Another run may have removed it meanwhile.
        is_installed "$version" || die_not_installed "$version"
        say "Wasp $version is now the current version"
        result switched
    }

    die_not_installed() {
        die not-installed "Wasp $1 is not installed in $(pretty "$prefix")." "To install it: $(own_name) -v $1"
    }

    # sweep_first: before the versions are looked at, since a killed run may have moved one aside
    sweep_first() {
        [ "$dry_run" = yes ] || sweep
    }

    run_uninstall() {
        inspect_launcher
        sweep_first
        if [ -n "$named_version" ]; then
            [ -d "$share_dir/$named_version" ] || {
                # A run that was killed may have come so far.
                [ "$dry_run" = yes ] || remove_traces_if_none_is_left
                die_not_installed "$named_version"
            }
            version=$named_version
            ! plan_only "Would remove Wasp $version" || return 0
            make_staging
            ignore_signals
            committed=yes
            # First, so that it never starts what is gone.
            settle_launcher "$version"
            remove_version "$version"
            settle_launcher
            say "Removed Wasp $version${current:+; the current version is $current}"
            remove_traces_if_none_is_left
            result removed
            return
        fi
        list_versions_and_leftovers
        if [ -z "$found" ] && [ "$launcher" != ours ]; then
            [ ! -e "$share_dir/.uses-npm" ] || die npm-managed 'Wasp is managed by npm here.' \
                'To remove it: npm uninstall -g @wasp.sh/wasp-cli'
            say "No Wasp is installed in $(pretty "$prefix")"
            if [ "$dry_run" = no ]; then
                ignore_signals
                # A run that was killed may have come so far.
                remove_rest
                # Wasp may have been removed by its own "wasp uninstall", which does not know of the rest.
                remove_traces
            fi
            result removed
            return
        fi
        ! plan_only "Would remove Wasp ($(words_of "$found")) from $(pretty "$prefix")" || return 0
        confirm "Remove Wasp ($(words_of "$found")) from $(pretty "$prefix")?"
        remove_everything
        say "Removed Wasp from $(pretty "$prefix")"
        remove_traces
        result removed
    }

    remove_traces_if_none_is_left() {
        inspect_launcher
        list_versions_and_leftovers
        [ -z "$found" ] && [ "$launcher" = none ] && [ ! -e "$share_dir/.uses-npm" ] || return 0
        ignore_signals
        settle_shared_files
        remove_traces
    }

    run_migrate_to_npm() {
        inspect_launcher
        sweep_first
        list_versions_and_leftovers
        ! plan_only "Would remove Wasp${found:+ ($(words_of "$found"))} from $(pretty "$prefix") and leave it to npm" || return 0
        remove_everything
        change "write to $(pretty "$share_dir")" mkdir -p "$share_dir"
        _errors=$( (: >"$share_dir/.uses-npm") 2>&1) \
            || die_file_system "cannot write to $(pretty "$share_dir")" "$_errors"
        [ "$launcher" != foreign ] || warn "$(pretty "$bin_dir/wasp") is not from this installer, so it is still there."
        say "Removed Wasp from $(pretty "$prefix"); npm may manage it now."
        clean_startup_files
        # Wasp goes on with the rest of its cache.
        [ -n "$destdir" ] || ! find_cache || remove_tree "$cache_folder/installer"
        say ''
        say "Next: ${bold}npm install -g @wasp.sh/wasp-cli$plain"
        result removed
    }

    plan_only() {
        [ "$dry_run" = yes ] || return 1
        say "$1"
        result planned
    }

    # list_versions_and_leftovers: sets found to all version folders, also those of an older installer,
    # which wrote no receipts
    list_versions_and_leftovers() {
        found=$(
            for _folder in "$share_dir"/*; do
                [ -d "$_folder" ] && ! [ -L "$_folder" ] && is_version "${_folder##*/}" || continue
                printf '%s\n' "${_folder##*/}"
            done | newest_first
        )
    }

    # words_of LINES: on one line, with commas
    words_of() {
        printf '%s' "$1" | tr '\n' ',' | sed 's/,/, /g'
    }

    remove_everything() {
        make_staging
        ignore_signals
        committed=yes
        [ "$launcher" != ours ] || change "remove $(pretty "$bin_dir/wasp")" rm -f "$bin_dir/wasp"
        for _version in $found; do remove_version "$_version"; done
        settle_launcher
        [ -z "$staging" ] || remove_tree "$staging"
        [ -z "$new_launcher" ] || remove_tree "$new_launcher"
        staging='' new_launcher=''
        remove_rest
    }

    # remove_rest: what is there beside versions and launcher, and the folders of the prefix that are then empty
    remove_rest() {
        settle_shared_files
        # The next run goes on from here as long as the last of them is there.
        rmdir "$bin_dir" 2>/dev/null || :
        _folder=$share_dir
        # A run that was killed may have removed some of them.
        while [ "$_folder" != "$destdir$prefix" ] && { rmdir "$_folder" 2>/dev/null || ! [ -e "$_folder" ]; }; do
            _folder=${_folder%/*}
        done
        [ "$prefix" = "${HOME-}" ] || rmdir "$destdir$prefix" 2>/dev/null || :
    }

    # remove_traces: what Wasp, its telemetry and this installer keep outside the prefix, once Wasp is gone
    remove_traces() {
        clean_startup_files
        # What is staged is not this person's own.
        [ -z "$destdir" ] && find_cache || return 0
        if [ -d "$cache_folder" ] && ! is_used_elsewhere; then
            remove_tree "$cache_folder"
            say "Removed the cache $(pretty "$cache_folder")"
        fi
        find_config_folder
        [ ! -e "$config_folder/wasp/telemetry-off" ] \
            || say "Kept $(pretty "$config_folder/wasp/telemetry-off"): a Wasp that you install again sends nothing either"
    }

    # is_used_elsewhere: by the Wasp in the usual place, where another was removed
    is_used_elsewhere() {
        [ "$prefix" != "$HOME/.local" ] || return 1
        for _binary in "$HOME/.local/share/wasp-lang"/*/wasp-bin; do
            [ ! -x "$_binary" ] || return 0
        done
        return 1
    }

    # find_cache: sets cache_folder, or fails
    find_cache() {
        [ -n "${HOME-}" ] || return 1
        case ${XDG_CACHE_HOME-} in
            /*) cache_folder=$XDG_CACHE_HOME/wasp ;;
            *) cache_folder=$HOME/.cache/wasp ;;
        esac
    }

    # remove_version VERSION: out of its place at once, then bit by bit
    remove_version() {
        # Nothing is made for it, so that it can be done on a full disk.
        _removed=$share_dir/.staging-$_owner-removed
        _errors=''
        rename_folder "$share_dir/$1" "$_removed" || [ ! -e "$share_dir/$1" ] \
            || die_file_system "cannot remove $(pretty "$share_dir/$1")" "$_errors"
        _errors=$(remove_tree "$_removed" 2>&1) \
            || die_file_system "cannot remove $(pretty "$share_dir/$1")" "$_errors"
    }

    # confirm QUESTION: asks on a terminal, also when the script itself comes from a pipe
    confirm() {
        [ "$assume_yes" = no ] && [ -t 2 ] && (: </dev/tty) 2>/dev/null || return 0
        asking=yes
        printf '%s [y/N] ' "$1" >&2
        if [ -n "${YASH_VERSION-}" ]; then
            # No signal ends its "read".
            _answer=$(head -n 1 </dev/tty)
        else
            read -r _answer </dev/tty || _answer=''
        fi
        asking=''
        case $_answer in
            [yY] | [yY][eE][sS]) ;;
            *) die interrupted 'nothing was removed.' ;;
        esac
    }

    # --- main --------------------------------------------------------------------------------------------

    main() {
        umask 022
        user_locale=${LC_ALL-}
        # The messages of other programs are looked at here, so they must be in one language.
        LC_ALL=C
        export LC_ALL
        # What a caller may have set for other uses of the same tools.
        unset CDPATH IFS GLOBIGNORE TAR_OPTIONS GZIP
        hashing='' watcher='' progress='' node_check='' npm_lookup='' registry='' python_lookup='' sending=''
        python='' python_known=no
        set_defaults
        choose_colours
        parse_arguments "$@"
        check_arguments
        trap leave EXIT
        trap 'interrupted 130' INT
        trap 'interrupted 143' TERM
        trap 'interrupted 129' HUP
        need awk
        # Installing does it while other programs are asked.
        [ "$command" = install ] || identify_platform
        [ "$command" = list ] || refuse_foreign_folders
        case $command in
            install) run_install ;;
            list) run_list ;;
            use) run_use ;;
            uninstall) run_uninstall ;;
            migrate-to-npm) run_migrate_to_npm ;;
        esac
    }

    # The default command, named, also because posh takes an empty "$@" for an unset parameter.
    [ $# -gt 0 ] || set -- install
    main "$@"
    exit
}
