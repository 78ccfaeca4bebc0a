# shellcheck shell=sh
# GitHub's releases as a source.

# name_github: sets github to the page of the releases, and github_api to what the API has of them
name_github() {
	github=${WASP_GITHUB_URL:-https://github.com}
	github=${github%/} github_api=${github%/}/api/v3
	[ "$github" != https://github.com ] || github_api=https://api.github.com
	github=$github/wasp-lang/wasp/releases github_api=$github_api/repos/wasp-lang/wasp/releases
}

find_release_at_github() {
	name_github
	fetcher=request version=$wanted release_source=github
	if [ "$wanted" = latest ]; then
		fetch "$github/latest" /dev/null --head || return 1
		case $http_status in 3??) ;; *) set_portal_problem || return 1 ;; esac
		take_version "${location##*/tag/v}" || return 1
	fi
	# The API has a limit on requests from one address, so its silence must not stop anything.
	fetch_once "$github_api/tags/v$version" "$work/answer" --location && read_json "$work/answer" && grep -q '^assets\.' "$work/values" || {
		: >"$work/values"
		[ "$problem" = not-found ] || api_problem=${problem_text:-$host did not say which files it has}
	}
	# In yash, the variable of a loop is the function's own.
	for _build in $github_builds; do
		release_build=$_build
		_name=wasp-$release_build.tar.gz
		release_url=$github/download/v$version/$_name
		if [ -s "$work/values" ]; then
			problem=not-found
			_asset=$(sed -n "s/^assets\.\([0-9]*\)\.name$tab$_name\$/\1/p" "$work/values")
			[ -n "$_asset" ] || continue
			pick "assets.$_asset.digest"
			case $picked in sha256:*) release_digest=$(printf '%s' "$picked" | tr A-F a-f) ;; esac
			return 0
		fi
		! fetch "$release_url" /dev/null --head || return 0
		[ "$problem" = not-found ] || return 1
	done
	release_url=''
	# A release without this asset is another thing than no such release.
	! fetch "$github/tag/v$version" /dev/null --head || set_problem no-build "Wasp $version has no build for $os $arch"
	return 1
}

# https://docs.github.com/rest/releases/releases#list-releases
read_versions_of_github() {
	name_github
	fetch_json "$github_api?per_page=100"
}
