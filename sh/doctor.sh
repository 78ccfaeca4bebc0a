# shellcheck shell=sh
# What stands in the way of Wasp here, and what a person who helps would ask for. No secrets, so it can be pasted.

run_doctor() {
	doctor_code=0 objections=''
	inspect_launcher
	list_installed
	start_registry_lookup
	start_lookups
	version=$current
	show installer "$INSTALLER_VERSION"
	show machine "$system $machine${libc:+, $libc $glibc_version}${distro_id:+, $distro_id}"
	show versions "$(words_of "$installed")"
	examine_current
	examine_path
	examine_surroundings
	_found=''
	for_each_left_over find_left_over "$share_dir"/.staging-* "$bin_dir"/.wasp-staging-*
	show 'left over' "${_found:+$_found (the next install removes it)}"
	choose_build
	show result "${objections:-All is well.}"
	tell code "$doctor_code"
	result checked
	leave "$doctor_code"
}

# show NAME TEXT
show() {
	$porcelain || printf '%-12s %s\n' "$1" "${2:-none}"
}

# object CODE TEXT: what stands in the way; the first one decides the exit code
object() {
	[ "$doctor_code" != 0 ] || doctor_code=$1
	tell warning "$2"
	objections="${objections:-Problems:}$newline  ! $(indented '    ' "$2")"
}

# examine_current: which version runs here, and whether it does
examine_current() {
	_wasp=$(pretty "$bin_dir/wasp")
	show current "${current:+$current, by $_wasp}"
	case $launcher in
		ours) is_installed "${current:-none}" || object 5 "${current:-Its version} is not installed. To repair it: wasp installer update" ;;
		none) object 5 "There is no $_wasp. To install Wasp: curl -fsSL $INSTALLER_URL | sh" ;;
		*) object 8 "$_wasp was not made by this installer. Move it away." ;;
	esac
	[ ! -e "$share_dir/.uses-npm" ] || object 8 'npm manages Wasp here. To update it: npm install -g @wasp.sh/wasp-cli@latest'
	[ "$launcher" = ours ] || return 0
	_said=$(export WASP_TELEMETRY_DISABLE=1 WASP_AUTO_NEWS_DISABLE=1 && ask "$bin_dir/wasp" version | head -n 1)
	_said=$(plain_text "$_said")
	[ "$_said" = "$current" ] || _said="$_said${_said:+, which this project wants}"
	show 'runs here' "$_said"
	[ -n "$_said" ] || object 3 'Wasp does not run. See: wasp version'
}

examine_path() {
	spell_lines
	_first=$(command -v wasp || :)
	show PATH "${_first:+wasp is $(pretty "$_first")}"
	$on_path || object 3 "$(pretty "$prefix/bin") is not on PATH in this terminal. To add it: $path_command"
	check_other_wasp
	present=''
	! may_change_startup_files || for_each_startup_file find_line
	show 'start-up' "$present"
}

examine_surroundings() {
	[ -z "$version" ] || read_receipt
	check_node
	show Node.js "${node_version:+$node_version${release_node:+, wanted: $release_node}}"
	show npm "$(command -v npm)"
	show Python "$python"
	if is_opted_out; then show telemetry off; else show telemetry "on; see: wasp telemetry"; fi
	find_registry
	show registry "$(plain_text "$registry")"
	_proxy=${https_proxy-${HTTPS_PROXY-${ALL_PROXY-${all_proxy-}}}}
	show proxy "$(plain_text "${_proxy##*@}")"
}

# find_left_over FILE
find_left_over() {
	_found=$(with_name "$_found" "$1")
}
