# shellcheck shell=sh
# The archive: downloaded, checked as a whole, unpacked into an empty folder, looked over, and tried.

# What other programs print is kept in $work: beside the archive, the disk may be full.

# take_release: what follows a found release; leaves $staging/new, unless there is nothing to do. Fails with a problem
# while another source could do better; dies of an archive that is not what it should be.
take_release() {
	! is_downgrade && [ "$dry_run" = no ] && ! is_to_be_kept "$version" || return 0
	announce_install
	say "Wasp $version for $(platform_words), from $(source_name "$release_source")"
	take_known_digest
	require_checksum_or_say
	start_progress
	download "$staging/archive"
	_status=$?
	stop_progress
	[ "$_status" = 0 ] || return 1
	unpack_archive && check_binary && return 0
	set_problem captive-portal "$host answered with a web page, perhaps the login page of your network"
}

# download FILE: by a request, or by npm where that does not succeed
download() {
	case $fetcher,$release_source in
		npm,*) download_with_npm "$1" ;;
		either,npm)
			fetch "$release_url" "$1" \
				|| { [ -n "$release_digest" ] && [ "$problem" != insecure-url ] && download_with_npm "$1"; }
			;;
		*) fetch "$release_url" "$1" ;;
	esac
}

# take_file: --from-file, in place of a download. What is checked is the copy that is unpacked.
take_file() {
	release_source="file"
	[ "$wanted" = latest ] || version=$wanted
	[ "$dry_run" = no ] || return 0
	say "Wasp from $(pretty "$archive_file")"
	change_in "$staging" cp "$archive_file" "$staging/archive"
	find_published
	[ "$require_checksum" = no ] || [ -n "$wanted_sha256$published" ] \
		|| die_no_checksum "no checksum is known for $(pretty "$archive_file")."
	refuse_unpublished
	unpack_archive || die corrupt-archive "$(pretty "$archive_file") is a web page, not an archive." "Download it again: $RELEASES_URL"
	check_binary
	refuse_unpublished
}

# find_published: sets published to the version that has this file's digest among those published with this installer,
# and file_digest for the receipt, so a machine without a hash tool can do without
find_published() {
	file_digest='' _digests=''
	! read_digest sha512 || _digests=sha512:$digest
	! read_digest sha256 || file_digest=sha256:$digest
	published=$(known_digests | awk -v digests=" $_digests $file_digest " 'index(digests, " " $4 " ") { print $1; exit }')
}

# refuse_unpublished: a file that is not what was published as this version; one that somebody has decompressed has no
# digest that is known
refuse_unpublished() {
	[ "$published" != "$version" ] && [ -n "$file_digest" ] && is_compressed && known_digests | grep -q "^$version " || return 0
	die checksum-mismatch "the archive is not Wasp $version as it was published." "$nothing Download it again: $RELEASES_URL"
}

# take_known_digest: what was published with this installer counts for more than what a server says
take_known_digest() {
	_known=$(known_digests | awk -v version="$version" -v source="$release_source" -v build="$npm_build" -v url="$release_url" '
		$1 == version && $2 == source && (source == "npm" ? $3 == build : index(url, "/wasp-" $3 ".tar.gz")) { print $4 }')
	[ -z "$_known" ] || release_digest=$_known
}

require_checksum_or_say() {
	[ -z "$wanted_sha256$release_digest" ] || return 0
	_unknown="no checksum is known for $release_url." _said='No checksum is known for this archive'
	[ "$release_source" != github ] || [ -z "$api_problem" ] \
		|| _unknown="the checksum of $release_url could not be asked for ($api_problem)." \
			_said="The checksum of this archive could not be asked for ($api_problem)"
	[ "$require_checksum" = no ] || die_no_checksum "$_unknown"
	warn "$_said, so it is installed unchecked."
}

die_no_checksum() {
	die no-checksum "$1" 'Pass one you trust with --sha256 HEX, or leave out --require-checksum.'
}

# unpack_archive: leaves $staging/new; fails when the archive is a web page. Nothing in it is looked at before its
# digest was found right, where one is known.
unpack_archive() {
	need tar
	need gzip
	# What another source sent before must not be taken for this one's.
	change_in "$staging" rm -rf "$staging/unpacked" "$staging/new"
	change_in "$staging" mkdir "$staging/new"
	! is_web_page "$staging/archive" || return 1
	is_known=$release_digest$wanted_sha256
	[ -z "$release_digest" ] || verify_digest "${release_digest%%:*}" "${release_digest#*:}"
	[ "$release_source" != file ] || release_digest=$file_digest
	[ -z "$wanted_sha256" ] || verify_digest sha256 "$wanted_sha256"
	release_digest=${release_digest:-${wanted_sha256:+sha256:$wanted_sha256}}
	# One that was cut between two entries is told by no tar, but by the zeros at its end.
	[ -n "$is_known" ] || [ -z "$(decompress 2>/dev/null | tail -c 512 | od -An -v -tx1 | tr -d ' 0\n')" ] || die_damaged
	say_step 'Unpacking'
	# bsdtar needs a locale with UTF-8 for names in it. macOS may lack the first, others the second.
	for tar_locale in C.UTF-8 en_US.UTF-8; do
		run_waiting /dev/null "$work/errors" unpack
		_status=$?
		grep -q locale "$work/errors" || break
	done
	explain_unpacking "$_status"
	refuse_what_no_release_has
	keep_wasp_only
}

verify_digest() {
	read_digest "$1" \
		|| die no-hash-tool 'the archive cannot be checked: your PATH has no working sha256sum, shasum or openssl.' "$(how_to_install openssl)"
	[ "$digest" = "$2" ] || die checksum-mismatch \
		"the archive is not the one that was published: its $1 is${newline}$digest, and should be${newline}$2." \
		'Nothing was installed. Run this again; if it happens again, something between you and the source changes the file.'
	say_step "Checked: $1 $digest"
}

# read_digest ALGORITHM: sets digest to that of the archive, or fails
read_digest() {
	digest=''
	run_waiting "$work/digest" "$work/errors" hash_archive "${1#sha}" && read -r digest _ <"$work/digest" \
		&& [ -n "$digest" ] && return 0
	_errors=$(cat "$work/errors" 2>&1)
	! is_of_the_system "$_errors" || die_file_system 'cannot check the archive' "$_errors"
	return 1
}

# hash_archive BITS: for run_waiting
hash_archive() {
	exec <"$staging/archive"
	! have "sha${1}sum" || exec "sha${1}sum"
	! have shasum || exec shasum -a "$1"
	exec openssl dgst -r "-sha$1"
}

# unpack: for run_waiting, that is in a process of its own. No file grows beyond the limit (SIGXFSZ), nor does what comes
# out of gzip.
unpack() {
	ulimit -f "$((UNPACKED_LIMIT / 512))" 2>/dev/null
	rm -rf "$staging/damaged" "$staging/unpacked"
	mkdir "$staging/unpacked" && cd "$staging/unpacked" || exit 1
	# What was published unpacks to what it should.
	{ if [ -n "$is_known" ]; then decompress; else decompress | head -c "$((UNPACKED_LIMIT + 1))"; fi; } | {
		LC_ALL=$tar_locale tar -xof -
		_status=$?
		# gzip is not to be ended by what tar does not read, such as the zeros behind the last entry.
		cat >/dev/null
		exit "$_status"
	}
}

is_compressed() {
	[ "$(head -c 2 "$staging/archive" | od -An -tx1 | tr -d ' \n')" = 1f8b ]
}

# decompress: the archive, which a browser may have decompressed already
decompress() {
	if is_compressed; then
		gzip -dc <"$staging/archive" || : >"$staging/damaged"
	else
		cat "$staging/archive"
	fi
}

# explain_unpacking STATUS: a tar may complain and end well
explain_unpacking() {
	_errors=$(cat "$work/errors")
	case $1,$_errors in
		# SIGXFSZ, as each shell tells of it.
		153,* | 281,* | 409,*) die_too_large ;;
		*"'..'"* | *'emoving leading'* | *'utside'* | *'ot a directory'* | *'symlink'*) die_unsafe ;;
		*'Damaged tar'*) die_damaged ;;
		0,*) [ -e "$staging/damaged" ] || return 0 ;;
	esac
	[ "$(decompress 2>/dev/null | head -c "$((UNPACKED_LIMIT + 1))" | wc -c)" -le "$UNPACKED_LIMIT" ] || die_too_large
	! is_of_the_system "$_errors" || die_file_system "cannot unpack into $(pretty "$staging")" "$_errors"
	die_damaged
}

