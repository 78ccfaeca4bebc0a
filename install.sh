#!/bin/sh
# Installs Wasp, the full-stack web framework: https://wasp.sh
#
#     curl -fsSL https://get.wasp.sh/install.sh | sh
#     sh install.sh --help
#
# Needs curl or wget, tar, gzip, awk, and sha256sum and sha512sum, shasum or openssl; no Python.
#
# `make install.sh` put this file together from sh/ (the program, without its comments) and installed/ and
# telemetry_ping.py (what is left beside Wasp, in full): https://github.com/wasp-lang/wasp
#
# All of it is one brace group, which a shell reads to its end before it runs any of it, so a download that was cut
# does nothing. Whatever shell reads this, with its aliases, functions and options, runs only the next lines: they write
# the program into a private temporary folder and hand over to /bin/sh. A backslash keeps a word from being an alias;
# with POSIXLY_CORRECT, bash takes no function for a special builtin.
{
POSIXLY_CORRECT=1
\unset -f exec 2>/dev/null
\exec /bin/sh -c 'set +aefuxvC; unset -f cat mktemp; unset POSIXLY_CORRECT; umask 077; d=$(mktemp -d "${TMPDIR:-/tmp}/wasp-installer-$$-XXXXXX" 2>/dev/null || mktemp -d "/tmp/wasp-installer-$$-XXXXXX") && cat >"$d/program" && exec /bin/sh "$d/program" "$@" </dev/null; exit 7' sh ${1+"$@"} <<'WASP_INSTALLER'
[ -z "${ZSH_VERSION-}" ] || { emulate sh && setopt traps_async; }
[ -z "${BASH_VERSION-}" ] || shopt -u failglob nullglob nocaseglob nocasematch dotglob xpg_echo 2>/dev/null
set +aefuxvC
unset -f awk basename cat cd chmod cmp cp curl cut date dd env expr find getconf grep gzip head id kill ldd \
  ln ls mkdir mktemp mv node npm od openssl perl ps python python3 readlink rm rmdir sed sh sha256sum \
  sha512sum shasum sleep sort stty sysctl tail tar timeout tr umask uname wait wc wget zsh 2>/dev/null
unalias -a 2>/dev/null
unset CDPATH IFS TAR_OPTIONS GZIP GREP_OPTIONS BASH_ENV ENV POSIXLY_CORRECT
set -u
umask 022
exec </dev/null
(: >&1) 2>/dev/null || exec >/dev/null
(: >&2) 2>/dev/null || exec 2>/dev/null
user_locale=${LC_ALL-}
LC_ALL=C
export LC_ALL

readonly INSTALLER_VERSION=0.2.0
readonly NPM_PACKAGE=@wasp.sh/wasp-cli
readonly NPM_PATH=@wasp.sh%2fwasp-cli
readonly FIRST_NPM_VERSION=0.20.2
readonly VERSION_PATTERN='^(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){2}(\.(0|[1-9][0-9]{0,5})|-rc(0|[1-9][0-9]{0,5}))?$'
readonly DEFAULT_GITHUB_URL=https://github.com
readonly RELEASES_URL=https://github.com/wasp-lang/wasp/releases
readonly OLDEST_GLIBC=2.29
readonly ATTEMPTS=4
readonly LONGEST_RETRY_AFTER_S=60
readonly REDIRECT_LIMIT=10
readonly SLOWEST=100
readonly ANSWER_LIMIT=16777216
readonly UNPACKED_LIMIT=1073741824
readonly ENTRY_LIMIT=100000
readonly HELPER_LIMIT_S=10
readonly NPM_FETCH_LIMIT_S=600
readonly TELEMETRY_URL=https://app.posthog.com/capture/
readonly TELEMETRY_KEY=CdDd2A0jKTI2vFAsrI9JWm3MqpOcgHz1bMyogAcwsE4
readonly TELEMETRY_DEADLINE_S=10
readonly STARTUP_MARK='# added by the Wasp installer'
readonly STARTUP_MARK_WITH_BREAK='# added by the Wasp installer, with the line break before it'

newline='
'
tab=$(printf '\t') carriage_return=$(printf '\r') escape=$(printf '\033')

usage() {
  cat <<'USAGE'
Installs Wasp (https://wasp.sh) and manages the installed versions.

usage: install.sh [COMMAND] [OPTIONS]
       wasp installer COMMAND [OPTIONS]

commands:
  install                  install a version, make it the current one (default)
  list                     print the installed versions, or with --remote all
  use VERSION              make an installed version the current one
  uninstall [VERSION]      remove one version, or Wasp as a whole
  migrate-to-npm           remove all of it, so that npm can take over

options:
  -v, --version VERSION    X.Y.Z[-rcN] or latest (default; env WASP_VERSION)
      --prefix DIR         default ~/.local (env WASP_INSTALL_PREFIX)
      --source SOURCE      auto (default), npm or github
      --from-file ARCHIVE  install from a downloaded archive, offline
      --sha256 HEX         refuse the archive unless it has this SHA-256
      --require-checksum   refuse an archive that has no known checksum
      --remote             with list: the versions that can be installed
      --no-modify-path     leave the shell's start-up files alone
      --no-telemetry       send no install event
      --force              install again; take over from npm or another wasp
      --dry-run            say what would be done, and do nothing
  -q, --quiet              print errors only
      --verbose            print each step
  -y, --yes                ask nothing
  -h, --help               print this
  -V                       print the installer's own version

exit codes: 0 done, 1 unexpected, 2 usage, 3 platform not supported, 4 network,
  5 no such version, 6 integrity, 7 file system, 8 conflict, 130 interrupted
USAGE
}

choose_colours() {
  bold='' red='' yellow='' plain='' on_terminal=no
  [ -t 2 ] && [ "${TERM-}" != dumb ] && [ -z "${NO_COLOR-}" ] || return 0
  on_terminal=yes bold="$escape[1m" red="$escape[1;31m" yellow="$escape[1;33m" plain="$escape[0m"
}

say() {
  [ "$quiet" = yes ] || printf '%s\n' "$1" >&2
}

say_step() {
  [ "$verbose" = no ] || printf '%s\n' "$1" >&2
}

indented() {
  printf '%s\n' "$2" | sed "2,\$s/^/$1/"
}

warn() {
  tell warning "$1"
  _warning="${yellow}warning:$plain $(indented '         ' "$1")"
  if [ "$hold_warnings" = yes ]; then
    held_warnings="$held_warnings$newline$_warning"
  else
    say "$_warning"
  fi
}

die() {
  case $1 in
    usage | bad-version) exit_code=2 ;;
    unsupported-platform | missing-tool | binary-does-not-run) exit_code=3 ;;
    dns | connection | timeout | tls | proxy | http-status | captive-portal | bad-answer | insecure-url | no-downloader)
      exit_code=4
      ;;
    no-such-version | not-installed) exit_code=5 ;;
    checksum-mismatch | no-checksum | no-hash-tool | corrupt-archive | unsafe-archive | wrong-version) exit_code=6 ;;
    permission-denied | read-only | no-space | file-system) exit_code=7 ;;
    npm-managed | foreign-launcher) exit_code=8 ;;
    interrupted) exit_code=$interrupted_code ;;
    *) exit_code=1 ;;
  esac
  indented '       ' "${red}error:$plain $2${3:+$newline$3}" >&2
  tell code "$exit_code"
  tell error "$1"
  tell message "$2"
  tell hint "${3-}"
  result error
  leave "$exit_code"
}

tell() {
  [ "$porcelain" = yes ] || return 0
  printf '%s=' "$1"
  printf '%s\n' "$2" | awk '{ gsub(/\\/, "&&"); printf "%s%s", (NR > 1 ? "\\n" : ""), $0 } END { print "" }'
}

result() {
  [ "$porcelain" = yes ] || return 0
  is_on_path
  tell status "$1"
  tell version "$version"
  tell source "$release_source"
  tell url "$release_url"
  tell digest "$release_digest"
  tell os "$os"
  tell arch "$arch"
  tell libc "$libc"
  tell distro "$distro_id"
  tell prefix "$prefix"
  tell wasp_dir "${version:+$wasp_root/$version}"
  tell executable "${prefix:+$prefix/bin/wasp}"
  tell on_path "$on_path"
}

pretty() {
  case ${home:+$1} in
    "$home"/*) printf '~%s' "${1#"$home"}" ;;
    *) printf '%s' "$1" ;;
  esac
}

plain_text() {
  printf '%s' "$1" | tr '\n\t' '  ' | awk '{
    gsub(/[[:cntrl:]]/, "")
    gsub(/:\/\/[^\/ ]*@/, "://")
    print (length($0) > 200) ? substr($0, 1, 197) "..." : $0
  }'
}

words_of() {
  printf '%s' "$1" | tr '\n' ',' | sed 's/,/, /g'
}

confirm() {
  [ "$assume_yes" = no ] && [ -t 2 ] && (: </dev/tty) 2>/dev/null || return 0
  asking=yes
  printf '%s [y/N] ' "$1" >&2
  _answer=$(head -n 1 </dev/tty)
  asking=''
  case $_answer in
    [yY] | [yY][eE][sS]) ;;
    *) die interrupted 'nothing was removed.' ;;
  esac
}

have() {
  command -v "$1" >/dev/null 2>&1
}

need() {
  have "$1" || die missing-tool "this installer needs '$1', which is not on PATH." "$(how_to_install "$1")"
}

how_to_install() {
  for _command in 'apt-get install' 'apk add' 'dnf install' 'pacman -S' 'zypper install' 'brew install'; do
    have "${_command%% *}" || continue
    [ "$_command" = 'brew install' ] || [ "$(id -u)" = 0 ] || _command="sudo $_command"
    printf 'Install it: %s %s' "$_command" "$1"
    return
  done
  printf "Install it with your system's package manager."
}

run_waiting() {
  _stdout=$1 _stderr=$2
  shift 2
  "$@" 2>"$_stderr" >"$_stdout" &
  child=$!
  wait "$child" 2>/dev/null
  _status=$?
  child=''
  return "$_status"
}

exec_limited() {
  ! have timeout || exec timeout -k 2 "$@"
  ! have perl || exec perl -e 'alarm shift; exec @ARGV' "$@"
  shift
  exec "$@"
}

ask() {
  _answer=$(exec_limited "$HELPER_LIMIT_S" "$@" 2>/dev/null) && [ -n "$_answer" ] && printf '%s\n' "$_answer"
}

change() {
  _action=$1
  shift
  _errors=$("$@" 2>&1 >/dev/null) || die_file_system "cannot $_action" "$_errors"
}

write_file() {
  _file=$1
  shift
  _errors=$( ("$@" >"$_file") 2>&1) || die_file_system "cannot write to $(pretty "${_file%/*}")" "$_errors"
}

die_file_system() {
  _elsewhere='or choose another place with --prefix DIR.'
  case $2,$(df -Pk "${share_dir%"$wasp_root"}/" "$work" 2>/dev/null | awk 'NR > 1 && $4 == 0 { print "full" }') in
    *'ermission denied'* | *'not permitted'*)
      die permission-denied "$1: permission denied." \
        "Choose a folder that you may write to, for example: --prefix \"\$HOME/.local\""
      ;;
    *'ead-only file system'*)
      die read-only "$1: the file system is read-only." 'Choose another place with --prefix DIR.'
      ;;
    *'o space left'* | *'uota exceeded'* | *full*)
      die no-space "$1: no space left on the device." "Make room (about 170 MB for one version), $_elsewhere"
      ;;
  esac
  _cause=$(plain_text "${2##*: }")
  die file-system "$1: ${_cause:-it failed}." "See to that path, $_elsewhere"
}

is_of_the_system() {
  case $1 in
    *'nput/output error'* | *'I/O error'* | *'rite error'* | *'o space left'* | *'uota exceeded'* | \
      *'ead-only file'* | *'ermission denied'*) ;;
    *) return 1 ;;
  esac
}

remove_tree() {
  rm -rf "$1" 2>/dev/null || {
    chmod -R u+rwx "$1" 2>/dev/null
    rm -rf "$1"
  }
}

rename_folder() {
  _errors=$(mv -T "$1" "$2" 2>&1) && return 0
  case $_errors in *' option'*) ;; *) return 1 ;; esac
  _errors=$(mv "$1" "$2" 2>&1) || return 1
  [ -e "$2/${1##*/}" ] || return 0
  rm -rf "${2:?}/${1##*/}"
  return 1
}

topmost_missing() {
  missing='' _folder=$1
  while [ -n "$_folder" ] && ! [ -e "$_folder" ]; do
    missing=$_folder
    _folder=${_folder%/*}
  done
}

remove_empty() {
  _folder=$1
  while [ -n "$2" ] && { rmdir "$_folder" 2>/dev/null || ! [ -e "$_folder" ]; } && [ "$_folder" != "$2" ]; do
    _folder=${_folder%/*}
  done
}

absolute() {
  _path=$1
  case $_path in
    /*) ;;
    *) _path=$PWD/$_path ;;
  esac
  while [ "$_path" != "${_path%/}" ]; do _path=${_path%/}; done
  printf '%s\n' "$_path"
}

read_owner() {
  _listed=$(ls -ldn "$1" 2>/dev/null | awk 'NR == 1 { print $1, $3 }')
  mode=${_listed% *} owner=${_listed#* }
}

quoted() {
  printf '%s.' "$1" | sed -e "s/'/'\\\\''/g" -e "1s/^/'/" -e "\$s/\\.\$/'/"
}

comes_before() {
  [ "$1" != "$2" ] && [ "$(printf '%s\n' "$1" "$2" | newest_first | tail -n 1)" = "$1" ]
}

newest_first() {
  awk '{
    split($0, parts, "-"); split(parts[1], n, ".")
    candidate = (parts[2] == "") ? 999999 : substr(parts[2], 3)
    printf "%06d%06d%06d%06d%06d %s\n", n[1], n[2], n[3], n[4], candidate, $0
  }' | sort -r | sed 's/^[^ ]* //'
}

is_version() {
  case $1 in *"$newline"*) return 1 ;; esac
  printf '%s\n' "$1" | grep -qE "$VERSION_PATTERN"
}

set_defaults() {
  home=${HOME-}
  while [ "$home" != "${home%/}" ]; do home=${home%/}; done
  command=install named_version='' wanted=${WASP_VERSION:-latest} wanted_from=WASP_VERSION
  prefix=${WASP_INSTALL_PREFIX:-${HOME:+$home/.local}} destdir='' source=auto archive_file='' wanted_sha256=''
  require_checksum=no force=no dry_run=no porcelain=no quiet=no verbose=no assume_yes=no wants_telemetry=yes
  modify_path=yes remote=no outcome=switched previous='' timeout=${WASP_HTTP_TIMEOUT:-30}

  version='' release_source='' release_url='' release_digest='' release_node='' registry='' fetcher='' problem='' problem_text=''
  os='' arch='' libc='' distro_id='' current='' installed='' available='' on_path=no path_message='' edited=''
  held_warnings='' hold_warnings=no announced=no warned_of_ci=no python='' node_version='' interrupted_code=130
  wasp_root='' share_dir='' bin_dir='' work='' staging='' staged_launcher='' owner_name='' held_lock='' committed=no
  made_share='' made_bin='' child='' asking='' progress='' sending='' node_lookup='' python_lookup='' npm_lookup=''
}

parse_arguments() {
  for _argument in "$@"; do
    [ "$_argument" != --porcelain ] || porcelain=yes
  done
  _options=yes _commands=0
  while [ $# -gt 0 ]; do
    case $_options,$1 in
      yes,--*=*)
        _option=${1%%=*} _value=${1#*=}
        shift
        set -- "$_option" "$_value" ${1+"$@"}
        ;;
      yes,-v?*)
        _value=${1#-v}
        shift
        set -- -v "$_value" ${1+"$@"}
        ;;
      yes,-[qyhV]?*)
        _option=${1%"${1#-?}"} _value=-${1#-?}
        shift
        set -- "$_option" "$_value" ${1+"$@"}
        ;;
    esac
    case $_options,$1 in
      yes,-v | yes,--version | yes,--prefix | yes,--source | yes,--from-file | yes,--sha256 | yes,--outcome | yes,--previous)
        take_value "$1" "${2-}"
        shift
        ;;
      yes,-?*) take_option "$1" ;;
      *) take_word "$1" ;;
    esac
    shift
  done
}

take_value() {
  case $2 in '' | -*) die usage "$1 needs a value." 'See: --help' ;; esac
  case $1 in
    -v | --version) wanted=$2 wanted_from='' ;;
    --prefix) prefix=$2 ;;
    --source) source=$2 ;;
    --from-file) archive_file=$2 ;;
    --sha256) wanted_sha256=$2 ;;
    --outcome) outcome=$2 ;;
    --previous) previous=$2 ;;
  esac
}

take_option() {
  case $1 in
    --require-checksum) require_checksum=yes ;;
    --no-telemetry) wants_telemetry=no ;;
    --no-modify-path) modify_path=no ;;
    --remote) remote=yes ;;
    --force) force=yes ;;
    --dry-run) dry_run=yes ;;
    --porcelain) ;;
    -q | --quiet) quiet=yes ;;
    --verbose) verbose=yes ;;
    -y | --yes) assume_yes=yes ;;
    -h | --help)
      usage
      leave 0
      ;;
    -V)
      printf 'Wasp installer %s\n' "$INSTALLER_VERSION"
      leave 0
      ;;
    --) _options=no ;;
    *) die usage "there is no option '$(plain_text "$1")'." 'See them all with: --help' ;;
  esac
}

take_word() {
  case $_options,$1 in
    yes,install | yes,list | yes,use | yes,uninstall | yes,migrate-to-npm | yes,check)
      _commands=$((_commands + 1)) command=$1
      [ "$_commands" = 1 ] || die usage "one command at a time, not also '$1'." 'See: --help'
      ;;
    *,) die usage 'one of the arguments is empty.' 'Is a variable not set?' ;;
    *)
      [ -z "$named_version" ] || die_unknown_word "$1"
      named_version=$1
      ;;
  esac
}

check_arguments() {
  case $command,$named_version in
    use,) die usage "'use' needs a version." 'See what is installed: list' ;;
    use,* | uninstall,* | *,) ;;
    *) die_unknown_word "$named_version" ;;
  esac
  [ "$remote" = no ] || [ "$command" = list ] || die usage '--remote belongs to the command list.' 'For example: list --remote'
  [ "$command" != check ] || [ "$porcelain" = yes ] || die_unknown_word check
  case $source in
    auto | npm | github) ;;
    *) die usage "there is no source '$source'." 'Choose auto, npm or github.' ;;
  esac
  case $timeout in
    '' | *[!0-9]* | 0* | ??????*) die usage "WASP_HTTP_TIMEOUT is '$timeout', not a number of seconds." 'For example: 30' ;;
  esac
  wanted_sha256=$(printf '%s' "$wanted_sha256" | tr A-F a-f)
  case $wanted_sha256,${#wanted_sha256} in
    ,0) ;;
    *[!0-9a-f,]* | *,[!6]* | *,6[!4]*) die usage "'$wanted_sha256' is not a SHA-256." 'It has 64 hexadecimal digits.' ;;
  esac
  wanted=${wanted#v} named_version=${named_version#v}
  if [ "$wanted" != latest ] && { [ "$command" = install ] || [ -z "$wanted_from" ]; }; then
    is_version "$wanted" || die bad-version "'$wanted'${wanted_from:+ (in $wanted_from)} is not a version of Wasp." \
      "A version is X.Y.Z (0.25.0), X.Y.Z-rcN, or latest: $RELEASES_URL"
  fi
  [ -z "$named_version" ] || is_version "$named_version" || die bad-version \
    "'$named_version' is not a version of Wasp." 'It is X.Y.Z (0.25.0) or X.Y.Z-rcN. See what is installed: list'
  name_places
}

name_places() {
  [ -n "$prefix" ] || die usage 'HOME is not set, so there is no default place to install to.' 'Say where: --prefix DIR'
  prefix=$(absolute "$prefix")
  [ "$porcelain" = no ] || [ -z "${DESTDIR-}" ] || destdir=$(absolute "$DESTDIR")
  if [ -n "$archive_file" ]; then
    [ -f "$archive_file" ] && [ -r "$archive_file" ] \
      || die file-system "cannot read the archive '$archive_file'." 'Give the path of a downloaded release.'
    archive_file=$(absolute "$archive_file")
  fi
  wasp_root=$prefix/share/wasp-lang
  share_dir=$destdir$wasp_root bin_dir=$destdir$prefix/bin
}

die_unknown_word() {
  _hint='The commands are install, list, use, uninstall and migrate-to-npm. See: --help'
  ! is_version "${1#v}" || _hint="To install a version: -v $1"
  case $1 in upgrade | update) _hint='To move to the newest version: run this without a command.' ;; esac
  die usage "do not know what to do with '$(plain_text "$1")'." "$_hint"
}

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
      distro_id=$(sed -n "s/^ID=[\"']*\([a-z0-9._-]*\).*/\1/p" /etc/os-release 2>/dev/null | head -n 1)
      detect_libc
      ;;
    Darwin)
      os=macos
      [ "$(sysctl -n hw.optional.arm64 2>/dev/null)" != 1 ] || arch=aarch64
      ;;
    MINGW* | MSYS* | CYGWIN* | Windows*) os=windows ;;
  esac
  say_step "Platform: $system $machine${libc:+ $libc}${distro_id:+ ($distro_id)}"
}

detect_libc() {
  glibc_version=$({ ask getconf GNU_LIBC_VERSION || ask ldd --version; } \
    | sed -n -e 's/^glibc \([0-9]*\.[0-9.]*\)$/\1/p' -e '1s/^ldd .* \([0-9]*\.[0-9.]*\)$/\1/p')
  libc=${glibc_version:+glibc}
  libc=${libc:-musl}
}

