# shellcheck shell=sh
# Updating: the installer that is published today knows of what is new, so it does it, for this very prefix.

# run_update ARGUMENT...: of this run
run_update() {
	choose_downloader
	is_published_installer || {
		network_problem=${problem%not-found}
		network_problem=${network_problem:-http-status}
		die_of_problem "today's installer"
	}
	for _argument; do
		shift
		case ${_argument#v} in
			update | "$named_version") ;;
			*) set -- ${1+"$@"} "$_argument" ;;
		esac
	done
	set -- install ${1+"$@"} ${named_version:+--version "$named_version"}
	exec <"$work/installer"
	clean_up
	exec /bin/sh -s -- "$@"
}

# is_published_installer: it is there, whole
is_published_installer() {
	fetch "${WASP_INSTALLER_URL:-$INSTALLER_URL}" "$work/installer" || return 1
	! is_web_page "$work/installer" || return 1
	set_problem bad-answer "$host sent something that is not the installer, or not all of it"
	[ "$(sed -n '1p; $p' "$work/installer")" = "#!/bin/sh$newline}" ]
}
