# shellcheck shell=sh
# Which source is asked, in which order, and what is said when none of them delivers. find_release_at_SOURCE sets
# version, release_source, release_url, release_digest and release_node, or fails with a problem.

# obtain_release: the release from the first source that has it and delivers it
obtain_release() {
	wanted_words="Wasp $wanted"
	[ "$wanted" != latest ] || wanted_words='the newest Wasp'
	! try_sources take_release_from || return 0
	forget_release
	die_without "$wanted_words"
}

# die_without WHAT: no source has it, or none can be asked
die_without() {
	[ -z "$network_problem" ] || die_of_problem "$1"
	[ "$problem" != no-build ] || die 3 unsupported-platform "$1 has no build for $(platform_words)." \
		"Another version may have one: $RELEASES_URL"
	[ "$source" = auto ] && _lack='no source has' || _lack="$(source_name "$source") does not have"
	die 5 no-such-version "$_lack $1." "All versions: $RELEASES_URL"
}

forget_release() {
	version='' release_source='' release_url='' release_digest='' release_node='' api_problem=''
}

take_release_from() {
	forget_release
	"find_release_at_$1" && take_release
}

# take_version TEXT: what a source says that it has
take_version() {
	version=$1
	is_version "$1" || set_problem bad-answer "$host did not say which version it has"
}

# try_sources DO: "DO SOURCE" for each until one succeeds; else fails, with the problem of the last one, and with
# network_problem, the first that another try could end, and what else was met
try_sources() {
	choose_downloader
	plan_sources
	_tried='' network_problem='' _met=''
	for _source in $sources; do
		[ -z "$_tried" ] || warn "$(source_name "$_tried"): $problem_text. Trying $(source_name "$_source") instead."
		_tried=$_source problem=''
		! "$1" "$_source" || return 0
		case $problem in
			not-found | no-build) ;;
			*)
				network_problem=${network_problem:-$problem}
				[ "$_met" = "$problem_text" ] || _met="$_met${_met:+; }$problem_text"
				;;
		esac
	done
	problem_text=${_met:-$problem_text}
	return 1
}

source_name() {
	case $1 in npm) printf 'the npm registry' ;; *) printf GitHub ;; esac
}

# plan_sources: sets sources, in the order in which they are tried
plan_sources() {
	find_registry
	sources='npm github'
	case $source,$registry,$fetcher in
		npm,,request) die 4 bad-answer 'no npm registry is configured here.' \
			'Set WASP_NPM_REGISTRY, install npm, or use --source github.' ;;
		npm,*) sources=npm ;;
		*,,request) sources=github ;;
	esac
}

# find_available: sets available to the versions that there are, newest first, and release_source
find_available() {
	wanted=latest
	start_registry_lookup
	choose_build
	try_sources list_versions_at || die_without 'the list of versions'
}

# list_versions_at SOURCE: sets available, or fails with a problem. They are said by the document of a package, npm's
# answer, or the API of GitHub.
list_versions_at() {
	"read_versions_of_$1" || return 1
	available=$(sed -nE "s/^(versions\.([0-9]+|.*\.version)|[0-9]+\.tag_name)${tab}v?//p" "$work/values" \
		| while read -r _version; do ! is_version "$_version" || lines "$_version"; done | newest_first)
	release_source=$1
	[ -n "$available" ] || set_problem not-found 'it has no version of Wasp'
}