choose_build() {
  [ "$os" != windows ] || die unsupported-platform "$system is Windows: Wasp runs there inside WSL." \
    'Open WSL (wsl --install, if there is none) and run this again in it.'
  [ -n "$os" ] || die_unsupported "$system"
  [ -n "$arch" ] || die_unsupported "$machine processors"
  [ "$(getconf LONG_BIT 2>/dev/null)" != 32 ] || die_unsupported "a 32-bit userland on a $arch processor"
  case $os,$arch in
    macos,x86_64) npm_build=darwin-x64-unknown github_builds='macos-x86_64 macos-universal' ;;
    macos,aarch64) npm_build=darwin-arm64-unknown github_builds='macos-aarch64 macos-universal macos-x86_64' ;;
    linux,x86_64)
      npm_build=linux-x64-glibc github_builds=linux-x86_64
      ! needs_static_build || npm_build=linux-x64-musl github_builds=linux-x86_64-static
      ;;
    linux,aarch64)
      npm_build=linux-arm64-glibc github_builds=linux-aarch64
      ! needs_static_build || [ "$libc" = glibc ] || die_unsupported 'musl (Alpine) on aarch64'
      ! needs_static_build || die unsupported-platform \
        "Wasp needs glibc $OLDEST_GLIBC or newer on $arch; this system has $glibc_version." \
        'Use a newer release of your distribution.'
      ;;
  esac
}

needs_static_build() {
  [ "$libc" = glibc ] && ! comes_before "$glibc_version" "$OLDEST_GLIBC" || return 0
  [ "$arch" = x86_64 ] && { [ "$distro_id" = nixos ] || ! [ -e /lib64/ld-linux-x86-64.so.2 ]; }
}

die_unsupported() {
  die unsupported-platform "Wasp has no release for $1." \
    'There is one for Linux (x86_64, aarch64), macOS (Intel, Apple silicon), and Windows through WSL.'
}

platform_words() {
  case $os in
    linux) printf 'Linux %s%s' "$arch" "${libc:+ ($libc)}" ;;
    macos) printf 'macOS %s' "$arch" ;;
  esac
}

is_on_ci() {
  for _value in "${CI-}" "${BUILD_ID-}" "${BUILD_NUMBER-}" "${CI_APP_ID-}" "${CI_BUILD_ID-}" \
    "${CI_BUILD_NUMBER-}" "${CI_NAME-}" "${CONTINUOUS_INTEGRATION-}" "${RUN_ID-}" "${GITHUB_ACTIONS-}" "${TRAVIS-}"; do
    case $_value in '' | 0 | [Ff][Aa][Ll][Ss][Ee]) ;; *) return 0 ;; esac
  done
  return 1
}

choose_downloader() {
  downloader=curl wget_options=''
  case $(command -v curl || :) in
    '' | /snap/* | */snap/bin/*) downloader=wget ;;
    *) return 0 ;;
  esac
  have wget || die no-downloader 'this installer needs curl or wget, and neither is on PATH (snap'"'"'s curl cannot be used).' \
    "$(how_to_install curl)"
  [ -z "${HTTPS_PROXY-}" ] || export https_proxy="${https_proxy:-$HTTPS_PROXY}"
  [ -z "${NO_PROXY-}" ] || export no_proxy="${no_proxy:-$NO_PROXY}"
  case $(wget --version 2>/dev/null) in
    *'GNU Wget2'*) die no-downloader 'the wget on PATH is Wget2, which this installer cannot use.' "$(how_to_install curl)" ;;
    *'GNU Wget'*) wget_options="--no-config --no-netrc --no-hsts -nv --tries=1 --timeout=$timeout --max-redirect=$REDIRECT_LIMIT" ;;
    *) case $(wget --help 2>&1) in *'-T '*) wget_options="-T $timeout" ;; esac ;;
  esac
}

set_problem() {
  problem=$1 problem_text=$2
}

check_url() {
  case $1 in
    *[!A-Za-z0-9._~:/?\#@!\$\&\'\(\)*+,\;=%\[\]-]*)
      set_problem bad-answer 'the address of the download holds characters that no URL has'
      return 1
      ;;
    https://?*) return 0 ;;
    http://*) ! is_loopback "$1" || return 0 ;;
  esac
  set_problem insecure-url "$(plain_text "$1") is not an https address"
  return 1
}

is_loopback() {
  host_of "$1"
  case $host in
    localhost | '[::1]') ;;
    *[!0-9.]* | *.*.*.*.*) return 1 ;;
    127.[0-9]*.[0-9]*.[0-9]*) ;;
    *) return 1 ;;
  esac
}

host_of() {
  host=${1#*://}
  host=${host%%[/?#]*}
  host=${host##*@}
  case $host in
    '['*) host=${host%%]*}']' ;;
    *) host=${host%%:*} ;;
  esac
}

fetch() {
  _attempt=1 _pause=1
  until fetch_once "$1" "$2" "${3:-get}"; do
    case $problem,$http_status in
      connection,* | http-status,429 | http-status,5??) ;;
      *) return 1 ;;
    esac
    [ "$_attempt" -lt "$ATTEMPTS" ] || return 1
    while [ "$retry_after" != "${retry_after#0?}" ]; do retry_after=${retry_after#0}; done
    case $retry_after in
      '' | *[!0-9]*) _wait=$_pause ;;
      ???* | 6[1-9] | [789]?) _wait=$LONGEST_RETRY_AFTER_S ;;
      *) _wait=$retry_after ;;
    esac
    say "$problem_text; trying again in $_wait s"
    run_waiting /dev/null /dev/null sleep "$_wait"
    _attempt=$((_attempt + 1)) _pause=$((_pause * 2))
  done
}

fetch_once() {
  say_step "$3 $(plain_text "$1")"
  problem='' problem_text='' http_status='' location='' retry_after='' encoding='' content_length=''
  check_url "$1" || return 1
  host_of "$1"
  _url=$1 _file=$2 _method=$3
  : >"$work/headers"
  case $_file in
    */archive) _limit=$UNPACKED_LIMIT ;;
    *) _limit=$ANSWER_LIMIT ;;
  esac
  "fetch_with_$downloader" || return 1
  case $encoding in
    '' | identity) return 0 ;;
  esac
  set_problem bad-answer "$host sent its answer compressed ($(plain_text "$encoding")), which nobody asked for"
  return 1
}

bounded() {
  trap '' XFSZ 2>/dev/null
  ulimit -f "$((_limit / 512))" 2>/dev/null
  exec "$@"
}

fetch_with_curl() {
  _protocols='=https'
  case $_url in http:*) _protocols='=http,https' ;; esac
  set -- --disable --silent --show-error --fail --dump-header "$work/headers" --max-redirs "$REDIRECT_LIMIT" \
    --proto "$_protocols" --proto-redir "$_protocols" --connect-timeout "$timeout" --speed-limit "$SLOWEST" \
    --speed-time "$timeout" --max-filesize "$_limit" --user-agent 'wasp-installer (sh)'
  case $_method in
    head) set -- "$@" --location --head ;;
    get) set -- "$@" --location ;;
  esac
  run_waiting "$_file" "$work/errors" bounded curl "$@" "$_url"
  _status=$?
  read_headers
  [ "$_status" = 0 ] || explain_failure "curl $_status"
}

fetch_with_wget() {
  set -- -S -O - $wget_options
  case $_method,$wget_options in
    head,*) set -- "$@" --spider ;;
    location,*max-redirect*) set -- "$@" --max-redirect=0 ;;
  esac
  case ${SSL_CERT_FILE:+$wget_options} in *no-hsts*) set -- "$@" --ca-certificate="$SSL_CERT_FILE" ;; esac
  run_waiting "$_file" "$work/errors" bounded wget "$@" "$_url"
  _status=$?
  sed 's/^ *//' "$work/errors" >"$work/headers"
  read_headers
  ! grep -q 'certificate validation not implemented' "$work/errors" || die no-downloader \
    'the wget on PATH does not check certificates, so curl is needed.' "$(how_to_install curl)"
  if [ "${_url#https:}" != "$_url" ] && grep -qi '^location:[[:space:]]*http:' "$work/headers"; then
    set_problem insecure-url "$host sent us on to an address that is not https"
    return 1
  fi
  case $_method,$http_status in location,3??) _status=0 ;; esac
  [ "$_status" = 0 ] || explain_failure "wget $_status"
}

read_headers() {
  while IFS=": $tab" read -r _key _value; do
    _value=${_value%"$carriage_return"}
    case $_key in
      HTTP/*) http_status=${_value%% *} retry_after='' encoding='' ;;
      [Ll][Oo][Cc][Aa][Tt][Ii][Oo][Nn]) location=${_value%% *} ;;
      [Rr]etry-[Aa]fter) retry_after=$_value ;;
      [Cc]ontent-[Ll]ength) content_length=$_value ;;
      [Cc]ontent-[Ee]ncoding) encoding=$_value ;;
    esac
  done <"$work/headers"
}

explain_failure() {
  _words=$(sed -n -e 's/^curl: ([0-9]*) //p' -e 's/^wget: //p' -e 's/^ERROR: //p' "$work/errors" | tail -n 1)
  _words=$(plain_text "${_words:-$(tail -n 1 "$work/errors")}" | sed 's/[.: ]*$//')
  case $1,$http_status,$_words in
    *[Nn]o\ space*) die_file_system "cannot write the download to $(pretty "${_file%/*}")" "$_words" ;;
    curl\ 23,*)
      [ -n "$(find "$_file" "$work/headers" -size "+$((_limit / 512 - 1))" 2>/dev/null)" ] \
        || die_file_system "cannot write the download to $(pretty "${_file%/*}")" "$_words"
      set_problem bad-answer "$host offers a file that is far too large"
      ;;
    curl\ 63,*) set_problem bad-answer "$host offers a file that is far too large" ;;
    curl\ 7,* | wget*refused*)
      set_problem connection "$host refuses the connection"
      [ -z "${https_proxy-}${HTTPS_PROXY-}${http_proxy-}${all_proxy-}${ALL_PROXY-}" ] \
        || set_problem proxy "$host, or the proxy before it, refuses the connection ($_words)"
      ;;
    *,407,* | *' 407'*) set_problem proxy 'the proxy wants a user name and a password' ;;
    curl\ 22,[45]??,* | wget*,[45]??,*)
      case $http_status in
        404 | 410) set_problem not-found "$host does not have it" ;;
        *) set_problem http-status "$host answered with HTTP status $http_status" ;;
      esac
      ;;
    curl\ 5,* | curl\ 97,* | curl\ 22,* | *roxy* | *CONNECT*) set_problem proxy "the proxy did not let us through to $host ($_words)" ;;
    curl\ 6,* | wget*'unable to resolve'* | wget*'bad address'*) set_problem dns "the name $host cannot be resolved" ;;
    curl\ 1,*HTTP/0.9*) set_problem bad-answer "$host answered with something that is not HTTP" ;;
    curl\ 1,*) set_problem insecure-url "$host sent us on to an address that is not https" ;;
    curl\ 3,* | curl\ 47,*) set_problem bad-answer "$host redirects to no address ($_words)" ;;
    curl\ 28,* | wget*'timed out'*) set_problem timeout "$host sent nothing for $timeout s" ;;
    curl\ 35,*reset* | curl\ 35,*'unexpected eof'* | curl\ 35,*SYSCALL*) set_problem connection "$host closed the connection ($_words)" ;;
    curl\ [3-9][0-9],*ertificate* | curl\ [3-9][0-9],*SSL* | curl\ [3-9][0-9],*TLS* | wget\ 5,* | wget*ertificate*)
      set_problem tls "the TLS certificate of $host is not accepted ($_words)"
      ;;
    *) set_problem connection "the connection to $host failed${_words:+ ($_words)}" ;;
  esac
  return 1
}

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

fetch_json() {
  fetch "$1" "$work/answer" || return 1
  values=$(json_strings "$work/answer") && [ -n "$values" ] && return 0
  set_problem bad-answer "$host answered with something that is not JSON"
  ! is_web_page "$work/answer" \
    || set_problem captive-portal "$host answered with a web page, as the login page of a network does"
  return 1
}

is_web_page() {
  case $(head -c 512 "$1" | tr -d '\000' | tr '[:upper:]' '[:lower:]') in
    *'<!doctype html'* | *'<html'* | *'<head'* | *'<script'*) ;;
    *) return 1 ;;
  esac
}

json_strings() {
  awk 'BEGIN { RS = "\"" }
    function path(    i, joined) {
      for (i = 1; i <= depth; i++) joined = joined (i > 1 ? "." : "") name[i]
      return joined
    }
    inside {
      run = 0
      while (run < length($0) && substr($0, length($0) - run, 1) == "\\") run++
      if (length(value) < 4096) value = value substr($0, 1, 4096) (run % 2 ? "\"" : "")
      if (run % 2) next
      inside = 0; ended = 1
      next
    }
    {
      if (ended && $0 ~ /^[ \t\r\n]*:/) name[depth] = value
      else if (ended && length(value) < 4096) {
        gsub(/\\\//, "/", value)
        gsub(/\\u003[eE]/, ">", value); gsub(/\\u0026/, "\\&", value); gsub(/\\u003[dD]/, "=", value)
        gsub(/[[:cntrl:]]/, " ", value)
        print path() "\t" value
      }
      ended = 0; value = ""; inside = 1
      text = $0
      if (length(text) > 65536) exit 1
      while (match(text, /[][{},]/)) {
        c = substr(text, RSTART, 1)
        text = substr(text, RSTART + 1)
        if (c == "{" || c == "[") {
          if (++depth > 100) exit 1
          kind[depth] = c; name[depth] = (c == "[") ? 0 : ""
        } else if (c != ",") {
          if (--depth < 0) exit 1
        } else if (kind[depth] == "[") name[depth]++
      }
    }
    END { if (depth != 0) exit 1 }' "$1" 2>/dev/null
}

pick() {
  picked=''
  case "$newline$values$newline" in
    *"$newline$1$tab"*)
      picked="$newline$values"
      picked=${picked#*"$newline$1$tab"}
      picked=${picked%%"$newline"*}
      ;;
  esac
}

asks_npm() {
  [ -z "$archive_file" ] || return 1
  case $source in
    npm) ;;
    github) return 1 ;;
    *) [ "$wanted" = latest ] || ! comes_before "$wanted" "$FIRST_NPM_VERSION" ;;
  esac
}

start_registry_lookup() {
  fetcher=request registry=${WASP_NPM_REGISTRY-}
  asks_npm && [ -z "$registry" ] || return 0
  if have npm; then
    say_step 'Asking npm for its registry'
    fetcher=either
    ask_npm_for_registry >"$work/registry" 2>"$work/complaint" &
    npm_lookup=$!
  else
    registry=${npm_config_registry-}
  fi
}

ask_npm_for_registry() {
  _said=$(run_npm "$HELPER_LIMIT_S" config get @wasp.sh:registry registry) || return 1
  [ "$_said" != undefined ] || _said=$(run_npm "$HELPER_LIMIT_S" config get registry) || return 1
  printf '%s\n' "$_said"
}

run_npm() {
  mkdir -p "$work/npm" && printf '{}\n' >"$work/npm/package.json" && cd "$work/npm" || return 1
  export npm_config_cache="$work/npm/cache" npm_config_update_notifier=false npm_config_logs_max=0 \
    npm_config_fetch_retries=1
  _limit_s=$1
  shift
  exec_limited "$_limit_s" npm "$@" --no-workspaces
}

find_registry() {
  if [ -n "$npm_lookup" ]; then
    wait "$npm_lookup" 2>/dev/null && registry=$(sed -n -e 's/^@wasp\.sh:registry *= */1 /p' -e 's/^registry *= */2 /p' \
      -e 's/^http/3 &/p' "$work/registry" | sort | sed -n 's/^. \(https\{0,1\}:\/\/[^[:space:]]*\)[[:space:]]*$/\1/p' | head -n 1)
    [ -n "$registry" ] || grep -q protected "$work/complaint" || fetcher=request
  fi
  npm_lookup=''
  registry=${registry%/}
}

knows_npm_source() {
  [ -n "$registry" ] || [ "$fetcher" = either ]
}

find_release_at_npm() {
  [ -z "$registry" ] || ! request_release || return 0
  [ "$fetcher" = either ] && [ "$problem" != no-build ] || return 1
  _problem=$problem _problem_text=$problem_text
  say_step 'Asking npm for the release'
  ! ask_npm_for_release || return 0
  [ -z "$_problem" ] || set_problem "$_problem" "$_problem_text"
  return 1
}

request_release() {
  case $registry in
    *://*) ;;
    *)
      set_problem insecure-url "'$(plain_text "$registry")' is not the address of an npm registry"
      return 1
      ;;
  esac
  request_document "$NPM_PATH" "$wanted" || {
    [ "$problem" != not-found ] || set_problem not-found "it does not have $(wanted_words)"
    return 1
  }
  take_version || return 1
  request_document "$NPM_PATH-$npm_build" "$version" || {
    [ "$problem" != not-found ] || set_problem no-build "Wasp $version has no package $npm_build"
    return 1
  }
  take_distribution || return 1
  if is_loopback "$release_url" && ! is_loopback "$registry"; then
    set_problem insecure-url "the registry names an archive on this machine ($(plain_text "$release_url"))"
    return 1
  fi
  check_url "$release_url"
}

request_document() {
  below=''
  fetch_json "$registry/$1/$2" && return 0
  case $problem,$http_status in
    not-found,* | http-status,400 | http-status,405) fetch_json "$registry/$1" || return 1 ;;
    *) return 1 ;;
  esac
  below=$2
  [ "$2" != latest ] || { pick dist-tags.latest && below=$picked; }
  below=versions.$below.
  pick "${below}version"
  set_problem not-found ''
  [ -n "$picked" ]
}

take_version() {
  pick "${below}version"
  version=$picked
  is_version "$version" || {
    set_problem bad-answer "$host did not say which version it has"
    return 1
  }
  pick "${below}engines.node"
  take_node_range "$picked"
}

take_node_range() {
  release_node=$1
  case $1 in *[!\ 0-9A-Za-z.\<\>=~^\|*+-]* | ????????????????????????????????????????????????????????????????*) release_node='' ;; esac
}

take_distribution() {
  release_source=npm
  pick "${below}dist.tarball"
  release_url=$(printf '%s\n' "$picked" | sed 's,://[^/@]*@,://,')
  pick "${below}dist.integrity"
  for _integrity in $picked; do
    case $_integrity in
      sha512-*) release_digest=sha512:$(base64_to_hex "${_integrity#sha512-}") ;;
    esac
  done
  case $release_url,${#release_digest} in
    ,*) set_problem bad-answer "$host did not say where the archive is" ;;
    *,0 | *,135) return 0 ;;
    *) set_problem bad-answer "$host gave a checksum that cannot be read" ;;
  esac
  return 1
}

base64_to_hex() {
  printf '%s\n' "$1" | awk '{
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    sub(/==?$/, "")
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
  }'
}

ask_npm_for_release() {
  host=npm problem='' below=''
  view_with_npm "$NPM_PACKAGE@$wanted" name version engines.node || {
    set_problem not-found "npm cannot get $(wanted_words)"
    return 1
  }
  take_version || return 1
  view_with_npm "$NPM_PACKAGE-$npm_build@$version" name dist.tarball dist.integrity || {
    set_problem no-build "Wasp $version has no package $npm_build"
    return 1
  }
  fetcher=npm
  take_distribution
}

view_with_npm() {
  run_waiting "$work/answer" "$work/errors" run_npm "$NPM_FETCH_LIMIT_S" view --json "$@" \
    && values=$(json_strings "$work/answer") && [ -n "$values" ]
}

download_with_npm() {
  run_waiting /dev/null "$work/errors" run_npm "$NPM_FETCH_LIMIT_S" pack --ignore-scripts "$NPM_PACKAGE-$npm_build@$version" \
    && mv "$work"/npm/*.tgz "$1" 2>/dev/null && return 0
  set_problem connection "npm could not fetch $NPM_PACKAGE-$npm_build ($(plain_text "$(head -n 3 "$work/errors")"))"
  return 1
}

read_versions_of_npm() {
  if [ -n "$registry" ] && fetch_json "$registry/$NPM_PATH"; then
    available=$(printf '%s\n' "$values" | sed -n "s/^versions\..*\.version$tab//p")
  else
    [ "$fetcher" = either ] && view_with_npm "$NPM_PACKAGE" name versions || return 1
    available=$(printf '%s\n' "$values" | sed -n "s/^versions\.[0-9]*$tab//p")
  fi
}

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
  fetcher=request
  if [ "$wanted" = latest ]; then
    fetch "$github/wasp-lang/wasp/releases/latest" "$work/answer" location || return 1
    version=${location##*/tag/v}
    if [ "$version" = "$location" ] || ! is_version "$version"; then
      case $http_status in
        3??) set_problem bad-answer "$host did not say which version is the newest" ;;
        *) set_problem captive-portal "$host answered with a page of its own" ;;
      esac
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
  if fetch "$github/wasp-lang/wasp/releases/tag/v$version" /dev/null head; then
    set_problem no-build "Wasp $version has no build for $os $arch"
  fi
  return 1
}

ask_github_for_assets() {
  assets='' api_problem=''
  if fetch_once "$github_api/repos/wasp-lang/wasp/releases/tags/v$version" "$work/answer" get; then
    assets=$(json_strings "$work/answer") || assets=''
    case $assets in
      *assets.*) ;;
      *) assets='' ;;
    esac
  elif [ "$problem" != not-found ]; then
    api_problem=$problem_text
  fi
}

