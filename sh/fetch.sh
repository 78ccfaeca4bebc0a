# shellcheck shell=sh
# Requests, with curl or wget. "fetch" sets problem (a slug of die, or not-found) and problem_text when it fails.

choose_downloader() {
	downloader=curl headers=$work/headers wget_options='' wget_authorities=''
	case $(command -v curl) in
		# Snap confines its curl: it may not write into hidden folders, where all this goes.
		'' | /snap/* | */snap/bin/*) downloader=wget headers=$work/errors ;;
		*) return 0 ;;
	esac
	case $(wget --version 2>&1) in
		*'GNU Wget '*)
			# What a person has in ~/.wgetrc and ~/.netrc is for other downloads; and else it keeps a file of hosts.
			wget_options="--no-config --no-netrc --no-hsts -nv -t1 -T$timeout --max-redirect=$REDIRECT_LIMIT"
			# Unlike curl, it does not look for the variable itself.
			wget_authorities=${SSL_CERT_FILE-}
			;;
		*[Bb]usy[Bb]ox*'-T '*) wget_options="-T $timeout" ;;
		*[Bb]usy[Bb]ox*) ;;
		*) die 4 no-downloader 'you need curl or wget, and neither is on PATH (curl from snap and Wget2 do not work here).' \
			"$(how_to_install curl)" ;;
	esac
	# Unlike curl, it knows the names in lower case only.
	export https_proxy="${https_proxy:-${HTTPS_PROXY-}}" no_proxy="${no_proxy:-${NO_PROXY-}}"
}

# set_problem SLUG TEXT: and fails
set_problem() {
	problem=$1 problem_text=$2
	return 1
}

# check_url URL: only https, or plain http on this very machine
check_url() {
	case $1 in
		# In a set, a backslash is one of its own to some shells.
		*\\* | *[!A-Za-z0-9._~:/?\#@!\$\&\'\(\)*+,\;=%\[\]-]*)
			set_problem bad-answer 'the download address is not valid' || return 1
			;;
		https://[!/]*) return 0 ;;
		http://*) ! is_loopback "$1" || return 0 ;;
	esac
	set_problem insecure-url "$(plain_text "$1") is not an https address"
}

# is_loopback URL: its host is this very machine, by 127.0.0.0/8 in full
is_loopback() {
	host_of "$1"
	lines "$host" | grep -qE '^(localhost|\[::1]|127(\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3})$'
}

# host_of URL: sets host; a user name before it ("127.0.0.1@elsewhere") is no host
host_of() {
	host=${1#*://}
	host=${host%%[/?#]*}
	host=${host##*@}
	case ${host##*:} in *[!0-9]*) ;; *) host=${host%:*} ;; esac
}

# fetch URL FILE [METHOD]: METHOD is --location (default: go where it leads) or --head (the headers only). Tries again
# what may pass by itself.
fetch() {
	for _pause in 1 2 4 ''; do
		! fetch_once "$1" "$2" "${3:---location}" || return 0
		case $problem,$http_status,$_pause in
			connection,*,? | http-status,429,? | http-status,5??,?) ;;
			*) return 1 ;;
		esac
		# As long as the server asks, but for a minute at most.
		_wait=$(lines "$retry_after" | awk -v pause="$_pause" '{ print (!/^[0-9]+$/ ? pause : $0 > 60 ? 60 : $0 + 0) }')
		say "$problem_text; retrying in $_wait s"
		run_waiting /dev/null sleep "$_wait"
	done
}

fetch_once() {
	! $verbose || say_step "$(plain_text "$1")"
	problem='' problem_text='' http_status='' location='' hop='' retry_after='' content_length=''
	check_url "$1" || return 1
	host_of "$1"
	_url=$1 _file=$2 _method=$3 _limit=$ANSWER_LIMIT
	: >"$headers"
	case $_file in */archive) _limit=$UNPACKED_LIMIT ;; esac
	"fetch_with_$downloader"
	read_headers
	# wget goes to any address that it is sent to, and curl from plain http on this machine, so that is seen afterwards.
	[ -z "$hop" ] || case $_url in http:*) is_loopback "$hop" ;; *) false ;; esac || _status=1
	host_of "$_url"
	# wget fails where it is not to go on.
	case $_method,$http_status,$_status in --head,3??,22) return 0 ;; esac
	[ "$_status" = 0 ] || explain_failure
}

# bounded COMMAND...: for run_waiting: no file grows beyond the limit of this download; writing more fails
bounded() {
	trap '' XFSZ 2>/dev/null
	ulimit -f "$((_limit / 512))" 2>/dev/null
	exec "$@"
}

# fetch_with_curl: sets _status
fetch_with_curl() {
	# From https never to http; what begins on this very machine may stay plain. Less than 100 bytes a second are no
	# progress.
	_protocols="=${_url%%:*},https"
	# --disable, first: what a person has in ~/.curlrc is for other downloads.
	run_waiting "$_file" bounded curl --disable -sSf "$_method" \
		-D "$headers" --max-redirs "$REDIRECT_LIMIT" --proto "$_protocols" --proto-redir "$_protocols" \
		--connect-timeout "$timeout" --speed-limit 100 --speed-time "$timeout" --max-filesize "$_limit" \
		-A 'wasp-installer (sh)' "$_url"
}

