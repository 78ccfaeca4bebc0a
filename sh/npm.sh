# shellcheck shell=sh
# The npm registry as a source. npm's configuration is npm's: it is asked for the registry, and fetches what a plain
# request cannot (a login, a proxy or an authority that only npm knows).

# start_registry_lookup: starting npm takes a fifth of a second, so it is asked while the platform is being detected
start_registry_lookup() {
	fetcher=request registry=''
	# Whether npm may have the wanted version, and may be asked.
	case $archive_file,$source,$wanted in
		,npm,* | ,auto,latest) ;;
		,auto,*) ! comes_before "$wanted" "$FIRST_NPM_VERSION" || return 0 ;;
		*) return 0 ;;
	esac
	registry=${WASP_NPM_REGISTRY-}
	[ -z "$registry" ] || return 0
	if have npm; then
		say_step 'Asking npm for its registry'
		fetcher=either
		run_npm "$HELPER_LIMIT_S" config get @wasp.sh:registry registry >"$work/registry" 2>"$work/complaint" &
		npm_lookup=$!
	else
		registry=${npm_config_registry-}
	fi
}

# run_npm SECONDS ARGUMENT...: for a subshell: npm in a private folder with a package.json of its own, since it obeys the
# .npmrc of the project that it is in, and a cloned repository must not choose where programs come from
run_npm() {
	mkdir -p "$work/npm" && printf '{}\n' >"$work/npm/package.json" && cd "$work/npm" || return 1
	export npm_config_cache="$work/npm/cache" npm_config_update_notifier=false npm_config_logs_max=0 \
		npm_config_fetch_retries=1 npm_config_fetch_retry_mintimeout=1000
	_limit_s=$1
	shift
	exec_limited "$_limit_s" npm "$@" --no-workspaces
}

# find_registry: sets registry as npm would, or to nothing. It answers with "key=value" lines, of which that of the scope
# comes first; npm 6 answers only the first question. An npm that hangs, fails, or says something else is as one that
# is not there, but it does not say an address with a login in it.
find_registry() {
	if [ -n "$npm_lookup" ]; then
		await "$npm_lookup" && {
			[ "$(cat "$work/registry")" != undefined ] \
				|| run_waiting "$work/registry" run_npm "$HELPER_LIMIT_S" config get registry
		} && registry=$(sort "$work/registry" \
			| sed -nE 's/^((@wasp\.sh:)?registry *= *)?(https?:\/\/[^[:space:]]*)[[:space:]]*$/\3/p' | head -n 1)
		[ -n "$registry" ] || grep -q protected "$work/complaint" || fetcher=request
	fi
	npm_lookup=''
	registry=${registry%/}
}

find_release_at_npm() {
	if [ -n "$registry" ]; then
		! find_with request_document 'it does not have' || return 0
		# With these, npm would not fare better, or must not.
		case $fetcher,$problem in request,* | *,not-found | *,no-build | *,insecure-url) return 1 ;; esac
	fi
	_problem=$problem _problem_text=$problem_text
	say_step 'Asking npm for the release'
	fetcher=npm problem=not-found
	! find_with view_with_npm 'npm cannot get' || return 0
	[ -z "$_problem" ] || set_problem "$_problem" "$_problem_text"
	return 1
}

# find_with READ WORDS: "READ SUFFIX VERSION FIELD..." reads a document; WORDS, for one that is missing
# (https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md)
find_with() {
	"$1" '' "$wanted" version engines.node || {
		[ "$problem" != not-found ] || problem_text="$2 $wanted_words"
		return 1
	}
	pick "${below}version"
	take_version "$picked" || return 1
	pick "${below}engines.node"
	take_node_range "$picked"
	"$1" "-$npm_build" "$version" dist.tarball dist.integrity || {
		[ "$problem" != not-found ] || set_problem no-build "Wasp $version has no package $npm_build"
		return 1
	}
	take_distribution
}

# request_document SUFFIX VERSION: by a plain request; sets below to what its values stand below
request_document() {
	below=''
	! fetch_json "$registry/$NPM_PATH$1/$2" || return 0
	# Where the document of one version is missing, as on some mirrors, that of all versions has the same in it.
	[ "$problem" = not-found ] && fetch_json "$registry/$NPM_PATH$1" || return 1
	below=$2
	[ "$2" != latest ] || { pick dist-tags.latest && below=$picked; }
	below=versions.$below.
	pick "${below}version"
	problem=not-found
	[ -n "$picked" ]
}

# view_with_npm SUFFIX VERSION FIELD...: npm's own word for the same. Of one field that is there, it prints the value
# alone; every package has a name.
view_with_npm() {
	host=npm below='' _package=$NPM_PACKAGE$1@$2
	shift 2
	run_waiting "$work/answer" run_npm "$NPM_FETCH_LIMIT_S" view --json "$_package" name "$@" \
		&& read_json "$work/answer"
}

# take_node_range TEXT: a range such as ">=24.14.1"; what is none is left out
take_node_range() {
	release_node=$1
	case $1 in *\\* | *[!\ 0-9A-Za-z.\<\>=~^\|*+-]*) release_node='' ;; esac
	[ ${#release_node} -lt 64 ] || release_node=''
}

# take_distribution: sets release_url and release_digest
take_distribution() {
	release_source=npm release_build=$npm_build
	pick "${below}dist.tarball"
	# The login of a private registry is not for the receipt.
	release_url=$picked
	case $picked in *@*) release_url=$(lines "$picked" | sed 's,://[^/@]*@,://,') ;; esac
	pick "${below}dist.integrity"
	# There may be several, with a space between (https://www.w3.org/TR/sri). One that cannot be read must not pass for
	# one that is not published.
	for _integrity in $picked; do
		case $_integrity in
			sha512-*) release_digest=sha512:$(lines "${_integrity#sha512-}" | awk "$B64"'{ print hex($0) }') ;;
		esac
	done
	case $fetcher,$release_url,${#release_digest} in
		# What npm brings must have one.
		*,?*,135 | [!n]*,?*,0) check_url "$release_url" ;;
		*) set_problem bad-answer "$host did not say where the archive is, or what its checksum is" ;;
	esac || return 1
	# From elsewhere, this machine's own servers are out of bounds.
	[ -z "$registry" ] || is_loopback "$registry" || ! is_loopback "$release_url" \
		|| set_problem insecure-url "the registry points to an archive on this machine ($(plain_text "$release_url"))"
}

# For awk: hex(TEXT) decodes base64, or is nothing. Four digits are three bytes; padding stands for bytes that are not there.
B64='function hex(text,    bytes, i, n, value, all) {
	sub(/==?$/, "", text)
	bytes = int(length(text) * 3 / 4)
	while (length(text) % 4) text = text "A"
	for (i = 1; i <= length(text); i++) {
		n = index("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", substr(text, i, 1))
		if (!n) return
		value = value % 262144 * 64 + n - 1
		if (i % 4 == 0) all = all sprintf("%06x", value)
	}
	return substr(all, 1, bytes * 2)
}'

read_versions_of_npm() {
	{ [ -n "$registry" ] && fetch_json "$registry/$NPM_PATH"; } \
		|| { [ "$fetcher" = either ] && view_with_npm '' latest versions; }
}