asset_is_there() {
  set_problem not-found "Wasp $version has no $1"
  [ -n "$assets" ] || {
    fetch "$release_url" /dev/null head
    return
  }
  values=$assets
  _asset=$(printf '%s\n' "$assets" | sed -n "s/^assets\.\([0-9]*\)\.name$tab$1\$/\1/p")
  [ -n "$_asset" ] || return 1
  pick "assets.$_asset.digest"
  case $picked in
    sha256:*) release_digest=$(printf '%s' "$picked" | tr A-F a-f) ;;
  esac
}

read_versions_of_github() {
  name_github
  fetch_json "$github_api/repos/wasp-lang/wasp/releases?per_page=100" || return 1
  available=$(printf '%s\n' "$values" | sed -n "s/^[0-9]*\.tag_name${tab}v//p")
}

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

try_sources() {
  choose_downloader
  plan_sources
  _tried='' network_problem='' network_problem_text=''
  for _source in $sources; do
    if [ -n "$_tried" ]; then
      _instead=$(source_name "$_source")
      warn "$(source_name "$_tried"): $problem_text. Trying $_instead instead."
    fi
    _tried=$_source problem=''
    ! "$1" "$_source" || return 0
    say_step "$(source_name "$_source"): $problem_text"
    case $problem in
      not-found | no-build) ;;
      *)
        [ -n "$network_problem" ] || network_problem=$problem
        network_problem_text="$network_problem_text${network_problem_text:+; }$problem_text"
        ;;
    esac
  done
  return 1
}

die_of_network_problem() {
  [ -n "$network_problem" ] || return 0
  problem=$network_problem problem_text=$network_problem_text
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

plan_sources() {
  sources=github
  [ "$source" != github ] || return 0
  find_registry
  if [ "$source" = npm ]; then
    knows_npm_source || die bad-answer 'no npm registry is known here.' \
      'Name one in WASP_NPM_REGISTRY, install npm, or use --source github.'
    sources=npm
  elif knows_npm_source && asks_npm; then
    sources='npm github'
  fi
}

find_available() {
  wanted=latest
  start_registry_lookup
  choose_build
  ! try_sources list_versions_at || return 0
  die_of_network_problem 'the list of versions'
  die no-such-version 'no release of Wasp is to be found.' 'See with --verbose where it was looked for.'
}

list_versions_at() {
  "read_versions_of_$1" || return 1
  available=$(printf '%s\n' "$available" | grep -E "$VERSION_PATTERN" | newest_first)
  set_problem not-found 'it has no version of Wasp'
  [ -n "$available" ] || return 1
  release_source=$1
}

take_release() {
  ! is_downgrade && [ "$dry_run" = no ] && ! is_to_be_kept "$version" || return 0
  announce_install
  say "Wasp $version for $(platform_words), from $(source_name "$release_source")"
  take_known_digest
  require_checksum_or_say
  start_progress
  download "$staging/archive"
  _status=$?
  stop_progress
  [ "$_status" = 0 ] || return 1
  unpack_archive && check_binary && return 0
  set_problem captive-portal "$host answered with a web page, as the login page of a network does"
  return 1
}

download() {
  case $fetcher,$release_source in
    npm,*) download_with_npm "$1" ;;
    either,npm) fetch "$release_url" "$1" || download_with_npm "$1" ;;
    *) fetch "$release_url" "$1" ;;
  esac
}

take_file() {
  release_source=file
  [ "$wanted" = latest ] || version=$wanted
  [ "$dry_run" = no ] || return 0
  [ "$require_checksum" = no ] || [ -n "$wanted_sha256" ] || die_no_checksum "no checksum is known for $(pretty "$archive_file")."
  say "Wasp from $(pretty "$archive_file")"
  change "write to $(pretty "$staging")" cp "$archive_file" "$staging/archive"
  unpack_archive || die corrupt-archive "$(pretty "$archive_file") is a web page, not an archive." "Get it again: $RELEASES_URL"
  check_binary
}

take_known_digest() {
  _known=$(known_digests | awk -v version="$version" -v source="$release_source" -v build="$npm_build" -v url="$release_url" '
    $1 == version && $2 == source && (source == "npm" ? $3 == build : index(url, "/wasp-" $3 ".tar.gz")) { print $4 }')
  [ -z "$_known" ] || release_digest=$_known
}

require_checksum_or_say() {
  [ -z "$wanted_sha256$release_digest" ] || return 0
  if [ "$release_source" = github ] && [ -n "$api_problem" ]; then
    [ "$require_checksum" = no ] || die_no_checksum "the checksum of $release_url could not be asked for ($api_problem)."
    warn "The checksum of this archive could not be asked for ($api_problem); it is installed unchecked."
  else
    [ "$require_checksum" = no ] || die_no_checksum "no checksum is known for $release_url."
    warn 'No checksum is known for this archive; it is installed unchecked.'
  fi
}

die_no_checksum() {
  die no-checksum "$1" 'Give the one that you trust with --sha256 HEX, or leave out --require-checksum.'
}

unpack_archive() {
  need tar
  need gzip
  change "write to $(pretty "$staging")" rm -rf "$staging/unpacked" "$staging/new"
  change "write to $(pretty "$staging")" mkdir "$staging/new"
  ! is_web_page "$staging/archive" || return 1
  [ -z "$release_digest" ] || verify_digest "${release_digest%%:*}" "${release_digest#*:}"
  [ -z "$wanted_sha256" ] || verify_digest sha256 "$wanted_sha256"
  if [ -z "$release_digest" ]; then
    [ "$release_source" != file ] || ! read_digest sha256 || release_digest="sha256:$digest"
    [ "$(decompress 2>/dev/null | tail -c 512 | tr -d '\000' | wc -c)" -eq 0 ] || die_damaged
  fi
  say_step 'Unpacking'
  tar_locale=C.UTF-8
  run_waiting /dev/null "$staging/errors" unpack || {
    tar_locale=en_US.UTF-8
    run_waiting /dev/null "$staging/errors" unpack
  }
  explain_unpacking "$?"
  refuse_what_no_release_has
  keep_wasp_only
}

verify_digest() {
  read_digest "$1" || {
    _errors=$(cat "$staging/errors")
    ! is_of_the_system "$_errors" || die_file_system 'cannot check the archive' "$_errors"
    die no-hash-tool 'the archive cannot be checked: no sha256sum, shasum or openssl on PATH does it.' "$(how_to_install openssl)"
  }
  [ "$digest" = "$2" ] || die checksum-mismatch \
    "the archive is not the one that was published: its $1 is${newline}$digest, and should be${newline}$2." \
    'Nothing was installed. Run this again; if it stays so, something between here and the source changes it.'
  say_step "Checked: $1 $digest"
}

read_digest() {
  digest=''
  run_waiting "$staging/digest" "$staging/errors" hash_archive "${1#sha}" && read -r digest _ <"$staging/digest" \
    && [ -n "$digest" ]
}

hash_archive() {
  exec <"$staging/archive"
  ! have "sha${1}sum" || exec "sha${1}sum"
  ! have shasum || exec shasum -a "$1"
  exec openssl dgst -r "-sha$1"
}

unpack() {
  ulimit -f "$((UNPACKED_LIMIT / 512))" 2>/dev/null
  rm -rf "$staging/damaged" "$staging/unpacked"
  mkdir "$staging/unpacked" && cd "$staging/unpacked" || exit 1
  decompress | head -c "$((UNPACKED_LIMIT + 1))" | {
    LC_ALL=$tar_locale tar -xof -
    _status=$?
    cat >/dev/null
    exit "$_status"
  }
}

decompress() {
  if [ "$(head -c 2 "$staging/archive" | od -An -tx1 | tr -d ' \n')" = 1f8b ]; then
    gzip -dc <"$staging/archive" || : >"$staging/damaged"
  else
    cat "$staging/archive"
  fi
}

explain_unpacking() {
  _errors=$(cat "$staging/errors")
  case $1,$_errors in
    153,* | 281,* | 409,*) die_too_large ;;
    *"'..'"* | *'emoving leading'* | *'utside'* | *'ot a directory'* | *'symlink'*) die_unsafe ;;
    *'Damaged tar'*) die_damaged ;;
    0,*) [ -e "$staging/damaged" ] || return 0 ;;
  esac
  [ "$(decompress 2>/dev/null | head -c "$((UNPACKED_LIMIT + 1))" | wc -c)" -le "$UNPACKED_LIMIT" ] || die_too_large
  ! is_of_the_system "$_errors" || die_file_system "cannot unpack into $(pretty "$staging")" "$_errors"
  die_damaged
}

die_too_large() {
  die unsafe-archive 'the archive unpacks to more than 1 GB, which no release of Wasp does.' 'Nothing was installed.'
}

die_damaged() {
  die corrupt-archive 'the archive is damaged or cut short.' 'Nothing was installed. Get it again, whole.'
}

die_unsafe() {
  die unsafe-archive 'the archive holds something that no release of Wasp does, such as a path that leads outside.' \
    'Nothing was installed; please report where it came from.'
}

refuse_what_no_release_has() {
  root=$staging/unpacked
  [ ! -d "$root/package" ] || [ -L "$root/package" ] || root=$root/package
  [ -z "$(find "$root" ! -type f ! -type d ! -type l -o -type f -links +1 -o ! -type l -perm -4000 \
    -o ! -type l -perm -2000 -o -name '*[[:cntrl:]]*')" ] || die_unsafe
  [ "$(find "$root" | head -n "$((ENTRY_LIMIT + 1))" | wc -l)" -le "$ENTRY_LIMIT" ] || die_unsafe
  [ -z "$(find "$root" -type f -size "+$((UNPACKED_LIMIT / 512 - 1))")" ] || die_too_large
  find "$root/data" -type l >"$staging/links" 2>/dev/null
  while IFS= read -r _link; do
    ! leads_outside "${_link#"$root/data/"}" "$(readlink "$_link")" || die_unsafe
  done <"$staging/links"
}

leads_outside() {
  _folders=$1 _rest=$2/
  while [ "$_rest" != "${_rest#../}" ]; do
    case $_folders in */*) ;; *) return 0 ;; esac
    _folders=${_folders#*/} _rest=${_rest#../}
  done
  case $2,/$_rest in , | /* | *,*/../*) return 0 ;; esac
  return 1
}

keep_wasp_only() {
  [ -f "$root/wasp-bin" ] && [ -d "$root/data" ] && ! [ -L "$root/wasp-bin" ] && ! [ -L "$root/data" ] \
    || die corrupt-archive 'the archive holds no wasp-bin with its data: it is no release of Wasp.' 'Nothing was installed.'
  _unpacking="unpack into $(pretty "$staging")"
  change "$_unpacking" chmod -R u=rwX,go=rX "$root/data"
  change "$_unpacking" chmod 755 "$root/wasp-bin"
  if [ -z "$release_node" ] && [ -f "$root/package.json" ] && values=$(json_strings "$root/package.json"); then
    pick engines.node
    take_node_range "$picked"
  fi
  change "$_unpacking" mv "$root/wasp-bin" "$root/data" "$staging/new/"
}

check_binary() {
  say_step 'Running wasp-bin version'
  run_waiting "$work/said" "$work/errors" run_unpacked_binary || explain_binary "$?"
  _reported=$(sed -n 's/^[^0-9]*\([0-9][0-9.]*[0-9]\(-rc[0-9]*\)\{0,1\}\).*/\1/p' "$work/said" | head -n 1)
  is_version "$_reported" || die binary-does-not-run 'the binary in the archive does not say which version it is.' \
    'Nothing was installed.'
  version=${version:-$_reported}
  [ "${_reported%-rc*}" = "${version%-rc*}" ] || die wrong-version \
    "the archive holds Wasp $_reported, not $version." 'Nothing was installed.'
}

run_unpacked_binary() {
  if [ -n "$user_locale" ]; then LC_ALL=$user_locale; else unset LC_ALL; fi
  export WASP_TELEMETRY_DISABLE=1 WASP_AUTO_NEWS_DISABLE=1 waspc_datadir="$staging/new/data"
  exec_limited "$HELPER_LIMIT_S" "$staging/new/wasp-bin" version
}

explain_binary() {
  _said=$(plain_text "$(cat "$work/said" "$work/errors")")
  case $_said in
    *'loading shared libraries: '*)
      _library=${_said#*'shared libraries: '}
      _library=${_library%%:*}
      case $_library,$(command -v apt-get) in
        libgmp.*,?*) _library=libgmp10 ;;
        libgmp.*) _library=gmp ;;
        libz.*,?*) _library=zlib1g ;;
        libz.*) _library=zlib ;;
      esac
      _hint=$(how_to_install "$_library")
      ;;
    *GLIBC_*) _hint="Wasp needs glibc $OLDEST_GLIBC or newer: use a newer release of your distribution." ;;
    *'Bad CPU type'*) _hint='Install Rosetta: softwareupdate --install-rosetta' ;;
    *'ermission denied'*) die permission-denied "programs may not run from $(pretty "$prefix") (is it mounted noexec?)." \
      'Choose another place with --prefix DIR.' ;;
    *'not found'* | *'No such file'*) _hint="This system lacks the program loader that the binary asks for (${libc:-$os}); see --source github." ;;
    *) _hint='Please report it: https://github.com/wasp-lang/wasp/issues' ;;
  esac
  die binary-does-not-run "Wasp${version:+ $version} was unpacked but does not run here (exit code $1): ${_said##*wasp-bin: }" \
    "Nothing was installed. $_hint"
}

start_progress() {
  [ "$on_terminal" = yes ] && [ "$quiet" = no ] || return 0
  : >"$work/downloading"
  draw_progress "$staging/archive" &
  progress=$!
}

stop_progress() {
  [ -n "$progress" ] || return 0
  rm -f "$work/downloading"
  kill "$progress" 2>/dev/null
  wait "$progress" 2>/dev/null
  progress=''
  clear_line
}

clear_line() {
  printf '\r%s[K' "$escape" >&2
}

draw_progress() {
  trap 'exit 0' TERM
  trap - INT HUP
  while [ -e "$work/downloading" ]; do
    sleep 0.1 2>/dev/null || sleep 1
    [ -s "$1" ] || continue
    read_headers 2>/dev/null
    _done=$(wc -c <"$1") _total=${content_length:-0}
    case $_total in *[!0-9]*) _total=0 ;; esac
    _line="Downloading $((_done / 1000000)).$((_done / 100000 % 10)) MB"
    if [ "$_total" -gt 0 ] && [ "$_done" -le "$_total" ]; then
      _line="Downloading $((_done * 100 / _total))% of $((_total / 1000000)).$((_total / 100000 % 10)) MB"
      add_bar
    fi
    printf '\r%s%s[K' "$_line" "$escape" >&2
  done
}

add_bar() {
  _size=$(stty size <&2 2>/dev/null) || _size='0 0'
  _room=$((${_size#* } - ${#_line} - 4))
  [ "$_room" -lt 40 ] || _room=40
  [ "$_room" -ge 10 ] || return 0
  _filled=$((_done * _room / _total))
  _line="$_line [$(printf "%${_filled}s" '' | tr ' ' '#')$(printf "%$((_room - _filled))s" '')]"
}

announce_install() {
  [ "$dry_run,$announced,$wants_telemetry" = no,no,yes ] && ! is_opted_out || return 0
  announced=yes
  _target=${WASP_TELEMETRY_URL:-$TELEMETRY_URL}
  check_url "$_target" && make_install_event || return 0
  case ${WASP_TELEMETRY_DEBUG-} in
    '' | 0) ;;
    *)
      printf '%s\n' "$event" >&2
      return
      ;;
  esac
  choose_downloader
  say "Telemetry: a random id and \"$telemetry_os\" are sent (opt out: WASP_TELEMETRY_DISABLE=1)"
  send_event "$_target"
  tell telemetry sent
}

announce_new_install() {
  list_installed
  [ "$force" = no ] && [ -n "$installed" ] && { [ "$wanted" = latest ] || [ -n "$archive_file" ]; } || announce_install
}

is_opted_out() {
  [ -z "${WASP_TELEMETRY_DISABLE+set}" ] || return 0
  case ${DO_NOT_TRACK-} in
    '' | 0 | [Ff][Aa][Ll][Ss][Ee] | [Nn][Oo] | [Oo][Ff][Ff]) ;;
    *) return 0 ;;
  esac
  find_config_folder
  _folder=$config_folder/wasp
  [ -e "$_folder/telemetry-off" ] || [ -L "$_folder/telemetry-off" ] && return 0
  until [ -d "${_folder:-/}/" ]; do _folder=${_folder%/*}; done
  ! [ -x "${_folder:-/}/" ]
}

make_install_event() {
  case $system in
    Linux) telemetry_os=linux ;;
    Darwin) telemetry_os=osx ;;
    MINGW* | MSYS* | CYGWIN* | Windows*) telemetry_os=windows ;;
    *) telemetry_os=Unknown ;;
  esac
  _key=${WASP_TELEMETRY_KEY:-$TELEMETRY_KEY}
  case $_key in *[!A-Za-z0-9_-]*) return 1 ;; esac
  _digits=$(od -An -N256 -tu1 /dev/urandom 2>/dev/null | awk '
    { for (i = 1; i <= NF; i++) if ($i < 250 && (digits != "" || $i % 10)) digits = digits $i % 10 }
    END { print substr(digits, 1, 24) }')
  event="{\"api_key\": \"$_key\", \"type\": \"capture\", \"event\": \"install-script:run\", \"distinct_id\": \"$_digits\""
  event="$event, \"properties\": {\"os\": \"$telemetry_os\"}}"
  [ ${#_digits} = 24 ]
}

send_event() {
  _url=$1
  case $downloader,$wget_options in
    curl,*)
      set -- curl --disable --silent --max-time "$TELEMETRY_DEADLINE_S" --proto "=${_url%%:*}" --max-filesize 65536 \
        --user-agent wasp --header 'Accept:' --header 'Content-Type: application/json' --data "$event" "$_url"
      case $_url in http:*) set -- "$@" --noproxy '*' ;; esac
      ;;
    *no-hsts*)
      set -- wget $wget_options --timeout="$TELEMETRY_DEADLINE_S" --max-redirect=0 --user-agent=wasp \
        --header='Content-Type: application/json' --post-data="$event" --output-document=- "$_url"
      case $_url in http:*) set -- "$@" --no-proxy ;; esac
      [ -z "${SSL_CERT_FILE-}" ] || set -- "$@" --ca-certificate="$SSL_CERT_FILE"
      ;;
    *) return 0 ;;
  esac
  {
    trap '' HUP INT QUIT
    exec </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
    exec_limited "$((TELEMETRY_DEADLINE_S + 1))" "$@"
  } &
  sending=$!
}

name_owner() {
  [ -z "$owner_name" ] || return 0
  machine_name=$(uname -n)
  ! [ -L /proc/self/ns/pid ] || machine_name=${machine_name}_$(readlink /proc/self/ns/pid 2>/dev/null)
  machine_name=$(printf '%s\n' "$machine_name" | tr -c 'A-Za-z0-9\n' _)
  owner_name=$machine_name-$$
}

is_abandoned() {
  if [ "${1%-*}" != "$machine_name" ]; then
    [ -n "$(find "$2" -prune -mtime +0 2>/dev/null)" ]
    return
  fi
  _pid=${1##*-}
  [ "$_pid" = $$ ] || { ! kill -0 "$_pid" 2>/dev/null && ! [ -d "/proc/$_pid" ]; }
}

make_staging() {
  topmost_missing "$share_dir"
  made_share=$missing
  topmost_missing "$bin_dir"
  made_bin=$missing
  sweep
  change "make the folder $(pretty "$share_dir")" mkdir -p "$share_dir"
  staging=$(mktemp -d "$share_dir/.staging-$owner_name-XXXXXX" 2>&1) \
    || die_file_system "cannot write to $(pretty "$share_dir")" "$staging"
  change "make the folder $(pretty "$bin_dir")" mkdir -p "$bin_dir"
  staged_launcher=$(mktemp "$bin_dir/.wasp-staging-$owner_name-XXXXXX" 2>&1) \
    || die_file_system "cannot write to $(pretty "$bin_dir")" "$staged_launcher"
}

sweep() {
  name_owner
  for _left in "$share_dir"/.staging-* "$bin_dir"/.wasp-staging-*; do
    _name=${_left##*staging-}
    [ -e "$_left" ] && is_abandoned "${_name%-*}" "$_left" || continue
    say_step "Cleaning up after an earlier run: $_left"
    discard "$_left"
  done
}

discard() {
  for _aside in "$1"/replaced/*; do
    [ "${2-no}" = no ] && [ -d "$_aside" ] && ! [ -e "$share_dir/${_aside##*/}" ] || continue
    rename_folder "$_aside" "$share_dir/${_aside##*/}"
  done
  [ ! -d "$1/replaced" ] || rename_folder "$1/replaced" "$1/discarded"
  remove_tree "$1" 2>/dev/null
}

is_installed() {
  [ -x "$share_dir/$1/wasp-bin" ] && [ -f "$share_dir/$1/.receipt.json" ] \
    && IFS= read -r _receipt_line <"$share_dir/$1/.receipt.json" || return 1
  case $_receipt_line in
    "{\"version\": \"$1\", "*'}') ;;
    *) return 1 ;;
  esac
}

is_to_be_kept() {
  [ "$force" = no ] && is_installed "$1"
}

list_installed() {
  installed=$(
    for _receipt in "$share_dir"/*/.receipt.json; do
      [ -e "$_receipt" ] || continue
      _version=${_receipt%/.receipt.json}
      _version=${_version##*/}
      ! is_version "$_version" || ! is_installed "$_version" || printf '%s\n' "$_version"
    done | newest_first
  )
}

