#!/bin/sh
{
# Installs Wasp, the full-stack web framework: https://wasp.sh
#
#     curl -fsSL https://get.wasp.sh/install.sh | sh
#
# Made by `make install.sh` from sh/ (without comments), installed/ and telemetry_ping.py. Your shell only starts /bin/sh.
POSIXLY_CORRECT=1
\unset -f exec 2>/dev/null || POSIXLY_CORRECT=1
\exec /bin/sh -c 'set +aefuxvC; unset -f cat mktemp; unset POSIXLY_CORRECT; d=wasp-installer-$$-XXXXXX; d=$(mktemp -d "${TMPDIR:-/tmp}/$d" 2>/dev/null || mktemp -d "/tmp/$d") && cat >"${d:?}/program" && exec /bin/sh "$d/program" "$@" </dev/null; exit 7' sh ${1+"$@"} <<'WASP_INSTALLER'
[ -z "${ZSH_EVAL_CONTEXT-}" ] || { emulate sh && setopt traps_async; }
set +aefuxvC
[ -z "${BASH_VERSINFO-}" ] || {
	shopt -u failglob nullglob nocasematch 2>/dev/null
	unset -f declare
	for _name in $(declare -F); do case $_name in -*) ;; *) unset -f "$_name" ;; esac done
}
unalias -a 2>/dev/null
unset CDPATH IFS GLOBIGNORE TAR_OPTIONS GZIP BASH_ENV ENV POSIXLY_CORRECT
set -u
umask 022
exec </dev/null
(: >&1) 2>/dev/null || exec >/dev/null
(: >&2) 2>/dev/null || exec 2>/dev/null
user_locale=${LC_ALL-}
export LC_ALL=C
INSTALLER_VERSION=0.2.0
NPM_PACKAGE=@wasp.sh/wasp-cli
NPM_PATH=@wasp.sh%2fwasp-cli
FIRST_NPM_VERSION=0.20.2
INSTALLER_URL=https://get.wasp.sh/install.sh
RELEASES_URL=https://github.com/wasp-lang/wasp/releases
OLDEST_GLIBC=2.29
REDIRECT_LIMIT=10
ANSWER_LIMIT=16777216
UNPACKED_LIMIT=1073741824
ENTRY_LIMIT=100000
HELPER_LIMIT_S=10
NPM_FETCH_LIMIT_S=600
TELEMETRY_URL=https://app.posthog.com/capture/
TELEMETRY_KEY=CdDd2A0jKTI2vFAsrI9JWm3MqpOcgHz1bMyogAcwsE4
TELEMETRY_DEADLINE_S=10
OUR_MARK='# added by the Wasp installer'
OUR_MARK_WITH_BREAK="$OUR_MARK, with the line break before it"
newline='
'
nothing='Nothing was installed.'
tab=$(printf '\t') carriage_return=$(printf '\r') escape=$(printf '\033')
usage() {
	case $command in use) _letter=s ;; update) _letter=w ;; *) _letter=${command%"${command#?}"} ;; esac
	[ "$command" = install ] || printf 'usage: wasp installer %s [OPTIONS]\n' "$command"
	while IFS='|' read -r _letters _text; do
		case $_letters in '' | *"$_letter"*) lines "$_text" ;; esac
	done <<'USAGE'
