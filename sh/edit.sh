# shellcheck shell=sh
# One start-up file is edited with care: on a private copy, which takes its place only when it is complete, differs from
# it in our own lines alone, and nobody else has written to the file meanwhile. Its mode, its owner, links to it and a
# last line without an end stay as they are.

# add_line FILE LINE: adds to edited, or to present where it is there already, as by a person where this must not write
add_line() {
	if has_line "$@"; then
		present=$(with_name "$present" "$1")
		return
	elif begin_edit "$1" && take_lines_out && append_line "$2" && finish_edit; then
		edited=$(with_name "$edited" "$1")
		return
	fi
	warn "$(pretty "$1") $obstacle, so it was not changed. For PATH and tab completion, add this line to it:${newline}$2"
}

# has_line FILE LINE
has_line() {
	[ -f "$1" ] && grep -qxF -e "$2" -e "$2 $STARTUP_MARK" -e "$2 $STARTUP_MARK_WITH_BREAK" "$1" 2>/dev/null
}

# plan_line FILE LINE: for --dry-run
plan_line() {
	! begin_edit "$1" || [ -n "$our_lines" ] || edited=$(with_name "$edited" "$1")
}

# remove_lines FILE
remove_lines() {
	[ -f "$1" ] && grep -qF -e "$STARTUP_MARK" "$1" 2>/dev/null || return 0
	if begin_edit "$1"; then
		[ -n "$our_lines" ] || return 0
		if take_lines_out && finish_edit; then
			edited=$(with_name "$edited" "$1")
			return
		fi
	fi
	warn "$(pretty "$1") $obstacle, so it still has a line for Wasp. Remove the line that ends with:${newline}$STARTUP_MARK"
}

# with_name NAMES FILE: one more, as in "a, b and c"
with_name() {
	case $1 in
		'') pretty "$2" ;;
		*' and '*) printf '%s, %s and %s' "${1%% and *}" "${1#* and }" "$(pretty "$2")" ;;
		*) printf '%s and %s' "$1" "$(pretty "$2")" ;;
	esac
}