list_version_folders() {
  found=$(
    for _folder in "$share_dir"/*; do
      [ -d "$_folder" ] && ! [ -L "$_folder" ] && is_version "${_folder##*/}" || continue
      printf '%s\n' "${_folder##*/}"
    done | newest_first
  )
}

write_receipt() {
  write_file "$staging/new/.receipt.json" print_receipt
}

print_receipt() {
  printf '{"version": "%s", "source": "%s", "url": %s, "digest": %s, "node": %s, "platform": {"os": "%s", "arch": "%s", "libc": %s}}\n' \
    "$version" "$release_source" "$(json_or_null "$release_url")" "$(json_or_null "$release_digest")" \
    "$(json_or_null "$release_node")" "$os" "$arch" "$(json_or_null "$libc")"
}

json_or_null() {
  case $1 in
    '') printf null ;;
    *) printf '"%s"' "$(printf '%s' "$1" | sed 's/["\\]/\\&/g')" ;;
  esac
}

read_receipt() {
  version=$1
  values=$(json_strings "$share_dir/$1/.receipt.json") || values=''
  pick source && release_source=$picked
  pick url && release_url=$picked
  pick digest && release_digest=$picked
  pick node && take_node_range "$picked"
}

place_version() {
  _place=$share_dir/$version _try=0
  while [ "$_try" -lt 10 ]; do
    _try=$((_try + 1))
    if [ -e "$_place" ] || [ -L "$_place" ]; then
      ! is_to_be_kept "$version" || return 0
      change "write to $(pretty "$staging")" mkdir -p "$staging/replaced"
      remove_tree "$staging/replaced/$version"
      rename_folder "$_place" "$staging/replaced/$version" || continue
    fi
    rename_folder "$staging/new" "$_place" || continue
    return 0
  done
  die_file_system "cannot put Wasp $version into $(pretty "$_place")" "$_errors"
}

remove_version() {
  _removed=$share_dir/.staging-$owner_name-removed
  _errors=''
  rename_folder "$share_dir/$1" "$_removed" || [ ! -e "$share_dir/$1" ] \
    || die_file_system "cannot remove $(pretty "$share_dir/$1")" "$_errors"
  _errors=$(remove_tree "$_removed" 2>&1) \
    || die_file_system "cannot remove $(pretty "$share_dir/$1")" "$_errors"
}

take_turn() {
  name_owner
  _lock=$share_dir/.turn _waited=0
  while :; do
    change "make the folder $(pretty "$share_dir")" mkdir -p "$share_dir"
    _errors=$(ln -s "$owner_name" "$_lock" 2>&1) && break
    if ! [ -L "$_lock" ]; then
      [ "$command" = uninstall ] && return 0
      [ "$_waited" -lt 5 ] || die_file_system "cannot write to $(pretty "$share_dir")" "$_errors"
    elif is_left_turn && mkdir "$_lock.breaking" 2>/dev/null; then
      ! is_left_turn || rm -f "$_lock"
      rmdir "$_lock.breaking"
      continue
    elif [ -n "$(find "$_lock.breaking" -prune -mmin +1 2>/dev/null)" ]; then
      rmdir "$_lock.breaking" 2>/dev/null
    fi
    [ "$_waited" -gt 0 ] || say_step 'Waiting for another run of the installer'
    _waited=$((_waited + 1))
    run_waiting /dev/null /dev/null sleep 0.1 || run_waiting /dev/null /dev/null sleep 1
  done
  held_lock=$_lock
  ignore_signals
}

is_left_turn() {
  _holder=$(readlink "$_lock") || return 1
  is_abandoned "$_holder" "$_lock" || [ -n "$(find "$_lock" -prune -mmin +1 2>/dev/null)" ]
}

end_turn() {
  [ -z "$held_lock" ] || rm -f "$held_lock"
  held_lock=''
}

readonly SHARED_FILES='telemetry_ping.py telemetry_messages.py env.sh env.fish completions/wasp.bash completions/_wasp completions/wasp.fish'
readonly MANAGER=wasp-installer.sh

inspect_launcher() {
  launcher=foreign current=''
  if [ -L "$bin_dir/wasp" ]; then
    return
  elif [ -d "$bin_dir/wasp" ]; then
    launcher=folder
  elif ! [ -e "$bin_dir/wasp" ]; then
    launcher=none
  elif [ -f "$bin_dir/wasp" ]; then
    current=$(awk -v quote="'" '
      NR == 1 && !/^#!/ || NR > 200 { exit }
      /^wasp_version=/ { version = substr($0, 14); gsub(quote, "", version) }
      /waspc_datadir=/ {
        ours = "ours "
        if (match($0, /\/share\/wasp-lang\/[^\/]*\/wasp-bin/)) version = substr($0, RSTART + 17, RLENGTH - 26)
      }
      END { print ours version }' "$bin_dir/wasp" 2>/dev/null)
    case $current in 'ours '*) launcher=ours ;; esac
    current=${current#ours }
    [ "$launcher" = ours ] && is_version "$current" || current=''
  fi
}

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

make_current() {
  [ -n "$staging" ] || make_staging
  know_python
  take_turn
  refuse_conflicts
  is_installed "$1" || die_not_installed "$1"
  stage_shared_files
  write_file "$staged_launcher" filled_in launcher wasp_version "$1" wasp_root "$(quoted "$wasp_root")" wasp_python "$(quoted "$python")"
  change "write to $(pretty "$bin_dir")" chmod 755 "$staged_launcher"
  place_shared_files
  [ ! -L "$bin_dir/wasp" ] || rm -f "$bin_dir/wasp"
  change "write the launcher $(pretty "$bin_dir/wasp")" mv -f "$staged_launcher" "$bin_dir/wasp"
  staged_launcher='' current=$1 committed=yes
  [ ! -e "$share_dir/.uses-npm" ] \
    || change "remove $(pretty "$share_dir/.uses-npm")" rm -f "$share_dir/.uses-npm"
  [ -n "$destdir" ] || add_to_startup_files
  end_turn
}

stage_shared_files() {
  change "write to $(pretty "$staging")" mkdir -p "$staging/shared/completions"
  spell "$wasp_root"
  for _name in $SHARED_FILES; do
    case $_name in
      env.sh) write_file "$staging/shared/$_name" filled_in "$_name" __wasp_root "$word" ;;
      env.fish) write_file "$staging/shared/$_name" filled_in "$_name" __wasp_root "$fish_word" ;;
      *) write_file "$staging/shared/$_name" installed_file "$_name" ;;
    esac
  done
  is_newer_manager || change "write to $(pretty "$staging")" cp "$program" "$staging/shared/$MANAGER"
  change "write to $(pretty "$staging")" chmod -R u=rwX,go=rX "$staging/shared"
}

is_newer_manager() {
  _there=$(sed -n 's/^readonly INSTALLER_VERSION=//p' "$share_dir/$MANAGER" 2>/dev/null)
  is_version "$_there" && comes_before "$INSTALLER_VERSION" "$_there"
}

filled_in() {
  installed_file "$1" >"$staging/filling" || return 1
  shift
  while IFS= read -r _line; do
    case $_line in
      "${1-?}="*)
        _line="$1=$2"
        shift 2
        ;;
      "set -g ${1-?} "*)
        _line="set -g $1 $2"
        shift 2
        ;;
    esac
    printf '%s\n' "$_line" || return 1
    [ $# -gt 0 ] || {
      cat
      return
    }
  done <"$staging/filling"
}

place_shared_files() {
  change "write to $(pretty "$share_dir")" mkdir -p "$share_dir/completions"
  for _name in $SHARED_FILES $MANAGER; do
    [ ! -e "$staging/shared/$_name" ] \
      || change "write to $(pretty "$share_dir")" mv -f "$staging/shared/$_name" "$share_dir/$_name"
  done
}

remove_shared_files() {
  for _name in $SHARED_FILES $MANAGER __pycache__ completions; do
    change "remove from $(pretty "$share_dir")" rm -rf "${share_dir:?}/$_name"
  done
}

start_python_lookup() {
  find_python >"$work/python" 2>/dev/null &
  python_lookup=$!
}

know_python() {
  if [ -n "$destdir" ]; then
    [ "$os" != linux ] || python=/usr/bin/python3
    return
  fi
  [ -n "$python_lookup" ] || start_python_lookup
  wait "$python_lookup" 2>/dev/null
  python_lookup=''
  IFS= read -r python <"$work/python" || :
}

find_python() {
  for _name in python3 python; do
    _candidate=$(command -v "$_name") || continue
    case $_candidate in
      /usr/bin/*) [ "$(uname -s)" != Darwin ] || xcode-select -p >/dev/null 2>&1 || continue ;;
      /*) ;;
      *) continue ;;
    esac
    _found=$(ask "$_candidate" -I -S -c 'import os, sys
path = sys.executable
if os.path.exists(os.path.join(os.path.dirname(path), "..", "pyvenv.cfg")):
    path = os.path.realpath(path)
if sys.version_info >= (3, 8):
    print(path)') || continue
    case $_found in *"$newline"*) ;; /*) printf '%s\n' "$_found" && return ;; esac
  done
}

spell() {
  _home='' _below=$1
  case ${home:+$_below} in
    "$home"/*) _home='$HOME' _below=${_below#"$home"} ;;
  esac
  case $_below in
    *[!A-Za-z0-9\ ._/+@%,=-]*)
      _home=${_home:+\"$_home\"}
      word=$_home$(quoted "$_below")
      fish_word=$_home$(printf '%s.' "$_below" | sed -e "s/[\\\\']/\\\\&/g" -e "1s/^/'/" -e "\$s/\\.\$/'/")
      ;;
    *) word=\"$_home$_below\" fish_word=\"$_home$_below\" ;;
  esac
}

spell_lines() {
  spell "$wasp_root/env.sh"
  startup_line="if [ -f $word ] && [ -r $word ]; then . $word; fi"
  spell "$wasp_root/env.fish"
  fish_line="if test -f $fish_word; source $fish_word; end"
  spell "$prefix/bin"
  bin_word=$word bin_fish_word=$fish_word
  path_command="export PATH=$word:\"\$PATH\""
  case $word in \"*\") path_command="export PATH=${word%?}:\$PATH\"" ;; esac
  own_shell=${SHELL:-sh}
  own_shell=${own_shell##*/}
  case $own_shell in
    dash | ash | busybox | posh) own_shell='sh' ;;
    ksh93 | ksh88 | oksh | loksh) own_shell=ksh ;;
    lksh) own_shell=mksh ;;
    fish) path_command="set -gx PATH $bin_fish_word \$PATH" ;;
  esac
}

is_on_path() {
  on_path=no
  case ":${PATH-}:" in *":$prefix/bin:"* | *":$prefix/bin/:"*) on_path=yes ;; esac
}

can_be_on_path() {
  case $prefix in *:* | *"$newline"*) return 1 ;; esac
}

is_github_job() {
  [ -n "${GITHUB_PATH-}" ] || return 1
  case ${GITHUB_ACTIONS-} in '' | 0 | [Ff][Aa][Ll][Ss][Ee]) return 1 ;; esac
}

may_change_startup_files() {
  [ "$modify_path" = yes ] && [ -z "$destdir" ] && can_be_on_path || return 1
  case ${HOME-} in /*) ;; *) return 1 ;; esac
  read_owner "$HOME/."
  [ "$owner" = "$(id -u)" ]
}

add_to_startup_files() {
  is_on_path
  spell_lines
  path_message='' edited='' present='' _bin=$(pretty "$prefix/bin")
  if ! can_be_on_path; then
    warn "$_bin is not on your PATH, and cannot be, because of a colon or a line break in its name.${newline}Choose another place with --prefix DIR."
  elif [ "$modify_path" = yes ] && is_github_job; then
    add_to_github_path
  elif is_on_ci || ! may_change_startup_files; then
    warn_of_path
  else
    for_each_startup_file add_line
    describe_lines
  fi
}

warn_of_path() {
  [ "$on_path" = yes ] || warn "$(pretty "$prefix/bin") is not on your PATH. Put it there:${newline}$path_command"
}

describe_lines() {
  if [ -n "$edited" ] && [ "$on_path" = yes ]; then
    path_message="Added tab completion to $edited, for new terminals."
  elif [ -n "$edited" ]; then
    path_message="Added $(pretty "$prefix/bin") to PATH, and tab completion, in $edited, for new terminals."
  elif [ -n "$present" ] && [ "$on_path" = no ]; then
    path_message="$(pretty "$prefix/bin") is put on PATH in $present, for new terminals."
  fi
  case $on_path,$own_shell in
    yes,* | no,sh | no,bash | no,zsh | no,fish | no,ksh | no,mksh | no,yash) ;;
    *) warn "$(pretty "$prefix/bin") is not on PATH in $own_shell. Put it there as $own_shell does it." ;;
  esac
}

for_each_startup_file() {
  startup_verb=$1 offered=$newline
  find_real_home
  find_config_folder
  _login=.profile
  for _name in .bash_login .bash_profile; do [ ! -r "$HOME/$_name" ] || _login=$_name; done
  offer bash "$HOME/.bashrc" "$startup_line"
  ask_for_zdotdir
  offer zsh "$zdotdir/.zshrc" "$startup_line"
  offer fish "$config_folder/fish/conf.d/wasp.fish" "$fish_line"
  [ "$on_path" = no ] || return 0
  for _shell in "bash $_login" 'ksh .kshrc' 'ksh .profile' 'mksh .mkshrc' 'mksh .profile' 'yash .yashrc' 'yash .yash_profile' 'sh .profile'; do
    offer "${_shell% *}" "$HOME/${_shell#* }" "$startup_line"
  done
}

offer() {
  [ "$1" = "$own_shell" ] || [ -e "${2%/conf.d/wasp.fish}" ] || return 0
  case $offered in *"$newline$2$newline"*) return 0 ;; esac
  offered=$offered$2$newline
  "$startup_verb" "$2" "$3"
}

ask_for_zdotdir() {
  zdotdir=${ZDOTDIR:-$HOME}
  [ "${SHELL##*/}" = zsh ] || [ -e "$HOME/.zshenv" ] || return 0
  _said=$(ask zsh -c '\builtin print -r -- "
zdotdir=${ZDOTDIR:-$HOME}"') || return 0
  case $_said in *"${newline}zdotdir=/"*) zdotdir=${_said##*"${newline}zdotdir="} ;; esac
}