i|Installs Wasp (https://wasp.sh) and manages the installed versions.
i|
i|usage: install.sh [COMMAND] [OPTIONS]
i|       wasp installer COMMAND [OPTIONS]
|
i|commands:
i|  install                  install a version and make it current (default)
il|  list                     list the versions you have, or can get (--remote)
is|  use VERSION              make an installed version the current one
iw|  update [VERSION]         install the newest Wasp, or the version you name
iu|  uninstall [VERSION]      remove one version, or all of Wasp
im|  migrate-to-npm           remove Wasp, and leave it to npm from then on
id|  doctor                   look for problems with Wasp and this machine
|
|options:
i|  -v, --version VERSION    X.Y.Z[-rcN] or latest (default; env WASP_VERSION)
|      --prefix DIR         folder (default ~/.local; env WASP_INSTALL_PREFIX)
ilw|      --source SOURCE      auto (default), npm or github
i|      --from-file ARCHIVE  install from a downloaded archive, offline
iw|      --sha256 HEX         refuse the archive unless it has this SHA-256
iw|      --require-checksum   refuse an archive without a known checksum
il|      --remote             with list: the versions you can get
isw|      --no-modify-path     leave your start-up files alone
iw|      --no-telemetry       send no install event
isw|      --force              reinstall; take over from npm or another wasp
iswum|      --dry-run            print what would happen, and change nothing
|  -q, --quiet              print errors only
|      --verbose            print each step
ium|  -y, --yes                don't ask
|  -h, --help               print this help, or that of a command
|  -V                       print the installer's version
USAGE
}
choose_colours() {
	bold='' red='' yellow='' plain='' on_terminal=false
	[ -t 2 ] && [ "${TERM-}" != dumb ] && [ -z "${NO_COLOR-}" ] || return 0
	on_terminal=true bold="${escape}[1m" red="${escape}[1;31m" yellow="${escape}[1;33m" plain="${escape}[0m"
}
lines() {
	printf '%s\n' "$@"
}
say() {
	$quiet || (trap '' PIPE && lines "$1" >&2)
}
say_step() {
	! $verbose || say "$1"
}
indented() {
	lines "$2" | sed "2,\$s/^/$1/"
}
warn() {
	[ "$command" != doctor ] || {
		object 3 "$1"
		return
	}
	tell warning "$1"
	_warning="${yellow}warning:$plain $(indented '         ' "$1")"
	if $hold_warnings; then
		held_warnings="$held_warnings$newline$_warning"
	else
		say "$_warning"
	fi
}
die() {
	indented '       ' "${red}error:$plain $3${4:+$newline$4}" >&2
	tell code "$1"
	tell error "$2"
	tell message "$3"
	tell hint "${4-}"
	result error
	leave "$1"
}
tell() {
	$porcelain || return 0
	printf '%s=' "$1"
	lines "$2" | awk '{ gsub(/\\/, "&&"); printf "%s%s", (NR > 1 ? "\\n" : ""), $0 } END { print "" }'
}
tell_all() {
	for _key in "$@"; do eval "tell ${_key%:*} \"\$${_key#*:}\""; done
}
result() {
	$porcelain || return 0
	is_on_path
	tell status "$1"
	tell_all version source:release_source url:release_url digest:release_digest os arch libc distro:distro_id prefix on_path
}
pretty() {
	case ${home:+$1} in
		"$home"/*) printf '~%s' "${1#"$home"}" ;;
		*) printf '%s' "$1" ;;
	esac
}
plain_text() {
	lines "$1" | awk '{
		gsub(/\t/, " ")
		gsub(/[[:cntrl:]]/, "")
		gsub(/:\/\/[^\/ ]*@/, "://")
		text = text (NR > 1 ? " " : "") $0
	} END { print (length(text) > 200) ? substr(text, 1, 197) "..." : text }'
}
words_of() {
	printf '%s' "$1" | tr '\n' ',' | sed 's/,/, /g'
}
leave_plan() {
	say "Would $1"
	result planned
	leave 0
}
confirm() {
	! $assume_yes && [ -t 2 ] && (: </dev/tty) 2>/dev/null || return 0
	printf '%s [y/N] ' "$1" >&2
	_answer=$(head -n 1 </dev/tty)
	case $_answer in [yY]*) return 0 ;; esac
	say 'Nothing was changed.'
	result unchanged
	leave 0
}
have() {
	command -v "$1" >/dev/null 2>&1
}
need() {
	have "$1" || die 3 missing-tool "you need '$1', which is not on PATH." "$(how_to_install "$1")"
}
how_to_install() {
	for _command in 'apt-get install' 'apk add' 'dnf install' 'pacman -S' 'zypper install' 'brew install'; do
		have "${_command%% *}" || continue
		case $_command,$(id -u) in brew* | *,0) ;; *) _command="sudo $_command" ;; esac
		printf 'Install it: %s %s' "$_command" "$1"
		return
	done
	printf "Install it with your system's package manager."
}
run_waiting() {
	_stdout=$1
	shift
	"$@" 2>"$work/errors" >"$_stdout" &
	child=$!
	await "$child"
	_status=$?
	child=''
	return "$_status"
}
await() {
	case ${ZSH_VERSION-}${YASH_VERSION-} in
		'') wait "$@" 2>/dev/null ;;
		*) wait "$@" ;;
	esac
}
exec_limited() {
	! have timeout || exec timeout -k 2 "$@"
	! have perl || exec perl -e 'alarm shift; exec @ARGV' "$@"
	shift
	exec "$@"
}
ask() {
	{ _answer=$(exec_limited "$HELPER_LIMIT_S" "$@"); } 2>/dev/null && [ -n "$_answer" ] && lines "$_answer"
}
change_in() {
	_changed=$1
	shift
	_errors=$("$@" 2>&1 >/dev/null) || die_unwritable "$_changed"
}
write_file() {
	_file=$1
	shift
	_errors=$( ("$@" >"$_file") 2>&1) || die_unwritable "${_file%/*}"
}
die_unwritable() {
	die_file_system "cannot write to $(pretty "$1")" "$_errors"
}
die_file_system() {
	_slug=file-system _cause=$(plain_text "${2##*: }")
	case $2,$(df -Pk "$share_dir" "$work" 2>/dev/null | awk 'NR > 1 && $4 == 0 { print "full" }') in
		*'ermission denied'* | *'not permitted'*) _slug=permission-denied _cause='permission denied' ;;
		*'ead-only file system'*) _slug=read-only _cause='the file system is read-only' ;;
		*'o space left'* | *'uota exceeded'* | *full) _slug=no-space _cause='no space left on the device (an install needs about 100 MB)' ;;
	esac
	die 7 "$_slug" "$1: ${_cause:-it failed}." 'Choose another place with --prefix DIR.'
}
is_of_the_system() {
	lines "$1" | grep -qE '(I/O|nput/output|rite) error|o space left|uota exceeded|ead-only file|ermission denied'
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
find_existing() {
	existing=$1
	while [ -n "$existing" ] && ! [ -e "$existing" ]; do existing=${existing%/*}; done
}
remove_empty() {
	_folder=$1
	while case $_folder in "$2"/*) rmdir "$_folder" 2>/dev/null || ! [ -e "$_folder" ] ;; *) false ;; esac do
		_folder=${_folder%/*}
	done
}
absolute() {
	case $1 in /*) _path=$1 ;; \~/*) _path=$home${1#?} ;; *) _path=$PWD/$1 ;; esac
	while [ "$_path" != "${_path%/}" ]; do _path=${_path%/}; done
	lines "$_path"
}
make_folder() {
	[ -d "$2" ] || change_in "$1" mkdir -p "$2"
}
absolute_or() {
	case $1 in /*) lines "$1" ;; *) lines "$2" ;; esac
}
owner_of() {
	ls -ldn "$1" 2>/dev/null | awk '{ print $3; exit }'
}
escaped() {
	case $1 in
		*\\* | *[\"\$\`]*) lines "$1" | sed 's/[\\"$`]/\\&/g' ;;
		*) printf '%s' "$1" ;;
	esac
}
comes_before() {
	[ "$1" != "$2" ] && [ "$(lines "$1" "$2" | newest_first)" = "$2$newline$1" ]
}
newest_first() {
	awk '{
		split($0, parts, "-"); split(parts[1], n, ".")
		key = sprintf("%06d%06d%06d%06d%06d", n[1], n[2], n[3], n[4], (parts[2] == "") ? 999999 : substr(parts[2], 3))
		for (i = NR; i > 1 && keys[i - 1] < key; i--) { keys[i] = keys[i - 1]; versions[i] = versions[i - 1] }
		keys[i] = key; versions[i] = $0
	} END { for (i = 1; i <= NR; i++) print versions[i] }'
}
is_version() {
	_numbers=$1
	[ ${#1} -lt 32 ] || return 1
	case $1 in *.*.*-rc*) _numbers=${1%-rc*}.${1##*-rc} ;; esac
	case $_numbers in
		*[!0-9.]* | *.*.*.*.* | *.) return 1 ;;
		*.*.*) ;;
		*) return 1 ;;
	esac
	while [ -n "$_numbers" ]; do
		_number=${_numbers%%.*}
		case $_number in '' | 0?* | ???????*) return 1 ;; esac
		_numbers=${_numbers#"$_number"}
		_numbers=${_numbers#.}
	done
}
set_defaults() {
	home=${HOME-}
	while [ "$home" != "${home%/}" ]; do home=${home%/}; done
	command=install wanted=${WASP_VERSION:-latest} wanted_from=WASP_VERSION
	prefix=${WASP_INSTALL_PREFIX:-${HOME:+$home/.local}} source=auto
	outcome=switched timeout=${WASP_HTTP_TIMEOUT:-30}
	wants_telemetry=true modify_path=true
	for _name in force dry_run porcelain quiet verbose remote require_checksum assume_yes help hold_warnings announced \
		committed on_path; do eval "$_name=false"; done
	for _name in named_version destdir archive_file wanted_sha256 version problem_text release_source release_url \
		release_digest release_node os arch libc distro_id current installed available path_message edited held_warnings \
		steps python share_dir bin_dir work staging staged_launcher owner_name turn child progress sending lookups npm_lookup \
		all_digests sources staged; do eval "$_name=''"; done
}
parse_arguments() {
	for _argument in "$@"; do
		[ "$_argument" != --porcelain ] || porcelain=true
	done
	_options=true _first=''
	while [ $# -gt 0 ]; do
		_word=$1 _value=${2-} _rest=''
		shift
		$_options || {
			take_word "$_word"
			continue
		}
		case $_word in
			--*=*) _value=${_word#*=} _word=${_word%%=*} _rest=value ;;
			-v?*) _value=${_word#-v} _word=-v _rest=value ;;
			-[qyhV]?*)
				set -- "-${_word#-?}" ${1+"$@"}
				_word=${_word%"${_word#-?}"}
				;;
		esac
		case $_word in
			-v | --version) take_value wanted && wanted_from='' ;;
			--prefix) take_value prefix ;;
			--source) take_value source ;;
			--from-file) take_value archive_file ;;
			--sha256) take_value wanted_sha256 ;;
			--outcome) take_value outcome ;;
			--staged) take_value staged ;;
			-?*) take_option ;;
			*) take_word "$_word" ;;
		esac
		[ "$_rest" != next ] || shift
	done
	! $help || { usage && leave 0; }
}
take_value() {
	case $_value in '' | -*) die 2 usage "$_word needs a value." 'See: --help' ;; esac
	eval "$1=\$_value"
	_rest=${_rest:-next}
}
take_option() {
	case $_word in
		--require-checksum) require_checksum=true ;;
		--no-telemetry) wants_telemetry=false ;;
		--no-modify-path) modify_path=false ;;
		--remote) remote=true ;;
		--force) force=true ;;
		--dry-run) dry_run=true ;;
		--porcelain) ;;
		-q | --quiet) quiet=true ;;
		--verbose) verbose=true ;;
		-y | --yes) assume_yes=true ;;
		-h | --help) help=true ;;
		-V) printf 'Wasp installer %s\n' "$INSTALLER_VERSION" && leave 0 ;;
		--) _options=false ;;
		*)
			_meant=$(command=install usage | tr -s ' ,' '\n' | grep '^--' | closest "$_word")
			die_unknown "unknown option '$_word'" options
			;;
	esac
}
take_word() {
	case $1 in
		install | list | use | update | uninstall | migrate-to-npm | doctor | check)
			[ -z "$_first" ] || die 2 usage "'$1' is a second command." 'One at a time.'
			command=$1 _first=$1
			;;
		'') die 2 usage 'an argument is empty.' 'Is a variable unset?' ;;
		*)
			[ -z "$named_version" ] || die_unknown_word "$1"
			named_version=$1
			;;
	esac
}
check_arguments() {
	case $command,$named_version in
		use,) die 2 usage "'use' needs a version." 'To see yours: wasp installer list' ;;
		use,* | update,* | uninstall,* | *,) ;;
		*) die_unknown_word "$named_version" ;;
	esac
	! $remote || [ "$command" = list ] || die 2 usage '--remote works only with list.' 'For example: list --remote'
	[ "$command" != check ] || $porcelain || die_unknown_word check
	case $source in
		auto | npm | github) ;;
		*) die 2 usage "unknown source '$source'." 'Use auto, npm or github.' ;;
	esac
	case $timeout in
		'' | *[!0-9]* | 0* | ??????*) die 2 usage "WASP_HTTP_TIMEOUT is '$timeout', not a number of seconds." 'For example: 30' ;;
	esac
	case $wanted_sha256 in *[A-F]*) wanted_sha256=$(printf '%s' "$wanted_sha256" | tr A-F a-f) ;; esac
	case $wanted_sha256,${#wanted_sha256} in
		,0) ;;
		*[!0-9a-f,]* | *,[!6]* | *,6[!4]*) die 2 usage "'$wanted_sha256' is not a SHA-256." 'It has 64 hexadecimal digits.' ;;
	esac
	wanted=${wanted#v} named_version=${named_version#v}
	name_places
	[ "$wanted" = latest ] || { [ "$command" != install ] && [ -n "$wanted_from" ]; } || check_version "$wanted" "$wanted_from"
	[ -z "$named_version" ] || check_version "$named_version" ''
}
check_version() {
	! is_version "$1" || return 0
	list_installed
	_meant=$({ lines "$installed" && digests cat; } | grep "^$1\.[0-9]" 2>/dev/null | sed 's/ .*//' | newest_first | head -n 1)
	die 2 bad-version "'$1'${2:+ (in $2)} is not a Wasp version." \
		"${_meant:+Did you mean $_meant? }A version is X.Y.Z (0.25.0), X.Y.Z-rcN, or latest: $RELEASES_URL"
}
name_places() {
	[ -n "$prefix" ] || die 2 usage 'HOME is not set, so there is no default folder.' 'Choose one with --prefix DIR.'
	prefix=$(absolute "$prefix")
	! $porcelain || [ -z "${DESTDIR-}" ] || destdir=$(absolute "$DESTDIR")
	[ -z "$archive_file" ] || {
		archive_file=$(absolute "$archive_file")
		[ -f "$archive_file" ] && (: <"$archive_file") 2>/dev/null \
			|| die 7 file-system "cannot read the archive '$archive_file'." 'Name a downloaded release.'
	}
	wasp_root=$prefix/share/wasp-lang shown_prefix=$(pretty "$prefix")
	share_dir=$destdir$wasp_root bin_dir=$destdir$prefix/bin
}
die_unknown_word() {
	case $1 in
		upgrade) _meant=update ;;
		remove | rm) _meant=uninstall ;;
		ls) _meant=list ;;
		switch) _meant=use ;;
		help) _meant=--help ;;
		*) _meant=$(lines install list use update uninstall migrate-to-npm doctor | closest "$1") ;;
	esac
	! is_version "${1#v}" || _meant="-v $1"
	die_unknown "unknown command '$1'" commands
}
die_unknown() {
	die 2 usage "$(plain_text "$1")." "${_meant:+Did you mean $_meant? }See all $2: --help"
}
closest() {
	awk -v typed="$1" '
		function least(a, b) { return (a < b) ? a : b }
		length(typed) < 30 {
			for (i = 0; i <= length(typed); i++) for (j = 0; j <= length($0); j++) {
				a = substr(typed, i, 1); b = substr($0, j, 1)
				d[i, j] = (i && j) ? least(least(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (a != b)) : i + j
			}
			slips = d[length(typed), length($0)]
			if (slips < 3 && slips < length(typed) - 1 && (best == "" || slips < fewest)) { best = $0; fewest = slips }
		}
		END { print best }' 2>/dev/null
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
			distro_id=$(sed -nE "s/^ID=[\"']*([a-z0-9._-]*).*/\1/p" /etc/os-release 2>/dev/null)
			distro_id=${distro_id%%"$newline"*}
			glibc_version=''
			for _tool in 'getconf GNU_LIBC_VERSION' 'ldd --version'; do
				[ -n "$glibc_version" ] || glibc_version=$(ask $_tool | sed -nE '1s/^(glibc|ldd .*) ([0-9]+\.[0-9.]+)$/\2/p')
			done
			libc=${glibc_version:+glibc}
			libc=${libc:-musl}
			;;
		Darwin)
			os=macos
			[ "$(sysctl -n hw.optional.arm64 2>/dev/null)" != 1 ] || arch=aarch64
			;;
		MINGW* | MSYS* | CYGWIN* | Windows*) os=windows ;;
	esac
	say_step "Platform: $system $machine${libc:+ $libc}${distro_id:+ ($distro_id)}"
}
choose_build() {
	case $os,$arch,$(ask getconf LONG_BIT) in
		windows,*) die 3 unsupported-platform "$system is Windows, where Wasp runs inside WSL." \
			'Open WSL (if you have none: wsl --install) and run this again there.' ;;
		,*) die_unsupported "$system" ;;
		*,,*) die_unsupported "$machine processors" ;;
		*,32) die_unsupported "a 32-bit userland on a $arch processor" ;;
		macos,x86_64,*) npm_build=darwin-x64-unknown github_builds='macos-x86_64 macos-universal' ;;
		macos,*) npm_build=darwin-arm64-unknown github_builds='macos-aarch64 macos-universal macos-x86_64' ;;
		linux,x86_64,*)
			npm_build=linux-x64-glibc github_builds=linux-x86_64
			! needs_static_build || npm_build=linux-x64-musl github_builds=linux-x86_64-static
			;;
		*)
			npm_build=linux-arm64-glibc github_builds=linux-aarch64
			! needs_static_build || die_unsupported \
				"$arch with $libc${glibc_version:+ $glibc_version}, only for glibc $OLDEST_GLIBC or newer"
			;;
	esac
}
needs_static_build() {
	[ "$libc" = musl ] || comes_before "$glibc_version" "$OLDEST_GLIBC" \
		|| { [ "$arch" = x86_64 ] && { [ "$distro_id" = nixos ] || ! [ -e /lib64/ld-linux-x86-64.so.2 ]; }; }
}
die_unsupported() {
	die 3 unsupported-platform "Wasp has no release for $1." \
		'Wasp runs on Linux (x86_64, aarch64), macOS (Intel, Apple silicon), and Windows through WSL.'
}
platform_words() {
	case $os in macos) _system=macOS ;; *) _system=Linux ;; esac
	printf '%s' "$_system $arch${libc:+ ($libc)}"
}
is_on_ci() {
	for _name in CI BUILD_ID BUILD_NUMBER CI_APP_ID CI_BUILD_ID CI_BUILD_NUMBER CI_NAME CONTINUOUS_INTEGRATION RUN_ID \
		GITHUB_ACTIONS TRAVIS; do
		eval "_value=\${$_name-}"
		case $_value in '' | 0 | [Ff][Aa][Ll][Ss][Ee]) ;; *) return 0 ;; esac
	done
	return 1
}
choose_downloader() {
	downloader=curl headers=$work/headers wget_options='' wget_authorities=''
	case $(command -v curl) in
		'' | /snap/* | */snap/bin/*) downloader=wget headers=$work/errors ;;
		*) return 0 ;;
	esac
	case $(wget --version 2>&1) in
		*'GNU Wget '*)
			wget_options="--no-config --no-netrc --no-hsts -nv -t1 -T$timeout --max-redirect=$REDIRECT_LIMIT"
			wget_authorities=${SSL_CERT_FILE-}
			;;
		*[Bb]usy[Bb]ox*'-T '*) wget_options="-T $timeout" ;;
		*[Bb]usy[Bb]ox*) ;;
		*) die 4 no-downloader 'you need curl or wget, and neither is on PATH (curl from snap and Wget2 do not work here).' \
			"$(how_to_install curl)" ;;
	esac
	export https_proxy="${https_proxy:-${HTTPS_PROXY-}}" no_proxy="${no_proxy:-${NO_PROXY-}}"
}
set_problem() {
	problem=$1 problem_text=$2
	return 1
}
check_url() {
	case $1 in
		*\\* | *[!A-Za-z0-9._~:/?\#@!\$\&\'\(\)*+,\;=%\[\]-]*)
			set_problem bad-answer 'the download address is not valid' || return 1
			;;
		https://[!/]*) return 0 ;;
		http://*) ! is_loopback "$1" || return 0 ;;
	esac
	set_problem insecure-url "$(plain_text "$1") is not an https address"
}
is_loopback() {
	host_of "$1"
	lines "$host" | grep -qE '^(localhost|\[::1]|127(\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3})$'
}
host_of() {
	host=${1#*://}
	host=${host%%[/?#]*}
	host=${host##*@}
	case ${host##*:} in *[!0-9]*) ;; *) host=${host%:*} ;; esac
}
fetch() {
	for _pause in 1 2 4 ''; do
		! fetch_once "$1" "$2" "${3:---location}" || return 0
		case $problem,$http_status,$_pause in
			connection,*,? | http-status,429,? | http-status,5??,?) ;;
			*) return 1 ;;
		esac
		_wait=$(lines "$retry_after" | awk -v pause="$_pause" '{ print (!/^[0-9]+$/ ? pause : $0 > 60 ? 60 : $0 + 0) }')
		say "$problem_text; retrying in $_wait s"
		run_waiting /dev/null sleep "$_wait"
	done
}
fetch_once() {
	! $verbose || say_step "$(plain_text "$1")"
	problem='' problem_text='' http_status='' location='' hop='' retry_after='' content_length=''
	check_url "$1" || return 1
	host_of "$1"
	_url=$1 _file=$2 _method=$3 _limit=$ANSWER_LIMIT
	: >"$headers"
	case $_file in */archive) _limit=$UNPACKED_LIMIT ;; esac
	"fetch_with_$downloader"
	read_headers
	[ -z "$hop" ] || case $_url in http:*) is_loopback "$hop" ;; *) false ;; esac || _status=1
	host_of "$_url"
	case $_method,$http_status,$_status in --head,3??,22) return 0 ;; esac
	[ "$_status" = 0 ] || explain_failure
}
bounded() {
	trap '' XFSZ 2>/dev/null
	ulimit -f "$((_limit / 512))" 2>/dev/null
	exec "$@"
}
fetch_with_curl() {
	_protocols="=${_url%%:*},https"
	run_waiting "$_file" bounded curl --disable -sSf "$_method" \
		-D "$headers" --max-redirs "$REDIRECT_LIMIT" --proto "$_protocols" --proto-redir "$_protocols" \
		--connect-timeout "$timeout" --speed-limit 100 --speed-time "$timeout" --max-filesize "$_limit" \
		-A 'wasp-installer (sh)' "$_url"
}
fetch_with_wget() {
	set -- -S -O - $wget_options ${wget_authorities:+"--ca-certificate=$wget_authorities"}
	case $_method,$wget_options in
		--head,*max-redirect*) set -- "$@" --spider --max-redirect=0 ;;
		--head,*) set -- "$@" --spider ;;
	esac
	run_waiting "$_file" bounded wget "$@" "$_url"
	case $_status in
		[168]) _status=22 ;;
		5) _status=60 ;;
		[37]) _status=other ;;
	esac
	! grep -q 'certificate validation not implemented' "$work/errors" || die 4 no-downloader \
		'the wget on your PATH does not check certificates, so you need curl.' "$(how_to_install curl)"
}
read_headers() {
	while IFS=": $tab" read -r _key _value; do
		_value=${_value%"$carriage_return"}
		case $_key in
			HTTP/*) http_status=${_value%% *} retry_after='' content_length='' ;;
			[Ll][Oo][Cc][Aa][Tt][Ii][Oo][Nn])
				location=${_value%% *}
				case $location in [Hh][Tt][Tt][Pp]:*) hop=$location ;; esac
				;;
			[Rr]etry-[Aa]fter) retry_after=$_value ;;
			[Cc]ontent-[Ll]ength) content_length=$_value ;;
		esac
	done <"$headers"
}
explain_failure() {
	_words=$(sed -nE 's/^(curl: \([0-9]+\)|wget:|ERROR:) //p' "$work/errors" | tail -n 1)
	_words=$(plain_text "${_words:-$(tail -n 1 "$work/errors")}" | sed 's/[.: ]*$//')
	problem=connection problem_text="the connection to $host failed${_words:+ ($_words)}"
	case $_status,$http_status,$_words in
		23,* | *[Nn]o\ space* | *'ile too large'*)
			set_problem bad-answer "$host sent far too much"
			[ -n "$(find "$_file" "$headers" -size "+$((_limit / 512 - 1))" 2>/dev/null)" ] \
				|| die_file_system "cannot write the download to $(pretty "${_file%/*}")" "$_words"
			;;
		*'proxy syntax'* | *'proxy URL'*)
			set_problem proxy 'HTTPS_PROXY is not a valid proxy address; in a password, write %40 for @, %23 for #, %2F for / and %3F for ?'
			;;
		1,*HTTP/0.9* | 3,* | 47,* | 63,* | [!1]*edirection*) problem=bad-answer ;;
		1,*) set_problem insecure-url "$host redirected to an address that is not https" ;;
		22,407,* | *,*\ 407*) problem=proxy ;;
		22,4[01][045],*) set_problem not-found "$host does not have it" ;;
		22,[45]??,*) set_problem http-status "$host answered with HTTP status $http_status" ;;
		5,* | 97,* | *roxy* | *CONNECT*) problem=proxy ;;
		7,* | *refused*)
			[ -n "${https_proxy-}${HTTPS_PROXY-}${http_proxy-}${all_proxy-}${ALL_PROXY-}" ] && problem=proxy \
				|| problem_text="$host refused the connection"
			;;
		6,* | *resolve* | *'bad address'*) set_problem dns "the name $host could not be resolved" ;;
		28,* | *'timed out'*) set_problem timeout "$host sent nothing for $timeout s" ;;
		*ertificate* | 60,*) problem=tls ;;
	esac
	return 1
}
die_of_problem() {
	case $network_problem in
		dns | connection | timeout | http-status)
			_hint='Check your network (and HTTPS_PROXY, if you need a proxy), or run this again later.'
			;;
		tls) _hint="Check your clock and your CA certificates (package ca-certificates).${newline}Behind a corporate proxy, set SSL_CERT_FILE=/path/to/its/ca.pem" ;;
		proxy) _hint='Check HTTPS_PROXY (http://user:password@host:port) and NO_PROXY.' ;;
		captive-portal) _hint='Log in to the network in a browser, then run this again.' ;;
		insecure-url) _hint='Only https is used. See WASP_NPM_REGISTRY, WASP_GITHUB_URL and npm config get registry.' ;;
		*) _hint='To see each step: --verbose. To try another source: --source npm or github.' ;;
	esac
	die 4 "$network_problem" "cannot get $1: $problem_text." "$_hint"
}
fetch_json() {
	fetch "$1" "$work/answer" || return 1
	read_json "$work/answer" || {
		! is_web_page "$work/answer" && set_problem bad-answer \
			"$host answered with something that is not JSON$(! is_compressed "$work/answer" || printf ', but gzip')"
	}
}
is_web_page() {
	head -c 512 "$1" | grep -qiE '<!doctype html|<html|<head|<script' && ! set_portal_problem
}
set_portal_problem() {
	set_problem captive-portal "$host answered with a web page, perhaps the login page of your network"
}
read_json() {
	awk 'BEGIN { RS = "\"" }
		NR == 1 && /</ { exit 1 }
		inside {
			run = 0
			while (run < length($0) && substr($0, length($0) - run, 1) == "\\") run++
			if (length(value) < 4096) value = value substr($0, 1, 4096) (run % 2 ? "\"" : "")
			inside = run % 2
			next
		}
		{
			if (NR > 1 && /^[ \t\r\n]*:/) name[depth] = value
			else if (NR > 1) {
				gsub(/\\\//, "/", value)
				gsub(/\\u003[eE]/, ">", value)
				gsub(/[[:cntrl:]]/, " ", value)
				print folder[depth] name[depth] "\t" value
			}
			value = ""; inside = 1
			gsub(/[^][{},]/, "")
			if (length($0) > 65536) exit 1
			for (i = 1; i <= length($0); i++) {
				c = substr($0, i, 1)
				if (c == "{" || c == "[") {
					if (++depth > 100) exit 1
					folder[depth] = folder[depth - 1] name[depth - 1] (depth > 1 ? "." : "")
					kind[depth] = c; name[depth] = (c == "[") ? 0 : ""
				} else if (c != ",") {
					if (--depth < 0) exit 1
				} else if (kind[depth] == "[") name[depth]++
			}
		}
		END { if (depth != 0 || !kind[1]) exit 1 }' "$1" >"$work/values" 2>/dev/null
}
pick() {
	picked=$(awk -v path="$1" -F '\t' '$1 == path { print $2; exit }' "$work/values")
}
start_registry_lookup() {
	fetcher=request registry=''
	case $archive_file,$source,$wanted in
		,npm,* | ,auto,latest) ;;
		,auto,*) ! comes_before "$wanted" "$FIRST_NPM_VERSION" || return 0 ;;
		*) return 0 ;;
	esac
	registry=${WASP_NPM_REGISTRY-}
	[ -z "$registry" ] || return 0
	if have npm; then
		say_step 'Asking npm for its registry'
		fetcher=either
		run_npm "$HELPER_LIMIT_S" config get @wasp.sh:registry registry >"$work/registry" 2>"$work/complaint" &
		npm_lookup=$!
	else
		registry=${npm_config_registry-}
	fi
}
run_npm() {
	mkdir -p "$work/npm" && printf '{}\n' >"$work/npm/package.json" && cd "$work/npm" || return 1
	export npm_config_cache="$work/npm/cache" npm_config_update_notifier=false npm_config_logs_max=0 \
		npm_config_fetch_retries=1 npm_config_fetch_retry_mintimeout=1000
	_limit_s=$1
	shift
	exec_limited "$_limit_s" npm "$@" --no-workspaces
}
find_registry() {
	if [ -n "$npm_lookup" ]; then
		await "$npm_lookup" && {
			[ "$(cat "$work/registry")" != undefined ] \
				|| run_waiting "$work/registry" run_npm "$HELPER_LIMIT_S" config get registry
		} && registry=$(sort "$work/registry" \
			| sed -nE 's/^((@wasp\.sh:)?registry *= *)?(https?:\/\/[^[:space:]]*)[[:space:]]*$/\3/p' | head -n 1)
		[ -n "$registry" ] || grep -q protected "$work/complaint" || fetcher=request
	fi
	npm_lookup=''
	registry=${registry%/}
}
find_release_at_npm() {
	if [ -n "$registry" ]; then
		! find_with request_document 'it does not have' || return 0
		case $fetcher,$problem in request,* | *,not-found | *,no-build | *,insecure-url) return 1 ;; esac
	fi
	_problem=$problem _problem_text=$problem_text
	say_step 'Asking npm for the release'
	fetcher=npm problem=not-found
	! find_with view_with_npm 'npm cannot get' || return 0
	[ -z "$_problem" ] || set_problem "$_problem" "$_problem_text"
	return 1
}
find_with() {
	"$1" '' "$wanted" version engines.node || {
		[ "$problem" != not-found ] || problem_text="$2 $wanted_words"
		return 1
	}
	pick "${below}version"
	take_version "$picked" || return 1
	pick "${below}engines.node"
	take_node_range "$picked"
	"$1" "-$npm_build" "$version" dist.tarball dist.integrity || {
		[ "$problem" != not-found ] || set_problem no-build "Wasp $version has no package $npm_build"
		return 1
	}
	take_distribution
}
request_document() {
	below=''
	! fetch_json "$registry/$NPM_PATH$1/$2" || return 0
	[ "$problem" = not-found ] && fetch_json "$registry/$NPM_PATH$1" || return 1
	below=$2
	[ "$2" != latest ] || { pick dist-tags.latest && below=$picked; }
	below=versions.$below.
	pick "${below}version"
	problem=not-found
	[ -n "$picked" ]
}
view_with_npm() {
	host=npm below='' _package=$NPM_PACKAGE$1@$2
	shift 2
	run_waiting "$work/answer" run_npm "$NPM_FETCH_LIMIT_S" view --json "$_package" name "$@" \
		&& read_json "$work/answer"
}
take_node_range() {
	release_node=$1
	case $1 in *\\* | *[!\ 0-9A-Za-z.\<\>=~^\|*+-]*) release_node='' ;; esac
	[ ${#release_node} -lt 64 ] || release_node=''
}
take_distribution() {
	release_source=npm release_build=$npm_build
	pick "${below}dist.tarball"
	release_url=$picked
	case $picked in *@*) release_url=$(lines "$picked" | sed 's,://[^/@]*@,://,') ;; esac
	pick "${below}dist.integrity"
	for _integrity in $picked; do
		case $_integrity in
			sha512-*) release_digest=sha512:$(lines "${_integrity#sha512-}" | awk "$B64"'{ print hex($0) }') ;;
		esac
	done
	case $fetcher,$release_url,${#release_digest} in
		*,?*,135 | [!n]*,?*,0) check_url "$release_url" ;;
		*) set_problem bad-answer "$host did not say where the archive is, or what its checksum is" ;;
	esac || return 1
	[ -z "$registry" ] || is_loopback "$registry" || ! is_loopback "$release_url" \
		|| set_problem insecure-url "the registry points to an archive on this machine ($(plain_text "$release_url"))"
}
B64='function hex(text,    bytes, i, n, value, all) {
	sub(/==?$/, "", text)
	bytes = int(length(text) * 3 / 4)
	while (length(text) % 4) text = text "A"
	for (i = 1; i <= length(text); i++) {
		n = index("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", substr(text, i, 1))
		if (!n) return
		value = value % 262144 * 64 + n - 1
		if (i % 4 == 0) all = all sprintf("%06x", value)
	}
	return substr(all, 1, bytes * 2)
}'
read_versions_of_npm() {
	{ [ -n "$registry" ] && fetch_json "$registry/$NPM_PATH"; } \
		|| { [ "$fetcher" = either ] && view_with_npm '' latest versions; }
}
name_github() {
	github=${WASP_GITHUB_URL:-https://github.com}
	github=${github%/} github_api=${github%/}/api/v3
	[ "$github" != https://github.com ] || github_api=https://api.github.com
	github=$github/wasp-lang/wasp/releases github_api=$github_api/repos/wasp-lang/wasp/releases
}
find_release_at_github() {
	name_github
	fetcher=request version=$wanted release_source=github
	if [ "$wanted" = latest ]; then
		fetch "$github/latest" /dev/null --head || return 1
		case $http_status in 3??) ;; *) set_portal_problem || return 1 ;; esac
		take_version "${location##*/tag/v}" || return 1
	fi
	fetch_once "$github_api/tags/v$version" "$work/answer" --location && read_json "$work/answer" && grep -q '^assets\.' "$work/values" || {
		: >"$work/values"
		[ "$problem" = not-found ] || api_problem=${problem_text:-$host did not say which files it has}
	}
	for _build in $github_builds; do
		release_build=$_build
		_name=wasp-$release_build.tar.gz
		release_url=$github/download/v$version/$_name
		if [ -s "$work/values" ]; then
			problem=not-found
			_asset=$(sed -n "s/^assets\.\([0-9]*\)\.name$tab$_name\$/\1/p" "$work/values")
			[ -n "$_asset" ] || continue
			pick "assets.$_asset.digest"
			case $picked in sha256:*) release_digest=$(printf '%s' "$picked" | tr A-F a-f) ;; esac
			return 0
		fi
		! fetch "$release_url" /dev/null --head || return 0
		[ "$problem" = not-found ] || return 1
	done
	release_url=''
	! fetch "$github/tag/v$version" /dev/null --head || set_problem no-build "Wasp $version has no build for $os $arch"
	return 1
}
read_versions_of_github() {
	name_github
	fetch_json "$github_api?per_page=100"
}
obtain_release() {
	wanted_words="Wasp $wanted"
	[ "$wanted" != latest ] || wanted_words='the newest Wasp'
	! try_sources take_release_from || return 0
	forget_release
	die_without "$wanted_words"
}
die_without() {
	[ -z "$network_problem" ] || die_of_problem "$1"
	[ "$problem" != no-build ] || die 3 unsupported-platform "$1 has no build for $(platform_words)." \
		"Another version may have one: $RELEASES_URL"
	[ "$source" = auto ] && _lack='no source has' || _lack="$(source_name "$source") does not have"
	die 5 no-such-version "$_lack $1." "All versions: $RELEASES_URL"
}
forget_release() {
	version='' release_source='' release_url='' release_digest='' release_node='' api_problem=''
}
take_release_from() {
	forget_release
	"find_release_at_$1" && take_release
}
take_version() {
	version=$1
	is_version "$1" || set_problem bad-answer "$host did not say which version it has"
}
try_sources() {
	choose_downloader
	plan_sources
	_tried='' network_problem='' _met=''
	for _source in $sources; do
		[ -z "$_tried" ] || warn "$(source_name "$_tried"): $problem_text. Trying $(source_name "$_source") instead."
		_tried=$_source problem=''
		! "$1" "$_source" || return 0
		case $problem in
			not-found | no-build) ;;
			*)
				network_problem=${network_problem:-$problem}
				[ "$_met" = "$problem_text" ] || _met="$_met${_met:+; }$problem_text"
				;;
		esac
	done
	problem_text=${_met:-$problem_text}
	return 1
}
source_name() {
	case $1 in npm) printf 'the npm registry' ;; *) printf GitHub ;; esac
}
plan_sources() {
	find_registry
	sources='npm github'
	case $source,$registry,$fetcher in
		npm,,request) die 4 bad-answer 'no npm registry is configured here.' \
			'Set WASP_NPM_REGISTRY, install npm, or use --source github.' ;;
		npm,*) sources=npm ;;
		*,,request) sources=github ;;
	esac
}
find_available() {
	wanted=latest
	start_registry_lookup
	choose_build
	try_sources list_versions_at || die_without 'the list of versions'
}
list_versions_at() {
	"read_versions_of_$1" || return 1
	available=$(sed -nE "s/^(versions\.([0-9]+|.*\.version)|[0-9]+\.tag_name)${tab}v?//p" "$work/values" \
		| while read -r _version; do ! is_version "$_version" || lines "$_version"; done | newest_first)
	release_source=$1
	[ -n "$available" ] || set_problem not-found 'it has no version of Wasp'
}
take_release() {
	! is_downgrade && ! $dry_run && ! is_to_be_kept "$version" || return 0
	announce_install
	say "Wasp $version for $(platform_words), from $(source_name "$release_source")"
	find_known "$release_build"
	case $release_digest in "$known"*) ;; *) release_digest=$known ;; esac
	[ -n "$wanted_sha256$release_digest" ] || miss_checksum "$release_url${api_problem:+ ($api_problem)}"
	start_progress
	download "$staging/archive"
	_status=$?
	stop_progress
	[ "$_status" = 0 ] && ! is_web_page "$staging/archive" || return 1
	unpack_archive
	check_binary
}
download() {
	[ "$fetcher" != npm ] && fetch "$release_url" "$1" && return
	case $fetcher,$problem,$release_digest in request,* | *,insecure-url,* | *,) return 1 ;; esac
	run_waiting /dev/null run_npm "$NPM_FETCH_LIMIT_S" pack --ignore-scripts "$NPM_PACKAGE-$npm_build@$version" \
		&& mv "$work"/npm/*.tgz "$1" 2>/dev/null \
		|| set_problem connection "npm could not fetch $NPM_PACKAGE-$npm_build ($(plain_text "$(head -n 3 "$work/errors")"))"
}
miss_checksum() {
	_unknown="no checksum is known for $1"
	! $require_checksum || die 6 no-checksum "$_unknown." \
		'Pass one you trust with --sha256 HEX, or leave out --require-checksum.'
	[ -n "$archive_file" ] || warn "$_unknown, so it is installed unchecked."
}
take_file() {
	release_source="file"
	[ "$wanted" = latest ] || version=$wanted
	! $dry_run || return 0
	say "Wasp from $(pretty "$archive_file")"
	change_in "$staging" cp "$archive_file" "$staging/archive"
	find_published
	[ -n "$wanted_sha256$published" ] || miss_checksum "$(pretty "$archive_file")"
	unpack_archive
	check_published
	check_binary
	check_published
}
load_digests() {
	[ -n "$all_digests" ] || all_digests=$(digests awk "$B64"'
		NR == 1 { split($0, build) }
		{ for (i = 2; i <= NF; i++) if (digest = hex($i)) print $1, build[i], "sha" (length($i) > 43 ? 512 : 256) ":" digest }')
}
find_known() {
	load_digests
	known=$(lines "$all_digests" | sed -n "s/^$version $1 //p")
}
find_published() {
	file_digest='' published=''
	for _algorithm in sha512 sha256; do
		read_digest "$_algorithm" || continue
		file_digest=$_algorithm:$digest
		load_digests
		published=$published$(lines "$all_digests" | sed -n "s/ .* $(printf %.73s "$file_digest")\$//p" | head -n 1)
	done
}
check_published() {
	_build=${github_builds%% *}
	[ ! -f "$root/package.json" ] || _build=$npm_build
	find_known "$_build"
	[ "$published" != "$version" ] && [ -n "$known" ] || return 0
	is_compressed "$staging/archive" || [ -z "$wanted_sha256" ] || return 0
	[ -n "$file_digest" ] || verify_digest sha256:
	die 6 checksum-mismatch "the archive is not Wasp $version as it was published." "$nothing Download it again: $RELEASES_URL"
}
unpack_archive() {
	need tar
	need gzip
	_checked=$release_digest$wanted_sha256
	verify_digest "$release_digest"
	release_digest=${release_digest:+${release_digest%%:*}:$digest}
	[ "$release_source" != file ] || release_digest=$file_digest
	verify_digest "${wanted_sha256:+sha256:$wanted_sha256}"
	release_digest=${release_digest:-${wanted_sha256:+sha256:$wanted_sha256}}
	[ -n "$_checked" ] || case $(decompress 2>/dev/null | tail -c 512 | od -An -tx1) in *[1-9a-f]*) die_damaged ;; esac
	say_step 'Unpacking'
	for tar_locale in C.UTF-8 en_US.UTF-8; do
		run_waiting /dev/null unpack
		_errors=$(cat "$work/errors")
		case $_errors in *locale*) ;; *) break ;; esac
	done
	explain_unpacking
	refuse_what_no_release_has
	keep_wasp_only
}
verify_digest() {
	[ -n "$1" ] || return 0
	_wanted=${1#*:}
	read_digest "${1%%:*}" \
		|| die 6 no-hash-tool 'the archive cannot be checked: your PATH has no working sha256sum, shasum or openssl.' "$(how_to_install openssl)"
	case ${#_wanted},$digest in
		64,"$_wanted"* | 66,"$_wanted"* | 128,"$_wanted") ;;
		*)
			die 6 checksum-mismatch "the archive is not the one that was published: its ${1%%:*} is${newline}$digest, and should be${newline}$_wanted." \
				"$nothing Run this again; if it happens again, something on the way changes the file."
			;;
	esac
	say_step "Checked: ${1%%:*}:$digest"
}
read_digest() {
	digest=''
	run_waiting "$work/digest" hash_archive "${1#sha}" && read -r digest _ <"$work/digest" \
		&& [ -n "$digest" ] && return 0
	_errors=$(cat "$work/errors" 2>&1)
	! is_of_the_system "$_errors" || die_file_system 'cannot check the archive' "$_errors"
	return 1
}
hash_archive() {
	exec <"$staging/archive"
	! have "sha${1}sum" || exec "sha${1}sum"
	! have shasum || exec shasum -a "$1"
	exec openssl dgst -r "-sha$1"
}
unpack() {
	ulimit -f "$((UNPACKED_LIMIT / 512))" 2>/dev/null
	[ ! -e "$staging/unpacked" ] || rm -rf "$staging/damaged" "$staging/unpacked"
	mkdir "$staging/unpacked" && cd "$staging/unpacked" || exit 1
	decompress | head -c "$((UNPACKED_LIMIT + 1))" | {
		LC_ALL=$tar_locale tar -xof -
		_tar_status=$?
		cat >/dev/null
		exit "$_tar_status"
	}
}
is_compressed() {
	case $(od -An -tx1 -N2 "$1" 2>/dev/null) in *1f*8b*) ;; *) false ;; esac
}
decompress() {
	if is_compressed "$staging/archive"; then
		gzip -dc <"$staging/archive" || : >"$staging/damaged"
	else
		cat "$staging/archive"
	fi
}
explain_unpacking() {
	case $_status,$_errors in
		*"'..'"* | *'emoving leading'* | *'utside'* | *'ot a directory'* | *'symlink'*) die_unsafe ;;
		*'Damaged tar'*) ;;
		0,*) [ -e "$staging/damaged" ] || return 0 ;;
	esac
	[ "$(decompress 2>/dev/null | head -c "$((UNPACKED_LIMIT + 1))" | wc -c)" -le "$UNPACKED_LIMIT" ] || die_unsafe
	! is_of_the_system "$_errors" || die_file_system "cannot unpack into $(pretty "$staging")" "$_errors"
	die_damaged
}
die_damaged() {
	die 6 corrupt-archive 'the archive is damaged, incomplete, or not a Wasp release.' "$nothing Download it again."
}
die_unsafe() {
	die 6 unsafe-archive 'the archive is unsafe: it is far too large, or has a path, a link or a file that no Wasp release has.' \
		"$nothing Please report where the archive came from."
}
refuse_what_no_release_has() {
	root=$staging/unpacked
	[ ! -d "$root/package" ] || [ -L "$root/package" ] || root=$root/package
	[ -z "$(find "$root" ! -type f ! -type d ! -type l -o -type f \( -links +1 -o -perm -4000 -o -perm -2000 \) \
		-o -name '*[[:cntrl:]]*')" ] \
		&& [ "$(find "$root" | wc -l)" -le "$ENTRY_LIMIT" ] && all_links_stay_inside || die_unsafe
}
all_links_stay_inside() {
	_links=$(find "$root/data" -type l 2>/dev/null | while IFS= read -r _link; do
		printf '%s\t%s/\n' "${_link#"$root/data/"}" "$(readlink "$_link")"
	done)
	[ -z "$_links" ] || ! lines "$_links" | sed -E -e :up -e "s,^[^/$tab]*/([^$tab]*$tab)\\.\\./,\\1," -e 't up' \
		| grep -qE "^[^$tab]*\$|$tab/|[$tab/]\\.\\./"
}
keep_wasp_only() {
	[ -f "$root/wasp-bin" ] && [ -d "$root/data" ] && ! [ -L "$root/wasp-bin" ] && ! [ -L "$root/data" ] \
		|| die_damaged
	change_in "$staging" chmod -R u=rwX,go=rX "$root/data" "$root/wasp-bin"
	[ -x "$root/wasp-bin" ] || change_in "$staging" chmod 755 "$root/wasp-bin"
	if [ -z "$release_node" ] && [ -f "$root/package.json" ] && read_json "$root/package.json"; then
		pick engines.node
		take_node_range "$picked"
	fi
	make_folder "$staging" "$staging/new"
	change_in "$staging" mv "$root/wasp-bin" "$root/data" "$staging/new/"
}
check_binary() {
	say_step 'Running wasp-bin version'
	run_waiting "$work/said" run_unpacked_binary || explain_binary "$?"
	_reported=$(sed -nE 's/^[^0-9]*([0-9][0-9.]*[0-9](-rc[0-9]*)?).*/\1/p' "$work/said")
	_reported=${_reported%%"$newline"*}
	is_version "$_reported" || die 3 binary-does-not-run 'the binary in the archive does not say which version it is.' \
		"$nothing"
	version=${version:-$_reported}
	[ "${_reported%-rc*}" = "${version%-rc*}" ] || die 6 wrong-version \
		"the archive contains Wasp $_reported, not $version." "$nothing"
}
run_unpacked_binary() {
	export WASP_TELEMETRY_DISABLE=1 WASP_AUTO_NEWS_DISABLE=1 waspc_datadir="$staging/new/data"
	cd "$staging/new" && exec_limited "$HELPER_LIMIT_S" env LC_ALL="$user_locale" ./wasp-bin version
}
explain_binary() {
	_said=$(cat "$work/errors" "$work/said") _hint='Please report it: https://github.com/wasp-lang/wasp/issues'
	case $_said in
		*'loading shared libraries: '*)
			_library=${_said#*'shared libraries: '}
			_library=${_library%%:*}
			case $_library,$(command -v apt-get) in
				libgmp.*,) _library=gmp ;;
				libgmp.*) _library=libgmp10 ;;
			esac
			_hint=$(how_to_install "$_library")
			;;
		*'Bad CPU type'*) _hint='Install Rosetta: softwareupdate --install-rosetta' ;;
		*'ermission denied'*)
			die 7 permission-denied "programs cannot run from $shown_prefix (is it mounted noexec?)." \
				'Choose another place with --prefix DIR.'
			;;
	esac
	die 3 binary-does-not-run "Wasp${version:+ $version} was unpacked but does not run here (exit code $1): $(plain_text "$_said")" \
		"$nothing $_hint"
}
start_progress() {
	$on_terminal && ! $quiet || return 0
	draw_progress "$staging/archive" &
	progress=$!
}
stop_progress() {
	[ -n "$progress" ] || return 0
	kill "$progress" 2>/dev/null
	await "$progress"
	progress=''
	clear_line
}
clear_line() {
	printf '\r%s[K' "$escape" >&2
}
draw_progress() {
	trap 'exit 0' TERM
	trap - INT HUP
	_began=$(date +%s)
	while kill -0 $$ 2>/dev/null; do
		sleep 0.1 2>/dev/null || sleep 1
		[ -s "$1" ] || continue
		read_headers 2>/dev/null
		_line=$(wc -c <"$1" | awk -v total="$content_length" -v elapsed="$(($(date +%s) - _began))" '{
			if (total + 0 > 0) printf "%d%% of ", $1 * 100 / total
			printf "%.1f MB", (total + 0 > 0 ? total : $1) / 1000000
			if (elapsed > 0) printf ", %.1f MB/s", $1 / elapsed / 1000000
		}')
		_width=$(stty size <&2 2>/dev/null | sed 's/.* //')
		[ "${_width:-0}" != 0 ] || _width=80
		printf "\r%.$((_width - 1))s%s[K" "Downloading $_line" "$escape" >&2
	done
}
announce_install() {
	! $dry_run && ! $announced && $wants_telemetry && ! is_opted_out || return 0
	announced=true
	_target=${WASP_TELEMETRY_URL:-$TELEMETRY_URL}
	check_url "$_target" && make_install_event || return 0
	[ "${WASP_TELEMETRY_DEBUG:-0}" = 0 ] || {
		lines "$event" >&2
		return
	}
	choose_downloader
	case $downloader,$wget_options in curl,* | *no-hsts*) ;; *) return 0 ;; esac
	say 'Anonymous telemetry, now and from wasp. Opt out: https://wasp.sh/docs/telemetry'
	send_event
}
announce_new_install() {
	list_installed
	! $force && [ -n "$installed" ] && { [ "$wanted" = latest ] || [ -n "$archive_file" ]; } || announce_install
}
is_opted_out() {
	case ${WASP_TELEMETRY_DISABLE+set}${DO_NOT_TRACK-} in
		'' | 0 | [Ff][Aa][Ll][Ss][Ee] | [Nn][Oo] | [Oo][Ff][Ff]) ;;
		*) return 0 ;;
	esac
	_folder=$(absolute_or "${XDG_CONFIG_HOME-}" "$home/.config")/wasp
	case $_folder in /*) ;; *) return 1 ;; esac
	[ -e "$_folder/telemetry-off" ] || [ -L "$_folder/telemetry-off" ] && return 0
	until [ -d "${_folder:-/}/" ]; do _folder=${_folder%/*}; done
	! [ -x "${_folder:-/}/" ]
}
make_install_event() {
	telemetry_os=${os:-Unknown}
	[ "$os" != macos ] || telemetry_os=osx
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
	case $downloader in
		curl)
			set -- curl --disable -s --max-time "$TELEMETRY_DEADLINE_S" --proto "=${_target%%:*}" --max-filesize 65536 \
				-A wasp -H 'Accept:' -H 'Content-Type: application/json' -d "$event" "$_target"
			;;
		wget)
			set -- wget $wget_options ${wget_authorities:+"--ca-certificate=$wget_authorities"} -U wasp \
				-T "$TELEMETRY_DEADLINE_S" --max-redirect=0 --header='Content-Type: application/json' \
				--post-data="$event" -O - "$_target"
			;;
	esac
	{
		trap '' HUP INT QUIT
		case $_target in http:*) unset http_proxy all_proxy ALL_PROXY ;; esac
		exec </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
		exec_limited "$((TELEMETRY_DEADLINE_S + 1))" "$@"
	} &
	sending=$!
}
name_owner() {
	_ns=$(readlink /proc/self/ns/pid 2>/dev/null)
	_ns=${_ns#*\[}
	machine_name=$(uname -n)_${_ns:+pid__${_ns%]}_}
	case $machine_name in *[!A-Za-z0-9_]*) machine_name=$(lines "$machine_name" | tr -c 'A-Za-z0-9\n' _) ;; esac
	owner_name=$machine_name-$$
	staged_launcher=$bin_dir/.wasp-staging-$owner_name-new
}
is_abandoned() {
	[ "${1%-*}" = "$machine_name" ] || {
		is_older "$2" 1440
		return
	}
	_pid=${1##*-}
	[ "$_pid" = $$ ] || [ "$command,$_pid" = "check,$PPID" ] || { ! kill -0 "$_pid" 2>/dev/null && ! [ -d "/proc/$_pid" ]; }
}
make_staging() {
	find_existing "$share_dir"
	above_share=$existing
	find_existing "$bin_dir"
	above_bin=$existing
	sweep
	staging=$share_dir/.staging-$owner_name-new
	make_folder "$share_dir" "$staging"
	make_folder "$bin_dir" "$bin_dir"
	write_file "$staged_launcher" :
}
sweep() {
	$dry_run || for_each_left_over discard "$share_dir"/.staging-* "$bin_dir"/.wasp-staging-*
}
for_each_left_over() {
	_do=$1
	shift
	for _left; do
		_name=${_left##*staging-}
		! [ -e "$_left" ] || ! is_abandoned "${_name%-*}" "$_left" || "$_do" "$_left"
	done
}
discard() {
	[ ! -d "$1/replaced" ] || {
		for _aside in "$1"/replaced/*; do
			$committed || [ -e "$share_dir/${_aside##*/}" ] || rename_folder "$_aside" "$share_dir/${_aside##*/}"
		done
		rename_folder "$1/replaced" "$1/discarded"
	}
	remove_tree "$1" 2>/dev/null
}
is_installed() {
	receipt=''
	[ -x "$share_dir/$1/wasp-bin" ] && [ -f "$share_dir/$1/.receipt.json" ] || return 1
	read -r receipt 2>/dev/null <"$share_dir/$1/.receipt.json"
	case $receipt in '{"version": "'"$1"'", '*'}') ;; *) return 1 ;; esac
}
is_to_be_kept() {
	! $force && is_installed "$1"
}
list_installed() {
	found=$(
		for _folder in "$share_dir"/*/; do
			_folder=${_folder%/}
			! is_version "${_folder##*/}" || lines "${_folder##*/}"
		done
	)
	case $found in *"$newline"*) found=$(lines "$found" | newest_first) ;; esac
	installed=$(for _version in $found; do ! is_installed "$_version" || lines "$_version"; done)
}
print_receipt() {
	_receipt=$(printf '{"version": "%s", "source": "%s", "url": "%s", "digest": "%s", "node": "%s", "platform": {"os": "%s", "arch": "%s", "libc": "%s"}}' \
		"$version" "$release_source" "$release_url" "$release_digest" "$release_node" "$os" "$arch" "$libc" | sed 's/""/null/g')
	lines "$_receipt"
}
read_receipt() {
	is_installed "$version"
	for _key in source url digest node; do
		_before="\"$_key\": \""
		_value=${receipt#*"$_before"}
		[ "$_value" != "$receipt" ] || _value=''
		eval "release_$_key=\${_value%%\\\"*}"
	done
	take_node_range "$release_node"
}
place_version() {
	_place=$share_dir/$version
	for _try in 1 2 3 4 5 6 7 8 9; do
		if [ -e "$_place" ] || [ -L "$_place" ]; then
			! is_to_be_kept "$version" || return 0
			make_folder "$staging" "$staging/replaced"
			remove_tree "$staging/replaced/$version"
			rename_folder "$_place" "$staging/replaced/$version" || continue
		fi
		! rename_folder "$staging/new" "$_place" || return 0
	done
	die_unwritable "$share_dir"
}
remove_version() {
	_removed=$share_dir/.staging-$owner_name-removed
	{ rename_folder "$share_dir/$1" "$_removed" || [ ! -e "$share_dir/$1" ]; } && _errors=$(remove_tree "$_removed" 2>&1) \
		|| die_unwritable "$share_dir"
}
take_turn() {
	turn=$share_dir/.turn _waited=0
	while :; do
		make_folder "$share_dir" "$share_dir"
		_errors=$(ln -s "$owner_name" "$turn" 2>&1) && break
		if [ "${_errors%exists*}" = "$_errors" ]; then
			[ "$command" = uninstall ] && return 0
			[ "$_waited" -lt 5 ] || die_unwritable "$share_dir"
		elif is_left_turn && mkdir "$turn.breaking" 2>/dev/null; then
			! is_left_turn || rm -f "$turn"
			rmdir "$turn.breaking"
			continue
		fi
		[ "$_waited" -gt 0 ] || say_step 'Waiting for another run'
		! is_older "$turn.breaking" 1 || rmdir "$turn.breaking" 2>/dev/null
		_waited=$((_waited + 1))
		run_waiting /dev/null sleep 0.1 || run_waiting /dev/null sleep 1
	done
	ignore_signals
}
is_left_turn() {
	_holder=$(readlink "$turn") && { is_abandoned "$_holder" "$turn" || is_older "$turn" 1; }
}
is_older() {
	[ -n "$(find "$1" -prune -mmin "+$2" 2>/dev/null)" ]
}
end_turn() {
	[ -z "$turn" ] || [ "$(readlink "$turn")" != "$owner_name" ] || rm -f "$turn"
	turn=''
}
SHARED_FILES='telemetry_ping.py telemetry_messages.py project_version.sh env.sh env.fish'
MANAGER=wasp-installer.sh
inspect_launcher() {
	launcher=foreign current=''
	[ ! -L "$bin_dir/wasp" ] || return 0
	[ -e "$bin_dir/wasp" ] || launcher=none
	[ ! -d "$bin_dir/wasp" ] || launcher=folder
	[ ! -f "$bin_dir/wasp" ] || current=$(awk -v quote="'" '
		NR == 1 && !/^#!/ || NR > 200 { exit }
		sub(/^_?wasp_version=/, "") { version = $0; gsub(quote, "", version) }
		/waspc_datadir=/ {
			ours = 1
			if (match($0, /\/share\/wasp-lang\/[^\/]*\/wasp-bin/)) version = substr($0, RSTART + 17, RLENGTH - 26)
		}
		END { if (ours) print version ? version : "unknown" }' "$bin_dir/wasp" 2>/dev/null)
	[ -z "$current" ] || launcher=ours
	[ -n "$current" ] || [ -e "$bin_dir/wasp" ] || launcher=none
	is_version "$current" || current=''
}
refuse_npm() {
	[ ! -e "$share_dir/.uses-npm" ] || die 8 npm-managed "npm manages Wasp here ($(pretty "$share_dir/.uses-npm"))." \
		"To update it: npm install -g @wasp.sh/wasp-cli@latest${newline}To use this installer instead: npm uninstall -g @wasp.sh/wasp-cli, then --force"
}
refuse_conflicts() {
	$force || refuse_npm
	inspect_launcher
	case $launcher,$force in
		folder,* | foreign,false)
			die 8 foreign-launcher "$(pretty "$bin_dir/wasp") is not from this installer." \
				'Move it away, or replace a file with --force.'
			;;
	esac
}
make_current() {
	[ -n "$staging" ] || make_staging
	take_turn
	refuse_conflicts
	is_installed "$1" || die_not_installed "$1"
	stage_shared_files
	stage_launcher "$1"
	place_shared_files
	place_launcher
	current=$1 committed=true
	[ ! -e "$share_dir/.uses-npm" ] || change_in "$share_dir" rm -f "$share_dir/.uses-npm"
	[ -n "$destdir" ] || add_to_startup_files
	end_turn
}
stage_launcher() {
	finish_lookups
	make_folder "$bin_dir" "$bin_dir"
	write_installed "$staged_launcher" "$1"
	change_in "$bin_dir" chmod 755 "$staged_launcher"
}
place_launcher() {
	[ ! -L "$bin_dir/wasp" ] || rm -f "$bin_dir/wasp"
	change_in "$bin_dir" mv -f "$staged_launcher" "$bin_dir/wasp"
}
stage_shared_files() {
	make_folder "$staging" "$staging/shared/completions"
	write_installed "$staging/shared"
	[ -n "$destdir" ] || is_newer_manager || write_file "$staging/shared/$MANAGER" cat "$program"
}
write_installed() {
	spell "$wasp_root"
	_errors=$(
		export to="$1" new="${2-}" sh_root="__wasp_root=$word" fish_root="set -g __wasp_root $fish_word" \
			launcher_lines="_wasp_version=${2-}${newline}_wasp_root=\"$(escaped "$wasp_root")\"${newline}_wasp_python=\"$(escaped "$python")\""
		installed_files awk '
			function finish() {
				if (file == "") return
				close(file)
				while ((getline line <file) > 0) bytes -= length(line) + 1
				close(file)
				if (bytes) exit 1
			}
			/^%file / {
				finish()
				name = $2
				file = ENVIRON["to"] (ENVIRON["new"] == "" ? "/" name : "")
				if ((ENVIRON["new"] == "") == (name == "launcher")) file = ""
				bytes = 0
				next
			}
			file == "" { next }
			/^%/ { $0 = ENVIRON[substr($0, 2)] }
			{ bytes += length($0) + 1; print >file }
			END { exit name != "-" }' 2>&1
	) || die_unwritable "${1%/*}"
}
is_newer_manager() {
	[ -f "$share_dir/$MANAGER" ] || return 1
	_there=$(sed -n 's/^INSTALLER_VERSION=//p' "$share_dir/$MANAGER" 2>/dev/null)
	is_version "$_there" && comes_before "$INSTALLER_VERSION" "$_there"
}
place_shared_files() {
	[ ! -L "$share_dir/completions" ] || rm -f "$share_dir/completions" 2>/dev/null
	make_folder "$share_dir" "$share_dir/completions"
	change_in "$share_dir" mv -f "$staging"/shared/completions/* "$share_dir/completions/"
	change_in "$share_dir" mv -f "$staging"/shared/*.* "$share_dir/"
}
remove_shared_files() {
	set -- "$share_dir/$MANAGER"
	for _name in $SHARED_FILES completions __pycache__; do set -- "$@" "$share_dir/$_name"; done
	change_in "$share_dir" rm -rf "$@"
}
start_lookups() {
	find_python >"$work/python" 2>/dev/null &
	lookups=$!
	{ ! have node || ask node --version; } >"$work/node" 2>/dev/null &
	lookups="$lookups $!"
}
finish_lookups() {
	if [ -n "$destdir" ]; then
		[ "$os" != linux ] || python=/usr/bin/python3
		return
	fi
	[ -n "$lookups" ] || [ -e "$work/node" ] || start_lookups
	[ -z "$lookups" ] || await $lookups
	lookups=''
	IFS= read -r python <"$work/python" || :
	read -r node_version <"$work/node" || :
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
if sys.version_info >= (3, 8):
	print(os.path.realpath(path) if os.path.exists(os.path.dirname(path) + "/../pyvenv.cfg") else path)') || continue
		case $_found in /*) lines "$_found" && return ;; esac
	done
}
spell() {
	_home='' _below=$1
	case ${home:+$1} in "$home"/*) _home=\$HOME _below=${1#"$home"} ;; esac
	word=\"$_home$(escaped "$_below")\"
	fish_word=$word
	case $word in *\`*) fish_word=$(lines "$word" | sed 's/\\`/`/g') ;; esac
}
spell_lines() {
	is_on_path
	spell "$wasp_root/env.sh"
	startup_line="if [ -f $word ] && [ -r $word ]; then . $word; fi"
	old_words=${word%env.sh?}completions/
	spell "$wasp_root/env.fish"
	fish_line="if test -f $fish_word; source $fish_word; end"
	old_words=$old_words$newline${fish_word%env.fish?}completions/
	spell "$prefix/bin"
	old_words=$old_words$newline$word$newline$fish_word
	path_command="export PATH=${word%?}:\$PATH\""
	own_shell=${SHELL:-sh}
	own_shell=${own_shell##*/}
	case $own_shell in
		dash | ash | busybox | posh) own_shell="sh" ;;
		ksh* | *oksh) own_shell=ksh ;;
		fish) path_command="set -gx PATH $fish_word \$PATH" ;;
	esac
}
is_on_path() {
	on_path=false
	case ":${PATH-}:" in *":$prefix/bin:"* | *":$prefix/bin/:"*) on_path=true ;; esac
}
can_be_on_path() {
	case $prefix in *:* | *"$newline"*) return 1 ;; esac
}
is_github_job() {
	[ -n "${GITHUB_PATH-}" ] && is_on_ci
}
may_change_startup_files() {
	$modify_path && [ -z "$destdir" ] && can_be_on_path || return 1
	case ${HOME-} in /*) ;; *) return 1 ;; esac
	[ -O "$HOME/." ] 2>/dev/null || [ "$(owner_of "$HOME/.")" = "$(id -u)" ]
}
add_to_startup_files() {
	spell_lines
	path_message='' edited='' present='' _bin=$(pretty "$prefix/bin")
	if ! can_be_on_path; then
		warn "$_bin cannot be on PATH: its name has a colon or a line break. Choose another --prefix."
	elif $modify_path && is_github_job && add_to_github_path; then
		path_message="Added $_bin to PATH for the next steps of this job. In this step: $path_command"
	elif is_on_ci || ! may_change_startup_files; then
		$on_path || warn "$_bin is not on your PATH. To add it:${newline}$path_command"
	else
		for_each_startup_file add_line
		_files=${edited:-$present}
		case $on_path,$edited,$_files in
			true,,* | *,) ;;
			*) path_message="Set up PATH and tab completion for new terminals in $_files." ;;
		esac
		case $on_path,$own_shell in
			true,* | *,sh | *,bash | *,zsh | *,fish | *,ksh | *,mksh | *,yash) ;;
			*) warn "$_bin is not on PATH in $own_shell. Add it there." ;;
		esac
	fi
}
for_each_startup_file() {
	startup_verb=$1 offered=$newline
	real_home=$(cd "$HOME/" && pwd -P)
	real_home=${real_home%/}
	_login=.profile
	for _name in .bash_login .bash_profile; do [ ! -r "$home/$_name" ] || _login=$_name; done
	offer bash "$home/.bashrc"
	ask_for_zdotdir
	offer zsh "$zdotdir/.zshrc"
	offer fish "$(absolute_or "${XDG_CONFIG_HOME-}" "$home/.config")/fish/conf.d/wasp.fish"
	! $on_path || return 0
	for _shell in "bash $_login" 'ksh .kshrc' 'ksh .profile' 'mksh .mkshrc' 'mksh .profile' 'yash .yashrc' 'yash .yash_profile' 'sh .profile'; do
		offer "${_shell% *}" "$home/${_shell#* }"
	done
}
offer() {
	[ "$1" = "$own_shell" ] || [ -e "${2%/conf.d/wasp.fish}" ] || return 0
	case $offered in *"$newline$2$newline"*) return 0 ;; esac
	offered=$offered$2$newline
	case $2 in
		*.fish) "$startup_verb" "$2" "$fish_line" ;;
		*) "$startup_verb" "$2" "$startup_line" ;;
	esac
}
ask_for_zdotdir() {
	zdotdir=$(absolute_or "${ZDOTDIR-}" "$home")
	[ "$own_shell" = zsh ] || [ -e "$home/.zshenv" ] || return 0
	_said=$(ask zsh -c '\builtin print -r -- "
zdotdir=${ZDOTDIR:-$HOME}"') || return 0
	case $_said in *"${newline}zdotdir=/"*) zdotdir=${_said##*"${newline}zdotdir="} ;; esac
}
take_out_of_startup_files() {
	may_change_startup_files || return 0
	spell_lines
	edited='' on_path=false
	for_each_startup_file remove_line
	for _name in .bash_profile .bash_login .zshrc .zshenv .config/fish/conf.d/wasp.fish; do offer '' "$home/$_name"; done
	[ -z "$edited" ] || say "Removed Wasp from $edited"
}
add_to_github_path() {
	[ -f "$GITHUB_PATH" ] && _end=$(tail -c 1 "$GITHUB_PATH") \
		&& (lines "${_end:+$newline}$prefix/bin" >>"$GITHUB_PATH") 2>/dev/null
}
add_line() {
	find_line "$@" || { begin_edit "$1" && take_lines_out "$2" && append_line "$2" && finish_edit; } \
		|| warn "$(pretty "$1") $obstacle. For PATH and tab completion, add this line to it:${newline}$2"
}
find_line() {
	has_line "$@" && present=$(with_name "$present" "$1")
}
has_line() {
	[ -f "$1" ] && grep -qxF -e "$2" -e "$2 $OUR_MARK" -e "$2 $OUR_MARK_WITH_BREAK" "$1" 2>/dev/null
}
plan_line() {
	has_line "$@" || ! begin_edit "$1" || edited=$(with_name "$edited" "$1")
}
remove_line() {
	[ -f "$1" ] && [ -n "$(print_our_lines "$@")" ] || return 0
	begin_edit "$1" && take_lines_out "$2" && finish_edit \
		|| warn "$(pretty "$1") $obstacle. Remove the line that ends with:${newline}$OUR_MARK"
}
with_name() {
	printf '%s%s' "${1:+$1, }" "$(pretty "$2")"
}
begin_edit() {
	edited_file=$1 obstacle='is a link to nowhere, or outside your home folder'
	if [ -L "$1" ]; then
		real=$(readlink -f "$1" 2>/dev/null) && [ -e "$real" ] || return 1
	else
		real=$(past_links "${1%/*}")/${1##*/}
	fi
	case $real in "$real_home"/*) ;; *) return 1 ;; esac
	[ -e "$real" ] || real=$1
	obstacle='cannot be written to'
	{
		{ [ ! -e "$real" ] || { [ -f "$real" ] && [ -w "$real" ] && cat "$real"; }; } >"$work/old" && cat "$work/old" >"$work/new"
	} 2>/dev/null
}
print_our_lines() {
	grep -qs "$OUR_MARK" "$1" && {
		tr -d '\000' <"$1" | grep -nxF -e "$2 $OUR_MARK" -e "$2 $OUR_MARK_WITH_BREAK"
		tr -d '\000' <"$1" | grep -n -e "$OUR_MARK\$" | grep -F -e "$old_words"
	} 2>/dev/null | sort -n
}
take_lines_out() {
	keeps_empty=false
	while :; do
		_line=$(print_our_lines "$work/new" "$1" | tail -n 1)
		[ -n "$_line" ] || return 0
		_number=${_line%%:*}
		tail -n "+$((_number + 1))" "$work/new" >"$work/behind" || return 1
		_kept=$(($(wc -c <"$work/new") - $(tail -n "+$_number" "$work/new" | wc -c)))
		case $_line in
			*"$OUR_MARK_WITH_BREAK")
				keeps_empty=true
				[ -s "$work/behind" ] || _kept=$((_kept - 1))
				;;
		esac
		{ [ "$_kept" = 0 ] || head -c "$_kept" "$work/new"; } >"$work/before" \
			&& cat "$work/before" "$work/behind" >"$work/new" || return 1
	done
}
append_line() {
	_line="$1 $OUR_MARK"
	[ ! -e "$real" ] || case ,$(tail -c 2 "$work/new" | tr -c '\\\n' . && printf .) in
		,\\"$newline". | *[!"$newline"]. | ,.) _line="$newline$1 $OUR_MARK_WITH_BREAK" ;;
	esac
	lines "$_line" >>"$work/new" 2>/dev/null
}
finish_edit() {
	differs_in_our_lines_only || return 1
	find_existing "${real%/*}"
	if ! [ -s "$work/new" ] && ! $keeps_empty && ! [ -L "$edited_file" ]; then
		cmp -s "$work/old" "$real" && rm -f "$real" && remove_empty "${real%/*}" "$real_home"
	elif [ -n "$(find "$real" -links +1)" ] || ! replace_file; then
		cmp -s "$work/old" "$real" && { overwrite "$work/new" || { overwrite "$work/old" && false; }; }
	fi 2>/dev/null || {
		remove_empty "${real%/*}" "$existing"
		return 1
	}
	edited=$(with_name "$edited" "$edited_file")
}
differs_in_our_lines_only() {
	for _copy in old new; do
		tr -d '\000' <"$work/$_copy" | grep -v -e '^$' -e "$OUR_MARK" >"$work/$_copy.rest"
	done
	cmp -s "$work/old.rest" "$work/new.rest"
}
replace_file() {
	for_each_left_over discard "${real%/*}"/.wasp-staging-*
	_staged=${real%/*}/.wasp-staging-$owner_name-new
	{ [ -d "${real%/*}" ] || mkdir -p "${real%/*}"; } \
		&& { [ ! -e "$real" ] || { cp -p "$real" "$_staged" && { [ -O "$real" ] 2>/dev/null || [ "$(owner_of "$real")" = "$(owner_of "$_staged")" ]; }; }; } \
		&& cat "$work/new" >"$_staged" && cmp -s "$work/new" "$_staged" \
		&& { [ ! -e "$real" ] || cmp -s "$work/old" "$real"; } && mv -f "$_staged" "$real" && return 0
	rm -f "$_staged"
	return 1
}
overwrite() {
	dd if="$1" of="$real" conv=notrunc && dd if=/dev/null of="$real" bs=1 seek="$(($(wc -c <"$1")))" && cmp -s "$1" "$real"
}
check_node() {
	finish_lookups
	node_version=${node_version#v} _found='' _advice="Install it: https://nodejs.org/en/download"
	_minimum=${release_node#"${release_node%%[0-9]*}"}
	_minimum=${_minimum%%[!0-9.]*}
	case $(command -v node),$node_version in
		,*)
			_found='is not on PATH'
			for _place in "${NVM_DIR:-$home/.nvm}"/versions/node/* "$home"/.local/share/*/node-versions/* \
				"$home"/.volta/*/*/node/* "$home"/.asdf/*/nodejs/*; do
				[ ! -e "$_place" ] || _found="is not on PATH, but in $(pretty "$_place")" _advice='Switch it on, for example: nvm use node'
			done
			;;
		*,*[!0-9A-Za-z.+-]* | *,[!0-9]* | *,) _found='does not say which version it is' ;;
		*) ! comes_before "$node_version" "${_minimum:-0}" || _found="on PATH is $node_version" ;;
	esac
	[ -z "$_found" ] || need_next "Node.js $_found. Wasp${version:+ $version} needs Node.js${release_node:+ $release_node}." "$_advice"
	case $(command -v node),$(command -v npm) in
		?*,) need_next 'npm is not on PATH, and Wasp needs it.' "$_advice" ;;
		?*,/mnt/?/*) need_next 'npm on PATH belongs to Windows, and Wasp needs one inside WSL.' "$_advice" ;;
	esac
}
need_next() {
	if [ "$outcome" = installed ]; then
		tell warning "$1$newline$2"
		add_step "$1" "$2"
	else
		warn "$1$newline$2"
	fi
}
check_other_wasp() {
	$on_path || [ -z "$path_message" ] || return 0
	_first=$(command -v wasp || :)
	case $_first in '' | "$prefix/bin/wasp" | [!/]*) return 0 ;; esac
	[ "$_first" -ef "$prefix/bin/wasp" ] 2>/dev/null || warn "another wasp comes first on your PATH: $_first${newline}Remove it, or put $(pretty "$prefix/bin") before it."
}
refuse_danger_for_root() {
	[ -z "$destdir" ] && [ "$(id -u)" = 0 ] || return 0
	set -- /
	for _place in "$share_dir" "$bin_dir" "$(past_links "$share_dir")" "$(past_links "$bin_dir")"; do
		while [ -n "$_place" ]; do
			[ ! -e "$_place" ] || set -- "$@" "$_place"
			_place=${_place%/*}
		done
	done
	_danger=$(ls -ldnL "$@" | awk '
		$3 >= 500 && $3 != 65534 { danger = "belongs to another user (uid " $3 ")" }
		substr($1, 9, 2) ~ /^w[^tT]/ { danger = "is writable by everyone" }
		danger { for (i = 0; i < 8; i++) sub(/^[^ ]+ +/, ""); print $0, danger; exit }')
	[ -n "$_danger" ] || return 0
	is_on_ci || die 7 permission-denied "root cannot safely work below a folder that others can change: $_danger." \
		'Run this again without sudo. For all users: --prefix /usr/local'
	[ "$outcome" != switched ] || say "$_danger; on CI, root installs there anyway."
}
past_links() {
	find_existing "$1"
	cd "${existing:-/}" && pwd -P
}
run_install() {
	refuse_conflicts
	previous=$current
	if is_settled; then version=$wanted; else find_and_unpack; fi
	if is_to_be_kept "$version"; then
		finish_install already-installed
	elif $dry_run; then
		report_plan
	else
		announce_install
		write_file "$staging/new/.receipt.json" print_receipt
		place_version
		finish_install installed
	fi
}
find_and_unpack() {
	start_registry_lookup
	$dry_run || {
		make_staging
		start_lookups
	}
	announce_new_install
	choose_build
	if [ -n "$archive_file" ]; then take_file; else obtain_release; fi
	! is_downgrade || {
		say "Kept your Wasp $previous: the newest from $(source_name "$release_source") is $version. To install that one: -v $version"
		version=$previous
	}
}
is_settled() {
	[ "$wanted" != latest ] && [ -z "$archive_file" ] && is_to_be_kept "$wanted"
}
is_downgrade() {
	[ "$wanted,$force,$archive_file" = latest,false, ] && [ -n "$previous" ] && is_installed "$previous" \
		&& comes_before "$version" "$previous"
}
finish_install() {
	outcome=$1
	! $dry_run || {
		report_outcome
		result "$outcome"
		return
	}
	read_receipt
	hold_warnings=true
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
report_outcome() {
	_place=$(pretty "$share_dir/$version")
	case $outcome in
		installed) say "Installed Wasp $version in $_place" ;;
		already-installed) say "Wasp $version is already installed in $_place" ;;
		switched) say "Wasp $version is now the current version" ;;
	esac
}
report_install() {
	report_outcome
	case $outcome,$previous in
		installed, | *,"$version") ;;
		installed,*)
			comes_before "$version" "$previous" || say "What is new: $RELEASES_URL/tag/v$version"
			! is_installed "$previous" || say "To go back to Wasp $previous: wasp installer use $previous"
			;;
	esac
	[ -z "$path_message" ] || say "$path_message"
	[ -z "$held_warnings" ] || say "$held_warnings"
	[ "$outcome" = installed ] || return 0
	say ''
	[ -z "$path_message" ] || $on_path || is_github_job \
		|| steps="Put wasp on the PATH of this terminal:$newline$bold$path_command$plain$newline$steps"
	[ -n "$steps" ] || {
		say "Next: ${bold}wasp new my-app$plain"
		return
	}
	add_step 'Create your first app:' "${bold}wasp new my-app$plain"
	say 'Next:'
	$quiet || printf '%s' "$steps" | awk '{ print (NR % 2) ? "  " (NR + 1) / 2 ". " $0 : "     " $0 }' >&2
}
add_step() {
	steps="$steps$1$newline$2$newline"
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
	spell_lines
	edited=''
	is_on_ci || ! may_change_startup_files || for_each_startup_file plan_line
}
run_use() {
	refuse_conflicts
	$dry_run || sweep
	previous=$current version=$named_version
	[ -z "$staged" ] || place_staged
	is_installed "$version" || die_not_installed "$version"
	! $dry_run || leave_plan "make Wasp $version the current version"
	finish_install "$outcome"
}
place_staged() {
	make_staging
	change_in "$staging" mv "$staged" "$staging/new"
	place_version
}
die_not_installed() {
	die 5 not-installed "Wasp $1 is not installed in $shown_prefix." "To install it: wasp installer update $1"
}
run_check() {
	refuse_conflicts
	is_settled || {
		start_registry_lookup
		$dry_run || make_staging
		choose_build
		[ -n "$archive_file" ] || plan_sources
		tell_all sources registry fetcher npm_build github_builds
	}
	! $dry_run || plan_startup_files
	tell_all startup:edited
	list_installed
	tell_versions
	result checked
}
run_list() {
	inspect_launcher
	list_installed
	! $remote || find_available
	tell_versions
	tell remote "$(words_of "$available")"
	result listed
	! $porcelain || return 0
	[ -n "$available$installed" ] || say "Wasp is not installed in $shown_prefix"
	lines "${available:-$installed}" | awk -v current="$current" -v marked="$remote $(words_of "$installed")," 'NF {
		print ($0 == current ? "* " : "  ") $0 (marked ~ /^true/ && index(marked, " " $0 ",") ? " (installed)" : "") }'
	[ "$release_source" != npm ] || say 'Older versions are on GitHub: wasp installer list --remote --source github'
}
tell_versions() {
	tell_all current
	tell versions "$(words_of "$installed")"
}
look_around() {
	inspect_launcher
	sweep
	list_installed
	cache_folder=$(absolute_or "${XDG_CACHE_HOME-}" "$home/.cache")/wasp
}
decide() {
	! $dry_run || leave_plan "$1"
	[ -n "$version" ] || confirm "Do you want to $1?"
}
run_uninstall() {
	look_around
	version=$named_version
	if [ -n "$version" ] && ! [ -d "$share_dir/$version" ]; then
		$dry_run || {
			! [ -L "$share_dir/.turn" ] || take_turn && end_turn
			remove_folders
		}
		die_not_installed "$version"
	elif [ -n "$version" ] && [ "$found" != "$version" ]; then
		decide "remove Wasp $version"
		take_turn
		leave_version
		remove_version "$version"
		end_turn
		say "Removed Wasp $version${current:+; the current version is $current}"
	elif [ -z "$found" ] && [ "$launcher" != ours ]; then
		refuse_npm
		say "Wasp is not installed in $shown_prefix"
		$dry_run || remove_everything
	else
		decide "remove Wasp ($(words_of "$found")) from $shown_prefix"
		remove_everything
		say "Removed Wasp${version:+ $version} from $shown_prefix"
	fi
	result removed
}
leave_version() {
	inspect_launcher
	case $launcher,$current in ours, | ours,"$version") ;; *) return 0 ;; esac
	list_installed
	current=$(lines "$installed" | grep -vxF -e "$version" | head -n 1)
	if [ -n "$current" ]; then
		stage_launcher "$current"
		place_launcher
	else
		change_in "$bin_dir" rm -f "$bin_dir/wasp"
	fi
}
run_migrate() {
	look_around
	decide "remove Wasp${found:+ ($(words_of "$found"))} from $shown_prefix and leave it to npm"
	remove_everything
	change_in "$share_dir" mkdir -p "$share_dir"
	change_in "$share_dir" touch "$share_dir/.uses-npm"
	[ -n "$destdir" ] || remove_tree "$cache_folder/installer"
	say "Removed Wasp from $shown_prefix${newline}Next: ${bold}npm install -g @wasp.sh/wasp-cli$plain"
	result removed
}
remove_everything() {
	committed=true
	take_turn
	inspect_launcher
	[ "$launcher" != ours ] || change_in "$bin_dir" rm -f "$bin_dir/wasp"
	current=''
	take_out_of_startup_files
	remove_shared_files
	list_installed
	for _version in $found; do remove_version "$_version"; done
	end_turn
	remove_folders
	[ "$command" = uninstall ] && [ -z "$destdir" ] && [ -d "$cache_folder" ] && [ "$prefix" = "$home/.local" ] || return 0
	remove_tree "$cache_folder"
	say "Removed the cache $(pretty "$cache_folder")"
}
remove_folders() {
	rmdir "$bin_dir" 2>/dev/null || :
	remove_empty "$share_dir" "$destdir$prefix"
	[ "$prefix" = "$home" ] || rmdir "$destdir$prefix" 2>/dev/null || :
}
run_update() {
	choose_downloader
	is_published_installer || {
		network_problem=${problem%not-found}
		network_problem=${network_problem:-http-status}
		die_of_problem "today's installer"
	}
	for _argument; do
		shift
		case ${_argument#v} in
			update | "$named_version") ;;
			*) set -- ${1+"$@"} "$_argument" ;;
		esac
	done
	set -- install ${1+"$@"} ${named_version:+--version "$named_version"}
	exec <"$work/installer"
	clean_up
	exec /bin/sh -s -- "$@"
}
is_published_installer() {
	fetch "${WASP_INSTALLER_URL:-$INSTALLER_URL}" "$work/installer" || return 1
	! is_web_page "$work/installer" || return 1
	set_problem bad-answer "$host sent something that is not the installer, or not all of it"
	[ "$(sed -n '1p; $p' "$work/installer")" = "#!/bin/sh$newline}" ]
}
run_doctor() {
	doctor_code=0 objections=''
	inspect_launcher
	list_installed
	start_registry_lookup
	start_lookups
	version=$current
	show installer "$INSTALLER_VERSION"
	show machine "$system $machine${libc:+, $libc $glibc_version}${distro_id:+, $distro_id}"
	show versions "$(words_of "$installed")"
	examine_current
	examine_path
	examine_surroundings
	_found=''
	for_each_left_over find_left_over "$share_dir"/.staging-* "$bin_dir"/.wasp-staging-*
	show 'left over' "${_found:+$_found (the next install removes it)}"
	choose_build
	show result "${objections:-All is well.}"
	tell code "$doctor_code"
	result checked
	leave "$doctor_code"
}
show() {
	$porcelain || printf '%-12s %s\n' "$1" "${2:-none}"
}
object() {
	[ "$doctor_code" != 0 ] || doctor_code=$1
	tell warning "$2"
	objections="${objections:-Problems:}$newline  ! $(indented '    ' "$2")"
}
examine_current() {
	_wasp=$(pretty "$bin_dir/wasp")
	show current "${current:+$current, by $_wasp}"
	case $launcher in
		ours) is_installed "${current:-none}" || object 5 "${current:-Its version} is not installed. To repair it: wasp installer update" ;;
		none) object 5 "There is no $_wasp. To install Wasp: curl -fsSL $INSTALLER_URL | sh" ;;
		*) object 8 "$_wasp was not made by this installer. Move it away." ;;
	esac
	[ ! -e "$share_dir/.uses-npm" ] || object 8 'npm manages Wasp here. To update it: npm install -g @wasp.sh/wasp-cli@latest'
	[ "$launcher" = ours ] || return 0
	_said=$(export WASP_TELEMETRY_DISABLE=1 WASP_AUTO_NEWS_DISABLE=1 && ask "$bin_dir/wasp" version | head -n 1)
	_said=$(plain_text "$_said")
	[ "$_said" = "$current" ] || _said="$_said${_said:+, which this project wants}"
	show 'runs here' "$_said"
	[ -n "$_said" ] || object 3 'Wasp does not run. See: wasp version'
}
examine_path() {
	spell_lines
	_first=$(command -v wasp || :)
	show PATH "${_first:+wasp is $(pretty "$_first")}"
	$on_path || object 3 "$(pretty "$prefix/bin") is not on PATH in this terminal. To add it: $path_command"
	check_other_wasp
	present=''
	! may_change_startup_files || for_each_startup_file find_line
	show 'start-up' "$present"
}
examine_surroundings() {
	[ -z "$version" ] || read_receipt
	check_node
	show Node.js "${node_version:+$node_version${release_node:+, wanted: $release_node}}"
	show npm "$(command -v npm)"
	show Python "$python"
	if is_opted_out; then show telemetry off; else show telemetry "on; see: wasp telemetry"; fi
	find_registry
	show registry "$(plain_text "$registry")"
	_proxy=${https_proxy-${HTTPS_PROXY-${ALL_PROXY-${all_proxy-}}}}
	show proxy "$(plain_text "${_proxy##*@}")"
}
find_left_over() {
	_found=$(with_name "$_found" "$1")
}
installed_files() {
	"$@" <<'END_OF_FILES'
%file launcher
#!/bin/sh
# Starts Wasp. The installer writes it anew for another version.
%launcher_lines
_fail() { printf 'wasp: %s\n      %s\n' "$@" >&2 && exit 127; }

# Sets _path to the folder $1, or to $2 in the home.
_find() {
	case $1,${HOME-} in /*) _path=$1 ;; *,/*) _path=$HOME/$2 ;; *) return 1 ;; esac
}

# The rule of opt_out_reason in telemetry_ping.py.
_opted_out() {
	case ${WASP_TELEMETRY_DISABLE+set}${DO_NOT_TRACK-} in '' | 0 | [Ff][Aa][Ll][Ss][Ee] | [Nn][Oo] | [Oo][Ff][Ff]) ;; *) return 0 ;; esac
	_find "${XDG_CONFIG_HOME-}" .config || return 1
	_path=$_path/wasp
	[ ! -e "$_path/telemetry-off" ] && [ ! -L "$_path/telemetry-off" ] || return 0
	# Perhaps it is in a folder that may not be entered.
	until [ -d "$_path/" ]; do _path=${_path%/*}; done
	[ ! -x "$_path/" ]
}

# By "..", as $PWD may have a link in it.
_in_project() {
	_path=.
	until [ -e "$_path/.wasproot" ]; do
		[ "${#_path}" -lt 200 ] || return 1
		_path=$_path/..
	done
}

# By an import, for what Python has compiled; nice, so that Wasp gets the processor.
_exec_ping() {
	[ -x /usr/bin/nice ] && _path=/usr/bin/nice || _path=
	exec ${_path:+"$_path"} "$_wasp_python" -I -S -B -c 'import sys; sys.path.insert(0, sys.argv[1])
import telemetry_ping; telemetry_ping.run(sys.argv[2:])' "$_wasp_root" "$@"
}

# With no more words than are sent, as others can see them; in a subshell, as Wasp would not wait
# for its child.
_count() {
	_in_project || return 0
	case ${1-},${2-} in build,start | deploy,*) ;; build,*) set -- build ;; *) set -- ;; esac
	for _word; do
		shift
		case $_word in build | start | fly | setup | create-db | deploy | cmd) set -- "$@" "$_word" ;; esac
	done
	set -- invoked "$_wasp_version" ${1+"$@"}
	case ${WASP_TELEMETRY_DEBUG-} in
		'' | 0) (trap '' HUP INT QUIT && _exec_ping "$@" </dev/null >/dev/null 2>&1 &) ;;
		*) (_exec_ping "$@" </dev/null >&2) || : ;;
	esac
}

# An empty file tells telemetry_messages.py that it was shown.
_show_messages() {
	[ -z "${WASP_AUTO_NEWS_DISABLE+set}" ] && _find "${XDG_CACHE_HOME-}" .cache || return 0
	_path=$_path/wasp/telemetry/messages-$_wasp_version
	[ -s "$_path" ] && [ -f "$_path" ] && [ -t 2 ] || return 0
	while IFS= read -r _word; do printf '%s\n' "$_word"; done <"$_path" >&2
	{ printf '' >|"$_path"; } 2>/dev/null || :
}

[ -x "$_wasp_python" ] && [ -r "$_wasp_root/telemetry_ping.py" ] && [ -w /dev/null ] || _wasp_python=
# A project may want another version, if there is one.
for _dir in "$_wasp_root"/*/wasp-bin; do
	[ "$_dir" != "$_wasp_root/$_wasp_version/wasp-bin" ] && [ -r "$_wasp_root/project_version.sh" ] || continue
	case ${1-} in completion:* | installer | uninstall) ;; *) ! _in_project || . "$_wasp_root/project_version.sh" ;; esac
	break
