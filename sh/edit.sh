# shellcheck shell=sh
# One start-up file is edited with care: on a private copy, which takes its place only when it is complete, differs from
# it in our own lines alone, and nobody else has written to the file meanwhile. Its mode, its owner, links to it and a
# last line without an end stay as they are.

# add_line FILE LINE: adds to edited, or to present where it is there already, as by a person where this must not write
add_line() {
	find_line "$@" || { begin_edit "$1" && take_lines_out "$2" && append_line "$2" && finish_edit; } \
		|| warn "$(pretty "$1") $obstacle. For PATH and tab completion, add this line to it:${newline}$2"
}

# find_line FILE LINE: adds to present where it is there
find_line() {
	has_line "$@" && present=$(with_name "$present" "$1")
}

# has_line FILE LINE
has_line() {
	[ -f "$1" ] && grep -qxF -e "$2" -e "$2 $OUR_MARK" -e "$2 $OUR_MARK_WITH_BREAK" "$1" 2>/dev/null
}

# plan_line FILE LINE: for --dry-run
plan_line() {
	has_line "$@" || ! begin_edit "$1" || edited=$(with_name "$edited" "$1")
}

# remove_line FILE LINE
remove_line() {
	[ -f "$1" ] && [ -n "$(print_our_lines "$@")" ] || return 0
	begin_edit "$1" && take_lines_out "$2" && finish_edit \
		|| warn "$(pretty "$1") $obstacle. Remove the line that ends with:${newline}$OUR_MARK"
}

# with_name NAMES FILE: one more
with_name() {
	printf '%s%s' "${1:+$1, }" "$(pretty "$2")"
}

# begin_edit FILE: sets real to where the file is, past links; copies it to $work/old and $work/new. Fails with an
# obstacle.
begin_edit() {
	edited_file=$1 obstacle='is a link to nowhere, or outside your home folder'
	if [ -L "$1" ]; then
		real=$(readlink -f "$1" 2>/dev/null) && [ -e "$real" ] || return 1
	else
		real=$(past_links "${1%/*}")/${1##*/}
	fi
	case $real in "$real_home"/*) ;; *) return 1 ;; esac
	# Its folder may be missing as well.
	[ -e "$real" ] || real=$1
	obstacle='cannot be written to'
	{
		{ [ ! -e "$real" ] || { [ -f "$real" ] && [ -w "$real" ] && cat "$real"; }; } >"$work/old" && cat "$work/old" >"$work/new"
	} 2>/dev/null
}

# print_our_lines FILE LINE: "number:line" for each, and for those of earlier versions of this installer
print_our_lines() {
	grep -qs "$OUR_MARK" "$1" && {
		tr -d '\000' <"$1" | grep -nxF -e "$2 $OUR_MARK" -e "$2 $OUR_MARK_WITH_BREAK"
		tr -d '\000' <"$1" | grep -n -e "$OUR_MARK\$" | grep -F -e "$old_words"
	} 2>/dev/null | sort -n
}

# take_lines_out LINE: of $work/new, one by one. The line break before it goes with it where it came with it, unless
# something was written behind it since.
take_lines_out() {
	keeps_empty=false
	while :; do
		_line=$(print_our_lines "$work/new" "$1" | tail -n 1)
		[ -n "$_line" ] || return 0
		_number=${_line%%:*}
		tail -n "+$((_number + 1))" "$work/new" >"$work/behind" || return 1
		_kept=$(($(wc -c <"$work/new") - $(tail -n "+$_number" "$work/new" | wc -c)))
		case $_line in
			*"$OUR_MARK_WITH_BREAK")
				keeps_empty=true
				[ -s "$work/behind" ] || _kept=$((_kept - 1))
				;;
		esac
		{ [ "$_kept" = 0 ] || head -c "$_kept" "$work/new"; } >"$work/before" \
			&& cat "$work/before" "$work/behind" >"$work/new" || return 1
	done
}

# append_line LINE: to $work/new. Where the last line has no end, or goes on behind a backslash, a line break comes
# first. Not every shell can hold all bytes.
append_line() {
	_line="$1 $OUR_MARK"
	[ ! -e "$real" ] || case ,$(tail -c 2 "$work/new" | tr -c '\\\n' . && printf .) in
		,\\"$newline". | *[!"$newline"]. | ,.) _line="$newline$1 $OUR_MARK_WITH_BREAK" ;;
	esac
	lines "$_line" >>"$work/new" 2>/dev/null
}

# finish_edit: puts $work/new in the place of the file
finish_edit() {
	differs_in_our_lines_only || return 1
	find_existing "${real%/*}"
	if ! [ -s "$work/new" ] && ! $keeps_empty && ! [ -L "$edited_file" ]; then
		# Only our line was there, so the file was made for it.
		cmp -s "$work/old" "$real" && rm -f "$real" && remove_empty "${real%/*}" "$real_home"
	elif [ -n "$(find "$real" -links +1)" ] || ! replace_file; then
		# Others know the file by another name, or by a mount.
		cmp -s "$work/old" "$real" && { overwrite "$work/new" || { overwrite "$work/old" && false; }; }
	fi 2>/dev/null || {
		remove_empty "${real%/*}" "$existing"
		return 1
	}
	edited=$(with_name "$edited" "$edited_file")
}

# differs_in_our_lines_only: the rest of both is the same, as seen by other tools than those that have edited it
differs_in_our_lines_only() {
	for _copy in old new; do
		tr -d '\000' <"$work/$_copy" | grep -v -e '^$' -e "$OUR_MARK" >"$work/$_copy.rest"
	done
	cmp -s "$work/old.rest" "$work/new.rest"
}

# replace_file: by a rename
# shellcheck disable=SC3067 # where it is not known, the numbers are compared
replace_file() {
	for_each_left_over discard "${real%/*}"/.wasp-staging-*
	_staged=${real%/*}/.wasp-staging-$owner_name-new
	{ [ -d "${real%/*}" ] || mkdir -p "${real%/*}"; } \
		&& { [ ! -e "$real" ] || { cp -p "$real" "$_staged" && { [ -O "$real" ] 2>/dev/null || [ "$(owner_of "$real")" = "$(owner_of "$_staged")" ]; }; }; } \
		&& cat "$work/new" >"$_staged" && cmp -s "$work/new" "$_staged" \
		&& { [ ! -e "$real" ] || cmp -s "$work/old" "$real"; } && mv -f "$_staged" "$real" && return 0
	rm -f "$_staged"
	return 1
}

# overwrite FILE: the real file gets its content, keeping its blocks, so that a full disk loses nothing
overwrite() {
	dd if="$1" of="$real" conv=notrunc && dd if=/dev/null of="$real" bs=1 seek="$(($(wc -c <"$1")))" && cmp -s "$1" "$real"
}
