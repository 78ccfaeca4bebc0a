# shellcheck shell=sh disable=SC2015,SC2154,SC2295
# The launcher reads this where several versions are installed: a project says in main.wasp, or main.wasp.ts, which
# Wasp it wants: wasp: { version: "^0.24.0" }. Sets _wasp_version to the one that runs here.

# _wasp_read_requirement FILE: sets _wasp_wanted to it, and _wasp_caret to its ^
_wasp_read_requirement() {
	_wasp_code='' _wasp_comment='' _wasp_wanted='' _wasp_lines=0
	while [ -z "$_wasp_wanted" ] && { IFS= read -r _wasp_line || [ "$_wasp_line" ]; }; do
		_wasp_read_line
		_wasp_lines=$((_wasp_lines + 1))
		# A shell reads byte by byte, so far down in a file sed is faster.
		[ "$_wasp_lines" != 60 ] || break
	done <"$1"
	[ -z "$_wasp_wanted" ] && [ "$_wasp_lines" = 60 ] || return 0
	_wasp_line=$(sed -n '61,$ { /wasp.*:/,/}/p; }' "$1" | tr '\n' ' ')
	_wasp_read_line
}

# _wasp_read_line: adds the code of _wasp_line to _wasp_code, without comments and blanks, until the version is met
_wasp_read_line() {
	while [ "$_wasp_line" ]; do
		[ -z "$_wasp_comment" ] \
			|| case $_wasp_line in *'*/'*) _wasp_line=${_wasp_line#*'*/'} _wasp_comment='' ;; *) return ;; esac
		_wasp_piece=${_wasp_line%%[\"\'\`/]*}
		_wasp_line=${_wasp_line#"$_wasp_piece"}
		for _wasp_word in $_wasp_piece; do _wasp_code=$_wasp_code$_wasp_word; done
		case $_wasp_line in
			//*) return ;;
			/\**) _wasp_comment=yes ;;
			/*) _wasp_line=${_wasp_line#/} ;;
			?*) _wasp_read_string ;;
		esac
	done
}

# _wasp_read_string: the string that _wasp_line begins with, which may be the version, or the name of a field
_wasp_read_string() {
	_wasp_quote=${_wasp_line%"${_wasp_line#?}"}
	_wasp_line=${_wasp_line#?}
	_wasp_piece=${_wasp_line%%"$_wasp_quote"*}
	while case $_wasp_piece in *\\) [ "$_wasp_line" != "$_wasp_piece" ] ;; *) false ;; esac do
		_wasp_line=${_wasp_line#"$_wasp_piece$_wasp_quote"}
		_wasp_piece=${_wasp_line%%"$_wasp_quote"*}
	done
	_wasp_line=${_wasp_line#"$_wasp_piece"}
	_wasp_line=${_wasp_line#?}
	_wasp_field='wasp:{'
	case $_wasp_code in
		*[!A-Za-z0-9_]$_wasp_field* | $_wasp_field*)
			case ${_wasp_code##*$_wasp_field} in
				*\}*) ;;
				version: | *[!A-Za-z0-9_]version:)
					_wasp_wanted=${_wasp_piece#^} _wasp_caret=${_wasp_piece%"$_wasp_wanted"} _wasp_line=''
					return
					;;
			esac
			;;
	esac
	case $_wasp_piece in wasp | version) ;; *) _wasp_piece=\" ;; esac
	_wasp_code=$_wasp_code$_wasp_piece
}

# _wasp_satisfies VERSION: it is the wanted one, or with the caret a later one of the same first number that is not 0
_wasp_satisfies() {
	[ "$1" != "$_wasp_wanted" ] || return 0
	case $_wasp_caret$1.${_wasp_wanted%-rc*} in ^*[!0-9.]* | [!^]*) return 1 ;; ^*.*.*.*.*.*) ;; *) return 1 ;; esac
	IFS=.
	# shellcheck disable=SC2086 # they are to be split
	set -- $1 ${_wasp_wanted%-rc*}
	unset IFS
	case $1.$2,$4.$5 in
		0.0,* | *,0.0) return 1 ;;
		0.*) [ "$1.$2" = "$4.$5" ] && [ "$3" -ge "$6" ] ;;
		*) [ "$1" = "$4" ] && ! _wasp_is_newer "$4.$5.$6" "$1.$2.$3" ;;
	esac
}

# _wasp_is_newer A B: by their three numbers
_wasp_is_newer() {
	IFS=.
	# shellcheck disable=SC2086 # they are to be split
	set -- $1 $2
	unset IFS
	[ "$1" -gt "$4" ] || { [ "$1" = "$4" ] && { [ "$2" -gt "$5" ] || { [ "$2" = "$5" ] && [ "${3%-*}" -gt "${6%-*}" ]; }; }; }
}

# _wasp_choose: the current version where it will do, else the newest that does
_wasp_choose() {
	! _wasp_satisfies "$_wasp_version" || return 0
	_wasp_chosen=
	for _wasp_dir in "$_wasp_root"/*/wasp-bin; do
		_wasp_dir=${_wasp_dir%/wasp-bin}
		_wasp_word=${_wasp_dir##*/}
		[ -f "$_wasp_dir/.receipt.json" ] && _wasp_satisfies "$_wasp_word" || continue
		[ "$_wasp_chosen" ] && ! _wasp_is_newer "$_wasp_word" "$_wasp_chosen" || _wasp_chosen=$_wasp_word
	done
	if [ "$_wasp_chosen" ]; then
		_wasp_version=$_wasp_chosen
	elif [ -t 2 ]; then
		printf 'wasp: this project wants Wasp %s, and this is %s. To get it: wasp installer update %s\n' \
			"$_wasp_caret$_wasp_wanted" "$_wasp_version" "$_wasp_wanted" >&2
	fi
}

for _wasp_file in "$_wasp_path/main.wasp" "$_wasp_path/main.wasp.ts"; do
	[ -f "$_wasp_file" ] && [ -r "$_wasp_file" ] || continue
	set -f
	_wasp_read_requirement "$_wasp_file"
	set +f
	case $_wasp_wanted in
		'' | *[!0-9A-Za-z.-]*) ;;
		*) _wasp_choose ;;
	esac
	break
done