done
case ${1-},$_wasp_python in
	telemetry,?*) shift && _exec_ping telemetry "$_wasp_version" ${1+"$@"} ;;
	installer,*)
		shift && _path=${_wasp_root%/share/wasp-lang}
		[ ! -r "$_wasp_root/wasp-installer.sh" ] \
			|| exec /bin/sh "$_wasp_root/wasp-installer.sh" --prefix "${_path:-/}" ${1+"$@"}
		_fail "There is no wasp-installer.sh in $_wasp_root." \
			'Did a package manager install this Wasp? Update it there.'
		;;
esac
# A killed install may have left this version aside.
for _dir in "$_wasp_root/$_wasp_version" "$_wasp_root"/.staging-*/replaced/"$_wasp_version"; do
	[ ! -x "$_dir/wasp-bin" ] || break
done
export waspc_datadir="$_dir/data"
[ -x "$_dir/wasp-bin" ] || _fail "Wasp $_wasp_version is no longer in $_wasp_root." \
	'Install it again: curl -fsSL https://get.wasp.sh/install.sh | sh'
if _opted_out; then
	export WASP_TELEMETRY_DISABLE=1
elif [ "$_wasp_python" ]; then
	case ${1-} in completion:* | uninstall) ;; *) _count ${1+"$@"} && _show_messages ;; esac
	# Wasp itself then sends and shows nothing.
	export WASP_TELEMETRY_DISABLE=1 WASP_AUTO_NEWS_DISABLE=1