# begin_edit FILE: sets our_lines, and real to where the file is, past links; copies it to $work/old and $work/new. Fails
# with an obstacle.
begin_edit() {
	our_lines='' edited_file=$1 real=$1
	obstacle='cannot be read'
	(: >"$work/old" && : >"$work/new") 2>/dev/null || return 1
	if [ -e "$1" ] || [ -L "$1" ]; then
		obstacle='is a link that leads nowhere, or out of your home folder'
		if [ -L "$1" ]; then
			real=$(readlink -f "$1" 2>/dev/null) && [ -e "$real" ] || return 1
		else
			real=$(cd "${1%/*}/" && pwd -P)/${1##*/}
		fi
		case $real in "$real_home"/*) ;; *) return 1 ;; esac
		obstacle='is not a file'
		[ -f "$real" ] || return 1
		obstacle='cannot be written to'
		[ -w "$real" ] && cat "$real" >"$work/old" 2>/dev/null && cat "$work/old" >"$work/new" || return 1
		our_lines=$(print_our_lines | sed 's/^[0-9]*://')
	else
		real=
	fi
}

# print_our_lines: "number:line" for each in $work/new, the lines of earlier versions of this installer too
print_our_lines() {
	spell "$wasp_root/completions"
	tr -d '\000' <"$work/new" | grep -nF -e "$STARTUP_MARK" | while IFS= read -r _line; do
		case ${_line#*:} in
			"$startup_line $STARTUP_MARK" | "$startup_line $STARTUP_MARK_WITH_BREAK") ;;
			"$fish_line $STARTUP_MARK" | "$fish_line $STARTUP_MARK_WITH_BREAK") ;;
			*"$bin_word"*"$STARTUP_MARK" | *"$bin_fish_word"*"$STARTUP_MARK" | *"${word%?}/"*"$STARTUP_MARK") ;;
			*) continue ;;
		esac
		printf '%s\n' "$_line"
	done
}

# take_lines_out: of $work/new, one by one. The line break before a line goes with it where it came with it, unless
# something was written behind it since.
take_lines_out() {
	keeps_empty=no
	while :; do
		_line=$(print_our_lines | tail -n 1)
		[ -n "$_line" ] || return 0
		_number=${_line%%:*}
		tail -n "+$((_number + 1))" "$work/new" >"$work/behind" || return 1
		[ "$_number" = 1 ] && : >"$work/before" || head -n "$((_number - 1))" "$work/new" >"$work/before" || return 1
		_kept=$(($(wc -c <"$work/before")))
		case $_line in
			*"$STARTUP_MARK_WITH_BREAK")
				keeps_empty=yes
				[ -s "$work/behind" ] || _kept=$((_kept - 1))
				;;
		esac
		: >"$work/new" && { [ "$_kept" = 0 ] || head -c "$_kept" "$work/before" >"$work/new"; } \
			&& cat "$work/behind" >>"$work/new" || return 1
	done
}

# append_line LINE: to $work/new. Where the last line has no end, or goes on behind a backslash, a line break comes first.
append_line() {
	_end=$(tail -c 2 "$work/new" | tr '\000' . && printf .)
	case $real,$_end in
		,*) printf '%s %s\n' "$1" "$STARTUP_MARK" ;;
		*,\\"$newline". | *[!"$newline"]. | *,.) printf '\n%s %s\n' "$1" "$STARTUP_MARK_WITH_BREAK" ;;
		*) printf '%s %s\n' "$1" "$STARTUP_MARK" ;;
	esac >>"$work/new" 2>/dev/null
}

# finish_edit: puts $work/new in the place of the file
finish_edit() {
	obstacle='could not be edited safely'
	differs_in_our_lines_only || return 1
	obstacle='cannot be written to'
	if [ -z "$real" ]; then
		make_real_file
	elif ! [ -s "$work/new" ] && [ "$keeps_empty" = no ] && ! [ -L "$edited_file" ]; then
		# Only our line was there, so the file was made for it.
		rm -f "$real" 2>/dev/null && remove_empty "${real%/*}" "$real_home/.config"
	elif [ -z "$(find "$real" -links +1 2>/dev/null)" ] && replace_real_file; then
		:
	else
		# Others know the file by another name, or by a mount.
		cmp -s "$work/old" "$real" && { overwrite "$work/new" || ! overwrite "$work/old"; }
	fi
}

# differs_in_our_lines_only: the rest of both is the same, as seen by other tools than those that have edited it
differs_in_our_lines_only() {
	for _copy in old new; do
		tr -d '\000' <"$work/$_copy" | grep -v -e '^$' -e "$STARTUP_MARK" >"$work/$_copy.rest"
	done
	cmp -s "$work/old.rest" "$work/new.rest"
}

make_real_file() {
	topmost_missing "${edited_file%/*}"
	mkdir -p "${edited_file%/*}" 2>/dev/null && case $(cd "${edited_file%/*}" && pwd -P)/ in
		"$real_home"/*)
			stage_beside "$edited_file"
			fill_staged && ! [ -e "$edited_file" ] && mv "$_staged" "$edited_file" 2>/dev/null && return 0
			rm -f "$_staged"
			;;
		*) obstacle='is outside your home folder' ;;
	esac
	remove_empty "${edited_file%/*}" "$missing"
	return 1
}

# replace_real_file: by a rename
replace_real_file() {
	read_owner "$real"
	_owner=$owner
	stage_beside "$real"
	cp -p "$real" "$_staged" 2>/dev/null && read_owner "$_staged" && [ "$owner" = "$_owner" ] && fill_staged \
		&& cmp -s "$work/old" "$real" && mv -f "$_staged" "$real" 2>/dev/null && return 0
	rm -f "$_staged"
	return 1
}

# stage_beside FILE: sets _staged to the name of a new file beside it
stage_beside() {
	sweep_staged "${1%/*}"/.wasp-staging-*
	_staged=${1%/*}/.wasp-staging-$owner_name-new
}

# fill_staged: it has all of $work/new
fill_staged() {
	(cat "$work/new" >"$_staged") 2>/dev/null && cmp -s "$work/new" "$_staged"
}

# overwrite FILE: the real file gets its content, keeping its blocks, so that a full disk loses nothing
overwrite() {
	dd if="$1" of="$real" conv=notrunc 2>/dev/null \
		&& dd if=/dev/null of="$real" bs=1 seek="$(($(wc -c <"$1")))" 2>/dev/null && cmp -s "$1" "$real"
}

find_real_home() {
	real_home=$(cd "$HOME/" && pwd -P)
	real_home=${real_home%/}
}
