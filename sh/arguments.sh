# shellcheck shell=sh
# The command line: its defaults, what it means, and what cannot be meant.

set_defaults() {
	home=${HOME-}
	while [ "$home" != "${home%/}" ]; do home=${home%/}; done
	command=install wanted=${WASP_VERSION:-latest} wanted_from=WASP_VERSION
	prefix=${WASP_INSTALL_PREFIX:-${HOME:+$home/.local}} source=auto
	outcome=switched timeout=${WASP_HTTP_TIMEOUT:-30}
	# These are run as commands.
	wants_telemetry=true modify_path=true
	for _name in force dry_run porcelain quiet verbose remote require_checksum assume_yes help hold_warnings announced \
		committed on_path; do eval "$_name=false"; done

	# What becomes known on the way.
	for _name in named_version destdir archive_file wanted_sha256 version problem_text release_source release_url \
		release_digest release_node os arch libc distro_id current installed available path_message edited held_warnings \
		steps python share_dir bin_dir work staging staged_launcher owner_name turn child progress sending lookups npm_lookup \
		all_digests sources staged; do eval "$_name=''"; done
}

parse_arguments() {
	# A refused argument is told to a program too, wherever --porcelain stands.
	for _argument in "$@"; do
		[ "$_argument" != --porcelain ] || porcelain=true
	done
	_options=true _first=''
	while [ $# -gt 0 ]; do
		_word=$1 _value=${2-} _rest=''
		shift
		$_options || {
			take_word "$_word"
			continue
		}
		case $_word in
			--*=*) _value=${_word#*=} _word=${_word%%=*} _rest=value ;;
			-v?*) _value=${_word#-v} _word=-v _rest=value ;;
			-[qyhV]?*)
				# posh takes an empty "$@" for an unset parameter.
				set -- "-${_word#-?}" ${1+"$@"}
				_word=${_word%"${_word#-?}"}
				;;
		esac
		case $_word in
			-v | --version) take_value wanted && wanted_from='' ;;
			--prefix) take_value prefix ;;
			--source) take_value source ;;
			--from-file) take_value archive_file ;;
			--sha256) take_value wanted_sha256 ;;
			# Between install.py and this program.
			--outcome) take_value outcome ;;
			--staged) take_value staged ;;
			-?*) take_option ;;
			*) take_word "$_word" ;;
		esac
		[ "$_rest" != next ] || shift
	done
	! $help || { usage && leave 0; }
}

# take_value VARIABLE: sets it to the value of the option
take_value() {
	case $_value in '' | -*) die 2 usage "$_word needs a value." 'See: --help' ;; esac
	eval "$1=\$_value"
	_rest=${_rest:-next}
}

take_option() {
	case $_word in
		--require-checksum) require_checksum=true ;;
		--no-telemetry) wants_telemetry=false ;;
		--no-modify-path) modify_path=false ;;
		--remote) remote=true ;;
		--force) force=true ;;
		--dry-run) dry_run=true ;;
		--porcelain) ;;
		-q | --quiet) quiet=true ;;
		--verbose) verbose=true ;;
		-y | --yes) assume_yes=true ;;
		-h | --help) help=true ;;
		-V) printf 'Wasp installer %s\n' "$INSTALLER_VERSION" && leave 0 ;;
		--) _options=false ;;
		*)
			_meant=$(command=install usage | tr -s ' ,' '\n' | grep '^--' | closest "$_word")
			die_unknown "unknown option '$_word'" options
			;;
	esac
}

# take_word WORD: a command, or the version that belongs to one
take_word() {
	case $1 in
		install | list | use | update | uninstall | migrate-to-npm | doctor | check)
			[ -z "$_first" ] || die 2 usage "'$1' is a second command." 'One at a time.'
			command=$1 _first=$1
			;;
		'') die 2 usage 'an argument is empty.' 'Is a variable unset?' ;;
		*)
			[ -z "$named_version" ] || die_unknown_word "$1"
			named_version=$1
			;;
	esac
}