fi
exec "$_dir/wasp-bin" ${1+"$@"}
%file telemetry_ping.py
#!/usr/bin/env python3
"""Wasp's telemetry: what is sent, when, and how to opt out.

Two events exist: ``install_event``, when an install starts, and ``cli_event``, when ``wasp`` is
used in a project, at most twice in 12 hours: once for ``wasp build``, once for all other commands.
These two functions list all that is sent: no path, no name, and no argument of a command but five
fixed words (``DEPLOY_KEYWORDS``). ``opt_out_reason`` says when nothing is sent, written or started.

The launcher runs this in the background, on Python 3.8 or newer. Most runs end at once, in a pause,
so modules are imported where they are needed.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # importing it would take 15 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from socket import socket
    from typing import IO, Any, NoReturn

DEFAULT_URL = "https://app.posthog.com/capture/"
#: Public: it can send events, not read them.
DEFAULT_KEY = "CdDd2A0jKTI2vFAsrI9JWm3MqpOcgHz1bMyogAcwsE4"

#: Between two events of a kind from a project.
PAUSE_S = 12 * 60 * 60
#: The same after a failure; see ``State.spread``.
FAILED_PAUSE_S = 60 * 60
#: Then the process ends.
DEADLINE_S = 10
#: Processes of a user that send at once.
SENDERS_LIMIT = 8
#: One that slept for so long sends no more.
STALE_S = 60
ANSWER_LIMIT_BYTES = 1024 * 1024

#: The only arguments of ``wasp deploy`` that are ever sent.
DEPLOY_KEYWORDS = ("fly", "setup", "create-db", "deploy", "cmd")
CI_VARIABLES = (
    *("CI", "BUILD_ID", "BUILD_NUMBER", "CI_APP_ID", "CI_BUILD_ID", "CI_BUILD_NUMBER", "CI_NAME"),
    *("CONTINUOUS_INTEGRATION", "RUN_ID", "GITHUB_ACTIONS", "TRAVIS"),
)


def opt_out_reason(environment: Mapping[str, str]) -> str | None:
    """Why nothing may be sent, or None. Launcher and installer have this rule in sh."""
    if "WASP_TELEMETRY_DISABLE" in environment:  # with any value, even an empty one
        return "WASP_TELEMETRY_DISABLE is set"
    if environment.get("DO_NOT_TRACK", "").lower() not in ("", "0", "false", "no", "off"):
        return "DO_NOT_TRACK is set"
    try:
        os.lstat(off_file(environment))
    except PermissionError:
        return "your config folder cannot be read"
    except OSError:
        return None  # there is no such file
    return "you turned it off: wasp telemetry off"


def off_file(environment: Mapping[str, str]) -> str:
    """Its presence means off."""
    return f"{_user_folder(environment, 'XDG_CONFIG_HOME', '.config')}/wasp/telemetry-off"


def _user_folder(environment: Mapping[str, str], variable: str, default: str) -> str:
    """https://specifications.freedesktop.org/basedir-spec: relative paths are ignored."""
    home = environment.get("HOME", "")
    for folder in (environment.get(variable, ""), home and os.path.join(home, default)):
        if os.path.isabs(folder):
            return folder.rstrip("/")
    raise FileNotFoundError("HOME is not set. Set WASP_TELEMETRY_DISABLE instead.")


