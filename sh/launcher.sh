# shellcheck shell=sh
# What makes a version the current one: the launcher, and the files beside Wasp that belong to no single version.

SHARED_FILES='telemetry_ping.py telemetry_messages.py project_version.sh env.sh env.fish completions/wasp.bash completions/_wasp completions/wasp.fish'
MANAGER=wasp-installer.sh

# inspect_launcher: sets launcher to none, ours, foreign or folder, and current to its version. A script that sets
# waspc_datadir is a launcher of this installer, or of an older one, which wrote the version into its paths only.
inspect_launcher() {
	launcher=foreign current=''
	[ ! -L "$bin_dir/wasp" ] || return 0
	[ -e "$bin_dir/wasp" ] || launcher=none
	[ ! -d "$bin_dir/wasp" ] || launcher=folder
	# Reading a pipe would never end.
	[ -f "$bin_dir/wasp" ] || return 0
	current=$(awk -v quote="'" '
		NR == 1 && !/^#!/ || NR > 200 { exit }
		sub(/^_?wasp_version=/, "") { version = $0; gsub(quote, "", version) }
		/waspc_datadir=/ {
			ours = 1
			if (match($0, /\/share\/wasp-lang\/[^\/]*\/wasp-bin/)) version = substr($0, RSTART + 17, RLENGTH - 26)
		}
		END { if (ours) print version ? version : "unknown" }' "$bin_dir/wasp" 2>/dev/null)
	[ -z "$current" ] || launcher=ours
	is_version "$current" || current=''
}

# refuse_npm: what npm manages is left to it
refuse_npm() {
	[ ! -e "$share_dir/.uses-npm" ] || die 8 npm-managed "npm manages Wasp here ($(pretty "$share_dir/.uses-npm"))." \
		"To update it: npm install -g @wasp.sh/wasp-cli@latest${newline}To use this installer instead: npm uninstall -g @wasp.sh/wasp-cli, then --force"
}

# refuse_conflicts: with another wasp in our place, or with npm
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

# make_current VERSION: all that takes room comes before the first change
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
	change_in "$share_dir" rm -f "$share_dir/.uses-npm"
	[ -n "$destdir" ] || add_to_startup_files
	end_turn
}

# stage_launcher VERSION
stage_launcher() {
	finish_lookups
	change_in "$bin_dir" mkdir -p "$bin_dir"
	write_file "$staged_launcher" filled_in launcher 6 \
		"_wasp_version=$1${newline}_wasp_root=\"$(escaped "$wasp_root")\"${newline}_wasp_python=\"$(escaped "$python")\""
	change_in "$bin_dir" chmod 755 "$staged_launcher"
}

place_launcher() {
	# A link to a folder would send mv into that folder.
	[ ! -L "$bin_dir/wasp" ] || rm -f "$bin_dir/wasp"
	change_in "$bin_dir" mv -f "$staged_launcher" "$bin_dir/wasp"
}

# stage_shared_files: $staging/shared has them as they are to be
stage_shared_files() {
	change_in "$staging" mkdir -p "$staging/shared/completions"
	spell "$wasp_root"
	for _name in $SHARED_FILES; do
		case $_name in
			env.sh) set -- filled_in "$_name" 4 "__wasp_root=$word" ;;
			env.fish) set -- filled_in "$_name" 4 "set -g __wasp_root $fish_word" ;;
			*) set -- installed_file "$_name" ;;
		esac
		write_file "$staging/shared/$_name" "$@"
	done
	# Where a package manager owns the files, it also updates them.
	[ -n "$destdir" ] || is_newer_manager || change_in "$staging" cp "$program" "$staging/shared/$MANAGER"
	change_in "$staging" chmod -R u=rwX,go=rX "$staging/shared"
}

# is_newer_manager: the one on disk is newer than this program
is_newer_manager() {
	_there=$(sed -n 's/^INSTALLER_VERSION=//p' "$share_dir/$MANAGER" 2>/dev/null)
	is_version "$_there" && comes_before "$INSTALLER_VERSION" "$_there"
}

# filled_in NAME REST LINES: an installed file, with LINES for those from its third on, before the line number REST
filled_in() {
	installed_file "$1" >"$work/filling" && head -n 2 "$work/filling" && printf '%s\n' "$3" && tail -n "+$2" "$work/filling"
}

# place_shared_files: each replaced as a whole
place_shared_files() {
	# Where it is a link, that goes; a folder stays.
	rm -f "$share_dir/completions" 2>/dev/null
	change_in "$share_dir" mkdir -p "$share_dir/completions"
	change_in "$share_dir" mv -f "$staging"/shared/completions/* "$share_dir/completions/"
	change_in "$share_dir" mv -f "$staging"/shared/*.* "$share_dir/"
}

# remove_shared_files: with what Python has compiled of them
remove_shared_files() {
	for _name in $SHARED_FILES $MANAGER __pycache__ completions; do
		change_in "$share_dir" rm -rf "${share_dir:?}/$_name"
	done
}

# start_lookups: beside the download, since node and some Pythons take long to start
start_lookups() {
	find_python >"$work/python" 2>/dev/null &
	lookups=$!
	ask node --version >"$work/node" 2>/dev/null &
	lookups="$lookups $!"
}

# finish_lookups: sets node_version, and python to the one that the launcher runs telemetry_ping.py with, or to nothing
finish_lookups() {
	if [ -n "$destdir" ]; then
		# Nothing of this machine, since what is staged is for others.
		[ "$os" != linux ] || python=/usr/bin/python3
		return
	fi
	[ -n "$lookups" ] || [ -e "$work/node" ] || start_lookups
	# shellcheck disable=SC2086 # a list of words
	[ -z "$lookups" ] || await $lookups
	lookups=''
	IFS= read -r python <"$work/python" || :
	read -r node_version <"$work/node" || :
}

# find_python: prints where a Python 3.8 or newer is that has just run. That of a virtual environment, which may be
# gone tomorrow, names the one that it was made from.
find_python() {
	for _name in python3 python; do
		_candidate=$(command -v "$_name") || continue
		case $_candidate in
			# On a Mac without the command line tools, Apple's opens a window that offers them.
			/usr/bin/*) [ "$(uname -s)" != Darwin ] || xcode-select -p >/dev/null 2>&1 || continue ;;
			/*) ;;
			*) continue ;;
		esac
		_found=$(ask "$_candidate" -I -S -c 'import os, sys
path = sys.executable
if sys.version_info >= (3, 8):
	print(os.path.realpath(path) if os.path.exists(os.path.dirname(path) + "/../pyvenv.cfg") else path)') || continue
		case $_found in /*) printf '%s\n' "$_found" && return ;; esac
	done
}