# check_arguments: refuses what cannot be meant, before anything is touched
check_arguments() {
	case $command,$named_version in
		use,) die 2 usage "'use' needs a version." 'To see yours: wasp installer list' ;;
		use,* | update,* | uninstall,* | *,) ;;
		*) die_unknown_word "$named_version" ;;
	esac
	! $remote || [ "$command" = list ] || die 2 usage '--remote works only with list.' 'For example: list --remote'
	[ "$command" != check ] || $porcelain || die_unknown_word check
	case $source in
		auto | npm | github) ;;
		*) die 2 usage "unknown source '$source'." 'Use auto, npm or github.' ;;
	esac
	case $timeout in
		'' | *[!0-9]* | 0* | ??????*) die 2 usage "WASP_HTTP_TIMEOUT is '$timeout', not a number of seconds." 'For example: 30' ;;
	esac
	case $wanted_sha256 in *[A-F]*) wanted_sha256=$(printf '%s' "$wanted_sha256" | tr A-F a-f) ;; esac
	case $wanted_sha256,${#wanted_sha256} in
		,0) ;;
		*[!0-9a-f,]* | *,[!6]* | *,6[!4]*) die 2 usage "'$wanted_sha256' is not a SHA-256." 'It has 64 hexadecimal digits.' ;;
	esac
	wanted=${wanted#v} named_version=${named_version#v}
	name_places
	[ "$wanted" = latest ] || { [ "$command" != install ] && [ -n "$wanted_from" ]; } || check_version "$wanted" "$wanted_from"
	[ -z "$named_version" ] || check_version "$named_version" ''
}

# check_version TEXT WHERE: WHERE names the variable that it came from
check_version() {
	! is_version "$1" || return 0
	list_installed
	_meant=$({ lines "$installed" && digests cat; } | grep "^$1\.[0-9]" 2>/dev/null | sed 's/ .*//' | newest_first | head -n 1)
	die 2 bad-version "'$1'${2:+ (in $2)} is not a Wasp version." \
		"${_meant:+Did you mean $_meant? }A version is X.Y.Z (0.25.0), X.Y.Z-rcN, or latest: $RELEASES_URL"
}

# name_places: sets prefix, wasp_root, and where things are put now (share_dir, bin_dir: below DESTDIR)
name_places() {
	[ -n "$prefix" ] || die 2 usage 'HOME is not set, so there is no default folder.' 'Choose one with --prefix DIR.'
	prefix=$(absolute "$prefix")
	! $porcelain || [ -z "${DESTDIR-}" ] || destdir=$(absolute "$DESTDIR")
	[ -z "$archive_file" ] || {
		archive_file=$(absolute "$archive_file")
		# The -r of busybox is true for root, also where root may not read everything.
		[ -f "$archive_file" ] && (: <"$archive_file") 2>/dev/null \
			|| die 7 file-system "cannot read the archive '$archive_file'." 'Name a downloaded release.'
	}
	wasp_root=$prefix/share/wasp-lang shown_prefix=$(pretty "$prefix")
	share_dir=$destdir$wasp_root bin_dir=$destdir$prefix/bin
}

# die_unknown_word WORD: it is no command, and belongs to none
die_unknown_word() {
	case $1 in
		upgrade) _meant=update ;;
		remove | rm) _meant=uninstall ;;
		ls) _meant=list ;;
		switch) _meant=use ;;
		help) _meant=--help ;;
		*) _meant=$(lines install list use update uninstall migrate-to-npm doctor | closest "$1") ;;
	esac
	! is_version "${1#v}" || _meant="-v $1"
	die_unknown "unknown command '$1'" commands
}

# die_unknown TEXT ALL: with what is meant, where it is known
die_unknown() {
	die 2 usage "$(plain_text "$1")." "${_meant:+Did you mean $_meant? }See all $2: --help"
}

# closest WORD: prints the word on stdin that is WORD but for at most two slips: a letter more, less or other
closest() {
	awk -v typed="$1" '
		function least(a, b) { return (a < b) ? a : b }
		length(typed) < 30 {
			for (i = 0; i <= length(typed); i++) for (j = 0; j <= length($0); j++) {
				a = substr(typed, i, 1); b = substr($0, j, 1)
				d[i, j] = (i && j) ? least(least(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (a != b)) : i + j
			}
			slips = d[length(typed), length($0)]
			if (slips < 3 && slips < length(typed) - 1 && (best == "" || slips < fewest)) { best = $0; fewest = slips }
		}
		END { print best }' 2>/dev/null
}
