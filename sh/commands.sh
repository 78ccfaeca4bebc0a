# shellcheck shell=sh
# The commands.

run_install() {
	refuse_conflicts
	previous=$current
	if is_settled; then version=$wanted; else find_and_unpack; fi
	if is_to_be_kept "$version"; then
		finish_install already-installed
	elif $dry_run; then
		report_plan
	else
		announce_install
		# Last of all files, since a folder without one is not an install.
		write_file "$staging/new/.receipt.json" print_receipt
		place_version
		finish_install installed
	fi
}

# find_and_unpack: the version that was asked for, or the current one where that is to stay
find_and_unpack() {
	start_registry_lookup
	$dry_run || {
		make_staging
		start_lookups
	}
	announce_new_install
	choose_build
	if [ -n "$archive_file" ]; then take_file; else obtain_release; fi
	! is_downgrade || {
		say "Kept your Wasp $previous: the newest from $(source_name "$release_source") is $version. To install that one: -v $version"
		version=$previous
	}
}

# is_settled: no source has to be asked
is_settled() {
	[ "$wanted" != latest ] && [ -z "$archive_file" ] && is_to_be_kept "$wanted"
}

# is_downgrade: the newest that the source names is older than the current version, and nobody asked for it by name
is_downgrade() {
	[ "$wanted,$force,$archive_file" = latest,false, ] && [ -n "$previous" ] && is_installed "$previous" \
		&& comes_before "$version" "$previous"
}

# finish_install OUTCOME: the second half, also of an install by install.py
finish_install() {
	outcome=$1
	! $dry_run || {
		report_outcome
		result "$outcome"
		return
	}
	read_receipt
	hold_warnings=true
	make_current "$version"
	if [ -n "$destdir" ]; then
		say "Staged Wasp $version in $share_dir/$version"
	else
		check_node
		check_other_wasp
		report_install
	fi
	result "$outcome"
}

report_outcome() {
	_place=$(pretty "$share_dir/$version")
	case $outcome in
		installed) say "Installed Wasp $version in $_place" ;;
		already-installed) say "Wasp $version is already installed in $_place" ;;
		switched) say "Wasp $version is now the current version" ;;
	esac
}

report_install() {
	report_outcome
	case $outcome,$previous in
		installed, | *,"$version") ;;
		installed,*)
			comes_before "$version" "$previous" || say "What is new: $RELEASES_URL/tag/v$version"
			! is_installed "$previous" || say "To go back to Wasp $previous: wasp installer use $previous"
			;;
	esac
	[ -z "$path_message" ] || say "$path_message"
	[ -z "$held_warnings" ] || say "$held_warnings"
	[ "$outcome" = installed ] || return 0
	say ''
	[ -z "$path_message" ] || $on_path || is_github_job \
		|| steps="Put wasp on the PATH of this terminal:$newline$bold$path_command$plain$newline$steps"
	[ -n "$steps" ] || {
		say "Next: ${bold}wasp new my-app$plain"
		return
	}
	add_step 'Create your first app:' "${bold}wasp new my-app$plain"
	say 'Next:'
	# Every second line is what to type, or where to look.
	$quiet || printf '%s' "$steps" | awk '{ print (NR % 2) ? "  " (NR + 1) / 2 ". " $0 : "     " $0 }' >&2
}

# add_step TEXT COMMAND: to what comes next in this terminal
add_step() {
	steps="$steps$1$newline$2$newline"
}

report_plan() {
	say "Would install Wasp${version:+ $version} for $(platform_words):"
	say "  from  ${release_url:-$archive_file}"
	[ -z "$release_digest" ] || say "        $release_digest"
	say "  to    $(pretty "$share_dir/$version")"
	say "  run   $(pretty "$bin_dir/wasp")"
	plan_startup_files
	[ -z "$edited" ] || say "  shell $edited"
	result planned
}

# plan_startup_files: sets edited to the start-up files that an install would change
plan_startup_files() {
	spell_lines
	edited=''
	is_on_ci || ! may_change_startup_files || for_each_startup_file plan_line
}

run_use() {
	refuse_conflicts
	$dry_run || sweep
	previous=$current version=$named_version
	[ -z "$staged" ] || place_staged
	is_installed "$version" || die_not_installed "$version"
	! $dry_run || leave_plan "make Wasp $version the current version"
	finish_install "$outcome"
}

# place_staged: what install.py has prepared
place_staged() {
	make_staging
	change_in "$staging" mv "$staged" "$staging/new"
	place_version
}

die_not_installed() {
	die 5 not-installed "Wasp $1 is not installed in $shown_prefix." "To install it: wasp installer update $1"
}

# run_check: for install.py, before it downloads: refuses what would be refused later, and says where to look for which build
run_check() {
	refuse_conflicts
	is_settled || {
		start_registry_lookup
		$dry_run || make_staging
		choose_build
		[ -n "$archive_file" ] || plan_sources
		tell_all sources registry fetcher npm_build github_builds
	}
	! $dry_run || plan_startup_files
	tell_all startup:edited
	list_installed
	tell_versions
	result checked
}

run_list() {
	inspect_launcher
	list_installed
	! $remote || find_available
	tell_versions
	tell remote "$(words_of "$available")"
	result listed
	! $porcelain || return 0
	[ -n "$available$installed" ] || say "Wasp is not installed in $shown_prefix"
	# A star before the current one, a word behind those that are installed.
	lines "${available:-$installed}" | awk -v current="$current" -v marked="$remote $(words_of "$installed")," 'NF {
		print ($0 == current ? "* " : "  ") $0 (marked ~ /^true/ && index(marked, " " $0 ",") ? " (installed)" : "") }'
	[ "$release_source" != npm ] || say 'Older versions are on GitHub: wasp installer list --remote --source github'
}

tell_versions() {
	tell_all current
	tell versions "$(words_of "$installed")"
}