# --- the two events


def install_event() -> dict[str, Any]:
    """What is sent when an install starts: a random number, and the operating system."""
    return {
        "api_key": collector()[1],
        "type": "capture",
        "event": "install-script:run",
        # 24 digits, the first not 0.
        "distinct_id": str(10**23 + int.from_bytes(os.urandom(32), "big") % (9 * 10**23)),
        "properties": {"os": this_os()},
    }


def cli_event(
    distinct_id: str, project_hash: str, is_build: bool, deploy_cmd_args: str, wasp_version: str
) -> dict[str, Any]:
    """What is sent when ``wasp`` is used in a project."""
    return {
        "api_key": collector()[1],
        "event": "cli",
        "distinct_id": distinct_id,
        "properties": {
            "project_hash": project_hash,
            "is_build": is_build,
            "deploy_cmd_args": deploy_cmd_args,
            "wasp_version": wasp_version,
            "os": this_os(),
            "context": context_of(os.environ),
        },
    }


def this_os() -> str:
    """linux, osx, windows or Unknown."""
    return {"linux": "linux", "darwin": "osx", "win32": "windows"}.get(sys.platform, "Unknown")


def is_build(arguments: Sequence[str]) -> bool:
    """Whether the command is ``wasp build``, which ``wasp build start`` is not."""
    return [*arguments[:1]] == ["build"] and [*arguments[1:2]] != ["start"]


