# shellcheck shell=sh
# One line that shows how far a download is, on a terminal only, as wide as that is at the moment.

start_progress() {
	$on_terminal && ! $quiet || return 0
	draw_progress "$staging/archive" &
	progress=$!
}

stop_progress() {
	[ -n "$progress" ] || return 0
	kill "$progress" 2>/dev/null
	await "$progress"
	progress=''
	clear_line
}

clear_line() {
	printf '\r%s[K' "$escape" >&2
}

# draw_progress FILE: until it is ended, or the run is gone
draw_progress() {
	trap 'exit 0' TERM
	trap - INT HUP
	_began=$(date +%s)
	while kill -0 $$ 2>/dev/null; do
		sleep 0.1 2>/dev/null || sleep 1
		[ -s "$1" ] || continue
		read_headers 2>/dev/null
		_line=$(wc -c <"$1" | awk -v total="$content_length" -v elapsed="$(($(date +%s) - _began))" '{
			if (total + 0 > 0) printf "%d%% of ", $1 * 100 / total
			printf "%.1f MB", (total + 0 > 0 ? total : $1) / 1000000
			if (elapsed > 0) printf ", %.1f MB/s", $1 / elapsed / 1000000
		}')
		# Cut to the width that the terminal has now.
		_width=$(stty size <&2 2>/dev/null | sed 's/.* //')
		[ "${_width:-0}" != 0 ] || _width=80
		printf "\r%.$((_width - 1))s%s[K" "Downloading $_line" "$escape" >&2
	done
}
