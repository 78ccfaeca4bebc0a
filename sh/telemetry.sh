# shellcheck shell=sh
# The one event of an installer: a random number and the operating system. What an installed Wasp sends is in
# telemetry_ping.py.

# announce_install: sends the event, once in a run, after a line that says so
announce_install() {
	! $dry_run && ! $announced && $wants_telemetry && ! is_opted_out || return 0
	announced=true
	_target=${WASP_TELEMETRY_URL:-$TELEMETRY_URL}
	check_url "$_target" && make_install_event || return 0
	[ "${WASP_TELEMETRY_DEBUG:-0}" = 0 ] || {
		lines "$event" >&2
		return
	}
	choose_downloader
	# The wget of busybox may check no certificate, and goes wherever it is sent.
	case $downloader,$wget_options in curl,* | *no-hsts*) ;; *) return 0 ;; esac
	say 'Anonymous telemetry, now and from wasp. Opt out: https://wasp.sh/docs/telemetry'
	send_event
}

# announce_new_install: the same, as soon as it is certain that something will be installed
announce_new_install() {
	list_installed
	! $force && [ -n "$installed" ] && { [ "$wanted" = latest ] || [ -n "$archive_file" ]; } || announce_install
}

# is_opted_out: the rule of opt_out_reason in telemetry_ping.py
is_opted_out() {
	case ${WASP_TELEMETRY_DISABLE+set}${DO_NOT_TRACK-} in
		'' | 0 | [Ff][Aa][Ll][Ss][Ee] | [Nn][Oo] | [Oo][Ff][Ff]) ;;
		*) return 0 ;;
	esac
	_folder=$(absolute_or "${XDG_CONFIG_HOME-}" "$home/.config")/wasp
	# A home that is no full path is nobody's.
	case $_folder in /*) ;; *) return 1 ;; esac
	[ -e "$_folder/telemetry-off" ] || [ -L "$_folder/telemetry-off" ] && return 0
	# It cannot be looked for where one on the way may not be entered.
	until [ -d "${_folder:-/}/" ]; do _folder=${_folder%/*}; done
	! [ -x "${_folder:-/}/" ]
}

# make_install_event: sets event, the same bytes as install_event in telemetry_ping.py; fails where the system has no
# random source
make_install_event() {
	telemetry_os=${os:-Unknown}
	[ "$os" != macos ] || telemetry_os=osx
	_key=${WASP_TELEMETRY_KEY:-$TELEMETRY_KEY}
	case $_key in *[!A-Za-z0-9_-]*) return 1 ;; esac
	# 24 digits, the first of them not 0: the last digit of each byte below 250.
	_digits=$(od -An -N256 -tu1 /dev/urandom 2>/dev/null | awk '
		{ for (i = 1; i <= NF; i++) if ($i < 250 && (digits != "" || $i % 10)) digits = digits $i % 10 }
		END { print substr(digits, 1, 24) }')
	event="{\"api_key\": \"$_key\", \"type\": \"capture\", \"event\": \"install-script:run\", \"distinct_id\": \"$_digits\""
	event="$event, \"properties\": {\"os\": \"$telemetry_os\"}}"
	[ ${#_digits} = 24 ]
}

# send_event: in the background, out of reach of a closed terminal, and not waited for at the end
send_event() {
	case $downloader in
		curl)
			set -- curl --disable -s --max-time "$TELEMETRY_DEADLINE_S" --proto "=${_target%%:*}" --max-filesize 65536 \
				-A wasp -H 'Accept:' -H 'Content-Type: application/json' -d "$event" "$_target"
			;;
		wget)
			# shellcheck disable=SC2086 # a list of words
			set -- wget $wget_options ${wget_authorities:+"--ca-certificate=$wget_authorities"} -U wasp \
				-T "$TELEMETRY_DEADLINE_S" --max-redirect=0 --header='Content-Type: application/json' \
				--post-data="$event" -O - "$_target"
			;;
	esac
	{
		trap '' HUP INT QUIT
		# Plain http stays on this machine.
		case $_target in http:*) unset http_proxy all_proxy ALL_PROXY ;; esac
		# Who waits for the end of a pipe waits for all who could write into it.
		exec </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
		exec_limited "$((TELEMETRY_DEADLINE_S + 1))" "$@"
	} &
	sending=$!
}
