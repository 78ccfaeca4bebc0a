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
  while [ -e "$work/downloading" ]; do
    sleep 0.1 2>/dev/null || sleep 1
    [ -s "$1" ] || continue
    read_headers 2>/dev/null
    _done=$(wc -c <"$1") _total=${content_length:-0}
    case $_total in *[!0-9]*) _total=0 ;; esac
    _line="Downloading $((_done / 1000000)).$((_done / 100000 % 10)) MB"
    if [ "$_total" -gt 0 ] && [ "$_done" -le "$_total" ]; then
      _line="Downloading $((_done * 100 / _total))% of $((_total / 1000000)).$((_total / 100000 % 10)) MB"
      add_bar
    fi
    printf '\r%s%s[K' "$_line" "$escape" >&2
  done
}

# add_bar: to _line, where the terminal has room for it
add_bar() {
  _size=$(stty size <&2 2>/dev/null) || _size='0 0'
  _room=$((${_size#* } - ${#_line} - 4))
  [ "$_room" -lt 40 ] || _room=40
  [ "$_room" -ge 10 ] || return 0
  _filled=$((_done * _room / _total))
  _line="$_line [$(printf "%${_filled}s" '' | tr ' ' '#')$(printf "%$((_room - _filled))s" '')]"
}