find_config_folder() {
  config_folder=${HOME-}/.config
  case ${XDG_CONFIG_HOME-} in /*) config_folder=$XDG_CONFIG_HOME ;; esac
}

take_out_of_startup_files() {
  may_change_startup_files || return 0
  spell_lines
  edited=''
  find_real_home
  find_config_folder
  ask_for_zdotdir
  for _name in .bashrc .bash_profile .bash_login .profile .kshrc .mkshrc .yashrc .yash_profile .zshrc .zshenv; do
    remove_lines "$HOME/$_name"
  done
  [ "$zdotdir" = "$HOME" ] || for _name in .zshrc .zshenv; do remove_lines "$zdotdir/$_name"; done
  remove_lines "$HOME/.config/fish/conf.d/wasp.fish"
  remove_lines "$config_folder/fish/conf.d/wasp.fish"
  [ -z "$edited" ] || say "Took Wasp out of $edited"
}

add_to_github_path() {
  grep -qxF -e "$prefix/bin" "$GITHUB_PATH" 2>/dev/null || {
    [ -f "$GITHUB_PATH" ] && (printf '%s\n' "$prefix/bin" >>"$GITHUB_PATH") 2>/dev/null || {
      warn "$(pretty "$GITHUB_PATH") (GITHUB_PATH) cannot be written to, so $_bin is not on PATH in the next steps of this job."
      return
    }
  }
  path_message="Added $_bin to PATH for the next steps of this job. In this step: $path_command"
}

add_line() {
  if begin_edit "$1"; then
    case $our_lines in
      "$2 $STARTUP_MARK" | "$2 $STARTUP_MARK_WITH_BREAK")
        present=$(with_name "$present" "$1")
        return
        ;;
    esac
    if take_lines_out && append_line "$2" && finish_edit; then
      edited=$(with_name "$edited" "$1")
      return
    fi
  fi
  warn "$(pretty "$1") $obstacle, so it was left as it is. For PATH and tab completion, add this line to it:${newline}$2"
}

plan_line() {
  ! begin_edit "$1" || [ -n "$our_lines" ] || edited=$(with_name "$edited" "$1")
}

remove_lines() {
  grep -qF -e "$STARTUP_MARK" "$1" 2>/dev/null || return 0
  if begin_edit "$1"; then
    [ -n "$our_lines" ] || return 0
    if take_lines_out && finish_edit; then
      edited=$(with_name "$edited" "$1")
      return
    fi
  fi
  warn "$(pretty "$1") $obstacle, so it still has our line. Remove the line that ends in:${newline}$STARTUP_MARK"
}

with_name() {
  case $1 in
    '') pretty "$2" ;;
    *' and '*) printf '%s, %s and %s' "${1%% and *}" "${1#* and }" "$(pretty "$2")" ;;
    *) printf '%s and %s' "$1" "$(pretty "$2")" ;;
  esac
}

begin_edit() {
  our_lines='' edited_file=$1 real=$1
  obstacle='cannot be read'
  (: >"$work/old" && : >"$work/new") 2>/dev/null || return 1
  if [ -e "$1" ] || [ -L "$1" ]; then
    obstacle='is a link that leads nowhere, or out of your home folder'
    if [ -L "$1" ]; then
      real=$(readlink -f "$1" 2>/dev/null && printf .) && real=${real%"$newline".} && [ -e "$real" ] || return 1
    else
      real=$(cd "${1%/*}/" && pwd -P && printf .) || return 1
      real=${real%"$newline".}/${1##*/}
    fi
    case $real in "$real_home"/*) ;; *) return 1 ;; esac
    obstacle='is not a file'
    [ -f "$real" ] || return 1
    obstacle='cannot be written to'
    [ -w "$real" ] && cat "$real" >"$work/old" 2>/dev/null && cat "$work/old" >"$work/new" || return 1
    our_lines=$(print_our_lines | sed 's/^[0-9]*://')
  else
    real=
  fi
}

print_our_lines() {
  spell "$wasp_root/completions"
  tr -d '\000' <"$work/new" | grep -nF -e "$STARTUP_MARK" | while IFS= read -r _line; do
    case ${_line#*:} in
      "$startup_line $STARTUP_MARK" | "$startup_line $STARTUP_MARK_WITH_BREAK") ;;
      "$fish_line $STARTUP_MARK" | "$fish_line $STARTUP_MARK_WITH_BREAK") ;;
      *"$bin_word"*"$STARTUP_MARK" | *"$bin_fish_word"*"$STARTUP_MARK" | *"${word%?}/"*"$STARTUP_MARK") ;;
      *) continue ;;
    esac
    printf '%s\n' "$_line"
  done
}

take_lines_out() {
  keeps_empty=no
  while :; do
    _line=$(print_our_lines | tail -n 1)
    [ -n "$_line" ] || return 0
    _number=${_line%%:*}
    tail -n "+$((_number + 1))" "$work/new" >"$work/behind" || return 1
    [ "$_number" = 1 ] && : >"$work/before" || head -n "$((_number - 1))" "$work/new" >"$work/before" || return 1
    _kept=$(($(wc -c <"$work/before")))
    case $_line in
      *"$STARTUP_MARK_WITH_BREAK")
        keeps_empty=yes
        [ -s "$work/behind" ] || _kept=$((_kept - 1))
        ;;
    esac
    : >"$work/new" && { [ "$_kept" = 0 ] || head -c "$_kept" "$work/before" >"$work/new"; } \
      && cat "$work/behind" >>"$work/new" || return 1
  done
}

append_line() {
  _end=$(tail -c 2 "$work/new" && printf .)
  case $real,$_end in
    ,*) printf '%s %s\n' "$1" "$STARTUP_MARK" ;;
    *,\\"$newline". | *[!"$newline"]. | *,.) printf '\n%s %s\n' "$1" "$STARTUP_MARK_WITH_BREAK" ;;
    *) printf '%s %s\n' "$1" "$STARTUP_MARK" ;;
  esac >>"$work/new" 2>/dev/null
}

finish_edit() {
  obstacle='could not be edited safely'
  differs_in_our_lines_only || return 1
  obstacle='cannot be written to'
  if [ -z "$real" ]; then
    make_real_file
  elif ! [ -s "$work/new" ] && [ "$keeps_empty" = no ] && ! [ -L "$edited_file" ]; then
    rm -f "$real" 2>/dev/null && remove_empty "${real%/*}" "$real_home/.config"
  elif [ -z "$(find "$real" -links +1 2>/dev/null)" ] && replace_real_file; then
    :
  else
    cmp -s "$work/old" "$real" && { overwrite "$work/new" || ! overwrite "$work/old"; }
  fi
}

differs_in_our_lines_only() {
  cp "$work/new" "$work/result" && take_lines_out && mv "$work/new" "$work/without" \
    && cp "$work/old" "$work/new" && take_lines_out && cmp -s "$work/without" "$work/new" && mv "$work/result" "$work/new"
}

make_real_file() {
  topmost_missing "${edited_file%/*}"
  mkdir -p "${edited_file%/*}" 2>/dev/null || return 1
  case $(cd "${edited_file%/*}" && pwd -P)/ in
    "$real_home"/*) (set -C && cat "$work/new" >"$edited_file") 2>/dev/null && return 0 ;;
    *) obstacle='is outside your home folder' ;;
  esac
  remove_empty "${edited_file%/*}" "$missing"
  return 1
}

replace_real_file() {
  read_owner "$real"
  _owner=$owner
  _staged=$(mktemp "${real%/*}/.wasp-staging-$owner_name-XXXXXX" 2>/dev/null) || return 1
  cp -p "$real" "$_staged" 2>/dev/null && read_owner "$_staged" && [ "$owner" = "$_owner" ] \
    && (cat "$work/new" >"$_staged") 2>/dev/null && cmp -s "$work/new" "$_staged" \
    && cmp -s "$work/old" "$real" && mv -f "$_staged" "$real" 2>/dev/null && return 0
  rm -f "$_staged"
  return 1
}

overwrite() {
  dd if="$1" of="$real" conv=notrunc 2>/dev/null \
    && dd if=/dev/null of="$real" bs=1 seek="$(($(wc -c <"$1")))" 2>/dev/null && cmp -s "$1" "$real"
}

find_real_home() {
  real_home=$(cd "$HOME/" && pwd -P && printf .)
  real_home=${real_home%"$newline".}
  real_home=${real_home%/}
}

start_node_lookup() {
  : >"$work/node"
  ! have node || {
    ask node --version >"$work/node" &
    node_lookup=$!
  }
}

check_node() {
  _needs="Wasp $version needs Node.js${release_node:+ $release_node}."
  if ! have node; then
    case $(ls "${NVM_DIR:-${HOME-}/.nvm}/versions/node" 2>/dev/null) in
      '') warn "Node.js is not on PATH. $_needs${newline}Install it: https://nodejs.org/en/download" ;;
      *) warn "Node.js is not on PATH, but nvm has it. $_needs${newline}Switch it on in this terminal: nvm use node" ;;
    esac
    return
  fi
  [ -n "$node_lookup" ] || start_node_lookup
  wait "$node_lookup" 2>/dev/null
  node_lookup=''
  read -r node_version <"$work/node" || :
  node_version=${node_version#v}
  _minimum=${release_node#"${release_node%%[0-9]*}"}
  _minimum=${_minimum%%[!0-9.]*}
  case $node_version in
    *[!0-9A-Za-z.+-]* | [!0-9]* | '')
      warn "$(command -v node) does not say which version it is. $_needs${newline}Install it anew: https://nodejs.org/en/download"
      ;;
    *)
      [ -z "$_minimum" ] || ! comes_before "$node_version" "$_minimum" \
        || warn "Node.js is $node_version. $_needs${newline}Install a newer one: https://nodejs.org/en/download"
      ;;
  esac
  case $(command -v npm) in
    '') warn "npm is not on PATH, and Wasp needs it.${newline}It comes with Node.js: https://nodejs.org/en/download" ;;
    /mnt/?/*) warn "npm on PATH is that of Windows, and Wasp needs one inside WSL.${newline}It comes with Node.js: https://nodejs.org/en/download" ;;
  esac
}

check_other_wasp() {
  [ "$on_path" = yes ] || [ -z "$path_message" ] || return 0
  _first=$(command -v wasp || :)
  case $_first in
    '' | "$prefix/bin/wasp" | [!/]*) return 0 ;;
  esac
  [ "$_first" -ef "$prefix/bin/wasp" ] 2>/dev/null || warn "another wasp comes first on your PATH: $_first${newline}Remove it, or put $(pretty "$prefix/bin") before it."
}

refuse_danger_for_root() {
  [ "$(id -u)" = 0 ] || return 0
  for _folder in "$share_dir" "$bin_dir"; do
    until [ -z "$_folder" ]; do
      read_owner "$_folder/."
      case $mode,$owner in
        , | *[tT],0 | *[tT],65534 | ????????[!w]*,[0-9] | ????????[!w]*,[0-9][0-9] | ????????[!w]*,[1-4][0-9][0-9] | ????????[!w]*,65534) ;;
        *,? | *,?? | *,[1-4]?? | *,65534) found_danger "$_folder may be written to by everyone" ;;
        *) found_danger "$_folder belongs to another user (number $owner)" ;;
      esac
      _folder=${_folder%/*}
    done
  done
}

found_danger() {
  is_on_ci || die permission-denied "root must not install below a folder that others can change: $1." \
    'Run this again as that user, without sudo. For all users: --prefix /usr/local'
  [ "$warned_of_ci" = yes ] || say "$1; on CI, root installs there all the same."
  warned_of_ci=yes
}

refuse_closed_places() {
  name_owner
  for _place in "$share_dir" "$bin_dir"; do
    topmost_missing "$_place"
    [ -z "$missing" ] || _place=${missing%/*}
    change "write to $(pretty "${_place:-/}")" mkdir "$_place/.wasp-staging-$owner_name-000000"
    rmdir "$_place/.wasp-staging-$owner_name-000000"
  done
}

run_install() {
  refuse_danger_for_root
  refuse_conflicts
  previous=$current
  if [ "$wanted" != latest ] && [ -z "$archive_file" ] && is_to_be_kept "$wanted"; then
    identify_platform
    version=$wanted
    finish_install already-installed
    return
  fi
  [ "$dry_run" = yes ] || make_staging
  start_registry_lookup
  [ "$dry_run" = yes ] || {
    start_node_lookup
    start_python_lookup
  }
  identify_platform
  announce_new_install
  choose_build
  if [ -n "$archive_file" ]; then
    take_file
  else
    obtain_release
  fi
  if is_downgrade; then
    keep_newer_version
  elif is_to_be_kept "$version"; then
    finish_install already-installed
  elif [ "$dry_run" = yes ]; then
    report_plan
  else
    announce_install
    write_receipt
    place_version
    finish_install installed
  fi
}

is_downgrade() {
  [ "$wanted,$force,$archive_file" = latest,no, ] && [ -n "$previous" ] && is_installed "$previous" \
    && comes_before "$version" "$previous"
}

keep_newer_version() {
  say "The newest Wasp that $(source_name "$release_source") has is $version, and you have $previous: kept. To go back: -v $version"
  version=$previous
  finish_install already-installed
}

finish_install() {
  outcome=$1
  if [ "$dry_run" = yes ]; then
    say "Wasp $version is already installed in $(pretty "$share_dir/$version")"
    result "$outcome"
    return
  fi
  [ -n "$release_node" ] && [ "$outcome" = installed ] || read_receipt "$version"
  hold_warnings=yes
  make_current "$version"
  if [ -n "$destdir" ]; then
    say "Staged Wasp $version in $share_dir/$version"
  else
    check_node
    check_other_wasp
    report_install
  fi
  result "$outcome"
}

report_install() {
  case $outcome in
    installed)
      say "Installed Wasp $version in $(pretty "$share_dir/$version")"
      report_previous
      ;;
    already-installed) say "Wasp $version is already installed in $(pretty "$share_dir/$version")" ;;
    switched) say "Wasp $version is now the current version" ;;
  esac
  [ -z "$path_message" ] || say "$path_message"
  [ -z "$held_warnings" ] || say "$held_warnings"
  [ "$outcome" = installed ] || return 0
  say ''
  if [ -z "$path_message" ] || [ "$on_path" = yes ] || is_github_job; then
    say "Next: ${bold}wasp new my-app$plain"
  else
    say 'Next, in this terminal:'
    say "  $bold$path_command$plain"
    say "  ${bold}wasp new my-app$plain"
  fi
}

report_previous() {
  case $previous in
    '' | "$version") ;;
    *)
      comes_before "$version" "$previous" || say "What is new: $RELEASES_URL/tag/v$version"
      ! is_installed "$previous" || say "Wasp $previous stays installed; to go back to it: wasp installer use $previous"
      ;;
  esac
}

report_plan() {
  say "Would install Wasp${version:+ $version} for $(platform_words):"
  say "  from  ${release_url:-$archive_file}"
  [ -z "$release_digest" ] || say "        $release_digest"
  say "  to    $(pretty "$share_dir/$version")"
  say "  run   $(pretty "$bin_dir/wasp")"
  plan_startup_files
  [ -z "$edited" ] || say "  shell $edited"
  result planned
}

plan_startup_files() {
  is_on_path
  spell_lines
  edited=''
  is_on_ci || ! may_change_startup_files || for_each_startup_file plan_line
}

run_use() {
  refuse_danger_for_root
  refuse_conflicts
  [ "$dry_run" = yes ] || sweep
  is_installed "$named_version" || die_not_installed "$named_version"
  identify_platform
  version=$named_version
  if [ "$dry_run" = yes ]; then
    say "Would make Wasp $version the current version"
    result planned
    return
  fi
  finish_install "$outcome"
}

die_not_installed() {
  die not-installed "Wasp $1 is not installed in $(pretty "$prefix")." "To install it: sh install.sh -v $1"
}

run_check() {
  refuse_danger_for_root
  refuse_conflicts
  refuse_closed_places
  [ "$dry_run" = yes ] || sweep
  list_installed
  tell current "$current"
  tell versions "$(words_of "$installed")"
  [ "$dry_run" = no ] || {
    plan_startup_files
    tell startup "$edited"
  }
}

run_list() {
  identify_platform
  inspect_launcher
  list_installed
  [ "$remote" = no ] || find_available
  tell current "$current"
  tell versions "$(words_of "$installed")"
  tell remote "$(words_of "$available")"
  if [ "$porcelain" = yes ]; then
    result listed
  elif [ "$remote" = yes ]; then
    print_versions "$available" "$installed"
    [ "$release_source" != npm ] || say 'Older versions are on GitHub: list --remote --source github'
  else
    [ -n "$installed" ] && print_versions "$installed" '' || say "No Wasp is installed in $(pretty "$prefix")"
  fi
}

print_versions() {
  printf '%s\n' "$1" | awk -v current="$current" -v installed=" $(words_of "$2")," '{
    print ($0 == current ? "* " : "  ") $0 (index(installed, " " $0 ",") ? " (installed)" : "") }'
}

plan_only() {
  [ "$dry_run" = yes ] || return 1
  say "$1"
  result planned
}

run_uninstall() {
  identify_platform
  inspect_launcher
  [ "$dry_run" = yes ] || sweep
  if [ -n "$named_version" ]; then
    uninstall_version
    return
  fi
  list_version_folders
  if [ -z "$found" ] && [ "$launcher" != ours ] && [ -e "$share_dir/.uses-npm" ]; then
    die npm-managed 'Wasp is managed by npm here.' 'To remove it: npm uninstall -g @wasp.sh/wasp-cli'
  fi
  _message="Removed Wasp from $(pretty "$prefix")"
  if [ -z "$found" ] && [ "$launcher" != ours ]; then
    _message="No Wasp is installed in $(pretty "$prefix")"
    [ "$dry_run" = no ] || {
      say "$_message"
      result removed
      return
    }
  else
    ! plan_only "Would remove Wasp ($(words_of "$found")) from $(pretty "$prefix")" || return 0
    confirm "Remove Wasp ($(words_of "$found")) from $(pretty "$prefix")?"
  fi
  remove_everything
  say "$_message"
  remove_traces
  result removed
}

uninstall_version() {
  [ -d "$share_dir/$named_version" ] || {
    list_version_folders
    [ "$dry_run" = yes ] || [ -n "$found" ] || [ "$launcher" = foreign ] || [ -e "$share_dir/.uses-npm" ] || {
      remove_everything
      remove_traces
    }
    die_not_installed "$named_version"
  }
  version=$named_version
  ! plan_only "Would remove Wasp $version" || return 0
  take_turn
  leave_version
  remove_version "$version"
  list_version_folders
  end_turn
  say "Removed Wasp $version${current:+; the current version is $current}"
  [ -n "$found" ] || {
    remove_everything
    remove_traces
  }
  result removed
}

leave_version() {
  inspect_launcher
  [ "$current" = "$version" ] || return 0
  list_installed
  for _version in $installed; do
    [ "$_version" != "$version" ] || continue
    name_owner
    staged_launcher=$(mktemp "$bin_dir/.wasp-staging-$owner_name-XXXXXX" 2>&1) \
      || die_file_system "cannot write to $(pretty "$bin_dir")" "$staged_launcher"
    write_file "$staged_launcher" sed "s/^wasp_version=.*/wasp_version=$_version/" "$bin_dir/wasp"
    change "write to $(pretty "$bin_dir")" chmod 755 "$staged_launcher"
    change "write the launcher $(pretty "$bin_dir/wasp")" mv -f "$staged_launcher" "$bin_dir/wasp"
    staged_launcher='' current=$_version
    return 0
  done
  change "remove $(pretty "$bin_dir/wasp")" rm -f "$bin_dir/wasp"
  current=''
}

run_migrate_to_npm() {
  identify_platform
  inspect_launcher
  [ "$dry_run" = yes ] || sweep
  list_version_folders
  ! plan_only "Would remove Wasp${found:+ ($(words_of "$found"))} from $(pretty "$prefix") and leave it to npm" || return 0
  remove_everything
  change "write to $(pretty "$share_dir")" mkdir -p "$share_dir"
  _errors=$( (: >"$share_dir/.uses-npm") 2>&1) \
    || die_file_system "cannot write to $(pretty "$share_dir")" "$_errors"
  [ "$launcher" != foreign ] || warn "$(pretty "$bin_dir/wasp") is not from this installer, so it is still there."
  say "Removed Wasp from $(pretty "$prefix"); npm may manage it now."
  [ -n "$destdir" ] || ! find_cache || remove_tree "$cache_folder/installer"
  say ''
  say "Next: ${bold}npm install -g @wasp.sh/wasp-cli$plain"
  result removed
}

