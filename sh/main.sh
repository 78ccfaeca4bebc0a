# shellcheck shell=sh
# How a run begins and ends.

# leave CODE: the one end of a run
leave() {
	ignore_signals
	clean_up
	exit "$1"
}

# ignore_signals: from here on they do not end the run, nor what it starts: half of what is to come would be neither
# what was there before nor what was asked for
ignore_signals() {
	trap '' INT TERM HUP
}

# stop_helpers: what still runs in the background would write into what is removed
stop_helpers() {
	for _running in $child $progress $npm_lookup $lookups; do kill "$_running" 2>/dev/null; done
	# shellcheck disable=SC2086 # there may be none of them
	[ -z "$child$progress" ] || await $child $progress
}

clean_up() {
	stop_helpers
	[ -z "$progress" ] || clear_line
	progress=''
	end_turn
	# By their names, since a signal may have come before this program knew of what was made.
	[ -z "$owner_name" ] || for_each_left_over discard "$share_dir/.staging-$owner_name-"* "$staged_launcher"
	$committed || [ -z "$staging" ] || {
		remove_empty "$bin_dir" "$above_bin"
		remove_empty "$share_dir" "$above_share"
	}
	[ -z "$work" ] || remove_tree "$work"
}

# interrupted CODE: a helper that was started a moment ago may still have this trap, and is not the run
interrupted() {
	# shellcheck disable=SC2016 # for that shell
	[ "$(exec sh -c 'echo $PPID')" = $$ ] || exit "$1"
	ignore_signals
	stop_helpers
	[ -z "$sending" ] || kill "$sending" 2>/dev/null
	# What is said goes below the bar, the question, or the "^C" of the terminal.
	[ ! -t 2 ] || printf '\n' >&2
	progress=''
	die "$1" interrupted 'interrupted.' 'Nothing was changed. Run this again to retry.'
}

# make_work_folder: a private folder for answers. The prelude of install.sh has made one, and this program is in it;
# the manager on disk makes its own.
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
	# What killed runs left there.
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

# The default command, named, also because posh takes an empty "$@" for an unset parameter.
[ $# -gt 0 ] || set -- install
main "$0" "$@"
