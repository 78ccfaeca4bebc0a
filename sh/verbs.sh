# shellcheck shell=sh
# Small verbs: running other programs, changing the file system, comparing versions.

have() {
	command -v "$1" >/dev/null 2>&1
}

need() {
	have "$1" || die 3 missing-tool "you need '$1', which is not on PATH." "$(how_to_install "$1")"
}

# how_to_install TOOL: by the package manager that is here
how_to_install() {
	for _command in 'apt-get install' 'apk add' 'dnf install' 'pacman -S' 'zypper install' 'brew install'; do
		have "${_command%% *}" || continue
		case $_command,$(id -u) in brew* | *,0) ;; *) _command="sudo $_command" ;; esac
		printf 'Install it: %s %s' "$_command" "$1"
		return
	done
	printf "Install it with your system's package manager."
}

# run_waiting STDOUT COMMAND...: runs it with its output in this file, and its complaints in $work/errors, so that a
# signal to this shell is answered at once, not at its end
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

# await PID...: some shells tell of a process that was ended. In others, what a trap says meanwhile would go the same way.
await() {
	case ${ZSH_VERSION-}${YASH_VERSION-} in
		'') wait "$@" 2>/dev/null ;;
		*) wait "$@" ;;
	esac
}

# exec_limited SECONDS COMMAND...: for a subshell: becomes the command, which is ended after so long. macOS has perl
# and no timeout.
exec_limited() {
	! have timeout || exec timeout -k 2 "$@"
	! have perl || exec perl -e 'alarm shift; exec @ARGV' "$@"
	shift
	exec "$@"
}

# ask COMMAND...: prints what a helper program answers, or fails. It has a limit, its complaints are not part of the
# answer, nor what the shell says of one that was ended, and one that fails has not answered.
ask() {
	{ _answer=$(exec_limited "$HELPER_LIMIT_S" "$@"); } 2>/dev/null && [ -n "$_answer" ] && lines "$_answer"
}

# change_in FOLDER COMMAND...: a command that changes something there
change_in() {
	_changed=$1
	shift
	_errors=$("$@" 2>&1 >/dev/null) || die_unwritable "$_changed"
}

# write_file FILE COMMAND...: what the command prints becomes the content of FILE
write_file() {
	_file=$1
	shift
	_errors=$( ("$@" >"$_file") 2>&1) || die_unwritable "${_file%/*}"
}

# die_unwritable FOLDER: with what the system said in _errors
die_unwritable() {
	die_file_system "cannot write to $(pretty "$1")" "$_errors"
}

# die_file_system MESSAGE ERRORS: what the system said decides what to tell. On a full disk, a program's own
# complaint may not fit into a file either.
die_file_system() {
	_slug=file-system _cause=$(plain_text "${2##*: }")
	case $2,$(df -Pk "$share_dir" "$work" 2>/dev/null | awk 'NR > 1 && $4 == 0 { print "full" }') in
		*'ermission denied'* | *'not permitted'*) _slug=permission-denied _cause='permission denied' ;;
		*'ead-only file system'*) _slug=read-only _cause='the file system is read-only' ;;
		*'o space left'* | *'uota exceeded'* | *full) _slug=no-space _cause='no space left on the device (an install needs about 100 MB)' ;;
	esac
	die 7 "$_slug" "$1: ${_cause:-it failed}." 'Choose another place with --prefix DIR.'
}

# is_of_the_system ERRORS: a program names what it met in the file system, not in what it read
is_of_the_system() {
	lines "$1" | grep -qE '(I/O|nput/output|rite) error|o space left|uota exceeded|ead-only file|ermission denied'
}

# remove_tree FOLDER: also one with folders that nobody may write to, as an archive may have
remove_tree() {
	rm -rf "$1" 2>/dev/null || {
		chmod -R u+rwx "$1" 2>/dev/null
		rm -rf "$1"
	}
}

# rename_folder FROM TO: fails when TO is a folder with something in it. Without -T (BSD), mv moves FROM into such a
# folder, which is then undone.
rename_folder() {
	_errors=$(mv -T "$1" "$2" 2>&1) && return 0
	case $_errors in *' option'*) ;; *) return 1 ;; esac
	_errors=$(mv "$1" "$2" 2>&1) || return 1
	[ -e "$2/${1##*/}" ] || return 0
	rm -rf "${2:?}/${1##*/}"
	return 1
}

# find_existing PATH: sets existing to the lowest folder of PATH that is there, or to nothing for the root
find_existing() {
	existing=$1
	while [ -n "$existing" ] && ! [ -e "$existing" ]; do existing=${existing%/*}; done
}

# remove_empty FOLDER ABOVE: the empty folders from FOLDER up, of which some may be gone already, as long as they are below
# ABOVE
remove_empty() {
	_folder=$1
	while case $_folder in "$2"/*) rmdir "$_folder" 2>/dev/null || ! [ -e "$_folder" ] ;; *) false ;; esac do
		_folder=${_folder%/*}
	done
}

# absolute PATH: prints it so. Most shells leave the ~ of --prefix=~/wasp as it is.
absolute() {
	case $1 in /*) _path=$1 ;; \~/*) _path=$home${1#?} ;; *) _path=$PWD/$1 ;; esac
	while [ "$_path" != "${_path%/}" ]; do _path=${_path%/}; done
	lines "$_path"
}

# make_folder FOLDER PATH: the folder PATH, which is below FOLDER, with those above it
make_folder() {
	[ -d "$2" ] || change_in "$1" mkdir -p "$2"
}

# absolute_or PATH OTHER: prints PATH if it is absolute, else the other
absolute_or() {
	case $1 in /*) lines "$1" ;; *) lines "$2" ;; esac
}

# owner_of FILE: prints the number of the user whose it is
owner_of() {
	# shellcheck disable=SC2012 # of the names that ls may spell oddly none is looked at
	ls -ldn "$1" 2>/dev/null | awk '{ print $3; exit }'
}

# escaped TEXT: for inside the double quotes of sh
escaped() {
	case $1 in
		*\\* | *[\"\$\`]*) lines "$1" | sed 's/[\\"$`]/\\&/g' ;;
		*) printf '%s' "$1" ;;
	esac
}

# comes_before A B: the version A is older; a release candidate comes before its release
comes_before() {
	[ "$1" != "$2" ] && [ "$(lines "$1" "$2" | newest_first)" = "$2$newline$1" ]
}

# newest_first: sorts the versions on stdin
newest_first() {
	awk '{
		split($0, parts, "-"); split(parts[1], n, ".")
		key = sprintf("%06d%06d%06d%06d%06d", n[1], n[2], n[3], n[4], (parts[2] == "") ? 999999 : substr(parts[2], 3))
		for (i = NR; i > 1 && keys[i - 1] < key; i--) { keys[i] = keys[i - 1]; versions[i] = versions[i - 1] }
		keys[i] = key; versions[i] = $0
	} END { for (i = 1; i <= NR; i++) print versions[i] }'
}

# is_version TEXT: X.Y.Z, with a fourth number in old releases, or X.Y.Z-rcN; nothing else may reach a path or an
# address. A longer one costs some shells much time.
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
