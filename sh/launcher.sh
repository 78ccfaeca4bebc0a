# shellcheck shell=sh
# What makes a version the current one: the launcher, and the files beside Wasp that belong to no single version.

SHARED_FILES='telemetry_ping.py telemetry_messages.py project_version.sh env.sh env.fish'
MANAGER=wasp-installer.sh

# inspect_launcher: sets launcher to none, ours, foreign or folder, and current to its version. A script that sets
# waspc_datadir is a launcher of this installer, or of an older one, which wrote the version into its paths only.
inspect_launcher() {
	launcher=foreign current=''
	[ ! -L "$bin_dir/wasp" ] || return 0
	[ -e "$bin_dir/wasp" ] || launcher=none
	[ ! -d "$bin_dir/wasp" ] || launcher=folder
	# Reading a pipe would never end.
	[ ! -f "$bin_dir/wasp" ] || current=$(awk -v quote="'" '
		NR == 1 && !/^#!/ || NR > 200 { exit }
		sub(/^_?wasp_version=/, "") { version = $0; gsub(quote, "", version) }
		/waspc_datadir=/ {
			ours = 1
			if (match($0, /\/share\/wasp-lang\/[^\/]*\/wasp-bin/)) version = substr($0, RSTART + 17, RLENGTH - 26)
		}
		END { if (ours) print version ? version : "unknown" }' "$bin_dir/wasp" 2>/dev/null)
	[ -z "$current" ] || launcher=ours
	# Another run may have removed it meanwhile.
	[ -n "$current" ] || [ -e "$bin_dir/wasp" ] || launcher=none
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
	[ ! -e "$share_dir/.uses-npm" ] || change_in "$share_dir" rm -f "$share_dir/.uses-npm"
	[ -n "$destdir" ] || add_to_startup_files
	end_turn
}

# stage_launcher VERSION
stage_launcher() {
	finish_lookups
	make_folder "$bin_dir" "$bin_dir"
	write_installed "$staged_launcher" "$1"
	change_in "$bin_dir" chmod 755 "$staged_launcher"
}

place_launcher() {
	# A link to a folder would send mv into that folder.
	[ ! -L "$bin_dir/wasp" ] || rm -f "$bin_dir/wasp"
	change_in "$bin_dir" mv -f "$staged_launcher" "$bin_dir/wasp"
}

# stage_shared_files: $staging/shared has them as they are to be
stage_shared_files() {
	make_folder "$staging" "$staging/shared/completions"
	write_installed "$staging/shared"
	# Where a package manager owns the files, it also updates them.
	[ -n "$destdir" ] || is_newer_manager || write_file "$staging/shared/$MANAGER" cat "$program"
}

# write_installed FOLDER, or FILE VERSION: the installed files but for the launcher, or this. What awk has written is
# read again, since the one of busybox is silent about a full disk. zsh and yash are silent where they cannot write all
# of a here-document, so that has an end.
write_installed() {
	spell "$wasp_root"
	# shellcheck disable=SC2155 # it never fails
	_errors=$(
		export to="$1" new="${2-}" sh_root="__wasp_root=$word" fish_root="set -g __wasp_root $fish_word" \
			launcher_lines="_wasp_version=${2-}${newline}_wasp_root=\"$(escaped "$wasp_root")\"${newline}_wasp_python=\"$(escaped "$python")\""
		# shellcheck disable=SC2016 # for awk
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

# is_newer_manager: the one on disk is newer than this program
is_newer_manager() {
	[ -f "$share_dir/$MANAGER" ] || return 1
	_there=$(sed -n 's/^INSTALLER_VERSION=//p' "$share_dir/$MANAGER" 2>/dev/null)
	is_version "$_there" && comes_before "$INSTALLER_VERSION" "$_there"
}

# place_shared_files: each replaced as a whole
place_shared_files() {
	[ ! -L "$share_dir/completions" ] || rm -f "$share_dir/completions" 2>/dev/null
	make_folder "$share_dir" "$share_dir/completions"
	change_in "$share_dir" mv -f "$staging"/shared/completions/* "$share_dir/completions/"
	change_in "$share_dir" mv -f "$staging"/shared/*.* "$share_dir/"
}

# remove_shared_files: with what Python has compiled of them
remove_shared_files() {
	set -- "$share_dir/$MANAGER"
	for _name in $SHARED_FILES completions __pycache__; do set -- "$@" "$share_dir/$_name"; done
	change_in "$share_dir" rm -rf "$@"
}

# start_lookups: beside the download, since node and some Pythons take long to start
start_lookups() {
	find_python >"$work/python" 2>/dev/null &
	lookups=$!
	{ ! have node || ask node --version; } >"$work/node" 2>/dev/null &
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
		case $_found in /*) lines "$_found" && return ;; esac
	done
}