def deploy_keywords(arguments: Sequence[str]) -> str:
    """The arguments of ``wasp deploy`` that may be sent; "" for other commands."""
    is_deploy = [*arguments[:1]] == ["deploy"]
    return ";".join([it for it in arguments[1:] if is_deploy and it in DEPLOY_KEYWORDS][:20])


def is_on_ci(environment: Mapping[str, str]) -> bool:
    """Whether this is continuous integration, by its variables."""
    return any(environment.get(name, "").lower() not in ("", "0", "false") for name in CI_VARIABLES)


def context_of(environment: Mapping[str, str]) -> str:
    """At most 200 plain characters: WASP_TELEMETRY_CONTEXT, then "CI" on CI."""
    text = "".join(filter(str.isprintable, environment.get("WASP_TELEMETRY_CONTEXT", ""))).strip()
    suffix = " CI" if is_on_ci(environment) else ""
    return (text[: 200 - len(suffix)].strip() + suffix).strip()


# --- when to send


class State:
    """What is remembered of a project, or nothing where it cannot be read.

    ``ends``: the last second of the pause of other commands (False) and of ``wasp build`` (True).
    ``deploy``: keywords that no event has carried yet. ``spread``: this project's part of another
    hour after a failure, so that no flood follows an outage.
    """

    def __init__(self, text: str = "", spread: int = 0) -> None:
        self.ends, self.deploy, self.spread = [0, 0], "", spread
        try:
            other, build, deploy = text.rstrip("\n").split(" ")
            self.ends = [int(other), int(build)]
        except ValueError:
            return
        self.deploy = deploy_keywords(["deploy", *deploy.split(";")])

    def to_text(self) -> str:
        """One line; the module for JSON takes 7 ms."""
        return f"{self.ends[False]} {self.ends[True]} {self.deploy}\n"

    def begin(self, now: int, build: bool, deploy: str, may_send: bool = True) -> bool:
        """Whether an invocation at ``now`` sends an event, with the keywords in ``deploy``."""
        self.deploy = deploy or self.deploy
        # The clock may have been set back, even by years.
        self.ends[build] = min(self.ends[build], now + PAUSE_S)
        if not may_send or now <= self.ends[build]:
            return False
        self.ends[build] = now + FAILED_PAUSE_S + self.spread  # until the event is on its way
        return True

    def settle(self, begun: int, build: bool, deploy: str, taken: bool) -> None:
        """The event with these keywords is on its way, or was not taken."""
        self.ends[build] = begun + (PAUSE_S if taken else FAILED_PAUSE_S + self.spread)
        if not taken:
            self.deploy = self.deploy or deploy
        elif self.deploy == deploy:  # no other was remembered meanwhile
            self.deploy = ""


# --- what is kept on this machine


class Store:
    """The folder with this machine's id, its secret, and the state of projects; raises OSError.

    WASP_TELEMETRY_USER_ID replaces id and secret: one person, many machines.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._user_id = os.fsencode(os.environ.get("WASP_TELEMETRY_USER_ID", ""))

    def make(self) -> None:
        """Nothing above the cache: a home that was removed stays away."""
        wasp = os.path.dirname(self.folder)
        for folder in (os.path.dirname(wasp), wasp, self.folder):
            if not os.path.isdir(folder):
                os.mkdir(folder, 0o700)
        os.chmod(self.folder, 0o700)  # Wasp itself may have made it, readable to all

    def distinct_id(self) -> str:
        """The random UUID of this machine, as Wasp itself uses it; or the hash of a user id."""
        if self._user_id:
            return _sha256(self._user_id).hex()
        import re

        form = re.compile(rb"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\n?")
        new = os.urandom(16).hex()
        new = f"{new[:8]}-{new[8:12]}-4{new[13:16]}-a{new[17:20]}-{new[20:]}"
        return self._once("signature", form.fullmatch, new.encode()).decode().strip()

    def project_hash(self, project: str) -> str:
        """16 hex digits for an absolute path, which nobody can guess without the secret."""
        # Not the hash of the user id alone, which is sent.
        secret = _sha256(b"wasp project secret of " + self._user_id)
        if not self._user_id:
            secret = self._once("secret", lambda known: len(known) == 32, os.urandom(32))
        return _hmac_sha256(secret, os.fsencode(project)).hex()[:16]

    def _once(self, name: str, is_good: Callable[[bytes], Any], new: bytes) -> bytes:
        """The content of a file, which becomes ``new`` where it is not good."""
        content = self.read(name)
        if not is_good(content):
            with self.lock():
                content = self.read(name)  # another process may have been first
                if not is_good(content):
                    self.write(name, new)
                    content = new
        return content

    def lock(self, name: str = "lock", wait: bool = True) -> IO[bytes]:
        """For who changes anything, until it is closed."""
        import fcntl

        file = open(os.path.join(self.folder, name), "ab", opener=_open)  # noqa: SIM115
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file

    def sender(self) -> IO[bytes] | None:
        """While it is open, this process may send; None where enough others do."""
        for number in range(SENDERS_LIMIT):
            try:
                return self.lock(f"sender-{number}", wait=False)
            except BlockingIOError:
                continue
        return None

    def read(self, name: str, limit: int = 1024) -> bytes:
        """At most ``limit`` bytes of a file; none where it cannot be read."""
        try:
            with open(os.path.join(self.folder, name), "rb", 0, opener=_open) as file:
                return file.read(limit) or b""
        except OSError:
            return b""

    def remove(self, name: str) -> None:
        """Removes a file that may be there; only with the lock."""
        try:
            os.unlink(os.path.join(self.folder, name))
        except FileNotFoundError:
            return

    def write(self, name: str, content: bytes) -> None:
        """Writes a file, whole or not at all; only with the lock."""
        path = os.path.join(self.folder, name)
        self.remove(f"{name}.new")  # it may be a link to elsewhere
        with open(f"{path}.new", "xb", opener=_open) as file:
            file.write(content)
        os.replace(f"{path}.new", path)


def _open(path: str, flags: int) -> int:
    """For this user alone, through no link, and without waiting for a pipe."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)


