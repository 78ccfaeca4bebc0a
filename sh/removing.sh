# shellcheck shell=sh
# The commands that remove: one version, all of it, or all of it for npm.

# look_around: what the commands here begin with
look_around() {
	inspect_launcher
	sweep
	list_installed
	cache_folder=$(absolute_or "${XDG_CACHE_HOME-}" "$home/.cache")/wasp
}

# decide ACTION: a dry run ends with it; a person is asked, unless a version was named
decide() {
	! $dry_run || leave_plan "$1"
	[ -n "$version" ] || confirm "Do you want to $1?"
}

run_uninstall() {
	look_around
	version=$named_version
	if [ -n "$version" ] && ! [ -d "$share_dir/$version" ]; then
		$dry_run || {
			# A run that was killed may have left its turn.
			! [ -L "$share_dir/.turn" ] || take_turn && end_turn
			remove_folders
		}
		die_not_installed "$version"
	elif [ -n "$version" ] && [ "$found" != "$version" ]; then
		decide "remove Wasp $version"
		take_turn
		leave_version
		remove_version "$version"
		end_turn
		say "Removed Wasp $version${current:+; the current version is $current}"
	elif [ -z "$found" ] && [ "$launcher" != ours ]; then
		refuse_npm
		say "Wasp is not installed in $shown_prefix"
		# It may have been removed by its own "wasp uninstall", which does not know of the rest.
		$dry_run || remove_everything
	else
		decide "remove Wasp ($(words_of "$found")) from $shown_prefix"
		remove_everything
		say "Removed Wasp${version:+ $version} from $shown_prefix"
	fi
	result removed
}

# leave_version: first the launcher goes to the newest other version, so that it never starts what is gone
leave_version() {
	inspect_launcher
	case $launcher,$current in ours, | ours,"$version") ;; *) return 0 ;; esac
	list_installed
	current=$(lines "$installed" | grep -vxF -e "$version" | head -n 1)
	if [ -n "$current" ]; then
		stage_launcher "$current"
		place_launcher
	else
		change_in "$bin_dir" rm -f "$bin_dir/wasp"
	fi
}

run_migrate() {
	look_around
	decide "remove Wasp${found:+ ($(words_of "$found"))} from $shown_prefix and leave it to npm"
	remove_everything
	change_in "$share_dir" mkdir -p "$share_dir"
	change_in "$share_dir" touch "$share_dir/.uses-npm"
	# Wasp goes on with the rest of its cache.
	[ -n "$destdir" ] || remove_tree "$cache_folder/installer"
	say "Removed Wasp from $shown_prefix${newline}Next: ${bold}npm install -g @wasp.sh/wasp-cli$plain"
	result removed
}

# remove_everything: the launcher first, then our lines in start-up files and what lies beside the versions, and these
# last, so that a run that was killed can be done again
remove_everything() {
	committed=true
	take_turn
	inspect_launcher
	[ "$launcher" != ours ] || change_in "$bin_dir" rm -f "$bin_dir/wasp"
	current=''
	take_out_of_startup_files
	remove_shared_files
	list_installed
	for _version in $found; do remove_version "$_version"; done
	end_turn
	remove_folders
	# What Wasp, its telemetry and this installer keep outside the prefix. What is staged is not this person's own.
	[ "$command" = uninstall ] && [ -z "$destdir" ] && [ -d "$cache_folder" ] && [ "$prefix" = "$home/.local" ] || return 0
	remove_tree "$cache_folder"
	say "Removed the cache $(pretty "$cache_folder")"
}

# remove_folders: those of the prefix that are empty
remove_folders() {
	rmdir "$bin_dir" 2>/dev/null || :
	remove_empty "$share_dir" "$destdir$prefix"
	[ "$prefix" = "$home" ] || rmdir "$destdir$prefix" 2>/dev/null || :
}
