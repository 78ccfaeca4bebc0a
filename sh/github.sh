# shellcheck shell=sh
# GitHub's releases as a source.

# name_github: sets github and github_api, where the releases are
name_github() {
	github=${WASP_GITHUB_URL:-$DEFAULT_GITHUB_URL}
	github=${github%/}
	github_api=$github/api/v3
	[ "$github" != "$DEFAULT_GITHUB_URL" ] || github_api=https://api.github.com
	github=$github/wasp-lang/wasp/releases github_api=$github_api/repos/wasp-lang/wasp/releases
}

find_release_at_github() {
	name_github
	fetcher=request version=$wanted
	if [ "$wanted" = latest ]; then
		fetch "$github/latest" "$work/answer" location || return 1
		version=${location##*/tag/v}
		is_version "$version" || {
			set_problem bad-answer "$host did not say which version is the newest"
			! is_web_page "$work/answer" || set_portal
			return 1
		}
	fi
	release_source=github
	ask_github_for_assets
	for _build in $github_builds; do
		release_url="$github/download/v$version/wasp-$_build.tar.gz"
		asset_is_there "wasp-$_build.tar.gz" && return 0
		[ "$problem" = not-found ] || return 1
	done
	release_url=''
	# A release without this asset is another thing than no such release.
	! fetch "$github/tag/v$version" /dev/null head || set_problem no-build "Wasp $version has no build for $os $arch"
	return 1
}

# ask_github_for_assets: sets values to the names and digests of the release, or api_problem. The API has a limit on
# requests from one address, so its silence must not stop anything.
ask_github_for_assets() {
	api_problem=''
	fetch_once "$github_api/tags/v$version" "$work/answer" get \
		&& values=$(json_strings "$work/answer" | grep '^assets\.') && return 0
	values=''
	[ "$problem" = not-found ] || api_problem=${problem_text:-$host did not say which files it has}
}

# asset_is_there NAME: and sets release_digest, when it is known
asset_is_there() {
	set_problem not-found "Wasp $version has no $1"
	[ -n "$values" ] || {
		fetch "$release_url" /dev/null head
		return
	}
	_asset=$(print_values | sed -n "s/^assets\.\([0-9]*\)\.name$tab$1\$/\1/p")
	[ -n "$_asset" ] || return 1
	pick "assets.$_asset.digest"
	case $picked in sha256:*) release_digest=$(printf '%s' "$picked" | tr A-F a-f) ;; esac
}

# https://docs.github.com/rest/releases/releases#list-releases
read_versions_of_github() {
	name_github
	fetch_json "$github_api?per_page=100" || return 1
	available=$(print_values | sed -n "s/^[0-9]*\.tag_name${tab}v//p")
}