die_too_large() {
	die unsafe-archive 'the archive unpacks to more than 1 GB, which no Wasp release does.' "$nothing"
}

die_damaged() {
	die corrupt-archive 'the archive is damaged or incomplete.' 'Nothing was installed. Download it again.'
}

die_unsafe() {
	die unsafe-archive 'the archive has something in it that no Wasp release has, such as a path that leads outside.' \
		'Nothing was installed. Please report where the archive came from.'
}

# refuse_what_no_release_has: tar keeps to its folder; in it may be only plain files of one name, folders, and links that
# stay inside data
refuse_what_no_release_has() {
	root=$staging/unpacked
	[ ! -d "$root/package" ] || [ -L "$root/package" ] || root=$root/package
	[ -z "$(find "$root" ! -type f ! -type d ! -type l -o -type f -links +1 -o -type f -perm -4000 \
		-o -type f -perm -2000 -o -name '*[[:cntrl:]]*')" ] || die_unsafe
	[ "$(find "$root" | head -n "$((ENTRY_LIMIT + 1))" | wc -l)" -le "$ENTRY_LIMIT" ] || die_unsafe
	[ -z "$(find "$root" -type f -size "+$((UNPACKED_LIMIT / 512 - 1))")" ] || die_too_large
	find "$root/data" -type l >"$staging/links" 2>/dev/null
	while IFS= read -r _link; do
		! leads_outside "${_link#"$root/data/"}" "$(readlink "$_link")" || die_unsafe
	done <"$staging/links"
}

# leads_outside NAME TARGET: of a link in the data folder; ".." may only stand before all else, and once for each folder
# that the link is in
leads_outside() {
	_folders=$1 _rest=$2/
	while [ "$_rest" != "${_rest#../}" ]; do
		case $_folders in */*) ;; *) return 0 ;; esac
		_folders=${_folders#*/} _rest=${_rest#../}
	done
	case $2,/$_rest in ,* | /* | *,*/../*) return 0 ;; esac
	return 1
}

# keep_wasp_only: moves wasp-bin and data to $staging/new, readable by all and writable by the owner
keep_wasp_only() {
	[ -f "$root/wasp-bin" ] && [ -d "$root/data" ] && ! [ -L "$root/wasp-bin" ] && ! [ -L "$root/data" ] \
		|| die corrupt-archive 'the archive has no wasp-bin and data, so it is not a Wasp release.' "$nothing"
	change_in "$staging" chmod -R u=rwX,go=rX "$root/data"
	change_in "$staging" chmod 755 "$root/wasp-bin"
	# An npm archive says itself which Node.js it wants.
	if [ -z "$release_node" ] && [ -f "$root/package.json" ] && values=$(json_strings "$root/package.json"); then
		pick engines.node
		take_node_range "$picked"
	fi
	change_in "$staging" mv "$root/wasp-bin" "$root/data" "$staging/new/"
}
