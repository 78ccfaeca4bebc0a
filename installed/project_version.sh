# shellcheck shell=sh disable=SC2015,SC2086,SC2154,SC2295
# The launcher reads this where several versions are installed. A project says in main.wasp or main.wasp.ts what it
# wants: wasp: { version: "^0.24.0" }. Sets _wasp_version to what runs here.

# Sets _wanted to the version in the file $1, and _caret to its ^.
_read_requirement() {
	_code='' _comment='' _wanted='' _lines=0
	while [ -z "$_wanted" ] && { IFS= read -r _line || [ "$_line" ]; }; do
		_read_line
		_lines=$((_lines + 1))
		# Shells read byte by byte; from here on sed is faster.
		[ "$_lines" != 60 ] || break
	done <"$1"
	[ -z "$_wanted" ] && [ "$_lines" = 60 ] || return 0
	_line=$(sed -n '61,$ { /wasp.*:/,/}/p; }' "$1" | tr '\n' ' ')
	_read_line
}

# Adds _line to _code, without comments and blanks, until the version is met.
_read_line() {
	while [ "$_line" ]; do
		[ -z "$_comment" ] \
			|| case $_line in *'*/'*) _line=${_line#*'*/'} _comment='' ;; *) return ;; esac
		_piece=${_line%%[\"\'\`/]*}
		_line=${_line#"$_piece"}
		for _word in $_piece; do _code=$_code$_word; done
		case $_line in
			//*) return ;;
			/\**) _comment=yes ;;
			/*) _line=${_line#/} ;;
			?*) _read_string ;;
		esac
	done
}

# Takes a string from _line, which may be the version, or the name of a field.
_read_string() {
	_quote=${_line%"${_line#?}"}
	_line=${_line#?}
	_piece=${_line%%"$_quote"*}
	while case $_piece in *\\) [ "$_line" != "$_piece" ] ;; *) false ;; esac do
		_line=${_line#"$_piece$_quote"}
		_piece=${_line%%"$_quote"*}
	done
	_line=${_line#"$_piece"}
	_line=${_line#?}
	_field='wasp:{'
	case $_code in
		*[!A-Za-z0-9_]$_field* | $_field*)
			case ${_code##*$_field} in
				*\}*) ;;
				version: | *[!A-Za-z0-9_]version:)
					_wanted=${_piece#^} _caret=${_piece%"$_wanted"} _line=''
					return
					;;
			esac
			;;
	esac
	case $_piece in wasp | version) ;; *) _piece=\" ;; esac
	_code=$_code$_piece
}

# Whether $1 is the wanted version, or with the caret a later one with the same first number that is not 0.
_satisfies() {
	[ "$1" != "$_wanted" ] || return 0
	case $_caret$1.${_wanted%-rc*} in ^*[!0-9.]* | [!^]*) return 1 ;; ^*.*.*.*.*.*) ;; *) return 1 ;; esac
	IFS=.
	set -- $1 ${_wanted%-rc*}
	unset IFS
	case $1.$2,$4.$5 in
		0.0,* | *,0.0) return 1 ;;
		0.*) [ "$1.$2" = "$4.$5" ] && [ "$3" -ge "$6" ] ;;
		*) [ "$1" = "$4" ] && ! _is_newer "$4.$5.$6" "$1.$2.$3" ;;
	esac
}

# Whether $1 is newer than $2.
_is_newer() {
	IFS=.
	set -- $1 $2
	unset IFS
	[ "$1" -gt "$4" ] || { [ "$1" = "$4" ] && { [ "$2" -gt "$5" ] || { [ "$2" = "$5" ] && [ "${3%-*}" -gt "${6%-*}" ]; }; }; }
}

# The current version if it will do, else the newest that does.
_choose() {
	! _satisfies "$_wasp_version" || return 0
	_chosen=
	for _dir in "$_wasp_root"/*/wasp-bin; do
		_dir=${_dir%/wasp-bin}
		_word=${_dir##*/}
		[ -f "$_dir/.receipt.json" ] && _satisfies "$_word" || continue
		[ "$_chosen" ] && ! _is_newer "$_word" "$_chosen" || _chosen=$_word
	done
	if [ "$_chosen" ]; then
		_wasp_version=$_chosen
	elif [ -t 2 ]; then
		printf 'wasp: this project wants Wasp %s, and this is %s. To get it: wasp installer update %s\n' \
			"$_caret$_wanted" "$_wasp_version" "$_wanted" >&2
	fi
}

for _file in "$_path/main.wasp" "$_path/main.wasp.ts"; do
	[ -f "$_file" ] && [ -r "$_file" ] || continue
	set -f
	_read_requirement "$_file"
	set +f
	case $_wanted in '' | *[!0-9A-Za-z.-]*) ;; *) _choose ;; esac
	break
done
