# shellcheck shell=sh
# One line that shows how far a download is, on a terminal only, as wide as that is at the moment.

start_progress() {
	[ "$on_terminal" = yes ] && [ "$quiet" = no ] || return 0
	: >"$work/downloading"
	draw_progress "$staging/archive" &
	progress=$!
}

stop_progress() {
	[ -n "$progress" ] || return 0
	rm -f "$work/downloading"
	kill "$progress" 2>/dev/null
	wait "$progress" 2>/dev/null
	progress=''
	clear_line
}

clear_line() {
	printf '\r%s[K' "$escape" >&2
}

# draw_progress FILE: until the download has ended
draw_progress() {
	trap 'exit 0' TERM
	trap - INT HUP
	_began=$(date +%s)
	while [ -e "$work/downloading" ]; do
		sleep 0.1 2>/dev/null || sleep 1
		[ -s "$1" ] || continue
		read_headers 2>/dev/null
		_bytes=$(($(wc -c <"$1"))) _elapsed=$(($(date +%s) - _began))
		_line="$(megabytes "$_bytes") MB"
		case ${content_length:-0} in
			*[!0-9]* | 0 | ????????????*) ;;
			*) _line="$((_bytes * 100 / content_length))% of $(megabytes "$content_length") MB" ;;
		esac
		[ "$_elapsed" = 0 ] || _line="$_line, $(megabytes $((_bytes / _elapsed))) MB/s"
		# Cut to the width that the terminal has now.
		_size=$(stty size <&2 2>/dev/null) || _size=''
		_width=${_size#* }
		case $_width in '' | 0) _width=80 ;; esac
		printf "\r%.$((_width - 1))s%s[K" "Downloading $_line" "$escape" >&2
	done
}

megabytes() {
	printf '%s.%s' $(($1 / 1000000)) $(($1 / 100000 % 10))
}
