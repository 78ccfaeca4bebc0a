# shellcheck shell=sh
# The commands that remove: one version, all of it, or all of it for npm.

run_uninstall() {
	identify_platform
	inspect_launcher
	[ "$dry_run" = yes ] || sweep
	list_version_folders
	version=$named_version
	if [ -n "$version" ] && ! [ -d "$share_dir/$version" ]; then
		[ "$dry_run" = yes ] || {
			# A run that was killed may have left its turn.
			! [ -L "$share_dir/.turn" ] || take_turn && end_turn
			remove_folders
		}
		die_not_installed "$version"
	elif [ -n "$version" ] && [ "$found" != "$version" ]; then
		! plan_only "Would remove Wasp $version" || return 0
		take_turn
		leave_version
		remove_version "$version"
		end_turn
		say "Removed Wasp $version${current:+; the current version is $current}"
	elif [ -z "$found" ] && [ "$launcher" != ours ]; then
		[ ! -e "$share_dir/.uses-npm" ] \
			|| die npm-managed 'Wasp is managed by npm here.' 'To remove it: npm uninstall -g @wasp.sh/wasp-cli'
		say "Wasp is not installed in $shown_prefix"
		# Wasp may have been removed by its own "wasp uninstall", which does not know of the rest.
		[ "$dry_run" = yes ] || remove_everything
		[ "$dry_run" = yes ] || remove_traces
	else
		! plan_only "Would remove Wasp ($(words_of "$found")) from $shown_prefix" || return 0
		[ -n "$version" ] || confirm "Remove Wasp ($(words_of "$found")) from $shown_prefix?"
		remove_everything
		say "Removed Wasp${version:+ $version} from $shown_prefix"
		remove_traces
	fi
	result removed
}

# leave_version: first the launcher goes to the newest other version, so that it never starts what is gone
leave_version() {
	inspect_launcher
	[ "$current" = "$version" ] || return 0
	list_installed
	current=$(printf '%s\n' "$installed" | grep -vxF -e "$version" | head -n 1)
	if [ -n "$current" ]; then
		stage_launcher "$current"
		place_launcher
	else
		change "remove $(pretty "$bin_dir/wasp")" rm -f "$bin_dir/wasp"
	fi
}

run_migrate_to_npm() {
	identify_platform
	inspect_launcher
	[ "$dry_run" = yes ] || sweep
	list_version_folders
	! plan_only "Would remove Wasp${found:+ ($(words_of "$found"))} from $shown_prefix and leave it to npm" || return 0
	confirm "Remove Wasp${found:+ ($(words_of "$found"))} from $shown_prefix and leave it to npm?"
	remove_everything
	change_in "$share_dir" mkdir -p "$share_dir"
	change_in "$share_dir" touch "$share_dir/.uses-npm"
	[ "$launcher" != foreign ] || warn "$(pretty "$bin_dir/wasp") is not from this installer, so it is still there."
	say "Removed Wasp from $shown_prefix; npm may manage it now."
	# Wasp goes on with the rest of its cache.
	[ -n "$destdir" ] || ! find_cache || remove_tree "$cache_folder/installer"
	say ''
	say "Next: ${bold}npm install -g @wasp.sh/wasp-cli$plain"
	result removed
}

# remove_everything: the launcher first, then our lines in start-up files and what lies beside the versions, and these
# last, so that a run that was killed can be done again
remove_everything() {
	committed=yes
	take_turn
	inspect_launcher
	[ "$launcher" != ours ] || change "remove $(pretty "$bin_dir/wasp")" rm -f "$bin_dir/wasp"
	current=''
	[ -n "$destdir" ] || take_out_of_startup_files
	remove_shared_files
	list_version_folders
	for _version in $found; do remove_version "$_version"; done
	end_turn
	remove_folders
}

# remove_folders: those of the prefix that are empty
remove_folders() {
	rmdir "$bin_dir" 2>/dev/null || :
	remove_empty "$share_dir" "$destdir$prefix/share"
	[ "$prefix" = "$home" ] || rmdir "$destdir$prefix" 2>/dev/null || :
}

# remove_traces: what Wasp, its telemetry and this installer keep outside the prefix, once Wasp is gone
remove_traces() {
	# What is staged is not this person's own.
	[ -z "$destdir" ] && find_cache || return 0
	if [ -d "$cache_folder" ] && [ "$prefix" = "$home/.local" ]; then
		remove_tree "$cache_folder"
		say "Removed the cache $(pretty "$cache_folder")"
	fi
	find_config_folder
	[ ! -e "$config_folder/wasp/telemetry-off" ] \
		|| say "Kept $(pretty "$config_folder/wasp/telemetry-off"): telemetry stays off"
}

# find_cache: sets cache_folder, or fails
find_cache() {
	[ -n "$home" ] || return 1
	case ${XDG_CACHE_HOME-} in
		/*) cache_folder=$XDG_CACHE_HOME/wasp ;;
		*) cache_folder=$home/.cache/wasp ;;
	esac
}
