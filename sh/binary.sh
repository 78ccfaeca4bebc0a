# shellcheck shell=sh
# The unpacked binary is run once, so that one that does not run here is never put in its place.

# check_binary: dies unless the unpacked binary runs here and is the version that was asked for
check_binary() {
	say_step 'Running wasp-bin version'
	run_waiting "$work/said" run_unpacked_binary || explain_binary "$?"
	_reported=$(sed -nE 's/^[^0-9]*([0-9][0-9.]*[0-9](-rc[0-9]*)?).*/\1/p' "$work/said")
	_reported=${_reported%%"$newline"*}
	is_version "$_reported" || die 3 binary-does-not-run 'the binary in the archive does not say which version it is.' \
		"$nothing"
	version=${version:-$_reported}
	# A release candidate may call itself by the version that it is a candidate for.
	[ "${_reported%-rc*}" = "${version%-rc*}" ] || die 6 wrong-version \
		"the archive contains Wasp $_reported, not $version." "$nothing"
}

# run_unpacked_binary: in the user's locale, while what the system says of it is in the C locale, as it is looked at
run_unpacked_binary() {
	export WASP_TELEMETRY_DISABLE=1 WASP_AUTO_NEWS_DISABLE=1 waspc_datadir="$staging/new/data"
	# In its folder, since env takes a path with "=" in it for a variable.
	cd "$staging/new" && exec_limited "$HELPER_LIMIT_S" env LC_ALL="$user_locale" ./wasp-bin version
}

# explain_binary STATUS: why the binary does not run
explain_binary() {
	_said=$(cat "$work/errors" "$work/said") _hint='Please report it: https://github.com/wasp-lang/wasp/issues'
	case $_said in
		*'loading shared libraries: '*)
			_library=${_said#*'shared libraries: '}
			_library=${_library%%:*}
			case $_library,$(command -v apt-get) in
				libgmp.*,) _library=gmp ;;
				libgmp.*) _library=libgmp10 ;;
			esac
			_hint=$(how_to_install "$_library")
			;;
		*'Bad CPU type'*) _hint='Install Rosetta: softwareupdate --install-rosetta' ;;
		*'ermission denied'*)
			die 7 permission-denied "programs cannot run from $shown_prefix (is it mounted noexec?)." \
				'Choose another place with --prefix DIR.'
			;;
	esac
	die 3 binary-does-not-run "Wasp${version:+ $version} was unpacked but does not run here (exit code $1): $(plain_text "$_said")" \
		"$nothing $_hint"
}