def usable_folder() -> str:
    """The folder for the Store; OSError where it is another user's, as with sudo."""
    folder = there = _user_folder(os.environ, "XDG_CACHE_HOME", ".cache") + "/wasp/telemetry"
    for _ in range(3):
        there = there if os.path.isdir(there) else os.path.dirname(there)
    places = [there, *filter(os.path.isdir, [os.environ.get("HOME", "")])]
    is_open = os.access(there, os.W_OK | os.X_OK)
    if not is_open or {os.stat(place).st_uid for place in places} != {os.geteuid()}:
        raise PermissionError("you have no home folder to write to")
    return folder


def current_project() -> str | None:
    """The nearest folder upwards with .wasproot."""
    try:
        folder = os.getcwd()
    except OSError:
        return None  # it was removed
    while not os.path.exists(os.path.join(folder, ".wasproot")):
        if folder == "/":
            return None
        folder = os.path.dirname(folder)
    return folder


def _sha256(data: bytes) -> bytes:
    """If possible, without OpenSSL, which takes 5 ms to load."""
    try:
        module = __import__("_sha2" if sys.version_info >= (3, 12) else "_sha256")
    except ImportError:
        module = __import__("hashlib")
    return bytes(module.sha256(data).digest())


def _hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104, for keys of at most 64 bytes; the module hmac takes 8 ms."""
    block = key.ljust(64, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    return _sha256(outer + _sha256(inner + message))


# --- sending


def collector() -> tuple[str, str]:
    """Address and key."""
    url = os.environ.get("WASP_TELEMETRY_URL") or DEFAULT_URL
    return url, os.environ.get("WASP_TELEMETRY_KEY") or DEFAULT_KEY


def parts_of(url: str) -> tuple[str, int, str]:
    """Host, port and path; ValueError unless it is https or on this machine."""
    import re

    here, anywhere = r"localhost|\[::1\]|127(?:\.[0-9]{1,3}){3}", r"\[[0-9A-Fa-f:]+\]|[\w.-]+"
    hosts = rf"(?:http://({here})|https://({anywhere}))"
    found = re.fullmatch(rf"{hosts}(?::([0-9]{{1,5}}))?(/[!-~]*)?", url, re.ASCII)
    port = int(found[3] or (80 if found[1] else 443)) if found else 65536
    if not found or port > 65535:
        raise ValueError(f"{url} is not an https address")
    return (found[1] or found[2]).strip("[]"), port, found[4] or "/"


def ask(
    url: str,
    body: str = "",
    when_connected: Callable[[], None] = lambda: None,
    fields: str = "Content-Type: application/json\r\n",
) -> tuple[int, bytes]:
    """Sends one HTTP request, a POST if it has a body; returns the status and the answer.

    No redirect is followed. Raises OSError, ValueError. By hand, as http.client takes 10 ms.
    """
    from socket import create_connection

    host, port, path = parts_of(url)
    method, length = ("POST", f"Content-Length: {len(body)}\r\n") if body else ("GET", "")
    head = f"{method} {path} HTTP/1.1\r\nHost: {url.split('/')[2]}\r\n{fields}{length}"
    head += "Accept-Encoding: identity\r\nUser-Agent: wasp\r\nConnection: close\r\n\r\n"
    connection = create_connection((host, port), timeout=3)
    with _secured(connection, host) if url.startswith("https:") else connection as connection:
        when_connected()
        connection.sendall((head + body).encode("ascii"))
        data = piece = connection.recv(65536)
        while piece and len(data) < ANSWER_LIMIT_BYTES:
            piece = connection.recv(65536)
            data += piece
    return _answer(data)


def _answer(data: bytes) -> tuple[int, bytes]:
    """Status and content."""
    head, _, data = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1."):
        raise ValueError("no answer in HTTP")
    if b"\ntransfer-encoding: chunked" not in head.lower():
        return int(head[9:12]), data
    content, size = b"", 1
    while size > 0:
        line, _, data = data.partition(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        content, data = content + data[: max(size, 0)], data[size + 2 :]
    return int(head[9:12]), content


def _secured(connection: socket, host: str) -> socket:
    """TLS with the authorities of the system, SSL_CERT_FILE or SSL_CERT_DIR."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    folder = ssl.get_default_verify_paths().capath
    is_hashed = folder and any(name.endswith(".0") for name in os.listdir(folder))
    if is_hashed and "SSL_CERT_FILE" not in os.environ:
        # Reads only what it needs; all take 20 ms.
        context.load_verify_locations(capath=folder)
    else:
        context.load_default_certs()
        if sys.platform == "darwin" and not context.cert_store_stats()["x509_ca"]:
            context.load_verify_locations("/etc/ssl/cert.pem")  # Python's own build knows none
    return context.wrap_socket(connection, server_hostname=host)


# --- one invocation


class Invocation:
    """One call of ``wasp``, in the project at this absolute path."""

    def __init__(
        self, arguments: Sequence[str], wasp_version: str, project: str, store: Store
    ) -> None:
        self.build, self.deploy = is_build(arguments), deploy_keywords(arguments)
        is_version = wasp_version.replace(".", "").replace("-", "").isalnum()
        self.wasp_version, self._store = wasp_version if is_version else "", store
        self._project_hash = store.project_hash(project)
        self._file = f"project-{self._project_hash}"

    def state(self) -> State:
        """As it is kept now."""
        text = self._store.read(self._file).decode("ascii", "replace")
        return State(text, int(self._project_hash[:8], 16) * FAILED_PAUSE_S >> 32)

    def body(self, deploy: str) -> str:
        """What it sends, with these keywords."""
        user, project = self._store.distinct_id(), self._project_hash
        return _json(cli_event(user, project, self.build, deploy, self.wasp_version))

    def is_due(self, now: int) -> bool:
        """Whether there is something to send or to remember."""
        state = self.state()
        before = state.to_text()
        return state.begin(now, self.build, self.deploy) or state.to_text() != before

    def send(
        self,
        clock: Callable[[], float] = time.time,
        ask: Callable[..., Any] = ask,
        may_send: bool = True,
    ) -> bytes | None:
        """Sends the event; returns the answer, or None in a pause.

        The attempt is noted first, so of many at once, one sends.
        """
        with self._store.lock():
            # Not earlier: whoever had the lock would have sent in the future.
            now = int(clock())
            state = self.state()
            sends = state.begin(now, self.build, self.deploy, may_send)
            self._store.write(self._file, state.to_text().encode())
        if not sends:
            return None
        deploy = state.deploy

        def settle(taken: bool) -> None:
            with self._store.lock():
                if not 0 <= clock() - now < STALE_S:
                    # It slept, perhaps with the machine; another may have sent meanwhile.
                    raise TimeoutError("this attempt came too late")
                state = self.state()
                state.settle(now, self.build, deploy, taken)
                self._store.write(self._file, state.to_text().encode())

        status, answer = ask(collector()[0], self.body(deploy), lambda: settle(taken=True))
        # 500, 502 or 504 may come from a proxy when the event was taken.
        if 300 <= status < 500 or status == 503:
            settle(taken=False)
        return answer if 200 <= status < 300 else b""


def _json(event: Mapping[str, Any]) -> str:
    import json

    return json.dumps(event)


def _invoked(wasp_version: str, arguments: Sequence[str]) -> None:
    project, store = current_project(), Store(usable_folder())
    if project is None:
        return
    if not is_debugging():
        _detach()
    store.make()
    invocation = Invocation(arguments, wasp_version, project, store)
    if is_debugging():
        print(invocation.body(invocation.deploy or invocation.state().deploy), file=sys.stderr)
    elif invocation.is_due(int(time.time())):
        _keep_compiled()
        answer: bytes | None = b""
        place = store.sender()
        try:
            answer = invocation.send(may_send=place is not None)
        finally:
            if answer is not None:  # also for who could not send
                import telemetry_messages

                telemetry_messages.look(store, invocation.wasp_version, answer, int(time.time()))


def _installed() -> None:
    body = _json(install_event())
    if is_debugging():
        print(body, file=sys.stderr)
    else:
        _detach()
        ask(collector()[0], body)


def is_debugging() -> bool:
    """Whether events are printed, not sent."""
    return os.environ.get("WASP_TELEMETRY_DEBUG", "") not in ("", "0")


def _detach() -> None:
    """Away from Ctrl-C, a closed terminal, and who waits; ends at the deadline."""
    if sys.platform == "win32":  # it was started detached
        from threading import Timer

        Timer(DEADLINE_S, os._exit, [0]).start()
        return
    signals = __import__("_signal")  # without what signal itself imports
    signals.signal(signals.SIGALRM, signals.SIG_DFL)
    signals.pthread_sigmask(signals.SIG_UNBLOCK, [signals.SIGALRM])
    signals.alarm(DEADLINE_S)
    if os.getpgrp() != os.getpid():  # who leads a group cannot leave it
        os.setsid()
    os.nice(max(0, 10 - os.nice(0)))  # the launcher may have done it
    os.closerange(3, 4096)  # who reads a pipe waits for all of its other ends
    os.chdir("/")  # the folder may be removed or unmounted meanwhile


def _keep_compiled() -> None:
    """Keeps what Python compiles of our files, in a folder of this user's own.

    From inside it: an import would make a folder that was removed anew.
    """
    kept, folder = getattr(__spec__, "cached", None), os.path.dirname(os.path.abspath(__file__))
    if not kept or os.stat(folder).st_uid != os.geteuid():
        return
    if not os.path.exists(kept) or os.path.getmtime(kept) < os.path.getctime(__file__):
        from py_compile import compile as keep

        os.chdir(folder)
        keep("telemetry_ping.py")
        keep("telemetry_messages.py")
        os.chdir("/")


# --- wasp telemetry

_USAGE = """\
usage: wasp telemetry          print whether it is on, and when it sends
       wasp telemetry show     print the exact data that it would send now
       wasp telemetry off      turn it off, for all projects
       wasp telemetry on       turn it on again
"""


def command(wasp_version: str, word: str) -> int:
    """``wasp telemetry [on|off|show]``; returns the exit code."""
    from contextlib import suppress

    try:
        if word == "off":
            os.makedirs(os.path.dirname(off_file(os.environ)), exist_ok=True)
            with open(off_file(os.environ), "w", encoding="ascii") as file:
                file.write("While this file is here, Wasp sends no telemetry.\n")
            print("Telemetry: DISABLED. To turn it on again: wasp telemetry on")
        elif word in ("", "on", "show"):
            if word == "on":
                with suppress(FileNotFoundError):
                    os.remove(off_file(os.environ))
            _report(wasp_version, word == "show")
        else:
            print(_USAGE, end="", file=sys.stderr)
            return 0 if word in ("-h", "--help") else 2
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 7
    return 0


def _report(wasp_version: str, shows: bool) -> None:
    """Prints whether and when telemetry sends; then the exact data, or a sample."""
    output = sys.stderr if shows else sys.stdout
    reason, project, now = opt_out_reason(os.environ), current_project(), int(time.time())
    try:
        store, state = Store(usable_folder()), State()
        parts_of(collector()[0])
    except (OSError, ValueError) as error:
        reason = reason or str(error)
    print(f"Telemetry: DISABLED ({reason})" if reason else "Telemetry: ENABLED", file=output)
    if reason:
        return
    if project is None:
        sampled = " This is a sample:" if shows else ""
        print(f"This is not a Wasp project, so nothing is sent.{sampled}", file=output)
        sample = "bf3fa7a8-1c11-4f82-9542-ec1a2d28786b", "6d7e561d62b955d1", False, ""
        body = _json(cli_event(*sample, wasp_version))
    elif shows or os.path.isdir(store.folder):
        store.make()
        invocation = Invocation([], wasp_version, project, store)
        state = invocation.state()
        body = invocation.body(state.deploy)
    for build, name in enumerate(("other commands", "wasp build") if project else ()):
        state.begin(now, bool(build), "", may_send=False)  # as far as the clock goes
        until = time.strftime("no event until %Y-%m-%d %H:%M:%S", time.localtime(state.ends[build]))
        when = until if now <= state.ends[build] else "an event next time"
        print(f"In this project, {name}: {when}", file=output)
    if shows:
        print(body)


# --- running this file


def main(arguments: Sequence[str]) -> int:
    """``installed``, ``invoked VERSION [ARGUMENT...]`` or ``telemetry VERSION [WORD]``.

    Only the last does anything after an opt-out. Returns the exit code.
    """
    name, version, rest = "".join(arguments[:1]), "".join(arguments[1:2]), arguments[2:]
    if name == "telemetry":
        return command(version, " ".join(rest))
    if opt_out_reason(os.environ) is not None:
        return 0
    try:
        if name == "invoked":
            _invoked(version, rest)
        elif name == "installed":
            _installed()
    except Exception as error:  # noqa: BLE001 - a user's command goes on
        if is_debugging():
            print(repr(error), file=sys.stderr)
    return 0


def run(arguments: Sequence[str]) -> NoReturn:
    """``main`` as a process of its own."""
    code = main(arguments)
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except OSError:
        code = code or 1  # nobody reads any more
    os._exit(code)  # cleaning up takes milliseconds


if __name__ == "__main__":
    run(sys.argv[1:])
%file telemetry_messages.py
"""Messages back: what the Wasp team has to say to the users of a version.

After an event, telemetry_ping.py lets this look for them: in what the collector answered and, once
in 12 hours, in the news feed and where this Wasp came from. No request says anything of the user.
The launcher prints the text that comes of it, and empties that.
"""

from __future__ import annotations

import json
import os
import re

import telemetry_ping as ping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Message = dict[str, Any]

DEFAULT_NEWS_URL = "https://news.wasp.sh"
LEVELS = ("critical", "important", "info")

DAY_S = 24 * 60 * 60
DAILY_S = 20 * 60 * 60  # nobody comes back at the same second

#: What bad text raises.
BROKEN = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


def version_key(version: str) -> tuple[Any, ...]:
    """Sorts versions as https://semver.org does; ValueError for what is none."""
    form = r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9a-z-]+(?:\.[0-9a-z-]+)*))?"
    found = re.fullmatch(form, version, re.ASCII | re.IGNORECASE)
    if not found:
        raise ValueError("not a version")
    parts = (found[4] or "").split(".")
    order = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
    return int(found[1]), int(found[2]), int(found[3]), not found[4], order


def is_in_range(version: str, text: str) -> bool:
    """Whether ``version`` is in a range such as ``>=0.20.0 <0.25.1 || 0.26.0``."""
    # All are read, so that no mistake hides.
    alternatives = [[_holds(version, word) for word in part.split()] for part in text.split("||")]
    if len(text) > 200 or [] in alternatives:
        raise ValueError("not a range")
    return any(map(all, alternatives))


def _holds(version: str, word: str) -> bool:
    limit = word.lstrip("<>=")
    a, b = version_key(version), version_key(limit)
    held = {"": a == b, "=": a == b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}
    return held[word[: len(word) - len(limit)]]


def newer_releases(releases: list[str], version: str) -> list[str]:
    """The newest of the line of ``version`` (0.25, or 1), and of the others, or ""."""
    size, found = 2 if version.startswith("0.") else 1, ["", ""]
    for newer in sorted(releases, key=version_key):
        if version_key(newer) > version_key(version):
            found[version_key(newer)[:size] != version_key(version)[:size]] = newer
    return found


def _is_release(version: str) -> bool:
    return bool(re.fullmatch(r"\d{1,9}(\.\d{1,9}){2}", version, re.ASCII))


def messages_from(value: list[Message]) -> list[Message]:
    """The messages of a feed; as in ``wasp news``, a bad one refuses all."""
    return [_message(fields) for fields in value[:1000]]


def _message(fields: Message) -> Message:
    message = {name: _plain(fields[name]) for name in ("id", "level", "title", "body")}
    message["body"] = message["body"][:800]
    for name in ("publishedAt", "url", "affectedVersions"):
        message[name] = fields.get(name) or ""
    is_https = re.fullmatch(r"(https://[!-~]{1,200})?", message["url"])
    if message["level"] not in LEVELS or len(fields["title"]) > 60 or not is_https:
        raise ValueError("not a message")
    published_at(message)
    is_in_range("0.0.0", message["affectedVersions"] or "0.0.0")
    return message


def _plain(text: str) -> str:
    """One line of ASCII: nothing that colours, hides, or looks like something else."""
    from unicodedata import normalize

    quotes = str.maketrans("\u2018\u2019\u201c\u201d\u2013\u2014", "''\"\"--")
    ascii_text = normalize("NFKD", text.translate(quotes)).encode("ascii", "ignore").decode()
    return " ".join(re.sub("[^!-~]", " ", ascii_text).split())


def published_at(message: Message) -> int:
    """Seconds since 1970, of a time like 2026-01-31T12:00:00Z; else ValueError."""
    from datetime import datetime

    form = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)"
    found = re.fullmatch(form, message["publishedAt"], re.ASCII)
    if not found:
        raise ValueError("not a full time")
    return int(datetime.fromisoformat(found[1] + found[3].replace("Z", "+00:00")).timestamp())


class News:
    """What ``messages.json`` keeps; nothing when it cannot be read.

    ``looked_at`` and ``shown``: seconds since 1970; ``ready``: what a version's text has in it.
    """

    def __init__(self, text: bytes = b"") -> None:
        self.looked_at = 0
        self.feed: list[Message] = []
        self.answer: list[Message] = []
        self.releases: list[str] = []
        self.shown: dict[str, int] = {}
        self.ready: dict[str, list[str]] = {}
        try:
            kept = json.loads(text)
            self.shown = {name: int(at) for name, at in kept["shown"].items()}
            self.ready = {name: [*map(str, its)] for name, its in kept["ready"].items()}
            self.looked_at = int(kept["looked_at"])
            self.releases = [*filter(_is_release, kept["releases"])]
            self.feed, self.answer = map(messages_from, (kept["feed"], kept["answer"]))
        except BROKEN:
            return

    def to_text(self) -> bytes:
        """As JSON."""
        return json.dumps(vars(self)).encode("ascii")

    def due(self, version: str, now: int) -> dict[str, list[str]]:
        """Names and lines of what users of ``version`` are to read, the gravest first."""

        def is_due(name: str, pause: int) -> bool:
            return not 0 <= now - self.shown.get(name, -pause) < pause

        found: dict[str, list[str]] = {}
        infos: dict[str, list[str]] = {}
        patch, breaking = newer_releases(self.releases, version)
        for message in sorted(self.feed + self.answer, key=_gravity):
            name, level = message["id"], message["level"]
            pause = DAILY_S if level == "critical" else now
            if name not in found and is_due(name, pause) and _concerns(message, version, now):
                into = infos if level == "info" else found
                into[name] = _lines_of(message, [patch, breaking])
        if patch and is_due(" patch", DAILY_S):
            text = f"Wasp {patch} is out, a newer patch of your {version}."
            # No message has a name with a space in front.
            found[" patch"] = _lines(text, "", update_command(patch))
        if breaking and is_due(" release", 6 * DAY_S + DAILY_S):
            text = f"Wasp {breaking} is out; you have {version}. Your project may need changes."
            notes = f"What changed: https://github.com/wasp-lang/wasp/releases/tag/v{breaking}"
            found[" release"] = _lines(text, "", notes, update_command(breaking))
        # Infos never by themselves.
        return dict([*found.items(), *(infos.items() if found else ())][:3])


