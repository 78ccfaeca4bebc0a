# shellcheck shell=sh
# What keeps Wasp from being used, or this program from being run safely.

check_node() {
	finish_lookups
	node_version=${node_version#v} _found='' _advice="Install it: https://nodejs.org/en/download"
	# The first version of a range such as ">=24.14.1".
	_minimum=${release_node#"${release_node%%[0-9]*}"}
	_minimum=${_minimum%%[!0-9.]*}
	case $(command -v node),$node_version in
		,*)
			_found='is not on PATH'
			# Where nvm, fnm, Volta and asdf keep it.
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

# need_next PROBLEM ADVICE: a step before Wasp can be used, when it has just been installed
need_next() {
	if [ "$outcome" = installed ]; then
		tell warning "$1$newline$2"
		add_step "$1" "$2"
	else
		warn "$1$newline$2"
	fi
}

# check_other_wasp: from the next start of a shell on, this wasp comes first where it was put on PATH now
check_other_wasp() {
	$on_path || [ -z "$path_message" ] || return 0
	_first=$(command -v wasp || :)
	case $_first in '' | "$prefix/bin/wasp" | [!/]*) return 0 ;; esac
	# The same file by another name, such as through a link to the home folder.
	# shellcheck disable=SC3013 # every shell here knows -ef; one that did not would only warn in vain
	[ "$_first" -ef "$prefix/bin/wasp" ] 2>/dev/null || warn "another wasp comes first on your PATH: $_first${newline}Remove it, or put $(pretty "$prefix/bin") before it."
}

# refuse_danger_for_root: root would run, or remove, what is in a folder that another user can swap. In a container of
# CI, that is how it is meant, and what is staged is not run.
refuse_danger_for_root() {
	[ -z "$destdir" ] && [ "$(id -u)" = 0 ] || return 0
	set -- /
	for _place in "$share_dir" "$bin_dir" "$(past_links "$share_dir")" "$(past_links "$bin_dir")"; do
		while [ -n "$_place" ]; do
			[ ! -e "$_place" ] || set -- "$@" "$_place"
			_place=${_place%/*}
		done
	done
	# shellcheck disable=SC2012 # what ls may spell oddly is only printed
	# A number that a container does not know is 65534.
	_danger=$(ls -ldnL "$@" | awk '
		$3 >= 500 && $3 != 65534 { danger = "belongs to another user (uid " $3 ")" }
		substr($1, 9, 2) ~ /^w[^tT]/ { danger = "is writable by everyone" }
		danger { for (i = 0; i < 8; i++) sub(/^[^ ]+ +/, ""); print $0, danger; exit }')
	[ -n "$_danger" ] || return 0
	is_on_ci || die 7 permission-denied "root cannot safely work below a folder that others can change: $_danger." \
		'Run this again without sudo. For all users: --prefix /usr/local'
	# What "check" has said for install.py is not said again.
	[ "$outcome" != switched ] || say "$_danger; on CI, root installs there anyway."
}

# past_links FOLDER: prints the physical path of what is there of it
past_links() {
	find_existing "$1"
	cd "${existing:-/}" && pwd -P
}