remove_everything() {
  committed=yes
  take_turn
  inspect_launcher
  [ "$launcher" != ours ] || change "remove $(pretty "$bin_dir/wasp")" rm -f "$bin_dir/wasp"
  current=''
  list_version_folders
  for _version in $found; do remove_version "$_version"; done
  remove_shared_files
  [ -n "$destdir" ] || take_out_of_startup_files
  end_turn
  rmdir "$bin_dir" 2>/dev/null || :
  _folder=$share_dir
  while [ "$_folder" != "$destdir$prefix" ] && { rmdir "$_folder" 2>/dev/null || ! [ -e "$_folder" ]; }; do
    _folder=${_folder%/*}
  done
  [ "$prefix" = "$home" ] || rmdir "$destdir$prefix" 2>/dev/null || :
}

remove_traces() {
  [ -z "$destdir" ] && find_cache || return 0
  if [ -d "$cache_folder" ] && ! is_used_elsewhere; then
    remove_tree "$cache_folder"
    say "Removed the cache $(pretty "$cache_folder")"
  fi
  find_config_folder
  [ ! -e "$config_folder/wasp/telemetry-off" ] \
    || say "Kept $(pretty "$config_folder/wasp/telemetry-off"): a Wasp that you install again sends nothing either"
}

is_used_elsewhere() {
  [ "$prefix" != "$home/.local" ] || return 1
  for _binary in "$home/.local/share/wasp-lang"/*/wasp-bin; do
    [ ! -x "$_binary" ] || return 0
  done
  return 1
}

find_cache() {
  [ -n "$home" ] || return 1
  case ${XDG_CACHE_HOME-} in
    /*) cache_folder=$XDG_CACHE_HOME/wasp ;;
    *) cache_folder=$home/.cache/wasp ;;
  esac
}

installed_file() {
    case $1 in
        launcher) cat <<'END_OF_launcher' ;;
#!/bin/sh
# Starts Wasp. The Wasp installer writes this file anew whenever the current version changes.
wasp_version=''
wasp_root=''
wasp_python=''
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

if [ "${1-}" = installer ]; then shift; exec /bin/sh "$wasp_root/wasp-installer.sh" --prefix "${wasp_root%/share/wasp-lang}" ${1+"$@"}; fi
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
END_OF_launcher
        telemetry_ping.py) cat <<'END_OF_telemetry_ping.py' ;;
#!/usr/bin/env python3
"""Wasp's telemetry, the whole of it: what is sent, when it is sent, and how to opt out.

Two events exist. ``install_event`` is sent when the installer starts to install Wasp; ``cli_event``
when ``wasp`` is used inside a project, at most twice in 12 hours for each project: once for
``wasp build``, once for all other commands. These two functions list every key that is sent, and
their arguments are the only things that can get into it: no path, no name, no argument of a command
but five fixed words (``DEPLOY_KEYWORDS``).

Nothing is sent, written or started when any of these is so (``opt_out_reason``):

    WASP_TELEMETRY_DISABLE is set, to whatever value, even an empty one
    DO_NOT_TRACK is set to anything but 0, false, no, off or nothing
    ``wasp telemetry off`` was called

To see what would be sent: ``wasp telemetry show``, or WASP_TELEMETRY_DEBUG=1 before any command.

The launcher ``wasp`` runs this file beside Wasp, in the background, with the Python (3.8 or newer)
that the machine has, as ``python -I -S telemetry_ping.py invoked VERSION ARGUMENT...`` does. Most
runs meet a pause and end at once, so modules of the standard library are imported only where they
are needed, and the few fields of the state are read without ``json``.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # the name that type checkers look for; importing it would take 15 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from http.client import HTTPConnection
    from ssl import SSLContext
    from subprocess import Popen
    from typing import IO, Any, Final, NoReturn

DEFAULT_URL: Final = "https://app.posthog.com/capture/"
#: Write-only and public: with it, events can be sent and not read.
DEFAULT_KEY: Final = "CdDd2A0jKTI2vFAsrI9JWm3MqpOcgHz1bMyogAcwsE4"

#: Between two events of one kind from one project.
PAUSE_S: Final = 12 * 60 * 60
#: The same, when the first of them could not be delivered.
FAILED_PAUSE_S: Final = 60 * 60
#: That is longer by up to so much, for each project by another time: after an outage of the
#: collector, not all are to come back at once.
FAILED_SPREAD_S: Final = 60 * 60
#: After so long the process ends, whatever it waits for, name resolution included.
DEADLINE_S: Final = 10
#: So many processes of a user send at once, in however many projects.
SENDERS_LIMIT: Final = 8
#: A process that has been stopped for so long does not send any more.
STALE_S: Final = 60
#: So long each step of a request waits, so that others can still be asked before the deadline.
POST_TIMEOUT_S: Final = 4.0
GET_TIMEOUT_S: Final = 2.5
#: More than this is not read of an answer.
ANSWER_LIMIT_BYTES: Final = 64 * 1024

DAY_S: Final = 24 * 60 * 60
DEFAULT_NEWS_URL: Final = "https://news.wasp.sh"
LEVELS: Final = ("critical", "important", "info")
#: More is not read of the news, nor of a list of releases.
NEWS_LIMIT_BYTES: Final = 1024 * 1024
MESSAGES_LIMIT: Final = 200
RELEASES_LIMIT: Final = 200
SHOWN_LIMIT: Final = 1000
RANGE_LIMIT_CHARACTERS: Final = 200
ETAG_LIMIT_CHARACTERS: Final = 80
#: Of our own file: the messages, each with what JSON adds.
KEPT_LIMIT_BYTES: Final = 4 * NEWS_LIMIT_BYTES
#: So old, a message that names no versions is no news.
NEWS_AGE_S: Final = 30 * DAY_S
#: More are not shown at once.
NOTICES_LIMIT: Final = 3

#: The only arguments of ``wasp deploy`` that are ever sent.
DEPLOY_KEYWORDS: Final = ("fly", "setup", "create-db", "deploy", "cmd")
#: More of them are left out, so that what is remembered stays short.
DEPLOY_LIMIT_WORDS: Final = 20
CONTEXT_LIMIT_CHARACTERS: Final = 200
CI_VARIABLES: Final = (
    "CI",
    "BUILD_ID",
    "BUILD_NUMBER",
    "CI_APP_ID",
    "CI_BUILD_ID",
    "CI_BUILD_NUMBER",
    "CI_NAME",
    "CONTINUOUS_INTEGRATION",
    "RUN_ID",
    "GITHUB_ACTIONS",
    "TRAVIS",
)

# --- opting out ---------------------------------------------------------------------------------


def opt_out_reason(environment: Mapping[str, str]) -> str | None:
    """Why nothing may be sent, in words; None when something may.

    The launcher and install.sh have this rule too, in sh; the tests hold the three together.
    """
    if "WASP_TELEMETRY_DISABLE" in environment:
        return "WASP_TELEMETRY_DISABLE is set"
    # https://consoledonottrack.com
    if environment.get("DO_NOT_TRACK", "").lower() not in ("", "0", "false", "no", "off"):
        return "DO_NOT_TRACK is set"
    off = off_file(environment)
    if off is None:
        return None
    try:
        os.lstat(off)
    except PermissionError:
        return f"{off} cannot be looked for"
    except OSError:
        return None  # there is no such place
    return "it was switched off with: wasp telemetry off"


def off_file(environment: Mapping[str, str]) -> str | None:
    """The file whose presence means off; None when there is no home to keep it in."""
    folder = _user_folder(environment, "XDG_CONFIG_HOME", ".config")
    return None if folder is None else os.path.join(folder, "wasp", "telemetry-off")


def _user_folder(environment: Mapping[str, str], variable: str, default: str) -> str | None:
    """https://specifications.freedesktop.org/basedir-spec: a relative path is to be ignored."""
    named = environment.get(variable, "")
    if os.path.isabs(named):
        return named
    home = environment.get("USERPROFILE" if os.name == "nt" else "HOME", "")
    return os.path.join(home, default) if os.path.isabs(home) else None


# --- the two events -----------------------------------------------------------------------------


def install_event(*, key: str, distinct_id: str, os_name: str) -> dict[str, Any]:
    """What is sent when an install starts: a random number, and the operating system."""
    return {
        "api_key": key,
        "type": "capture",
        "event": "install-script:run",
        "distinct_id": distinct_id,
        "properties": {"os": os_name},
    }


def cli_event(
    *,
    key: str,
    distinct_id: str,
    project_hash: str,
    is_build: bool,
    deploy_cmd_args: str,
    wasp_version: str,
    os_name: str,
    context: str,
) -> dict[str, Any]:
    """What is sent when ``wasp`` is used inside a project."""
    return {
        "api_key": key,
        "event": "cli",
        "distinct_id": distinct_id,
        "properties": {
            "project_hash": project_hash,
            "is_build": is_build,
            "deploy_cmd_args": deploy_cmd_args,
            "wasp_version": wasp_version,
            "os": os_name,
            "context": context,
        },
    }


def to_body(event: Mapping[str, Any]) -> bytes:
    """An event as the JSON that is sent."""
    import json

    return json.dumps(event).encode("ascii")


def _is_version(text: str) -> bool:
    """Letters, digits, dots and dashes, such as 0.25.0-rc1."""
    return len(text) <= 40 and text.isascii() and text.translate({45: "", 46: ""}).isalnum()


def random_digits() -> str:
    """24 random digits, the first of them not 0, from the system's random source."""
    return str(10**23 + int.from_bytes(os.urandom(32), "big") % (9 * 10**23))


def this_os() -> str:
    """The operating system: linux, osx, windows or Unknown."""
    return {"linux": "linux", "darwin": "osx", "win32": "windows"}.get(sys.platform, "Unknown")


def counting_words(arguments: Sequence[str]) -> list[str]:
    """Those of the arguments of ``wasp`` that matter here, as others see the rest of a process."""
    if list(arguments[:1]) == ["deploy"]:
        return ["deploy", *(word for word in arguments[1:] if word in DEPLOY_KEYWORDS)]
    if list(arguments[:1]) == ["build"]:
        return ["build", *(["start"] if list(arguments[1:2]) == ["start"] else [])]
    return []


def is_build(arguments: Sequence[str]) -> bool:
    """Whether the command is ``wasp build``, which ``wasp build start`` is not."""
    return list(arguments[:1]) == ["build"] and list(arguments[1:2]) != ["start"]


def deploy_keywords(arguments: Sequence[str]) -> str:
    """Those arguments of ``wasp deploy`` that may be sent, in order; "" for other commands."""
    return _keywords(arguments[1:]) if list(arguments[:1]) == ["deploy"] else ""


def _keywords(words: Sequence[str]) -> str:
    return ";".join([word for word in words if word in DEPLOY_KEYWORDS][:DEPLOY_LIMIT_WORDS])


def is_on_ci(environment: Mapping[str, str]) -> bool:
    """Whether this runs in continuous integration, as far as its variables tell."""
    return any(environment.get(name, "") not in ("", "false", "0") for name in CI_VARIABLES)


def context_of(environment: Mapping[str, str]) -> str:
    """WASP_TELEMETRY_CONTEXT without control characters, then "CI" on CI."""
    named = environment.get("WASP_TELEMETRY_CONTEXT", "")
    text = "".join(character for character in named if character.isprintable()).strip()
    suffix = " CI" if is_on_ci(environment) else ""
    return (text[: CONTEXT_LIMIT_CHARACTERS - len(suffix)].strip() + suffix).strip()


# --- when to send -------------------------------------------------------------------------------


class Attempt:
    """The last attempt to send events of one kind: when (seconds since 1970), and how it ended.

    ``failed`` is only so when the event has certainly not arrived.
    """

    __slots__ = ("at", "failed")

    def __init__(self, at: int = 0, failed: bool = False) -> None:
        self.at = at
        self.failed = failed


class State:
    """What is remembered of a project; ``deploy`` holds keywords that no event has carried yet.

    ``spread`` is by how many seconds this project waits longer than FAILED_PAUSE_S.
    """

    __slots__ = ("build", "deploy", "other", "spread")

    def __init__(self, build: Attempt, other: Attempt, deploy: str = "", spread: int = 0) -> None:
        self.build = build
        self.other = other
        self.deploy = deploy
        self.spread = spread

    def attempt(self, build: bool) -> Attempt:
        """The last attempt for ``wasp build``, or for the other commands."""
        return self.build if build else self.other

    def pause_ends(self, build: bool) -> int:
        """The last second in which no event of this kind may be sent."""
        attempt = self.attempt(build)
        return attempt.at + (FAILED_PAUSE_S + self.spread if attempt.failed else PAUSE_S)

    def to_text(self) -> str:
        """One line of JSON; ``state_from`` reads exactly this."""
        fields = (
            ("build_at", str(self.build.at)),
            ("build_failed", str(self.build.failed).lower()),
            ("other_at", str(self.other.at)),
            ("other_failed", str(self.other.failed).lower()),
            ("deploy", f'"{self.deploy}"'),
        )
        return "{" + ", ".join(f'"{name}": {value}' for name, value in fields) + "}\n"


def state_from(text: str, spread: int = 0) -> State:
    """The state in ``text``; a fresh one when that is not what ``State.to_text`` writes."""
    fields = dict(part.partition(": ")[::2] for part in text.strip("{}\n").split(", "))
    try:
        build, other = (
            Attempt(int(fields[f'"{kind}_at"']), fields[f'"{kind}_failed"'] == "true")
            for kind in ("build", "other")
        )
        words = fields['"deploy"'].strip('"').split(";")
    except (KeyError, ValueError):
        return State(Attempt(), Attempt(), "", spread)
    return State(build, other, _keywords(words), spread)


def _spread(project_hash: str) -> int:
    """Evenly from 0 to FAILED_SPREAD_S, and for one project always the same."""
    return int(project_hash[:8], 16) * FAILED_SPREAD_S >> 32


class Decision:
    """Whether to send now, with which deploy keywords; ``changed``: the state is to be kept."""

    __slots__ = ("changed", "deploy", "send")

    def __init__(self, send: bool, deploy: str, changed: bool) -> None:
        self.send = send
        self.deploy = deploy
        self.changed = changed


def decide(state: State, *, build: bool, deploy: str, now: int, may_send: bool = True) -> Decision:
    """Whether an invocation at ``now`` sends an event; brings ``state`` to what is to be kept.

    Unless it ``may_send``, it leaves the event to the next one, as it does in a pause.

    An attempt counts as failed until the event is on its way (``delivered``), so that whatever ends
    the process before leaves a pause of an hour or two, and whatever ends it later twelve.
    """
    attempt = state.attempt(build)
    changed = False
    if attempt.at > now:
        # The clock was set back. To wait until it is there again could take years.
        attempt.at = now
        changed = True
    if may_send and now > state.pause_ends(build):
        attempt.at, attempt.failed = now, True
        state.deploy = deploy or state.deploy
        return Decision(True, state.deploy, True)
    if deploy and deploy != state.deploy:
        state.deploy = deploy
        changed = True
    return Decision(False, "", changed)


def delivered(state: State, *, build: bool, deploy: str) -> None:
    """The event that ``decide`` let go, with these keywords, is on its way."""
    state.attempt(build).failed = False
    # Another deploy may have been remembered meanwhile.
    if state.deploy == deploy:
        state.deploy = ""


def refused(state: State, *, build: bool, deploy: str) -> None:
    """The event was not taken; its keywords wait for the next one."""
    state.attempt(build).failed = True
    state.deploy = state.deploy or deploy


# --- what is kept on this machine ---------------------------------------------------------------


class Store:
    """The folder with this machine's id, its secret, and the state of each project.

    With WASP_TELEMETRY_USER_ID, id and secret come from that instead: one person, many machines.

    Its methods raise OSError when the folder cannot be used.
    """

    def __init__(self, folder: str, user_id: str = "") -> None:
        self.folder = folder
        self._was_made = False
        self._user_id = user_id.encode("utf-8", "surrogateescape")

    def distinct_id(self) -> str:
        """The random UUID of this machine, which Wasp itself uses too; or the hash of a user id."""
        if self._user_id:
            return _sha256(self._user_id).hex()
        return self._once("signature", _is_uuid, _new_uuid).decode("ascii").strip()

    def project_hash(self, project: str) -> str:
        """16 hex digits for an absolute path; without the secret, it cannot be guessed back."""
        return _hmac_sha256(self._secret(), os.fsencode(project)).hex()[:16]

    def _secret(self) -> bytes:
        if self._user_id:
            # Of something else than the id, whose own hash is sent.
            return _sha256(b"wasp project secret of " + self._user_id)
        return self._once("secret", lambda known: len(known) == 32, lambda: os.urandom(32))

    def state(self, project_hash: str) -> State:
        """What is remembered of a project; nothing, when that cannot be read."""
        text = self.read(f"project-{project_hash}.json").decode("ascii", "replace")
        return state_from(text, _spread(project_hash))

    def keep(self, project_hash: str, state: State) -> None:
        """Remembers ``state``; only with the lock."""
        self.write(f"project-{project_hash}.json", state.to_text().encode("ascii"))

    def lock(self, *, wait: bool = True) -> _Lock:
        """For a ``with`` block; whoever changes anything has it. It ends with the process, too.

        Id and secret are not asked for inside: they may have to be made, which takes the lock.

        Raises:
            BlockingIOError: another process has it, and this one does not want to wait.
        """
        self._make_folder()
        return _Lock(os.path.join(self.folder, "lock"), wait=wait)

    def sender(self) -> _Sender:
        """For a ``with`` block: True, when this process is one of the few that may send."""
        self._make_folder()
        return _Sender(self.folder)

    def _make_folder(self) -> None:
        if self._was_made:
            return  # an uninstall that has removed it meanwhile is the last word
        self._was_made = True
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        if os.name == "posix" and os.stat(self.folder).st_mode & 0o077:
            # Wasp itself may have made it, readable to all.
            os.chmod(self.folder, 0o700)

    def _once(
        self, name: str, is_good: Callable[[bytes], bool], make: Callable[[], bytes]
    ) -> bytes:
        """The content of a file, which is made when it is not there or not good."""
        content = self.read(name)
        if not is_good(content):
            with self.lock():
                content = self.read(name)  # another process may have been first
                if not is_good(content):
                    content = make()
                    self.write(name, content)
        return content

    def read(self, name: str, limit: int = 1024) -> bytes:
        """At most ``limit`` bytes of a file; none of what cannot be read."""
        try:
            # Without waiting for whoever might write into a pipe of this name.
            flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
            descriptor = os.open(os.path.join(self.folder, name), flags)
        except OSError:
            return b""
        try:
            return os.read(descriptor, limit)
        except OSError:
            return b""
        finally:
            os.close(descriptor)

    def remove(self, name: str) -> None:
        """Removes a file, if it is there; only with the lock."""
        try:
            os.unlink(os.path.join(self.folder, name))
        except FileNotFoundError:
            return

    def write(self, name: str, content: bytes) -> None:
        """Writes a file, whole or not at all; only with the lock.

        With that, one name for what is not whole yet is enough.
        """
        path = os.path.join(self.folder, name)
        # Never into what is there, which may be a link to elsewhere, or a pipe.
        self.remove(f"{name}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(f"{path}.new", flags, 0o600)
        try:
            complete = os.write(descriptor, content) == len(content)
        finally:
            os.close(descriptor)
        if not complete:
            raise OSError(f"no room for {path}")
        os.replace(f"{path}.new", path)


class _Lock:
    """A lock on a file, which the system takes back from whoever ends."""

    def __init__(self, path: str, *, wait: bool) -> None:
        self._path = path
        self._wait = wait
        self._file = -1

    def __enter__(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        self._file = os.open(self._path, flags, 0o600)
        try:
            self._take()
        except BaseException:
            os.close(self._file)
            raise

    def _take(self) -> None:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(self._file, msvcrt.LK_LOCK if self._wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(self._file, fcntl.LOCK_EX | (0 if self._wait else fcntl.LOCK_NB))

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


class _Sender:
    """One of the SENDERS_LIMIT places for processes that send, if one is free."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._place: _Lock | None = None

    def __enter__(self) -> bool:
        for number in range(SENDERS_LIMIT):
            place = _Lock(os.path.join(self._folder, f"sender-{number}"), wait=False)
            try:
                place.__enter__()
            except OSError:
                continue
            self._place = place
            return True
        return False

    def __exit__(self, *_: object) -> None:
        if self._place is not None:
            self._place.__exit__()


def usable_folder(environment: Mapping[str, str]) -> str | None:
    """The folder for the ``Store``; None where it is not this user's to write to.

    With sudo the home may be another user's, who could then not change the files any more.
    """
    if os.name == "nt":
        base = environment.get("LOCALAPPDATA") or None
    else:
        base = _user_folder(environment, "XDG_CACHE_HOME", ".cache")
    if base is None:
        return None
    folder = os.path.join(base, "wasp", "telemetry")
    return folder if os.name == "nt" or _is_ours(folder, environment) else None


def _is_ours(folder: str, environment: Mapping[str, str]) -> bool:
    home = environment.get("HOME", "").rstrip("/")
    existing = _nearest_existing(folder)
    if folder.startswith(home) and not existing.startswith(home):
        return False  # the home itself is missing
    places = [existing, home] if os.path.isdir(home) else [existing]
    return all(os.stat(place).st_uid == os.geteuid() for place in places) and os.access(
        existing, os.W_OK | os.X_OK
    )


def _nearest_existing(folder: str) -> str:
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    return folder


def project_of(folder: str) -> str | None:
    """The Wasp project that ``folder`` is in: the nearest folder upwards with .wasproot."""
    while not os.path.exists(os.path.join(folder, ".wasproot")):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder


def _is_uuid(content: bytes) -> bool:
    parts = content.strip().split(b"-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and all(
        byte in b"0123456789abcdefABCDEF" for part in parts for byte in part
    )


def _new_uuid() -> bytes:
    import uuid

    return str(uuid.uuid4()).encode("ascii")


def _sha256(data: bytes) -> bytes:
    """SHA-256 from the module that needs no OpenSSL, which takes 5 ms to load."""
    for name in ("_sha2" if sys.version_info >= (3, 12) else "_sha256", "hashlib"):
        try:
            digest: bytes = __import__(name).sha256(data).digest()
        except (ImportError, AttributeError):
            continue
        return digest
    raise ImportError("this Python has no SHA-256")


def _hmac_sha256(key: bytes, message: bytes) -> bytes:
    """https://www.rfc-editor.org/rfc/rfc2104, for keys of at most 64 bytes; hmac takes 8 ms."""
    block = key.ljust(64, b"\0")
    inner = _sha256(bytes(byte ^ 0x36 for byte in block) + message)
    return _sha256(bytes(byte ^ 0x5C for byte in block) + inner)


# --- sending ------------------------------------------------------------------------------------


class Target:
    """Where events go, and with which key: WASP_TELEMETRY_URL and WASP_TELEMETRY_KEY, or ours."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.url = environment.get("WASP_TELEMETRY_URL") or DEFAULT_URL
        self.key = environment.get("WASP_TELEMETRY_KEY") or DEFAULT_KEY


def post(url: str, body: bytes, when_connected: Callable[[], None]) -> tuple[int, bytes]:
    """Sends ``body`` once, without following a redirect; returns the HTTP status and the answer.

    ``when_connected`` is called when the connection stands, before anything of the body is sent.

    Raises:
        OSError: there is no connection, or no answer came.
        ValueError: ``url`` is neither https nor on this very machine.
        http.client.HTTPException: what came is not HTTP.
    """
    connection, path = _connection(url, POST_TIMEOUT_S)
    try:
        connection.connect()
        when_connected()
        headers = {"Content-Type": "application/json", "User-Agent": "wasp", "Connection": "close"}
        connection.request("POST", path, body, headers)
        with connection.getresponse() as response:
            return response.status, response.read(ANSWER_LIMIT_BYTES)
    finally:
        connection.close()


def get(url: str, known: Etag, accept: str) -> tuple[Etag, bytes]:
    """Asks for ``url`` once, without following a redirect; returns its etag and content.

    Raises:
        OSError, ValueError, http.client.HTTPException: as ``post``; ValueError also when there is
            nothing new, when it was refused, and for more than NEWS_LIMIT_BYTES.
    """
    connection, path = _connection(url, GET_TIMEOUT_S)
    try:
        headers = {"Accept": accept, "User-Agent": "wasp", "Connection": "close"}
        if known.for_url(url):
            headers["If-None-Match"] = known.for_url(url)
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as response:
            content = response.read(NEWS_LIMIT_BYTES + 1)
            if response.status != 200 or len(content) > NEWS_LIMIT_BYTES:
                raise ValueError(f"{url}: nothing to read ({response.status})")
            return Etag(url, response.headers.get("ETag", "")), content
    finally:
        connection.close()


def _connection(url: str, timeout_s: float) -> tuple[HTTPConnection, str]:
    """A connection, not yet made, to the host of ``url``; and the path to ask for there."""
    from http.client import HTTPConnection, HTTPSConnection
    from urllib.parse import urlsplit

    if not is_allowed(url):
        raise ValueError(f"{url} is not an https address")
    parts = urlsplit(url)
    host, path = parts.hostname or "", parts.path or "/"
    path += f"?{parts.query}" if parts.query else ""
    # Without a port, the end of an IPv6 address would be taken for one.
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme == "http":
        return HTTPConnection(host, port, timeout=timeout_s), path
    proxy = _proxy_for(host)
    if proxy is None:
        return HTTPSConnection(host, port, timeout=timeout_s, context=_tls()), path
    through = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if through.scheme != "http" or not through.hostname:
        raise ValueError(f"{proxy} is not the address of an HTTP proxy")
    connection = HTTPSConnection(
        through.hostname, through.port or 80, timeout=timeout_s, context=_tls()
    )
    connection.set_tunnel(host, port, _proxy_login(through.username, through.password))
    return connection, path


def is_allowed(url: str) -> bool:
    """Whether events may go to ``url``: it is https, or on this very machine."""
    from urllib.parse import urlsplit

    if not (url.isascii() and url.isprintable()) or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    numbers = host.split(".")
    is_ipv4 = len(numbers) == 4 and all(number.isdecimal() for number in numbers)
    is_here = host in ("localhost", "::1") or (is_ipv4 and numbers[0] == "127")
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_here))


def _proxy_for(host: str) -> str | None:
    names = ("https_proxy", "all_proxy")
    if not any(os.environ.get(name) or os.environ.get(name.upper()) for name in names):
        return None
    import urllib.request

    bypass: Callable[[str], bool] = vars(urllib.request)["proxy_bypass_environment"]
    if bypass(host):
        return None
    proxies = urllib.request.getproxies_environment()
    return proxies.get("https") or proxies.get("all")


def _proxy_login(user: str | None, password: str | None) -> dict[str, str]:
    if user is None:
        return {}
    from base64 import b64encode
    from urllib.parse import unquote

    login = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {b64encode(login).decode()}"}


def _tls() -> SSLContext:
    """Certificates are checked against the system's authorities, or those of SSL_CERT_FILE.

    The same for all connections of a process, since reading them takes longer than a connection.
    """
    if not _tls_contexts:
        _tls_contexts.append(_new_tls())
    return _tls_contexts[0]


_tls_contexts: list[SSLContext] = []


def _new_tls() -> SSLContext:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    folder = ssl.get_default_verify_paths().openssl_capath
    if not {"SSL_CERT_FILE", "SSL_CERT_DIR"} & os.environ.keys() and _is_hashed(folder):
        # Only what is needed is read from such a folder; to read them all takes 30 ms.
        context.load_verify_locations(capath=folder)
        return context
    context.load_default_certs()
    # Python's own build for macOS knows no authorities at first.
    if not context.cert_store_stats()["x509_ca"] and os.path.exists("/etc/ssl/cert.pem"):
        context.load_verify_locations("/etc/ssl/cert.pem")
    return context


def _is_hashed(folder: str) -> bool:
    """Whether OpenSSL can find authorities in ``folder`` by the hashes of their names."""
    try:
        return any(len(name) == 10 and name.endswith(".0") for name in os.listdir(folder))
    except OSError:
        return False


def _end_at_deadline() -> None:
    """Ends this process when its time is over, also inside a call that knows no timeout."""
    if os.name == "posix":
        # Imported by its inner name, which brings nothing else: it is wanted before every pause.
        signals = __import__("_signal")
        signals.signal(signals.SIGALRM, signals.SIG_DFL)
        signals.pthread_sigmask(signals.SIG_UNBLOCK, [signals.SIGALRM])
        signals.alarm(DEADLINE_S)
        return
    import threading

    timer = threading.Timer(DEADLINE_S, os._exit, [0])
    timer.daemon = True
    timer.start()


# --- one invocation -----------------------------------------------------------------------------


class Invocation:
    """One call of ``wasp``, as far as telemetry looks at it.

    ``arguments`` are those after ``wasp``, ``project`` is the absolute path of the project.
    """

    __slots__ = ("arguments", "environment", "project", "wasp_version")

    def __init__(
        self,
        arguments: Sequence[str],
        wasp_version: str,
        project: str,
        environment: Mapping[str, str],
    ) -> None:
        self.arguments = arguments
        self.wasp_version = wasp_version
        self.project = project
        self.environment = environment

    def body(self, store: Store, key: str, deploy: str) -> bytes:
        """What this invocation sends, with these keywords of a deploy."""
        event = cli_event(
            key=key,
            distinct_id=store.distinct_id(),
            project_hash=store.project_hash(self.project),
            is_build=is_build(self.arguments),
            deploy_cmd_args=deploy,
            wasp_version=self.wasp_version if _is_version(self.wasp_version) else "",
            os_name=this_os(),
            context=context_of(self.environment),
        )
        return to_body(event)


def is_due(invocation: Invocation, store: Store, now: int) -> bool:
    """Whether there is something to send or to remember; most times there is not.

    Reads without the lock, so ``record_and_send`` looks again.
    """
    build, deploy = is_build(invocation.arguments), deploy_keywords(invocation.arguments)
    state = store.state(store.project_hash(invocation.project))
    return decide(state, build=build, deploy=deploy, now=now).changed


def record_and_send(
    invocation: Invocation,
    store: Store,
    clock: Callable[[], int],
    send: Callable[[str, bytes, Callable[[], None]], tuple[int, bytes]] = post,
    *,
    may_send: bool = True,
) -> bytes | None:
    """Sends the event of an invocation, unless a pause is on; returns what was answered.

    None stands for an opt-out, for a pause, and for an event that is left to the next invocation
    as it may not be sent by this one.

    The attempt is kept before the network is touched: of many invocations at once, one sends.
    ``clock`` gives the seconds since 1970.

    Raises:
        OSError: the store cannot be written to (then nothing is sent), or the network failed.
        ValueError: WASP_TELEMETRY_URL is neither https nor on this very machine.
    """
    if opt_out_reason(invocation.environment):
        return None
    build, deploy = is_build(invocation.arguments), deploy_keywords(invocation.arguments)
    project_hash = store.project_hash(invocation.project)
    with store.lock():
        # Not before: whoever had the lock would then have sent in what looks like the future.
        now = clock()
        state = store.state(project_hash)
        decision = decide(state, build=build, deploy=deploy, now=now, may_send=may_send)
        if decision.changed:
            store.keep(project_hash, state)
    if not decision.send:
        return None
    target = Target(invocation.environment)
    body = invocation.body(store, target.key, decision.deploy)

    def keep(change: Callable[..., None]) -> None:
        with store.lock():
            state = store.state(project_hash)
            if state.attempt(build).at != now or not 0 <= clock() - now < STALE_S:
                # It slept, perhaps with the whole machine, and another may have sent meanwhile.
                raise TimeoutError("this attempt is of another time")
            change(state, build=build, deploy=decision.deploy)
            store.keep(project_hash, state)

    status, answer = send(target.url, body, lambda: keep(delivered))
    if is_refusal(status):
        keep(refused)
    return answer if 200 <= status < 300 else b""


def is_refusal(status: int) -> bool:
    """Whether an HTTP status says that the event was not taken.

    What stands before a server may answer 500, 502 or 504 for one that has taken it.
    """
    return 300 <= status < 500 or status == 503


def current_project() -> str | None:
    """The project that this process is in."""
    try:
        return project_of(os.getcwd())
    except OSError:
        return None  # the current folder was removed


def print_messages(wasp_version: str) -> None:
    """Prints what a user of this version is to be told now, which is mostly nothing.

    The launcher calls this only while there is a flag for it, and only on a terminal.

    Raises:
        OSError: it cannot be kept that they were shown, or another process is just at it.
    """
    if opt_out_reason(os.environ):
        return
    folder = usable_folder(os.environ)
    if folder is not None:
        store = Store(folder, os.environ.get("WASP_TELEMETRY_USER_ID", ""))
        # A letter that this terminal does not have is no reason to keep the rest back.
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
        Postbox(store, wasp_version, os.environ).show(sys.stdout, int(time.time()))


def is_counted(arguments: Sequence[str]) -> bool:
    """Whether this is somebody's command, and not a shell that asks for completions."""
    return not (arguments and arguments[0].startswith("completion:"))


def is_debugging(environment: Mapping[str, str]) -> bool:
    """Whether events are to be printed in place of being sent."""
    return environment.get("WASP_TELEMETRY_DEBUG", "") not in ("", "0")


def notify_invocation(argv: Sequence[str], wasp_version: str) -> None:
    """For a CLI that is Python itself: counts this call of it, as the launcher does for Wasp's.

    Returns at once; another process does the rest. ``argv`` is what follows the program's name.
    Nothing is raised and nothing printed, whatever goes wrong (but see WASP_TELEMETRY_DEBUG).
    """
    try:
        if opt_out_reason(os.environ) or not is_counted(argv) or current_project() is None:
            return
        if is_debugging(os.environ):
            _invoked(wasp_version, argv)
        else:
            _start_apart(["invoked", wasp_version, *counting_words(argv)])
    except Exception:  # noqa: BLE001 - see the docstring
        return


def _start_apart(arguments: Sequence[str]) -> None:
    """Runs this file in a process that neither this one nor its terminal holds on to."""
    if sys.platform == "win32":
        start(arguments)
    else:
        # A shell between, which ends at once: nobody here would collect what becomes of a child.
        between = ["/bin/sh", "-c", "trap '' HUP INT QUIT; \"$@\" &", "sh"]
        start(arguments, between).wait()


# Imported, and not run, so that what Python has compiled is used.
_IMPORTED: Final = """\
import sys; sys.path.insert(0, sys.argv[1])
import telemetry_ping; telemetry_ping.run(sys.argv[2:])"""


def start(arguments: Sequence[str], before: Sequence[str] = ()) -> Popen[bytes]:
    """Starts ``main`` with ``arguments`` in a process of its own, away from the terminal.

    ``before`` is a program, with its arguments, that starts it in turn.

    Raises:
        OSError: no process can be started.
    """
    import subprocess

    folder = os.path.dirname(os.path.abspath(__file__))
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NO_WINDOW
        options = {"creationflags": flags}
    null = subprocess.DEVNULL
    return subprocess.Popen(
        [*before, sys.executable, "-I", "-S", "-B", "-c", _IMPORTED, folder, *arguments],
        stdin=null,
        stdout=null,
        stderr=null,
        **options,
    )


def _leave_the_terminal() -> None:
    """Takes this process out of reach of Ctrl-C, of a closed terminal, and of who waits for it."""
    if os.name == "posix":
        if os.getpgrp() != os.getpid():  # who leads a group cannot leave it
            os.setsid()
        os.nice(10)
        _close_what_was_inherited()


def _close_what_was_inherited() -> None:
    """Whoever reads from a pipe waits until nobody can write into it any more."""
    try:
        numbers = [int(name) for name in os.listdir("/dev/fd")]
    except OSError:
        numbers = list(range(3, 256))
    for number in numbers:
        if number > 2:
            os.closerange(number, number + 1)


def _invoked(wasp_version: str, arguments: Sequence[str]) -> None:
    environment = os.environ
    if opt_out_reason(environment):
        return
    project, folder = current_project(), usable_folder(environment)
    if project is None or folder is None or not is_counted(arguments):
        return
    invocation = Invocation(arguments, wasp_version, project, environment)
    store = Store(folder, environment.get("WASP_TELEMETRY_USER_ID", ""))
    if is_debugging(environment):
        _print_event(invocation, store, sys.stderr)
        return
    _end_at_deadline()
    if os.name == "posix":
        os.chdir("/")  # so that the folder can be removed or unmounted meanwhile
    now = _now()
    postbox = Postbox(store, wasp_version, environment)
    if not is_due(invocation, store, now):
        postbox.attend(now)
        return
    answer: bytes | None = b""
    with store.sender() as may_send:
        try:
            answer = record_and_send(invocation, store, _now, may_send=may_send)
        finally:
            # Who cannot send may still be told of a danger.
            if answer is None:
                postbox.attend(now)
            else:
                postbox.look(answer, _receipt(wasp_version), now)


def _now() -> int:
    return int(time.time())


def _receipt(wasp_version: str) -> dict[str, Any]:
    """What the installer noted of where a version came from; nothing where it was not the one."""
    import json

    folder = os.path.dirname(os.path.abspath(__file__))
    try:
        with open(os.path.join(folder, wasp_version, ".receipt.json"), "rb") as file:
            receipt = json.load(file)
    except (OSError, ValueError):
        return {}
    return receipt if isinstance(receipt, dict) else {}


def send_install_event() -> None:
    """Sends the event of an install; with WASP_TELEMETRY_DEBUG, only prints it.

    Raises:
        OSError, ValueError, http.client.HTTPException: as ``post`` does.
    """
    if opt_out_reason(os.environ):
        return
    target = Target(os.environ)
    event = install_event(key=target.key, distinct_id=random_digits(), os_name=this_os())
    if is_debugging(os.environ):
        print(to_body(event).decode(), file=sys.stderr)
        return
    _end_at_deadline()
    post(target.url, to_body(event), lambda: None)


# --- messages back: versions --------------------------------------------------------------------


def version_key(version: str) -> tuple[Any, ...]:
    """Sorts versions as https://semver.org/#spec-item-11 says; missing numbers count as 0.

    Raises:
        ValueError: it is no version.
    """
    release, dash, candidate = version.partition("+")[0].partition("-")
    numbers = [int(part) for part in release.split(".") if _is_number(part)]
    identifiers = candidate.split(".") if dash else []
    if len(numbers) != release.count(".") + 1 or len(numbers) > 4 or "" in identifiers:
        raise ValueError(f"{version!r} is not a version")
    return (
        numbers + [0] * (4 - len(numbers)),
        not dash,
        [(0, int(part), "") if _is_number(part) else (1, 0, part) for part in identifiers],
    )


def _is_number(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) <= 9


def is_in_range(version: str, text: str) -> bool:
    """Whether ``version`` is in a range such as ``>=0.20.0 <0.25.1 || 0.26.x``.

    A pre-release is where semver orders it: 0.25.1-rc1 is in ``<0.25.1``. A version that is not
    given in full stands for all that it begins, as in npm.

    Raises:
        ValueError: the range or the version cannot be understood.
    """
    key = version_key(version)
    if len(text) > RANGE_LIMIT_CHARACTERS:
        raise ValueError("too long for a range of versions")
    # Each is looked at, so that no mistake hides behind a part that holds.
    held = [_is_between(key, part) for part in text.split("||")]
    return any(held)


def _is_between(key: tuple[Any, ...], comparators: str) -> bool:
    held = [_holds(key, operator, limit) for operator, limit in _comparators(comparators)]
    if not held:
        raise ValueError("an empty range of versions")
    return all(held)


def _comparators(text: str) -> list[tuple[str, str]]:
    """The operators ("" for none) and versions of one alternative of a range."""
    found, operator = [], ""
    for word in text.split():
        begun = next((sign for sign in (">=", "<=", ">", "<", "=") if word.startswith(sign)), "")
        if begun and operator:
            raise ValueError(f"{text!r} is not a range of versions")
        operator, limit = operator or begun, word[len(begun) :]
        if limit:
            found.append((operator, limit[limit.startswith("v") :]))
            operator = ""
    if operator:
        raise ValueError(f"{text!r} is not a range of versions")
    return found


def _holds(key: tuple[Any, ...], operator: str, limit: str) -> bool:
    given = limit.split(".")
    while given and given[-1] in ("x", "X", "*"):
        given.pop()
    if len(given) >= 3 or "-" in limit:
        low = high = version_key(limit)
        after = key > high
    else:
        # All that begins so: from its first pre-release to before that of the next.
        low = version_key(".".join([*given, "0", "0"][: max(3, len(given))]) + "-0")
        following = [*given[:-1], str(int(given[-1]) + 1)] if given else ["999999999"]
        high = version_key(".".join([*following, "0", "0"][:3]) + "-0")
        after = key >= high
    before = key < low
    return {"<": before, ">=": not before, ">": after, "<=": not after}.get(
        operator, not before and not after
    )


# --- messages back: what there is to say --------------------------------------------------------


class Message:
    """A message from the Wasp team, as the news feed and a collector's answer hold it.

    ``published`` is in seconds since 1970; ``affected`` is a range of versions, or "" for all.
    """

    __slots__ = ("affected", "body", "id", "level", "published", "title", "url")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.id = _one_line(fields["id"], 100)
        self.level = fields["level"]
        self.title = _one_line(fields["title"], 120)
        self.body = _one_line(fields["body"], 800)
        self.published = _seconds(fields["publishedAt"])
        self.url = fields.get("url") or ""
        self.affected = fields.get("affectedVersions") or ""
        if not (self.id and self.title) or self.level not in LEVELS:
            raise ValueError("neither name, title nor level may be missing")
        is_plain = self.url.isascii() and self.url.isprintable() and " " not in self.url
        if self.url and not (is_plain and len(self.url) <= 200 and self.url.startswith("https://")):
            self.url = ""
        is_in_range("0.0.0", self.affected or "*")

    def concerns(self, version: str, now: int) -> bool:
        """Whether a user of ``version`` is to read this at all."""
        if self.published > now + DAY_S:
            return False
        if self.affected:
            return is_in_range(version, self.affected)
        # Who has just come to Wasp is not to read all that there ever was.
        return self.level == "critical" or now - self.published < NEWS_AGE_S

    def to_json(self) -> dict[str, Any]:
        """In the form of the news feed."""
        return {
            "id": self.id,
            "level": self.level,
            "title": self.title,
            "body": self.body,
            "publishedAt": _timestamp(self.published),
            "url": self.url,
            "affectedVersions": self.affected,
        }


def messages_from(value: Any) -> list[Message]:
    """The messages in a list that came from elsewhere; what is none, and repetitions, left out.

    Raises:
        ValueError: it is no list.
    """
    if not isinstance(value, list):
        raise ValueError("messages come as a list")
    found: dict[str, Message] = {}
    for fields in value[:MESSAGES_LIMIT]:
        try:
            message = Message(fields)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            continue
        found.setdefault(message.id, message)
    return list(found.values())


def _one_line(text: str, limit: int) -> str:
    """Without anything that could move the cursor, colour, hide, or look like another line."""
    if not isinstance(text, str):
        raise TypeError("no text")
    begun = text[: 4 * limit]  # more of it would not be shown, however much of this goes
    words = "".join(" " if _is_blank(letter) else letter for letter in begun).split()
    line = _without_piles(" ".join(words))
    return line if len(line) <= limit else line[: limit - 1] + "\u2026"


def _is_blank(letter: str) -> bool:
    """What shows nothing, or moves what follows; the last few pass for letters or accents."""
    return (
        not letter.isprintable()
        or letter in "\u2800\u3164\u115f\u1160\uffa0\u034f\u17b4\u17b5"
        or "\u180b" <= letter <= "\u180f"
        or "\ufe00" <= letter <= "\ufe0f"
        or "\U000e0100" <= letter <= "\U000e01ef"
    )


def _without_piles(line: str) -> str:
    """With two accents on a letter at most, as more would cover the lines above it."""
    from unicodedata import category

    kept, accents = [], 0
    for letter in line:
        accents = accents + 1 if category(letter).startswith("M") else 0
        if accents <= 2:
            kept.append(letter)
    return "".join(kept)


def _seconds(timestamp: str) -> int:
    """Of a time such as 2026-01-31T12:00:00Z."""
    from datetime import datetime, timezone

    year, month, day = int(timestamp[0:4]), int(timestamp[5:7]), int(timestamp[8:10])
    clock = timestamp[11:19] or "00:00:00"
    hour, minute, second = int(clock[0:2]), int(clock[3:5]), int(clock[6:8])
    return int(datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc).timestamp())


def _timestamp(seconds: int) -> str:
    from datetime import datetime, timezone

    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)


class Etag:
    """What a server gave to be asked with the next time, so that it can answer "nothing new".

    Only for the address that it came from, and only as long as one for a file would be.
    """

    __slots__ = ("url", "value")

    def __init__(self, url: str = "", value: str = "") -> None:
        is_one = value.isascii() and value.isprintable() and len(value) <= ETAG_LIMIT_CHARACTERS
        self.url = url
        self.value = value if is_one else ""

    def for_url(self, url: str) -> str:
        """The value, for the address that it came from."""
        return self.value if url == self.url else ""


class News:
    """All that is known here of messages, kept as ``news.json``.

    ``looked_at`` is when they were last looked for, ``shown`` when each was last shown, in seconds
    since 1970. The etags let a server answer "nothing new".
    """

    def __init__(self, text: bytes = b"") -> None:
        self.looked_at = 0
        self.feed: list[Message] = []
        self.feed_etag = Etag()
        self.answer: list[Message] = []
        self.releases: list[str] = []
        self.releases_etag = Etag()
        self.shown: dict[str, int] = {}
        if text:
            self._read_what_can_be_read(text)

    def _read_what_can_be_read(self, text: bytes) -> None:
        try:
            self._read(text)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
            return

    def _read(self, text: bytes) -> None:
        import json

        fields = json.loads(text)
        self.shown = {str(name): int(at) for name, at in fields["shown"].items()}
        self.looked_at = int(fields["looked_at"])
        self.answer = messages_from(fields["answer"])
        self.feed, self.feed_etag = messages_from(fields["feed"]), Etag(*fields["feed_etag"])
        self.releases = list(filter(_is_release, fields["releases"]))
        self.releases_etag = Etag(*fields["releases_etag"])

    def to_text(self) -> bytes:
        """One line of JSON."""
        import json

        fields = {
            "looked_at": self.looked_at,
            "feed": [message.to_json() for message in self.feed],
            "feed_etag": [self.feed_etag.url, self.feed_etag.value],
            "answer": [message.to_json() for message in self.answer],
            "releases": self.releases,
            "releases_etag": [self.releases_etag.url, self.releases_etag.value],
            "shown": self.shown,
        }
        # JSON can hold the half of a surrogate pair, which no encoding has.
        return json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace") + b"\n"

    def remember_shown(self, names: Sequence[str], now: int) -> None:
        """Remembers what was shown, as far back as it may matter."""
        self.shown.update(dict.fromkeys(names, now))
        newest = sorted(self.shown.items(), key=lambda item: item[1])[-SHOWN_LIMIT:]
        self.shown = dict(newest)

    def messages(self) -> list[Message]:
        """From both channels; of two with one id the graver, so that none can hide another."""
        by_gravity = sorted(
            self.feed + self.answer, key=lambda message: LEVELS.index(message.level), reverse=True
        )
        return list({message.id: message for message in by_gravity}.values())

    def newer_releases(self, version: str) -> tuple[str, str]:
        """The newest release of the line of ``version``, and the newest of all beyond that line.

        Each is "" when it is not newer. A line is what may be updated without changing a project:
        0.25, or 1.
        """
        newer = [found for found in self.releases if version_key(found) > version_key(version)]
        newer.sort(key=version_key)
        patches = [found for found in newer if _line(found) == _line(version)]
        breaking = [found for found in newer if _line(found) != _line(version)]
        return (patches or [""])[-1], (breaking or [""])[-1]


def _line(version: str) -> list[int]:
    numbers: list[int] = version_key(version)[0]
    return numbers[:2] if numbers[0] == 0 else numbers[:1]


# --- messages back: when to say it --------------------------------------------------------------


# What these are remembered by: no message can have such an id, as none begins with a space.
PATCH: Final = " newer patch"
BREAKING: Final = " newer release"


class Notice:
    """Something to show now.

    ``name`` is under which it is remembered as shown. ``links`` are (label, URL or command); they
    are never broken into lines, so that they can be copied.
    """

    __slots__ = ("body", "heading", "is_critical", "links", "name")

    def __init__(
        self,
        name: str,
        heading: str,
        body: str,
        links: Sequence[tuple[str, str]],
        is_critical: bool = False,
    ) -> None:
        self.name = name
        self.heading = heading
        self.body = body
        self.links = links
        self.is_critical = is_critical


def next_showing(news: News, version: str, now: int, read: Sequence[str] = ()) -> int | None:
    """When something is next to be shown to a user of ``version``; None when nothing is.

    ``read`` holds the ids of messages that the user has read elsewhere (``wasp news``).
    """
    times = [_next(news, name, pause, now) for name, pause in _pauses(news, version, now)]
    for message in news.messages():
        is_new = message.id not in news.shown and message.id not in read
        if message.level == "important" and is_new and message.concerns(version, now):
            times.append(0)
    return min(times, default=None)


def _pauses(news: News, version: str, now: int) -> list[tuple[str, int]]:
    """The names of what is shown again and again, with the seconds between."""
    pauses = [
        (message.id, DAY_S)
        for message in news.messages()
        if message.level == "critical" and message.concerns(version, now)
    ]
    patch, breaking = news.newer_releases(version)
    if patch:
        pauses.append((PATCH, DAY_S))
    if breaking:
        pauses.append((BREAKING, 7 * DAY_S))
    return pauses


def due_notices(news: News, version: str, now: int, read: Sequence[str] = ()) -> list[Notice]:
    """What is to be shown to a user of ``version`` at ``now``, the gravest first."""
    due = {
        name for name, pause in _pauses(news, version, now) if _next(news, name, pause, now) <= now
    }
    patch, breaking = news.newer_releases(version)
    concerning = [message for message in news.messages() if message.concerns(version, now)]
    concerning.sort(key=lambda message: (LEVELS.index(message.level), -message.published))
    new = [message for message in concerning if message.id not in {*news.shown, *read}]
    grave = [message for message in concerning if message.id in due]
    grave += [message for message in new if message.level == "important"]
    notices = [_notice_of(message, version, news) for message in grave]
    if PATCH in due:
        text = f"Wasp {patch} is out, a newer patch of your {version}."
        notices.append(Notice(PATCH, text, "", [_update(patch)]))
    if BREAKING in due:
        text = f"Wasp {breaking} is out; you have {version}. Your project may need changes."
        notes = f"https://github.com/wasp-lang/wasp/releases/tag/v{breaking}"
        links = [("What changed", notes), _update(breaking)]
        notices.append(Notice(BREAKING, text, "", links))
    if notices:
        infos = [message for message in new if message.level == "info"]
        notices += [_notice_of(message, version, news) for message in infos]
    return notices[:NOTICES_LIMIT]


def _next(news: News, name: str, pause: int, now: int) -> int:
    """When ``name`` may be shown; 0 when it never was, also by a clock that was set back since."""
    shown = news.shown.get(name)
    return 0 if shown is None or shown > now else shown + pause


def _notice_of(message: Message, version: str, news: News) -> Notice:
    links = [("More", message.url)] if message.url else []
    if message.level == "critical":
        fixed = [
            found
            for found in news.newer_releases(version)
            if found and not (message.affected and is_in_range(found, message.affected))
        ]
        if fixed or message.affected:
            links.append(_update((fixed or [""])[0]))
    return Notice(message.id, message.title, message.body, links, message.level == "critical")


def _update(version: str) -> tuple[str, str]:
    chosen = f" -s -- -v {version}" if version else ""
    return "To update", f"curl -sSL https://get.wasp.sh/install.sh | sh{chosen}"


def layout(notices: Sequence[Notice], columns: int, in_colour: bool) -> str:
    """The notices as lines for a terminal that is so wide."""
    import textwrap

    full_width = max(20, min(columns, 80)) - 1
    bold, red, plain = ("\033[1m", "\033[1;31m", "\033[0m") if in_colour else ("", "", "")
    lines = []
    for notice in notices:
        heading = ("CRITICAL: " if notice.is_critical else "") + notice.heading
        rule = [red + "!" * full_width + plain] if notice.is_critical else []
        # Some letters are two columns wide.
        width = full_width // 2 if _has_wide_letters(heading + notice.body) else full_width
        colour = red if notice.is_critical else bold
        wrapped = textwrap.wrap(heading, width, subsequent_indent="  ")
        lines += rule + [colour + line + plain for line in wrapped]
        lines += textwrap.wrap(notice.body, width, initial_indent="  ", subsequent_indent="  ")
        lines += [f"  {label}: {link}" for label, link in notice.links] + rule + [""]
    return "\n".join(lines) + "\n" if lines else ""


def _has_wide_letters(text: str) -> bool:
    """Whether some are two columns wide: https://www.unicode.org/reports/tr11/."""
    from unicodedata import east_asian_width

    return any(east_asian_width(letter) in ("W", "F") for letter in text)


# --- messages back: looking for them, and showing them ------------------------------------------


class Postbox:
    """The messages of this machine, for a user of one version of Wasp."""

    def __init__(self, store: Store, version: str, environment: Mapping[str, str]) -> None:
        self._store = store
        self._version = version
        self._environment = environment
        #: While this is there, the launcher calls ``show``.
        self._flag = f"messages-{version}"
        self._due = f"messages-{version}.due"

    def attend(self, now: int) -> None:
        """Makes the launcher show what has become due; mostly reads one small file."""
        if self._wants_attention(now):
            self._prepare(now)

    def _wants_attention(self, now: int) -> bool:
        due = self._store.read(self._due)
        if not due:
            # Nothing was prepared for this version yet.
            return os.path.exists(os.path.join(self._store.folder, "news.json"))
        # What lies further ahead was written by a clock that has been set back.
        return not due.isdigit() or not now < int(due) <= now + DAY_S

    def look(self, answer: bytes, receipt: Mapping[str, Any], now: int) -> None:
        """Asks the channels, at most once in 12 hours; takes what the collector answered, too.

        ``receipt`` says where this version came from: its ``source`` and ``url``. No lookup says
        anything of this machine or its user. A channel that fails changes nothing.
        """
        if not are_messages_wanted(self._environment):
            return
        with self._store.lock():
            news = self._news()
            is_time = not 0 <= now - news.looked_at <= PAUSE_S
            if is_time:
                news.looked_at = now
                self._keep(news)
        asked: list[Callable[[], Callable[[News], None]]] = [lambda: _take_answer(answer)]
        if is_time:
            asked.append(lambda: _ask_feed(news.feed_etag, self._environment))
            asked.append(lambda: _ask_source(news.releases_etag, receipt))
        for ask in asked:
            try:
                change = ask()
            except Exception:  # noqa: BLE001, S112 - whatever a server did: as if it had not been
                continue
            # At once, since the next may take until the deadline; and onto what is kept by now.
            with self._store.lock():
                current = self._news()
                change(current)
                self._keep(current)
                self._raise_flag(current, now)
        # Nothing new may have come, and yet something have become due.
        self._prepare(now)

    def _prepare(self, now: int) -> None:
        """Puts the flag up for the launcher, or writes down when to look again."""
        with self._store.lock():
            self._raise_flag(self._news(), now)

    def _keep(self, news: News) -> None:
        self._store.write("news.json", news.to_text())
        for name in os.listdir(self._store.folder):
            # Users of other versions may now have something to read, too.
            if name.startswith("messages-") and name.endswith(".due") and name != self._due:
                self._store.remove(name)

    def _raise_flag(self, news: News, now: int) -> None:
        following = next_showing(news, self._version, now, self._read_elsewhere())
        if following is None or following > now:
            self._store.remove(self._flag)
        else:
            self._store.write(self._flag, b"")
            following = None
        # At least once a day, as what is dated ahead may then be due.
        ahead = min(following or now + DAY_S, now + DAY_S)
        self._store.write(self._due, str(ahead).encode("ascii"))

    def show(self, output: IO[str], now: int) -> None:
        """Prints what is due on a terminal, and remembers that it was shown.

        Raises:
            BlockingIOError: another process is just at it; nobody waits for that.
            OSError: it cannot be remembered.
        """
        if not are_messages_wanted(self._environment):
            return
        with self._store.lock(wait=False):
            news = self._news()
            notices = due_notices(news, self._version, now, self._read_elsewhere())
            news.remember_shown([notice.name for notice in notices], now)
            try:
                self._keep(news)
                self._raise_flag(news, now)
            except OSError:
                # On a full disk it will be said again; only what is grave is worth that.
                notices = [notice for notice in notices if notice.is_critical]
        output.write(layout(notices, _columns(output), _wants_colour(self._environment)))
        output.flush()

    def looked_at(self) -> int:
        """When messages were last looked for; 0 when they were not."""
        return self._news().looked_at

    def _news(self) -> News:
        return News(self._store.read("news.json", KEPT_LIMIT_BYTES))

    def _read_elsewhere(self) -> list[str]:
        """The ids of what ``wasp news`` has listed, which keeps them beside our folder."""
        import json

        try:
            seen = json.loads(self._store.read("../news.json", NEWS_LIMIT_BYTES))["seenNewsIds"]
            return [name for name in seen if isinstance(name, str)]
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
            return []


def are_messages_wanted(environment: Mapping[str, str]) -> bool:
    """Whether somebody is there who wants to read them."""
    return "WASP_AUTO_NEWS_DISABLE" not in environment and not is_on_ci(environment)


def _take_answer(answer: bytes) -> Callable[[News], None]:
    import json

    messages = messages_from(json.loads(answer)["messages"])

    def change(news: News) -> None:
        news.answer = messages

    return change


def _ask_feed(known: Etag, environment: Mapping[str, str]) -> Callable[[News], None]:
    import json

    url = environment.get("WASP_NEWS_SERVER_URL") or DEFAULT_NEWS_URL
    etag, content = get(url, known, "application/json")
    messages = messages_from(json.loads(content))

    def change(news: News) -> None:
        news.feed, news.feed_etag = messages, etag

    return change


def _ask_source(known: Etag, receipt: Mapping[str, Any]) -> Callable[[News], None]:
    import json

    url, find = _releases_of(receipt)
    # npm's short form of a package; https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md
    etag, content = get(url, known, "application/vnd.npm.install-v1+json, application/json")
    releases = sorted(filter(_is_release, find(json.loads(content))), key=version_key)

    def change(news: News) -> None:
        news.releases, news.releases_etag = releases[-RELEASES_LIMIT:], etag

    return change


def _releases_of(receipt: Mapping[str, Any]) -> tuple[str, Callable[[Any], list[Any]]]:
    """Where the source of an installed version lists others, and how to find them there."""
    url = str(receipt["url"])
    if receipt["source"] == "npm":
        registry = url.partition("/@wasp.sh")[0]
        return f"{registry}/@wasp.sh%2fwasp-cli", _not_deprecated
    # https://docs.github.com/en/rest/releases/releases#list-releases
    base = url.partition("/wasp-lang/wasp/")[0]
    api = "https://api.github.com" if base == "https://github.com" else f"{base}/api/v3"
    return (
        f"{api}/repos/wasp-lang/wasp/releases?per_page=20",
        lambda found: [one["tag_name"].lstrip("v") for one in found if not one.get("prerelease")],
    )


def _not_deprecated(package: Any) -> list[Any]:
    versions: dict[str, Any] = package["versions"]
    return [name for name, its in versions.items() if not (its or {}).get("deprecated")]


def _is_release(version: Any) -> bool:
    """Whether it is three numbers and nothing else, as it is printed inside a command."""
    if not isinstance(version, str) or version.count(".") != 2:
        return False
    return all(_is_number(part) for part in version.split("."))


def _columns(output: IO[str]) -> int:
    try:
        return os.get_terminal_size(output.fileno()).columns or 80
    except OSError:
        return 80


def _wants_colour(environment: Mapping[str, str]) -> bool:
    """The rule of https://no-color.org."""
    return not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


# --- wasp telemetry -----------------------------------------------------------------------------

_USAGE: Final = """\
usage: wasp telemetry          whether it is enabled, and when it sends
       wasp telemetry show     the exact data that would be sent now
       wasp telemetry off      switch it off, for all projects
       wasp telemetry on       switch it on again
"""


def command(wasp_version: str, arguments: Sequence[str]) -> int:
    """``wasp telemetry [on|off|show]``; returns the exit code."""
    commands = {(): status, ("show",): show, ("on",): on, ("off",): off}
    chosen = commands.get(tuple(arguments))
    if chosen is None:
        is_help = tuple(arguments) in (("-h",), ("--help",), ("help",))
        print(_USAGE, end="", file=sys.stdout if is_help else sys.stderr)
        return 0 if is_help else 2
    for stream in (sys.stdout, sys.stderr):
        # A path may hold bytes that are no text.
        if stream is not None:
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        return chosen(wasp_version)
    except OSError as error:
        # A full disk is told of without a name.
        place = f"{error.filename}: " if error.filename else ""
        print(f"error: {place}{error.strerror or error}", file=sys.stderr)
        return 7


def status(_wasp_version: str) -> int:
    """Prints whether telemetry is enabled, and when it sends."""
    reason = opt_out_reason(os.environ)
    folder = usable_folder(os.environ)
    print("Telemetry: " + ("ENABLED" if reason is None else f"DISABLED ({reason})"))
    print(f"Kept in:   {folder or 'nowhere: there is no home folder of yours to write to'}")
    url = Target(os.environ).url
    if not is_allowed(url):
        print(f"Nothing is sent: WASP_TELEMETRY_URL ({url}) is not an https address.")
    elif reason is None and folder is not None:
        store = Store(folder, os.environ.get("WASP_TELEMETRY_USER_ID", ""))
        _print_pauses(store)
        _print_news(store)
    if reason is None:
        print("\nTo see what is sent: wasp telemetry show")
        print("To opt out:          wasp telemetry off, or set WASP_TELEMETRY_DISABLE")
    elif "wasp telemetry off" in reason:
        print("\nTo switch it on:     wasp telemetry on")
    return 0


def _print_pauses(store: Store) -> None:
    project = current_project()
    if project is None:
        print("Nothing is sent from here: this folder is in no Wasp project.")
        return
    now = int(time.time())
    known = bool(os.environ.get("WASP_TELEMETRY_USER_ID")) or bool(store.read("secret"))
    state = store.state(store.project_hash(project)) if known else State(Attempt(), Attempt())
    print("\nIn this project   last event            the next")
    for name, build in (("wasp build", True), ("other commands", False)):
        attempt, ends = state.attempt(build), state.pause_ends(build)
        last = "none yet" if attempt.at == 0 else _local_time(attempt.at)
        following = f"after {_local_time(ends)}" if ends >= now else "with the next command"
        failed = "  (the last did not arrive)" if attempt.failed else ""
        print(f"  {name:<16}{last:<22}{following}{failed}")
    if state.deploy:
        print(f"  The next event will also tell of a deploy: {state.deploy}")


def _print_news(store: Store) -> None:
    looked_at = Postbox(store, "", os.environ).looked_at()
    when = f"last looked for {_local_time(looked_at)}" if looked_at else "not looked for yet"
    if not are_messages_wanted(os.environ):
        when = "not looked for (WASP_AUTO_NEWS_DISABLE, or CI)"
    print(f"\nMessages from the Wasp team: {when}")


def _local_time(seconds: int) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):
        return "never"


def show(wasp_version: str) -> int:
    """Prints the exact data that a command would send now; nothing when it would send nothing."""
    reason = opt_out_reason(os.environ)
    project, folder = current_project(), usable_folder(os.environ)
    if reason is not None:
        print(f"Telemetry is DISABLED ({reason}): nothing is sent.", file=sys.stderr)
    elif project is None:
        print("This folder is in no Wasp project: nothing is sent from here.", file=sys.stderr)
    elif folder is None:
        print("There is no home folder of yours to write to: nothing is sent.", file=sys.stderr)
    elif not is_allowed(Target(os.environ).url):
        print("WASP_TELEMETRY_URL is not an https address: nothing is sent.", file=sys.stderr)
    else:
        invocation = Invocation([], wasp_version, project, os.environ)
        store = Store(folder, os.environ.get("WASP_TELEMETRY_USER_ID", ""))
        _print_event(invocation, store, sys.stdout)
    return 0


def _print_event(invocation: Invocation, store: Store, output: IO[str]) -> None:
    """The event of an invocation; when it would not be sent now, that too, on stderr."""
    build, deploy = is_build(invocation.arguments), deploy_keywords(invocation.arguments)
    state = store.state(store.project_hash(invocation.project))
    ends = state.pause_ends(build)
    if ends >= time.time():
        print(f"Paused until {_local_time(ends)}; without the pause:", file=sys.stderr)
    body = invocation.body(store, Target(os.environ).key, deploy or state.deploy)
    print(body.decode("ascii"), file=output)


def on(_wasp_version: str) -> int:
    """Takes ``wasp telemetry off`` back."""
    file = off_file(os.environ)
    if file is not None and os.path.lexists(file):
        os.remove(file)
    reason = opt_out_reason(os.environ)
    print("Telemetry: " + ("ENABLED" if reason is None else f"still DISABLED ({reason})"))
    return 0


def off(_wasp_version: str) -> int:
    """Opts out, from now on and for all projects."""
    file = off_file(os.environ)
    if file is None:
        print("error: HOME is not set. Set WASP_TELEMETRY_DISABLE instead.", file=sys.stderr)
        return 7
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "w", encoding="ascii") as output:
        output.write("While this file is here, Wasp sends no telemetry (wasp telemetry on).\n")
    print("Telemetry: DISABLED. To switch it on again: wasp telemetry on")
    return 0


# --- running this file --------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """What the launcher and the installer call; returns the exit code.

    ``invoked VERSION [ARGUMENT...]``, ``messages VERSION``, ``telemetry VERSION [on|off|show]``, or
    ``installed``.
    """
    if len(arguments) >= 2 and arguments[0] == "telemetry":
        return command(arguments[1], arguments[2:])
    if opt_out_reason(os.environ) is not None:
        return 0
    is_debug = is_debugging(os.environ)
    try:
        if len(arguments) == 2 and arguments[0] == "messages":
            print_messages(arguments[1])
            return 0
        if not is_debug:
            _leave_the_terminal()
        if len(arguments) >= 2 and arguments[0] == "invoked":
            _invoked(arguments[1], arguments[2:])
        elif list(arguments) == ["installed"]:
            send_install_event()
    except Exception:  # whatever goes wrong, a user's command does not show it
        if is_debug:
            raise
    return 0


def run(arguments: Sequence[str]) -> NoReturn:
    """``main`` as a process of its own, which ends with the exit code that it returns."""
    code = main(arguments)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        code = code or 1  # nobody reads any more
    # The interpreter's own cleaning up takes a few milliseconds more.
    os._exit(code)


if __name__ == "__main__":
    run(sys.argv[1:])
END_OF_telemetry_ping.py
        telemetry_messages.py) cat <<'END_OF_telemetry_messages.py' ;;
"""stub"""
END_OF_telemetry_messages.py
        env.sh) cat <<'END_OF_env.sh' ;;
# shellcheck shell=sh
# Puts Wasp on PATH and sets up tab completion. Start-up files of shells read this file, by one line each that
# does nothing when it is gone. The Wasp installer wrote it, and writes it anew.
__wasp_root=''
__wasp_bin=${__wasp_root%/share/wasp-lang}/bin
case ":${PATH-}:" in
    *:"$__wasp_bin":*) ;;
    *)
        # An active environment of conda or venv stays first.
        case ${PATH-}: in
            "${CONDA_PREFIX:-//}/bin":*) PATH=$CONDA_PREFIX/bin:$__wasp_bin:${PATH#"$CONDA_PREFIX/bin"} ;;
            "${VIRTUAL_ENV:-//}/bin":*) PATH=$VIRTUAL_ENV/bin:$__wasp_bin:${PATH#"$VIRTUAL_ENV/bin"} ;;
            *) PATH=$__wasp_bin${PATH:+:$PATH} ;;
        esac
        export PATH
        ;;
esac
case $- in
    *i*)
        if [ -n "${BASH_VERSION-}" ] && [ -r "$__wasp_root/completions/wasp.bash" ]; then
            . "$__wasp_root/completions/wasp.bash"
        elif [ -n "${ZSH_VERSION-}" ] && [ -r "$__wasp_root/completions/_wasp" ]; then
            . "$__wasp_root/completions/_wasp"
        fi
        ;;
esac
unset __wasp_root __wasp_bin
END_OF_env.sh
        env.fish) cat <<'END_OF_env.fish' ;;
# Puts Wasp on PATH and sets up tab completion. A line in conf.d/wasp.fish reads this file, and does nothing when
# it is gone. The Wasp installer wrote it, and writes it anew.
set -g __wasp_root ''
set -l bin (string replace -r '/share/wasp-lang$' '' -- $__wasp_root)/bin
if not contains -- $bin $PATH
    set -l first $CONDA_PREFIX/bin $VIRTUAL_ENV/bin
    if contains -- "$PATH[1]" $first
        # An active environment of conda or venv stays first.
        set -gx PATH $PATH[1] $bin $PATH[2..-1]
    else
        set -gx PATH $bin $PATH
    end
end
if status is-interactive; and test -r $__wasp_root/completions/wasp.fish
    source $__wasp_root/completions/wasp.fish
end
set -e __wasp_root
END_OF_env.fish
        completions/wasp.bash) cat <<'END_OF_wasp.bash' ;;
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
END_OF_wasp.bash
        completions/_wasp) cat <<'END_OF__wasp' ;;
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
END_OF__wasp
        completions/wasp.fish) cat <<'END_OF_wasp.fish' ;;
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
END_OF_wasp.fish
    esac
}

known_digests() {
    cat <<'END_OF_digests'
END_OF_digests
}

leave() {
  ignore_signals
  clean_up
  exit "$1"
}

ignore_signals() {
  trap '' INT TERM HUP
}

stop_helpers() {
  for _running in $child $progress $node_lookup $npm_lookup $python_lookup; do kill "$_running" 2>/dev/null; done
  [ -z "$child$progress" ] || wait $child $progress 2>/dev/null
}

clean_up() {
  stop_helpers
  [ -z "$progress" ] || clear_line
  progress=''
  end_turn
  [ -z "$owner_name" ] || for _made in "$share_dir/.staging-$owner_name-"* "$bin_dir/.wasp-staging-$owner_name-"*; do
    ! [ -e "$_made" ] || discard "$_made" "$committed"
  done
  [ "$committed" = yes ] || remove_empty "$bin_dir" "$made_bin"
  [ "$committed" = yes ] || remove_empty "$share_dir" "$made_share"
  [ -z "$work" ] || remove_tree "$work"
}

interrupted() {
  [ "$(exec sh -c 'echo $PPID')" = $$ ] || exit "$1"
  ignore_signals
  interrupted_code=$1
  stop_helpers
  [ -z "$sending" ] || kill "$sending" 2>/dev/null
  [ -z "$progress$asking" ] || printf '\n' >&2
  progress=''
  die interrupted 'interrupted.' 'What was installed before is as it was. Run this again to go on.'
}

make_work_folder() {
  case $program in
    */wasp-installer-"$$"-??????/program) work=${program%/program} ;;
    *)
      work=$(mktemp -d "${TMPDIR:-/tmp}/wasp-installer-$$-XXXXXX" 2>/dev/null \
        || mktemp -d "/tmp/wasp-installer-$$-XXXXXX" 2>&1) \
        || die_file_system 'cannot make a temporary folder' "$work"
      ;;
  esac
  for _left in "${work%/*}"/wasp-installer-*-??????; do
    _pid=${_left##*wasp-installer-}
    _pid=${_pid%-*}
    [ "$_left" = "$work" ] || [ -z "$(find "$_left" -prune -mmin +60 2>/dev/null)" ] || kill -0 "$_pid" 2>/dev/null \
      || rm -rf "$_left" 2>/dev/null
  done
}

main() {
  program=$1
  shift
  set_defaults
  choose_colours
  trap 'interrupted 130' INT
  trap 'interrupted 143' TERM
  trap 'interrupted 129' HUP
  make_work_folder
  need awk
  need sed
  parse_arguments "$@"
  check_arguments
  case $command in
    install) run_install ;;
    check) run_check ;;
    list) run_list ;;
    use) run_use ;;
    uninstall) run_uninstall ;;
    migrate-to-npm) run_migrate_to_npm ;;
  esac
  leave 0
}

[ $# -gt 0 ] || set -- install
main "$0" "$@"
WASP_INSTALLER
}