def _gravity(message: Message) -> tuple[int, int]:
    return LEVELS.index(message["level"]), -published_at(message)


def _concerns(message: Message, version: str, now: int) -> bool:
    age, affected = now - published_at(message), message["affectedVersions"]
    # Newcomers get no old news.
    is_news = message["level"] == "critical" or age < 30 * DAY_S
    return age >= -DAY_S and (is_in_range(version, affected) if affected else is_news)


def _lines_of(message: Message, newer: list[str]) -> list[str]:
    more = f"More: {message['url']}" if message["url"] else ""
    if message["level"] != "critical":
        return _lines(message["title"], message["body"], more)
    affected = message["affectedVersions"] or "0.0.0"
    fixed = [found for found in newer if found and not is_in_range(found, affected)]
    links, rule = (more, update_command("".join(fixed[:1]))), "!" * 76
    return [rule, *_lines(f"CRITICAL: {message['title']}", message["body"], *links), rule]


def _lines(title: str, body: str, *links: str) -> list[str]:
    """Wrapped, but for links and commands, which are copied."""
    from textwrap import indent, wrap

    first, then = wrap(title, 76), wrap(body, 74)
    return [*first, *(indent(line, "  ") for line in (*then, *links) if line)]


def update_command(version: str) -> str:
    """What gets ``version`` into this install; "" without our manager."""
    from shlex import quote

    root = os.path.dirname(os.path.abspath(ping.__file__))
    wasp = quote(root[: -len("/share/wasp-lang")] + "/bin/wasp")
    home = os.path.join(os.environ.get("HOME", ""), "")
    if len(home) > 1 and wasp.startswith(home):
        wasp = f"~/{wasp[len(home) :]}"
    sudo = "" if os.access(root, os.W_OK) else "sudo "
    line = f"To update: {sudo}{wasp} installer update {version}".rstrip()
    is_ours = os.path.exists(f"{root}/wasp-installer.sh")
    return line if is_ours and line.isascii() and line.isprintable() else ""


def look(store: ping.Store, version: str, answer: bytes, now: int) -> None:
    """Prepares what the launcher shows; a channel that fails is left out."""
    if "WASP_AUTO_NEWS_DISABLE" in os.environ or ping.is_on_ci(os.environ):
        return
    feed = os.environ.get("WASP_NEWS_SERVER_URL") or DEFAULT_NEWS_URL
    channels: dict[str, Callable[[], Any]] = {
        "answer": lambda: messages_from(json.loads(answer)["messages"])
    }
    with store.lock():
        news = _news(store)
        if not 0 <= now - news.looked_at <= ping.PAUSE_S:
            news.looked_at = now
            channels["feed"] = lambda: messages_from(_get(feed))
            channels["releases"] = lambda: _releases(version)
        _prepare(store, news, version, now)
    for name, channel in channels.items():
        try:
            found = channel()
        except (*BROKEN, OSError):
            continue
        # The next may take until the deadline.
        with store.lock():
            news = _news(store)
            setattr(news, name, found)
            _prepare(store, news, version, now)


def _news(store: ping.Store) -> News:
    return News(store.read("messages.json", 8 * ping.ANSWER_LIMIT_BYTES))


def _prepare(store: ping.Store, news: News, version: str, now: int) -> None:
    """Writes the text for ``version``; an empty one was shown."""
    name = f"messages-{version}"
    path = f"{store.folder}/{name}"
    if os.path.exists(path) and os.path.getsize(path) == 0:
        at = int(os.path.getmtime(path))
        news.shown.update(dict.fromkeys(news.ready.get(version, []), at))
    due = news.due(version, now)
    news.ready[version] = list(due)
    # Gone first, as an empty text would make new names pass for shown.
    store.remove(name)
    store.write("messages.json", news.to_text())
    if due:
        text = "".join(f"{line}\n" for lines in due.values() for line in (*lines, ""))
        store.write(name, text.encode("ascii"))


def _get(url: str, accept: str = "application/json") -> Any:
    status, content = ping.ask(url, fields=f"Accept: {accept}\r\n")
    if status != 200:
        raise ValueError(status)
    return json.loads(content)


def _releases(version: str) -> list[str]:
    """Those of where a version came from, by its receipt."""
    folder = os.path.dirname(os.path.abspath(ping.__file__))
    with open(f"{folder}/{version}/.receipt.json", "rb") as file:
        receipt = json.load(file)
    if receipt["source"] == "npm":
        accept = "application/vnd.npm.install-v1+json, application/json"
        registry = receipt["url"].partition("/@wasp.sh")[0]
        listed = _get(f"{registry}/@wasp.sh%2fwasp-cli", accept)["versions"].items()
        found = [name for name, its in listed if not its.get("deprecated")]
    else:
        base = receipt["url"].partition("/wasp-lang/wasp/")[0]
        api = "https://api.github.com" if base == "https://github.com" else f"{base}/api/v3"
        listed = _get(f"{api}/repos/wasp-lang/wasp/releases?per_page=20")
        found = [one["tag_name"].lstrip("v") for one in listed if not one.get("prerelease")]
    return [*filter(_is_release, found)]
%file project_version.sh
# shellcheck shell=sh disable=SC2015,SC2086,SC2154,SC2295
# The launcher reads this where several versions are installed. A project says in main.wasp or main.wasp.ts what it
# wants: wasp: { version: "^0.24.0" }. Sets _wasp_version to what runs here.

# Sets _wanted to the version in the file $1, and _caret to its ^.
_read_requirement() {
	_code='' _comment='' _wanted='' _lines=0
	while [ -z "$_wanted" ] && { IFS= read -r _line || [ "$_line" ]; }; do
		_read_line
		_lines=$((_lines + 1))
		# Shells read byte by byte; from here on sed is faster.
		[ "$_lines" != 60 ] || break
	done <"$1"
	[ -z "$_wanted" ] && [ "$_lines" = 60 ] || return 0
	_line=$(sed -n '61,$ { /wasp.*:/,/}/p; }' "$1" | tr '\n' ' ')
	_read_line
}

# Adds _line to _code, without comments and blanks, until the version is met.
_read_line() {
	while [ "$_line" ]; do
		[ -z "$_comment" ] \
			|| case $_line in *'*/'*) _line=${_line#*'*/'} _comment='' ;; *) return ;; esac
		_piece=${_line%%[\"\'\`/]*}
		_line=${_line#"$_piece"}
		for _word in $_piece; do _code=$_code$_word; done
		case $_line in
			//*) return ;;
			/\**) _comment=yes ;;
			/*) _line=${_line#/} ;;
			?*) _read_string ;;
		esac
	done
}

# Takes a string from _line, which may be the version, or the name of a field.
_read_string() {
	_quote=${_line%"${_line#?}"}
	_line=${_line#?}
	_piece=${_line%%"$_quote"*}
	while case $_piece in *\\) [ "$_line" != "$_piece" ] ;; *) false ;; esac do
		_line=${_line#"$_piece$_quote"}
		_piece=${_line%%"$_quote"*}
	done
	_line=${_line#"$_piece"}
	_line=${_line#?}
	_field='wasp:{'
	case $_code in
		*[!A-Za-z0-9_]$_field* | $_field*)
			case ${_code##*$_field} in
				*\}*) ;;
				version: | *[!A-Za-z0-9_]version:)
					_wanted=${_piece#^} _caret=${_piece%"$_wanted"} _line=''
					return
					;;
			esac
			;;
	esac
	case $_piece in wasp | version) ;; *) _piece=\" ;; esac
	_code=$_code$_piece
}

# Whether $1 is the wanted version, or with the caret a later one with the same first number that is not 0.
_satisfies() {
	[ "$1" != "$_wanted" ] || return 0
	case $_caret$1.${_wanted%-rc*} in ^*[!0-9.]* | [!^]*) return 1 ;; ^*.*.*.*.*.*) ;; *) return 1 ;; esac
	IFS=.
	set -- $1 ${_wanted%-rc*}
	unset IFS
	case $1.$2,$4.$5 in
		0.0,* | *,0.0) return 1 ;;
		0.*) [ "$1.$2" = "$4.$5" ] && [ "$3" -ge "$6" ] ;;
		*) [ "$1" = "$4" ] && ! _is_newer "$4.$5.$6" "$1.$2.$3" ;;
	esac
}

# Whether $1 is newer than $2.
_is_newer() {
	IFS=.
	set -- $1 $2
	unset IFS
	[ "$1" -gt "$4" ] || { [ "$1" = "$4" ] && { [ "$2" -gt "$5" ] || { [ "$2" = "$5" ] && [ "${3%-*}" -gt "${6%-*}" ]; }; }; }
}

# The current version if it will do, else the newest that does.
_choose() {
	! _satisfies "$_wasp_version" || return 0
	_chosen=
	for _dir in "$_wasp_root"/*/wasp-bin; do
		_dir=${_dir%/wasp-bin}
		_word=${_dir##*/}
		[ -f "$_dir/.receipt.json" ] && _satisfies "$_word" || continue
		[ "$_chosen" ] && ! _is_newer "$_word" "$_chosen" || _chosen=$_word
	done
	if [ "$_chosen" ]; then
		_wasp_version=$_chosen
	elif [ -t 2 ]; then
		printf 'wasp: this project wants Wasp %s, and this is %s. To get it: wasp installer update %s\n' \
			"$_caret$_wanted" "$_wasp_version" "$_wanted" >&2
	fi
}

for _file in "$_path/main.wasp" "$_path/main.wasp.ts"; do
	[ -f "$_file" ] && [ -r "$_file" ] || continue
	set -f
	_read_requirement "$_file"
	set +f
	case $_wanted in '' | *[!0-9A-Za-z.-]*) ;; *) _choose ;; esac
	break
done
%file env.sh
# shellcheck shell=sh
# Start-up files read this: it puts Wasp on PATH and sets up tab completion.
%sh_root
__wasp_bin=${__wasp_root%/share/wasp-lang}/bin
case ":${PATH-}:" in
	*:"$__wasp_bin":*) ;;
	*)
		# An active conda or venv environment stays first.
		case ${PATH-}: in
			"${CONDA_PREFIX:-//}/bin":*) PATH=$CONDA_PREFIX/bin:$__wasp_bin${PATH#"$CONDA_PREFIX/bin"} ;;
			"${VIRTUAL_ENV:-//}/bin":*) PATH=$VIRTUAL_ENV/bin:$__wasp_bin${PATH#"$VIRTUAL_ENV/bin"} ;;
			*) PATH=$__wasp_bin${PATH:+:$PATH} ;;
		esac
		export PATH
		;;
esac
case $- in
	*i*)
		if [ -n "${BASH_VERSINFO-}" ] && [ -r "$__wasp_root/completions/wasp.bash" ]; then
			. "$__wasp_root/completions/wasp.bash"
		elif [ -n "${ZSH_EVAL_CONTEXT-}" ] && [ -r "$__wasp_root/completions/_wasp" ]; then
			. "$__wasp_root/completions/_wasp"
		fi
		;;
esac
unset __wasp_root __wasp_bin
%file env.fish
# conf.d/wasp.fish reads this:
# it puts Wasp on PATH and sets up tab completion.
%fish_root
set -l bin (string replace -r '/share/wasp-lang$' '' -- $__wasp_root)/bin
if not contains -- $bin $PATH
    set -l first (string match -v /bin -- $CONDA_PREFIX/bin $VIRTUAL_ENV/bin)
    if contains -- "$PATH[1]" $first
        # An active conda or venv environment stays first.
        set -gx PATH $PATH[1] $bin $PATH[2..-1]
    else
        set -gx PATH $bin $PATH
    end
end
if status is-interactive; and test -r $__wasp_root/completions/wasp.fish
    source $__wasp_root/completions/wasp.fish
end
set -e __wasp_root
%file completions/wasp.bash
# Tab completion of wasp in bash.

# Wasp lists only some words, and repeats a command that has none.
_wasp() {
  local IFS=$' \t\n' word=${COMP_WORDS[COMP_CWORD]} before="${COMP_WORDS[*]:1:COMP_CWORD-1}" words=
  case $before in
    start) words=db ;;
    build) words=start ;;
    telemetry) words='on off show' ;;
    installer) words=$(command wasp installer --help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\)[] A-Z[]*.*/\1/p') ;;
    'installer use' | 'installer uninstall') words=$(command wasp installer list 2>/dev/null | tr -d '*') ;;
    *' '*) ;;
    *)
      words=$(COMP_LINE="wasp $before " command wasp completion:list 2>/dev/null)
      [ -n "$before" ] || words="$words install news installer"
      [ "$words" != "$before" ] || words=
      ;;
  esac
  COMPREPLY=()
  [ -z "$words" ] || COMPREPLY=($(compgen -W "$words" -- "$word"))
}

complete -o default -F _wasp wasp
%file completions/_wasp
#compdef wasp
# Tab completion of wasp in zsh.

# Sets reply to what may follow these words, some with a colon and a description. Wasp lists only
# some words, and repeats a command that has none.
_wasp_words() {
  emulate -L zsh
  reply=()
  case "$*" in
    start) reply=(db) ;;
    build) reply=(start) ;;
    telemetry) reply=('on:switch it on' 'off:switch it off' 'show:the exact data that is sent') ;;
    installer) reply=(${(f)"$(command wasp installer --help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\)[] A-Z[]*/\1:/p')"}) ;;
    'installer use' | 'installer uninstall') reply=(${${(f)"$(command wasp installer list 2>/dev/null)"}#??}) ;;
    *' '*) ;;
    *)
      reply=(${${(f)"$(COMP_LINE="wasp $* " command wasp completion:list 2>/dev/null)"}//:/\\:})
      [[ -n $1 ]] || reply+=(install news 'installer:manage versions of Wasp')
      [[ $reply != $1 ]] || reply=()
      ;;
  esac
}

_wasp() {
  local -a reply
  _wasp_words "${(@)words[2,CURRENT-1]}"
  if (( $#reply )); then _describe -t commands wasp reply; else _default; fi
}

if [[ ${funcstack[1]} == _wasp ]]; then
  # zsh found this file in fpath.
  _wasp "$@"
else
  # A compinit that comes later looks in fpath.
  typeset -aU fpath
  fpath=("${${(%):-%x}:A:h}" "${fpath[@]}")
  if (( ${+functions[compdef]} )); then
    autoload -Uz _default _describe
    compdef _wasp wasp
  fi
fi
%file completions/wasp.fish
# Tab completion of wasp in fish.

# Wasp lists only some words, and repeats a command that has none.
function __wasp_words
  set -l before (commandline -opc)[2..-1]
  switch "$before"
    case start
      echo db
    case build
      echo start
    case telemetry
      printf '%s\t%s\n' on 'switch it on' off 'switch it off' show 'the exact data that is sent'
    case installer
      command wasp installer --help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\)[] A-Z[]*/\1\t/p'
    case 'installer use' 'installer uninstall'
      command wasp installer list 2>/dev/null | string sub -s 3
    case '* *'
    case ''
      COMP_LINE='wasp ' command wasp completion:list 2>/dev/null
      printf '%s\n' install news installer\t'manage versions of Wasp'
    case '*'
      COMP_LINE="wasp $before " command wasp completion:list 2>/dev/null | string match -v -- "$before"
  end
end

complete -c wasp -f -a '(__wasp_words)'
%file -
END_OF_FILES
}
digests() {
	"$@" <<'END'
- linux-x64-glibc
0.25.0 DkRZuAputH6xful5c33WCmtBtils3SxyfmeTJq2V3PZE
END
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
	for _running in $child $progress $npm_lookup $lookups; do kill "$_running" 2>/dev/null; done
	[ -z "$child$progress" ] || await $child $progress
}
clean_up() {
	stop_helpers
	[ -z "$progress" ] || clear_line
	progress=''
	end_turn
	[ -z "$owner_name" ] || for_each_left_over discard "$share_dir/.staging-$owner_name-"* "$staged_launcher"
	$committed || [ -z "$staging" ] || {
		remove_empty "$bin_dir" "$above_bin"
		remove_empty "$share_dir" "$above_share"
	}
	[ -z "$work" ] || remove_tree "$work"
}
interrupted() {
	[ "$(exec sh -c 'echo $PPID')" = $$ ] || exit "$1"
	ignore_signals
	stop_helpers
	[ -z "$sending" ] || kill "$sending" 2>/dev/null
	[ ! -t 2 ] || printf '\n' >&2
	progress=''
	die "$1" interrupted 'interrupted.' 'Nothing was changed. Run this again to retry.'
}
make_work_folder() {
	case $program in
		*/wasp-installer-"$$"-??????/program) work=${program%/program} ;;
		*)
			_made=wasp-installer-$$-XXXXXX
			_made=$(mktemp -d "${TMPDIR:-/tmp}/$_made" 2>/dev/null || mktemp -d "/tmp/$_made" 2>&1) \
				|| die_file_system 'cannot make a temporary folder' "$_made"
			work=$_made
			;;
	esac
	set -- "${work%/*}"/wasp-installer-*-??????
	[ $# = 1 ] || find "$@" -prune -mtime +0 -exec rm -rf {} + 2>/dev/null
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
	name_owner
	identify_platform
	case $command in list | doctor | update) ;; *) refuse_danger_for_root ;; esac
	"run_${command%%-*}" "$@"
	leave 0
}
[ $# -gt 0 ] || set -- install
main "$0" "$@"
WASP_INSTALLER
}
