# shellcheck shell=sh
# Versions on disk. A version is made in a staging folder beside its place and renamed to it, the receipt last. A
# staging name says which process of which machine it belongs to, so the next run can tell what a killed one left.

# name_owner: sets owner_name, for what this run stages, and machine_name
name_owner() {
	[ -z "$owner_name" ] || return 0
	machine_name=$(uname -n)
	# Containers may share a folder and a name, but have process ids of their own.
	! [ -L /proc/self/ns/pid ] || machine_name=${machine_name}_$(readlink /proc/self/ns/pid 2>/dev/null)
	machine_name=$(printf '%s\n' "$machine_name" | tr -c 'A-Za-z0-9\n' _)
	owner_name=$machine_name-$$
}

# is_abandoned NAME FILE: the process of NAME has ended; one of another machine (a shared home) has after a day. In a
# container, a run may have the number of the one before it, and looks before it stages anything.
is_abandoned() {
	if [ "${1%-*}" != "$machine_name" ]; then
		[ -n "$(find "$2" -prune -mtime +0 2>/dev/null)" ]
		return
	fi
	_pid=${1##*-}
	# A run of install.py has the number of a killed one as well.
	[ "$_pid" = $$ ] || [ "$command,$_pid" = "check,$PPID" ] || { ! kill -0 "$_pid" 2>/dev/null && ! [ -d "/proc/$_pid" ]; }
}

# make_staging: sets staging. It is beside its target, where the archive is unpacked too; and the launcher's folder
# is tried early, since one that cannot be written to is better known before the download.
make_staging() {
	topmost_missing "$share_dir"
	made_share=$missing
	topmost_missing "$bin_dir"
	made_bin=$missing
	sweep
	change "make the folder $(pretty "$share_dir")" mkdir -p "$share_dir"
	staging=$(mktemp -d "$share_dir/.staging-$owner_name-XXXXXX" 2>&1) \
		|| die_file_system "cannot write to $(pretty "$share_dir")" "$staging"
	reserve_launcher
}

# sweep: removes what killed runs left, and puts back a version that one of them had moved aside
sweep() {
	name_owner
	sweep_staged "$share_dir"/.staging-* "$bin_dir"/.wasp-staging-*
}

sweep_staged() {
	for _left; do
		_name=${_left##*staging-}
		[ -e "$_left" ] && is_abandoned "${_name%-*}" "$_left" || continue
		say_step "Cleaning up after an earlier run: $_left"
		discard "$_left"
	done
}

# discard STAGED [COMMITTED]: removes what was staged, but for a version that was moved aside and has no other now;
# once the run has put another there, it is another run that has removed that
discard() {
	for _aside in "$1"/replaced/*; do
		[ "${2-no}" = no ] && [ -d "$_aside" ] && ! [ -e "$share_dir/${_aside##*/}" ] || continue
		rename_folder "$_aside" "$share_dir/${_aside##*/}"
	done
	# One that is no longer whole must not be put back.
	[ ! -d "$1/replaced" ] || rename_folder "$1/replaced" "$1/discarded"
	# What cannot be removed now is left to the next run.
	remove_tree "$1" 2>/dev/null
}

# is_installed VERSION: its binary and its receipt are there, whole
is_installed() {
	[ -x "$share_dir/$1/wasp-bin" ] && [ -f "$share_dir/$1/.receipt.json" ] \
		&& IFS= read -r _receipt_line <"$share_dir/$1/.receipt.json" || return 1
	# A disk that was full or lost power may have kept a part of it.
	case $_receipt_line in
		"{\"version\": \"$1\", "*'}') ;;
		*) return 1 ;;
	esac
}

# is_to_be_kept VERSION: it is installed, and there is no --force to install it again
is_to_be_kept() {
	[ "$force" = no ] && is_installed "$1"
}

# list_installed: sets installed to the installed versions, newest first, one a line
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

# list_version_folders: sets found to all version folders, also those of an older installer, which wrote no receipts
list_version_folders() {
	found=$(
		for _folder in "$share_dir"/*; do
			[ -d "$_folder" ] && ! [ -L "$_folder" ] && is_version "${_folder##*/}" || continue
			printf '%s\n' "${_folder##*/}"
		done | newest_first
	)
}