# fetch_with_wget: GNU's, or busybox's; sets _status to what curl would say
fetch_with_wget() {
	# shellcheck disable=SC2086 # a list of words
	set -- -S -O - $wget_options ${wget_authorities:+"--ca-certificate=$wget_authorities"}
	case $_method,$wget_options in
		--head,*max-redirect*) set -- "$@" --spider --max-redirect=0 ;;
		--head,*) set -- "$@" --spider ;;
	esac
	run_waiting "$_file" bounded wget "$@" "$_url"
	case $_status in
		[168]) _status=22 ;;
		5) _status=60 ;;
		[37]) _status=other ;;
	esac
	! grep -q 'certificate validation not implemented' "$work/errors" || die 4 no-downloader \
		'the wget on your PATH does not check certificates, so you need curl.' "$(how_to_install curl)"
}

# read_headers: http_status, location, content_length and retry_after from what the downloader wrote of the headers;
# after a redirect those of the last answer count
read_headers() {
	while IFS=": $tab" read -r _key _value; do
		_value=${_value%"$carriage_return"}
		case $_key in
			HTTP/*) http_status=${_value%% *} retry_after='' content_length='' ;;
			[Ll][Oo][Cc][Aa][Tt][Ii][Oo][Nn])
				location=${_value%% *}
				case $location in [Hh][Tt][Tt][Pp]:*) hop=$location ;; esac
				;;
			[Rr]etry-[Aa]fter) retry_after=$_value ;;
			[Cc]ontent-[Ll]ength) content_length=$_value ;;
		esac
	done <"$headers"
}

# explain_failure: sets the problem, in the tool's own words where their meaning is not certain.
# https://curl.se/libcurl/c/libcurl-errors.html
explain_failure() {
	_words=$(sed -nE 's/^(curl: \([0-9]+\)|wget:|ERROR:) //p' "$work/errors" | tail -n 1)
	_words=$(plain_text "${_words:-$(tail -n 1 "$work/errors")}" | sed 's/[.: ]*$//')
	problem=connection problem_text="the connection to $host failed${_words:+ ($_words)}"
	case $_status,$http_status,$_words in
		23,* | *[Nn]o\ space* | *'ile too large'*)
			set_problem bad-answer "$host sent far too much"
			[ -n "$(find "$_file" "$headers" -size "+$((_limit / 512 - 1))" 2>/dev/null)" ] \
				|| die_file_system "cannot write the download to $(pretty "${_file%/*}")" "$_words"
			;;
		*'proxy syntax'* | *'proxy URL'*)
			set_problem proxy 'HTTPS_PROXY is not a valid proxy address; in a password, write %40 for @, %23 for #, %2F for / and %3F for ?'
			;;
		1,*HTTP/0.9* | 3,* | 47,* | 63,* | [!1]*edirection*) problem=bad-answer ;;
		1,*) set_problem insecure-url "$host redirected to an address that is not https" ;;
		22,407,* | *,*\ 407*) problem=proxy ;;
		22,4[01][045],*) set_problem not-found "$host does not have it" ;;
		22,[45]??,*) set_problem http-status "$host answered with HTTP status $http_status" ;;
		5,* | 97,* | *roxy* | *CONNECT*) problem=proxy ;;
		7,* | *refused*)
			[ -n "${https_proxy-}${HTTPS_PROXY-}${http_proxy-}${all_proxy-}${ALL_PROXY-}" ] && problem=proxy \
				|| problem_text="$host refused the connection"
			;;
		6,* | *resolve* | *'bad address'*) set_problem dns "the name $host could not be resolved" ;;
		28,* | *'timed out'*) set_problem timeout "$host sent nothing for $timeout s" ;;
		*ertificate* | 60,*) problem=tls ;;
	esac
	return 1
}

# die_of_problem WHAT: the first problem as an error; WHAT names what was wanted
die_of_problem() {
	case $network_problem in
		dns | connection | timeout | http-status)
			_hint='Check your network (and HTTPS_PROXY, if you need a proxy), or run this again later.'
			;;
		tls) _hint="Check your clock and your CA certificates (package ca-certificates).${newline}Behind a corporate proxy, set SSL_CERT_FILE=/path/to/its/ca.pem" ;;
		proxy) _hint='Check HTTPS_PROXY (http://user:password@host:port) and NO_PROXY.' ;;
		captive-portal) _hint='Log in to the network in a browser, then run this again.' ;;
		insecure-url) _hint='Only https is used. See WASP_NPM_REGISTRY, WASP_GITHUB_URL and npm config get registry.' ;;
		*) _hint='To see each step: --verbose. To try another source: --source npm or github.' ;;
	esac
	die 4 "$network_problem" "cannot get $1: $problem_text." "$_hint"
}
