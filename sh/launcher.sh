# shellcheck shell=sh
# What makes a version the current one: the launcher, and the files beside Wasp that belong to no single version.

SHARED_FILES='telemetry_ping.py telemetry_messages.py project_version.sh env.sh env.fish completions/wasp.bash completions/_wasp completions/wasp.fish'
MANAGER=wasp-installer.sh

# inspect_launcher: sets launcher to none, ours, foreign or folder, and current to its version. A script that sets
# waspc_datadir is a launcher of this installer, or of an older one, which wrote the version into its paths only.
inspect_launcher() {
	launcher=foreign current=''
	if [ -L "$bin_dir/wasp" ]; then
		return
	elif [ -d "$bin_dir/wasp" ]; then
		launcher=folder
	elif ! [ -e "$bin_dir/wasp" ]; then
		launcher=none
	elif [ -f "$bin_dir/wasp" ]; then
		# Reading a pipe would never end.
		current=$(awk -v quote="'" '
			NR == 1 && !/^#!/ || NR > 200 { exit }
			sub(/^_?wasp_version=/, "") { version = $0; gsub(quote, "", version) }
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

# refuse_conflicts: with another wasp in our place, or with npm
refuse_conflicts() {
	if [ -e "$share_dir/.uses-npm" ] && [ "$force" = no ]; then
		die npm-managed "npm manages Wasp here ($(pretty "$share_dir/.uses-npm"))." \
			"To update it: npm install -g @wasp.sh/wasp-cli@latest${newline}To use this installer instead: npm uninstall -g @wasp.sh/wasp-cli, then this again with --force"
	fi
	inspect_launcher
	case $launcher,$force in
		folder,*) die foreign-launcher "$(pretty "$bin_dir/wasp") is a folder." 'Move it away, then run this again.' ;;
		foreign,no)
			die foreign-launcher "$(pretty "$bin_dir/wasp") already exists, and this installer did not make it." \
				'Move it away, or replace it with --force.'
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
	current=$1 committed=yes
	[ ! -e "$share_dir/.uses-npm" ] \
		|| change "remove $(pretty "$share_dir/.uses-npm")" rm -f "$share_dir/.uses-npm"
	[ -n "$destdir" ] || add_to_startup_files
	end_turn
}

# reserve_launcher: sets staged_launcher to a new file beside the launcher
reserve_launcher() {
	change "make the folder $(pretty "$bin_dir")" mkdir -p "$bin_dir"
	staged_launcher=$(mktemp "$bin_dir/.wasp-staging-$owner_name-XXXXXX" 2>&1) \
		|| die_file_system "cannot write to $(pretty "$bin_dir")" "$staged_launcher"
}

# stage_launcher VERSION
stage_launcher() {
	[ -n "$staged_launcher" ] || reserve_launcher
	know_python
	write_file "$staged_launcher" filled_in launcher _wasp_version "$1" _wasp_root "$(quoted "$wasp_root")" _wasp_python "$(quoted "$python")"
	change_in "$bin_dir" chmod 755 "$staged_launcher"
}

place_launcher() {
	# A link to a folder would send mv into that folder.
	[ ! -L "$bin_dir/wasp" ] || rm -f "$bin_dir/wasp"
	change "write the launcher $(pretty "$bin_dir/wasp")" mv -f "$staged_launcher" "$bin_dir/wasp"
	staged_launcher=''
}

# stage_shared_files: $staging/shared has them as they are to be
stage_shared_files() {
	change_in "$staging" mkdir -p "$staging/shared/completions"
	spell "$wasp_root"
	for _name in $SHARED_FILES; do
		case $_name in
			env.sh) write_file "$staging/shared/$_name" filled_in "$_name" __wasp_root "$word" ;;
			env.fish) write_file "$staging/shared/$_name" filled_in "$_name" __wasp_root "$fish_word" ;;
			*) write_file "$staging/shared/$_name" installed_file "$_name" ;;
		esac
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

# filled_in NAME VARIABLE WORD...: an installed file whose lines "VARIABLE=..." at the start have the WORD in place of
# what is there
filled_in() {
	installed_file "$1" >"$work/filling" || return 1
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
	done <"$work/filling"
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
		change "remove from $(pretty "$share_dir")" rm -rf "${share_dir:?}/$_name"
	done
}

# start_python_lookup: beside the download, since some Pythons take long to start
start_python_lookup() {
	find_python >"$work/python" 2>/dev/null &
	python_lookup=$!
}

# know_python: sets python to the one that the launcher runs telemetry_ping.py with, or to nothing
know_python() {
	if [ -n "$destdir" ]; then
		# Nothing of this machine, since what is staged is for others.
		[ "$os" != linux ] || python=/usr/bin/python3
		return
	fi
	[ -n "$python_lookup" ] || start_python_lookup
	wait "$python_lookup" 2>/dev/null
	python_lookup=''
	IFS= read -r python <"$work/python" || :
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
		case $_found in *"$newline"*) ;; /*) printf '%s\n' "$_found" && return ;; esac
	done
}