print_receipt() {
	printf '{"version": "%s", "source": "%s", "url": %s, "digest": %s, "node": %s, "platform": {"os": "%s", "arch": "%s", "libc": %s}}\n' \
		"$version" "$release_source" "$(json_or_null "$release_url")" "$(json_or_null "$release_digest")" \
		"$(json_or_null "$release_node")" "$os" "$arch" "$(json_or_null "$libc")"
}

# json_or_null TEXT: of an address, a digest or a range, which hold nothing that JSON escapes
json_or_null() {
	case $1 in
		'') printf null ;;
		*) printf '"%s"' "$1" ;;
	esac
}

# read_receipt VERSION: sets what is known of an installed version
read_receipt() {
	version=$1
	read_json "$share_dir/$1/.receipt.json" || : >"$work/values"
	pick source && release_source=$picked
	pick url && release_url=$picked
	pick digest && release_digest=$picked
	take_node_range node
}

# place_version: renames the staged version to its place
place_version() {
	_place=$share_dir/$version _try=0
	while [ "$_try" -lt 10 ]; do
		_try=$((_try + 1))
		if [ -e "$_place" ] || [ -L "$_place" ]; then
			# Another run may have installed the same meanwhile.
			! is_to_be_kept "$version" || return 0
			change_in "$staging" mkdir -p "$staging/replaced"
			remove_tree "$staging/replaced/$version"
			rename_folder "$_place" "$staging/replaced/$version" || continue
		fi
		rename_folder "$staging/new" "$_place" || continue
		return 0
	done
	die_file_system "cannot put Wasp $version into $(pretty "$_place")" "$_errors"
}

# remove_version VERSION: out of its place at once, then bit by bit. Nothing is made for it, so that it can be done
# on a full disk.
remove_version() {
	_removed=$share_dir/.staging-$owner_name-removed
	{ rename_folder "$share_dir/$1" "$_removed" || [ ! -e "$share_dir/$1" ]; } && _errors=$(remove_tree "$_removed" 2>&1) \
		|| die_file_system "cannot remove $(pretty "$share_dir/$1")" "$_errors"
}

# take_turn: one run at a time changes what is shared: the launcher, the files beside it, start-up files. A link
# names its holder and is made at once or not at all. One whose holder has ended, or that is a minute old, is broken,
# by one run at a time.
take_turn() {
	name_owner
	# Named before it is made, since a signal may come before this program knows that it was.
	turn=$share_dir/.turn _waited=0
	while :; do
		change "make the folder $(pretty "$share_dir")" mkdir -p "$share_dir"
		_errors=$(ln -s "$owner_name" "$turn" 2>&1) && break
		if [ "${_errors%exists*}" = "$_errors" ]; then
			# On a full disk, room is made by one run as well as by two in turn.
			[ "$command" = uninstall ] && return 0
			[ "$_waited" -lt 5 ] || die_file_system "cannot write to $(pretty "$share_dir")" "$_errors"
		elif is_left_turn && mkdir "$turn.breaking" 2>/dev/null; then
			! is_left_turn || rm -f "$turn"
			rmdir "$turn.breaking"
			continue
		fi
		[ "$_waited" -gt 0 ] || say_step 'Waiting for another run'
		# A run was killed while it broke the turn of another.
		[ "$_waited" -lt 300 ] || rmdir "$turn.breaking" 2>/dev/null
		_waited=$((_waited + 1))
		run_waiting /dev/null /dev/null sleep 0.1 || run_waiting /dev/null /dev/null sleep 1
	done
	ignore_signals
}

is_left_turn() {
	_holder=$(readlink "$turn") || return 1
	is_abandoned "$_holder" "$turn" || [ -n "$(find "$turn" -prune -mmin +1 2>/dev/null)" ]
}

end_turn() {
	[ -z "$turn" ] || [ "$(readlink "$turn")" != "$owner_name" ] || rm -f "$turn"
	turn=''
}
