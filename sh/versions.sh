# shellcheck shell=sh
# Versions on disk. A version is made in a staging folder beside its place and renamed to it, the receipt last. A
# staging name says which process of which machine it belongs to, so the next run can tell what a killed one left.

# name_owner: sets owner_name, for what this run stages, staged_launcher and machine_name
name_owner() {
	# Containers may share a folder and a name, but have process ids of their own.
	_ns=$(readlink /proc/self/ns/pid 2>/dev/null)
	_ns=${_ns#*\[}
	machine_name=$(uname -n)_${_ns:+pid__${_ns%]}_}
	case $machine_name in *[!A-Za-z0-9_]*) machine_name=$(lines "$machine_name" | tr -c 'A-Za-z0-9\n' _) ;; esac
	owner_name=$machine_name-$$
	staged_launcher=$bin_dir/.wasp-staging-$owner_name-new
}

# is_abandoned NAME FILE: the process of NAME has ended; one of another machine (a shared home) has after a day. In a
# container, a run may have the number of the one before it, and looks before it stages anything.
is_abandoned() {
	[ "${1%-*}" = "$machine_name" ] || {
		is_older "$2" 1440
		return
	}
	_pid=${1##*-}
	# A run of install.py has the number of a killed one as well.
	[ "$_pid" = $$ ] || [ "$command,$_pid" = "check,$PPID" ] || { ! kill -0 "$_pid" 2>/dev/null && ! [ -d "/proc/$_pid" ]; }
}

# make_staging: sets staging, beside its target, where the archive is unpacked too. That the launcher's folder cannot be
# written to is better known before the download.
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

# sweep: removes what killed runs left, and puts back a version that one of them had moved aside
sweep() {
	$dry_run || for_each_left_over discard "$share_dir"/.staging-* "$bin_dir"/.wasp-staging-*
}

# for_each_left_over DO STAGED...: "DO STAGED" for each of them that is there and abandoned
for_each_left_over() {
	_do=$1
	shift
	for _left; do
		_name=${_left##*staging-}
		! [ -e "$_left" ] || ! is_abandoned "${_name%-*}" "$_left" || "$_do" "$_left"
	done
}

# discard STAGED: removes what was staged, but for a version that was moved aside and has no other now; once the run has
# put another there, it is another run that has removed that
discard() {
	[ ! -d "$1/replaced" ] || {
		for _aside in "$1"/replaced/*; do
			$committed || [ -e "$share_dir/${_aside##*/}" ] || rename_folder "$_aside" "$share_dir/${_aside##*/}"
		done
		# One that is no longer whole must not be put back.
		rename_folder "$1/replaced" "$1/discarded"
	}
	# What cannot be removed now is left to the next run.
	remove_tree "$1" 2>/dev/null
}

# is_installed VERSION: its binary and its receipt are there, and this whole, unlike on a disk that was full; sets receipt
is_installed() {
	receipt=''
	[ -x "$share_dir/$1/wasp-bin" ] && [ -f "$share_dir/$1/.receipt.json" ] || return 1
	read -r receipt 2>/dev/null <"$share_dir/$1/.receipt.json"
	case $receipt in '{"version": "'"$1"'", '*'}') ;; *) return 1 ;; esac
}

# is_to_be_kept VERSION: it is installed, and there is no --force to install it again
is_to_be_kept() {
	! $force && is_installed "$1"
}

# list_installed: sets installed to the installed versions, newest first, one a line, and found to all version folders,
# also those of an older installer, which wrote no receipts
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

# read_receipt: sets what is known of the installed version
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

# place_version: renames the staged version to its place
place_version() {
	_place=$share_dir/$version
	for _try in 1 2 3 4 5 6 7 8 9; do
		if [ -e "$_place" ] || [ -L "$_place" ]; then
			# Another run may have installed the same meanwhile.
			! is_to_be_kept "$version" || return 0
			make_folder "$staging" "$staging/replaced"
			remove_tree "$staging/replaced/$version"
			rename_folder "$_place" "$staging/replaced/$version" || continue
		fi
		! rename_folder "$staging/new" "$_place" || return 0
	done
	die_unwritable "$share_dir"
}

# remove_version VERSION: out of its place at once, then bit by bit. Nothing is made for it, so that it can be done
# on a full disk.
remove_version() {
	_removed=$share_dir/.staging-$owner_name-removed
	{ rename_folder "$share_dir/$1" "$_removed" || [ ! -e "$share_dir/$1" ]; } && _errors=$(remove_tree "$_removed" 2>&1) \
		|| die_unwritable "$share_dir"
}

# take_turn: one run at a time changes what is shared: the launcher, the files beside it, start-up files. A link
# names its holder and is made at once or not at all. One whose holder has ended, or that is a minute old, is broken,
# by one run at a time.
take_turn() {
	# Named before it is made, since a signal may come before this program knows that it was.
	turn=$share_dir/.turn _waited=0
	while :; do
		make_folder "$share_dir" "$share_dir"
		_errors=$(ln -s "$owner_name" "$turn" 2>&1) && break
		if [ "${_errors%exists*}" = "$_errors" ]; then
			# On a full disk, room is made by one run as well as by two in turn.
			[ "$command" = uninstall ] && return 0
			[ "$_waited" -lt 5 ] || die_unwritable "$share_dir"
		elif is_left_turn && mkdir "$turn.breaking" 2>/dev/null; then
			! is_left_turn || rm -f "$turn"
			rmdir "$turn.breaking"
			continue
		fi
		[ "$_waited" -gt 0 ] || say_step 'Waiting for another run'
		# A run was killed while it broke the turn of another.
		! is_older "$turn.breaking" 1 || rmdir "$turn.breaking" 2>/dev/null
		_waited=$((_waited + 1))
		run_waiting /dev/null sleep 0.1 || run_waiting /dev/null sleep 1
	done
	ignore_signals
}

is_left_turn() {
	_holder=$(readlink "$turn") && { is_abandoned "$_holder" "$turn" || is_older "$turn" 1; }
}

# is_older FILE MINUTES
is_older() {
	[ -n "$(find "$1" -prune -mmin "+$2" 2>/dev/null)" ]
}

end_turn() {
	[ -z "$turn" ] || [ "$(readlink "$turn")" != "$owner_name" ] || rm -f "$turn"
	turn=''
}
