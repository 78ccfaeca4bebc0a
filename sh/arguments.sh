# shellcheck shell=sh
# The command line: its defaults, what it means, and what cannot be meant.

set_defaults() {
	home=${HOME-}
	while [ "$home" != "${home%/}" ]; do home=${home%/}; done
	command=install named_version='' wanted=${WASP_VERSION:-latest} wanted_from=WASP_VERSION
	prefix=${WASP_INSTALL_PREFIX:-${HOME:+$home/.local}} destdir='' source=auto archive_file='' wanted_sha256=''
	require_checksum=no force=no dry_run=no porcelain=no quiet=no verbose=no assume_yes=no wants_telemetry=yes
	modify_path=yes remote=no outcome=switched previous='' timeout=${WASP_HTTP_TIMEOUT:-30}

	# What becomes known on the way.
	for _name in version release_source release_url release_digest release_node registry problem problem_text \
		os arch libc distro_id current installed available path_message edited held_warnings python node_version \
		wasp_root share_dir bin_dir work staging staged_launcher owner_name turn made_share made_bin \
		child asking progress sending node_lookup python_lookup npm_lookup; do eval "$_name=''"; done
	on_path=no hold_warnings=no announced=no committed=no interrupted_code=130
}

parse_arguments() {
	# A refused argument is told to a program too, wherever --porcelain stands.
	for _argument in "$@"; do
		[ "$_argument" != --porcelain ] || porcelain=yes
	done
	_options=yes _commands=0
	while [ $# -gt 0 ]; do
		_word=$1 _value=${2-} _rest=''
		shift
		case $_options,$_word in
			no,*) ;;
			*,--*=*) _value=${_word#*=} _word=${_word%%=*} _rest=value ;;
			*,-v?*) _value=${_word#-v} _word=-v _rest=value ;;
			*,-[qyhV]?*)
				# posh takes an empty "$@" for an unset parameter.
				set -- "-${_word#-?}" ${1+"$@"}
				_word=${_word%"${_word#-?}"}
				;;
		esac
		case $_options,$_word in
			yes,-v | yes,--version | yes,--prefix | yes,--source | yes,--from-file | yes,--sha256 | yes,--outcome)
				case $_value in '' | -*) die usage "$_word needs a value." 'See: --help' ;; esac
				take_value
				[ "$_rest" = value ] || shift
				;;
			yes,-?*) take_option ;;
			*) take_word "$_word" ;;
		esac
	done
}

take_value() {
	case $_word in
		-v | --version) wanted=$_value wanted_from='' ;;
		--prefix) prefix=$_value ;;
		--source) source=$_value ;;
		--from-file) archive_file=$_value ;;
		--sha256) wanted_sha256=$_value ;;
		# Between install.py and this program.
		--outcome) outcome=$_value ;;
	esac
}

take_option() {
	case $_word in
		--require-checksum) require_checksum=yes ;;
		--no-telemetry) wants_telemetry=no ;;
		--no-modify-path) modify_path=no ;;
		--remote) remote=yes ;;
		--force) force=yes ;;
		--dry-run) dry_run=yes ;;
		--porcelain) ;;
		-q | --quiet) quiet=yes ;;
		--verbose) verbose=yes ;;
		-y | --yes) assume_yes=yes ;;
		-h | --help) usage && leave 0 ;;
		-V) printf 'Wasp installer %s\n' "$INSTALLER_VERSION" && leave 0 ;;
		--) _options=no ;;
		*) die usage "there is no option '$(plain_text "$_word")'." 'See them all with: --help' ;;
	esac
}

# take_word WORD: a command, or the version that belongs to one
take_word() {
	case $_options,$1 in
		yes,install | yes,list | yes,use | yes,uninstall | yes,migrate-to-npm | yes,check)
			_commands=$((_commands + 1)) command=$1
			[ "$_commands" = 1 ] || die usage "one command at a time, not also '$1'." 'See: --help'
			;;
		*,) die usage 'one of the arguments is empty.' 'Is a variable not set?' ;;
		*)
			[ -z "$named_version" ] || die_unknown_word "$1"
			named_version=$1
			;;
	esac
}

# check_arguments: refuses what cannot be meant, before anything is touched
check_arguments() {
	case $command,$named_version in
		use,) die usage "'use' needs a version." 'See what is installed: list' ;;
		use,* | uninstall,* | *,) ;;
		*) die_unknown_word "$named_version" ;;
	esac
	[ "$remote" = no ] || [ "$command" = list ] || die usage '--remote belongs to the command list.' 'For example: list --remote'
	[ "$command" != check ] || [ "$porcelain" = yes ] || die_unknown_word check
	case $source in
		auto | npm | github) ;;
		*) die usage "there is no source '$source'." 'Choose auto, npm or github.' ;;
	esac
	case $timeout in
		'' | *[!0-9]* | 0* | ??????*) die usage "WASP_HTTP_TIMEOUT is '$timeout', not a number of seconds." 'For example: 30' ;;
	esac
	wanted_sha256=$(printf '%s' "$wanted_sha256" | tr A-F a-f)
	case $wanted_sha256,${#wanted_sha256} in
		,0) ;;
		*[!0-9a-f,]* | *,[!6]* | *,6[!4]*) die usage "'$wanted_sha256' is not a SHA-256." 'It has 64 hexadecimal digits.' ;;
	esac
	wanted=${wanted#v} named_version=${named_version#v}
	[ "$wanted" = latest ] || { [ "$command" != install ] && [ -n "$wanted_from" ]; } || check_version "$wanted" "$wanted_from"
	[ -z "$named_version" ] || check_version "$named_version" ''
	name_places
}

# check_version TEXT WHERE: WHERE names the variable that it came from
check_version() {
	is_version "$1" || die bad-version "'$1'${2:+ (in $2)} is not a version of Wasp." \
		"A version is X.Y.Z (0.25.0), X.Y.Z-rcN, or latest: $RELEASES_URL"
}

# name_places: sets prefix, wasp_root, and where things are put now (share_dir, bin_dir: below DESTDIR)
name_places() {
	[ -n "$prefix" ] || die usage 'HOME is not set, so there is no default place to install to.' 'Say where: --prefix DIR'
	prefix=$(absolute "$prefix")
	[ "$porcelain" = no ] || [ -z "${DESTDIR-}" ] || destdir=$(absolute "$DESTDIR")
	[ -z "$archive_file" ] || {
		archive_file=$(absolute "$archive_file")
		[ -f "$archive_file" ] && [ -r "$archive_file" ] \
			|| die file-system "cannot read the archive '$archive_file'." 'Give the path of a downloaded release.'
	}
	wasp_root=$prefix/share/wasp-lang shown_prefix=$(pretty "$prefix")
	share_dir=$destdir$wasp_root bin_dir=$destdir$prefix/bin
}

# die_unknown_word WORD: it is no command, and belongs to none
die_unknown_word() {
	_hint='The commands are install, list, use, uninstall and migrate-to-npm. See: --help'
	! is_version "${1#v}" || _hint="To install a version: -v $1"
	die usage "do not know what to do with '$(plain_text "$1")'." "$_hint"
}
