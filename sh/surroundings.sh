# shellcheck shell=sh
# What keeps Wasp from being used, or this program from being run safely.

# start_node_lookup: node takes a while to say its version, so it is asked beside the download
start_node_lookup() {
	ask node --version >"$work/node" 2>/dev/null &
	node_lookup=$!
}

check_node() {
	[ -n "$node_lookup" ] || start_node_lookup
	wait "$node_lookup" 2>/dev/null
	node_lookup=''
	read -r node_version <"$work/node" || :
	node_version=${node_version#v}
	# The first version of a range such as ">=24.14.1".
	_minimum=${release_node#"${release_node%%[0-9]*}"}
	_minimum=${_minimum%%[!0-9.]*} _advice="Install it: $NODE_URL"
	case $(command -v node),$node_version in
		,*)
			_found='is not on PATH'
			case $(ls "${NVM_DIR:-${HOME-}/.nvm}/versions/node" 2>/dev/null) in
				?*) _found='is not on PATH, but nvm has it' _advice='Switch it on in this terminal: nvm use node' ;;
			esac
			;;
		*,*[!0-9A-Za-z.+-]* | *,[!0-9]* | *,) _found="does not say which version it is" ;;
		*)
			_found=''
			[ -z "$_minimum" ] || ! comes_before "$node_version" "$_minimum" || _found="is $node_version"
			;;
	esac
	[ -z "$_found" ] || need_next "Node.js $_found. Wasp $version needs Node.js${release_node:+ $release_node}." "$_advice"
	case $(command -v node),$(command -v npm) in
		?*,) _found='is not on PATH, and Wasp needs it' ;;
		?*,/mnt/?/*) _found='on PATH belongs to Windows, and Wasp needs one inside WSL' ;;
		*) return 0 ;;
	esac
	need_next "npm $_found." "It comes with Node.js: $NODE_URL"
}

# need_next PROBLEM ADVICE: a step before Wasp can be used, when it has just been installed
need_next() {
	if [ "$outcome,$command" = installed,install ] || [ "$outcome,$command" = installed,use ]; then
		tell warning "$1$newline$2"
		add_step "$1" "$2"
	else
		warn "$1$newline$2"
	fi
}

# check_other_wasp: from the next start of a shell on, this wasp comes first where it was put on PATH now
check_other_wasp() {
	[ "$on_path" = yes ] || [ -z "$path_message" ] || return 0
	_first=$(command -v wasp || :)
	case $_first in
		'' | "$prefix/bin/wasp" | [!/]*) return 0 ;;
	esac
	# The same file by another name, such as through a link to the home folder.
	# shellcheck disable=SC3013 # every shell here knows -ef; one that did not would only warn in vain
	[ "$_first" -ef "$prefix/bin/wasp" ] 2>/dev/null || warn "another wasp comes first on your PATH: $_first${newline}Remove it, or put $(pretty "$prefix/bin") before it."
}

# refuse_danger_for_root: root would run, or remove, what is in a folder that another user can swap. In a container of
# CI, that is how it is meant, and what is staged is not run.
refuse_danger_for_root() {
	[ -z "$destdir" ] && [ "$(id -u)" = 0 ] || return 0
	for _place in "$share_dir" "$bin_dir" "$(past_links "$share_dir")" "$(past_links "$bin_dir")"; do
		set --
		while [ -n "$_place" ]; do
			[ ! -e "$_place" ] || set -- "$_place" ${1+"$@"}
			_place=${_place%/*}
		done
		# shellcheck disable=SC2012 # of the names that ls may spell oddly none is looked at
		# ls sorts them in this very order. A number that a container does not know is 65534.
		_danger=$(ls -ldnL "$@" | awk '
			$3 >= 500 && $3 != 65534 { print NR, "belongs to another user (number " $3 ")"; exit }
			substr($1, 9, 2) ~ /^w[^tT]/ { print NR, "may be written to by everyone"; exit }')
		[ -z "$_danger" ] || {
			found_danger "$(shift "$((${_danger%% *} - 1))" && printf '%s' "$1") ${_danger#* }"
			return
		}
	done
}

# past_links FOLDER: prints the physical path of what is there of it
past_links() {
	topmost_missing "$1"
	[ -z "$missing" ] || set -- "${missing%/*}"
	cd "${1:-/}" && pwd -P
}

found_danger() {
	is_on_ci || die permission-denied "root cannot safely work below a folder that others can change: $1." \
		'Run this again without sudo. For all users: --prefix /usr/local'
	# What "check" has said for install.py is not said again.
	[ "$outcome" != switched ] || say "$1; on CI, root installs there all the same."
}

# refuse_closed_places: the highest folders that are there must take new ones
refuse_closed_places() {
	for _place in "$share_dir" "$bin_dir"; do
		topmost_missing "$_place"
		[ -z "$missing" ] || _place=${missing%/*}
		[ -w "${_place:-/}/" ] || change_in "$_place" mkdir "$_place/wasp-lang"
	done
}
