# shellcheck shell=sh
# The npm registry as a source. npm's configuration is npm's: it is asked for the registry, and fetches what a plain
# request cannot (a login, a proxy or an authority that only npm knows).

# asks_npm: npm may have the wanted version, and may be asked
asks_npm() {
	[ -z "$archive_file" ] || return 1
	case $source in
		npm) ;;
		github) return 1 ;;
		*) [ "$wanted" = latest ] || ! comes_before "$wanted" "$FIRST_NPM_VERSION" ;;
	esac
}

# start_registry_lookup: starting npm takes a fifth of a second, so it is asked while the platform is being detected
start_registry_lookup() {
	fetcher=request registry=${WASP_NPM_REGISTRY-}
	asks_npm && [ -z "$registry" ] || return 0
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
		wait "$npm_lookup" 2>/dev/null && {
			[ "$(cat "$work/registry")" != undefined ] \
				|| run_waiting "$work/registry" "$work/complaint" run_npm "$HELPER_LIMIT_S" config get registry
		} && registry=$(sed -n -e 's/^@wasp\.sh:registry *= */1 /p' -e 's/^registry *= */2 /p' \
			-e 's/^http/3 &/p' "$work/registry" | sort | sed -n 's/^. \(https\{0,1\}:\/\/[^[:space:]]*\)[[:space:]]*$/\1/p' | head -n 1)
		[ -n "$registry" ] || grep -q protected "$work/complaint" || fetcher=request
	fi
	npm_lookup=''
	registry=${registry%/}
}

# knows_npm_source: the npm registry can be asked, by a request or by npm itself
knows_npm_source() {
	[ -n "$registry" ] || [ "$fetcher" = either ]
}

find_release_at_npm() {
	[ -z "$registry" ] || ! request_release || return 0
	# Of a plain http registry, npm has nothing to say either.
	case $fetcher,$problem in either,not-found | either,no-build | either,insecure-url | request,*) return 1 ;; esac
	_problem=$problem _problem_text=$problem_text
	say_step 'Asking npm for the release'
	! ask_npm_for_release || return 0
	[ -z "$_problem" ] || set_problem "$_problem" "$_problem_text"
	return 1
}

# request_release: by plain requests (https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md)
request_release() {
	case $registry in
		*://*) ;;
		*)
			set_problem insecure-url "'$(plain_text "$registry")' is not the address of a registry"
			return 1
			;;
	esac
	request_document "$NPM_PATH" "$wanted" || {
		[ "$problem" != not-found ] || set_problem not-found "it does not have $(wanted_words)"
		return 1
	}
	take_version || return 1
	request_document "$NPM_PATH-$npm_build" "$version" || {
		[ "$problem" != not-found ] || set_problem no-build "Wasp $version has no package $npm_build"
		return 1
	}
	take_distribution || return 1
	# From elsewhere, this machine's own servers are out of bounds.
	! { is_loopback "$release_url" && ! is_loopback "$registry"; } || set_problem insecure-url "the registry points to an archive on this machine ($(plain_text "$release_url"))" || return 1
	check_url "$release_url"
}

# request_document PATH VERSION: sets below to what its values stand below. Where the document of one version is
# missing, as on some mirrors, that of all versions has the same in it.
request_document() {
	below=''
	fetch_json "$registry/$1/$2" && return 0
	case $problem,$http_status in
		not-found,* | http-status,400 | http-status,405) fetch_json "$registry/$1" || return 1 ;;
		*) return 1 ;;
	esac
	below=$2
	[ "$2" != latest ] || { pick dist-tags.latest && below=$picked; }
	below=versions.$below.
	pick "${below}version"
	set_problem not-found ''
	[ -n "$picked" ]
}

# take_version: sets version and release_node
take_version() {
	pick "${below}version"
	version=$picked
	is_version "$version" || set_problem bad-answer "$host did not say which version it has" || return 1
	pick "${below}engines.node"
	take_node_range "$picked"
}

# take_node_range TEXT: a range such as ">=24.14.1"; what is none is left out
take_node_range() {
	release_node=$1
	case $1 in *\\* | *[!\ 0-9A-Za-z.\<\>=~^\|*+-]* | ????????????????????????????????????????????????????????????????*) release_node='' ;; esac
}

# take_distribution: sets release_url and release_digest
take_distribution() {
	release_source=npm
	pick "${below}dist.tarball"
	# The login of a private registry is not for the receipt.
	release_url=$(printf '%s\n' "$picked" | sed 's,://[^/@]*@,://,')
	pick "${below}dist.integrity"
	# There may be several, with a space between (https://www.w3.org/TR/sri). One that cannot be read must not pass for
	# one that is not published.
	for _integrity in $picked; do
		case $_integrity in
			sha512-*) release_digest=sha512:$(base64_to_hex "${_integrity#sha512-}") ;;
		esac
	done
	case $release_url,${#release_digest} in
		,*) set_problem bad-answer "$host did not say where the archive is" ;;
		*,0 | *,135) return 0 ;;
		*) set_problem bad-answer "$host sent a checksum that cannot be read" ;;
	esac
	return 1
}

# base64_to_hex TEXT: prints it
base64_to_hex() {
	printf '%s\n' "$1" | awk '{
		digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		sub(/==?$/, "")
		# Four digits are three bytes; padding stands for bytes that are not there.
		bytes = int(length($0) * 3 / 4)
		while (length($0) % 4) $0 = $0 "A"
		for (i = 1; i <= length($0); i += 4) {
			value = 0
			for (j = 0; j < 4; j++) {
				n = index(digits, substr($0, i + j, 1)) - 1
				if (n < 0) exit 1
				value = value * 64 + n
			}
			hex = hex sprintf("%06x", value)
		}
		print substr(hex, 1, bytes * 2)
	}'
}

# ask_npm_for_release: npm's own word for the same
ask_npm_for_release() {
	host=npm problem='' below=''
	view_with_npm "$NPM_PACKAGE@$wanted" name version engines.node || set_problem not-found "npm cannot get $(wanted_words)" || return 1
	take_version || return 1
	view_with_npm "$NPM_PACKAGE-$npm_build@$version" name dist.tarball dist.integrity || set_problem no-build "Wasp $version has no package $npm_build" || return 1
	fetcher=npm
	take_distribution && check_url "$release_url" || return 1
	set_problem bad-answer 'npm has no checksum for the archive'
	[ -n "$release_digest" ]
}

view_with_npm() {
	run_waiting "$work/answer" "$work/errors" run_npm "$NPM_FETCH_LIMIT_S" view --json "$@" \
		&& read_json "$work/answer"
}

# download_with_npm FILE: npm checks what it brings against dist.integrity itself
download_with_npm() {
	run_waiting /dev/null "$work/errors" run_npm "$NPM_FETCH_LIMIT_S" pack --ignore-scripts "$NPM_PACKAGE-$npm_build@$version" \
		&& mv "$work"/npm/*.tgz "$1" 2>/dev/null && return 0
	set_problem connection "npm could not fetch $NPM_PACKAGE-$npm_build ($(plain_text "$(head -n 3 "$work/errors")"))"
	return 1
}

read_versions_of_npm() {
	if [ -n "$registry" ] && fetch_json "$registry/$NPM_PATH"; then
		available=$(sed -n "s/^versions\..*\.version$tab//p" "$work/values")
	else
		[ "$fetcher" = either ] && view_with_npm "$NPM_PACKAGE" name versions || return 1
		available=$(sed -n "s/^versions\.[0-9]*$tab//p" "$work/values")
	fi
}
