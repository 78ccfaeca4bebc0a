# shellcheck shell=sh
# What a person reads (stderr), what a program reads (--porcelain), and how a run fails.

# usage: what concerns the command, by its letter before the bar; install has all of it
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

# Colours and bars only where somebody wants to see them: https://no-color.org
choose_colours() {
	bold='' red='' yellow='' plain='' on_terminal=false
	[ -t 2 ] && [ "${TERM-}" != dumb ] && [ -z "${NO_COLOR-}" ] || return 0
	on_terminal=true bold="${escape}[1m" red="${escape}[1;31m" yellow="${escape}[1;33m" plain="${escape}[0m"
}

# lines TEXT...: prints each on a line of its own
lines() {
	printf '%s\n' "$@"
}

# say LINE: to a person, on stderr; stdout is for results. Where nobody reads any more, the run goes on.
say() {
	$quiet || (trap '' PIPE && lines "$1" >&2)
}

# say_step LINE: only with --verbose
say_step() {
	! $verbose || say "$1"
}

# indented PAD TEXT: every line of TEXT but the first starts with PAD
indented() {
	lines "$2" | sed "2,\$s/^/$1/"
}

# warn TEXT: a person sees it at once, or after the result once hold_warnings is set; --porcelain has it too
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

# die CODE SLUG MESSAGE [HINT]: the cause, then what to do; CODE is the exit code of every error with this SLUG
die() {
	indented '       ' "${red}error:$plain $3${4:+$newline$4}" >&2
	tell code "$1"
	tell error "$2"
	tell message "$3"
	tell hint "${4-}"
	result error
	leave "$1"
}

# tell KEY VALUE: one line for a program that reads, with "\" as "\\" and a line break as "\n"
tell() {
	$porcelain || return 0
	printf '%s=' "$1"
	lines "$2" | awk '{ gsub(/\\/, "&&"); printf "%s%s", (NR > 1 ? "\\n" : ""), $0 } END { print "" }'
}

# tell_all KEY...: each is the name of its variable, or has that behind a colon
tell_all() {
	for _key in "$@"; do eval "tell ${_key%:*} \"\$${_key#*:}\""; done
}

# result STATUS: what a program learns at the end of a run
result() {
	$porcelain || return 0
	is_on_path
	tell status "$1"
	tell_all version source:release_source url:release_url digest:release_digest os arch libc distro:distro_id prefix on_path
}

# pretty PATH: with ~ for the home folder
pretty() {
	case ${home:+$1} in
		"$home"/*) printf '~%s' "${1#"$home"}" ;;
		*) printf '%s' "$1" ;;
	esac
}

# plain_text TEXT: text from elsewhere, fit for a screen: no control characters, no login of an address, no more
# than 200 characters
plain_text() {
	lines "$1" | awk '{
		gsub(/\t/, " ")
		gsub(/[[:cntrl:]]/, "")
		gsub(/:\/\/[^\/ ]*@/, "://")
		text = text (NR > 1 ? " " : "") $0
	} END { print (length(text) > 200) ? substr(text, 1, 197) "..." : text }'
}

# words_of LINES: on one line, with commas
words_of() {
	printf '%s' "$1" | tr '\n' ',' | sed 's/,/, /g'
}

# leave_plan ACTION: the end of a dry run
leave_plan() {
	say "Would $1"
	result planned
	leave 0
}

# confirm QUESTION: asks on a terminal, also when this text itself came from a pipe
confirm() {
	! $assume_yes && [ -t 2 ] && (: </dev/tty) 2>/dev/null || return 0
	printf '%s [y/N] ' "$1" >&2
	# In a process of its own, since no signal ends the "read" of yash.
	_answer=$(head -n 1 </dev/tty)
	case $_answer in [yY]*) return 0 ;; esac
	say 'Nothing was changed.'
	result unchanged
	leave 0
}
