# shellcheck shell=sh
# The commands that remove: one version, all of it, or all of it for npm.

run_uninstall() {
  identify_platform
  inspect_launcher
  [ "$dry_run" = yes ] || sweep
  if [ -n "$named_version" ]; then
    uninstall_version
    return
  fi
  list_version_folders
  if [ -z "$found" ] && [ "$launcher" != ours ] && [ -e "$share_dir/.uses-npm" ]; then
    die npm-managed 'Wasp is managed by npm here.' 'To remove it: npm uninstall -g @wasp.sh/wasp-cli'
  fi
  _message="Removed Wasp from $(pretty "$prefix")"
  if [ -z "$found" ] && [ "$launcher" != ours ]; then
    _message="No Wasp is installed in $(pretty "$prefix")"
    [ "$dry_run" = no ] || {
      say "$_message"
      result removed
      return
    }
  else
    ! plan_only "Would remove Wasp ($(words_of "$found")) from $(pretty "$prefix")" || return 0
    confirm "Remove Wasp ($(words_of "$found")) from $(pretty "$prefix")?"
  fi
  remove_everything
  say "$_message"
  remove_traces
  result removed
}

uninstall_version() {
  [ -d "$share_dir/$named_version" ] || {
    # A run that was killed may have come so far.
    list_version_folders
    [ "$dry_run" = yes ] || [ -n "$found" ] || [ "$launcher" = foreign ] || [ -e "$share_dir/.uses-npm" ] || {
      remove_everything
      remove_traces
    }
    die_not_installed "$named_version"
  }
  version=$named_version
  ! plan_only "Would remove Wasp $version" || return 0
  take_turn
  leave_version
  remove_version "$version"
  list_version_folders
  end_turn
  say "Removed Wasp $version${current:+; the current version is $current}"
  [ -n "$found" ] || {
    remove_everything
    remove_traces
  }
  result removed
}

# leave_version: first the launcher goes to the newest other version, so that it never starts what is gone
leave_version() {
  inspect_launcher
  [ "$current" = "$version" ] || return 0
  list_installed
  for _version in $installed; do
    [ "$_version" != "$version" ] || continue
    # The launcher differs in one line only.
    name_owner
    staged_launcher=$(mktemp "$bin_dir/.wasp-staging-$owner_name-XXXXXX" 2>&1) \
      || die_file_system "cannot write to $(pretty "$bin_dir")" "$staged_launcher"
    write_file "$staged_launcher" sed "s/^wasp_version=.*/wasp_version=$_version/" "$bin_dir/wasp"
    change "write to $(pretty "$bin_dir")" chmod 755 "$staged_launcher"
    change "write the launcher $(pretty "$bin_dir/wasp")" mv -f "$staged_launcher" "$bin_dir/wasp"
    staged_launcher='' current=$_version
    return 0
  done
  change "remove $(pretty "$bin_dir/wasp")" rm -f "$bin_dir/wasp"
  current=''
}

run_migrate_to_npm() {
  identify_platform
  inspect_launcher
  [ "$dry_run" = yes ] || sweep
  list_version_folders
  ! plan_only "Would remove Wasp${found:+ ($(words_of "$found"))} from $(pretty "$prefix") and leave it to npm" || return 0
  remove_everything
  change "write to $(pretty "$share_dir")" mkdir -p "$share_dir"
  _errors=$( (: >"$share_dir/.uses-npm") 2>&1) \
    || die_file_system "cannot write to $(pretty "$share_dir")" "$_errors"
  [ "$launcher" != foreign ] || warn "$(pretty "$bin_dir/wasp") is not from this installer, so it is still there."
  say "Removed Wasp from $(pretty "$prefix"); npm may manage it now."
  # Wasp goes on with the rest of its cache.
  [ -n "$destdir" ] || ! find_cache || remove_tree "$cache_folder/installer"
  say ''
  say "Next: ${bold}npm install -g @wasp.sh/wasp-cli$plain"
  result removed
}

# remove_everything: the launcher first, then the versions, what lies beside them, our lines in start-up files, and
# the folders of the prefix that are then empty
remove_everything() {
  committed=yes
  take_turn
  inspect_launcher
  [ "$launcher" != ours ] || change "remove $(pretty "$bin_dir/wasp")" rm -f "$bin_dir/wasp"
  current=''
  list_version_folders
  for _version in $found; do remove_version "$_version"; done
  remove_shared_files
  [ -n "$destdir" ] || take_out_of_startup_files
  end_turn
  rmdir "$bin_dir" 2>/dev/null || :
  _folder=$share_dir
  # A run that was killed may have removed some of them.
  while [ "$_folder" != "$destdir$prefix" ] && { rmdir "$_folder" 2>/dev/null || ! [ -e "$_folder" ]; }; do
    _folder=${_folder%/*}
  done
  [ "$prefix" = "$home" ] || rmdir "$destdir$prefix" 2>/dev/null || :
}

# remove_traces: what Wasp, its telemetry and this installer keep outside the prefix, once Wasp is gone
remove_traces() {
  # What is staged is not this person's own.
  [ -z "$destdir" ] && find_cache || return 0
  if [ -d "$cache_folder" ] && ! is_used_elsewhere; then
    remove_tree "$cache_folder"
    say "Removed the cache $(pretty "$cache_folder")"
  fi
  find_config_folder
  [ ! -e "$config_folder/wasp/telemetry-off" ] \
    || say "Kept $(pretty "$config_folder/wasp/telemetry-off"): a Wasp that you install again sends nothing either"
}

# is_used_elsewhere: by the Wasp in the usual place, where another was removed
is_used_elsewhere() {
  [ "$prefix" != "$home/.local" ] || return 1
  for _binary in "$home/.local/share/wasp-lang"/*/wasp-bin; do
    [ ! -x "$_binary" ] || return 0
  done
  return 1
}

# find_cache: sets cache_folder, or fails
find_cache() {
  [ -n "$home" ] || return 1
  case ${XDG_CACHE_HOME-} in
    /*) cache_folder=$XDG_CACHE_HOME/wasp ;;
    *) cache_folder=$home/.cache/wasp ;;
  esac
}
