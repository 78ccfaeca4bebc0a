# shellcheck shell=sh
# The archive: downloaded, checked as a whole, unpacked into an empty folder, looked over, and tried.

# What other programs print is kept in $work: beside the archive, the disk may be full.

# take_release: what follows a found release; leaves $staging/new, unless there is nothing to do. Fails with a problem
# while another source could do better; dies of an archive that is not what it should be.
take_release() {
	! is_downgrade && ! $dry_run && ! is_to_be_kept "$version" || return 0
	announce_install
	say "Wasp $version for $(platform_words), from $(source_name "$release_source")"
	# What was published with this installer counts for more than what a server says.
	find_known "$release_build"
	case $release_digest in "$known"*) ;; *) release_digest=$known ;; esac
	[ -n "$wanted_sha256$release_digest" ] || miss_checksum "$release_url${api_problem:+ ($api_problem)}"
	start_progress
	download "$staging/archive"
	_status=$?
	stop_progress
	[ "$_status" = 0 ] && ! is_web_page "$staging/archive" || return 1
	unpack_archive
	check_binary
}

# download FILE: by a request, or by npm where that does not succeed
download() {
	[ "$fetcher" != npm ] && fetch "$release_url" "$1" && return
	case $fetcher,$problem,$release_digest in request,* | *,insecure-url,* | *,) return 1 ;; esac
	# npm checks what it brings against dist.integrity itself.
	run_waiting /dev/null run_npm "$NPM_FETCH_LIMIT_S" pack --ignore-scripts "$NPM_PACKAGE-$npm_build@$version" \
		&& mv "$work"/npm/*.tgz "$1" 2>/dev/null \
		|| set_problem connection "npm could not fetch $NPM_PACKAGE-$npm_build ($(plain_text "$(head -n 3 "$work/errors")"))"
}

# miss_checksum ARCHIVE: dies, where one is required
miss_checksum() {
	_unknown="no checksum is known for $1"
	! $require_checksum || die 6 no-checksum "$_unknown." \
		'Pass one you trust with --sha256 HEX, or leave out --require-checksum.'
	[ -n "$archive_file" ] || warn "$_unknown, so it is installed unchecked."
}

# take_file: --from-file, in place of a download. What is checked is the copy that is unpacked.
take_file() {
	release_source="file"
	[ "$wanted" = latest ] || version=$wanted
	! $dry_run || return 0
	say "Wasp from $(pretty "$archive_file")"
	change_in "$staging" cp "$archive_file" "$staging/archive"
	find_published
	[ -n "$wanted_sha256$published" ] || miss_checksum "$(pretty "$archive_file")"
	unpack_archive
	check_published
	check_binary
	check_published
}

# load_digests: sets all_digests to lines "VERSION BUILD ALGORITHM:HEX" of all that was published before this installer;
# of a SHA-512, the first 66 digits
load_digests() {
	# shellcheck disable=SC2016 # for awk
	[ -n "$all_digests" ] || all_digests=$(digests awk "$B64"'
		NR == 1 { split($0, build) }
		{ for (i = 2; i <= NF; i++) if (digest = hex($i)) print $1, build[i], "sha" (length($i) > 43 ? 512 : 256) ":" digest }')
}

# find_known BUILD: sets known to the digest of this version's
find_known() {
	load_digests
	known=$(lines "$all_digests" | sed -n "s/^$version $1 //p")
}

# find_published: sets published to the version that has this file's digest, and file_digest for the receipt, so a
# machine without a hash tool can do without
find_published() {
	file_digest='' published=''
	for _algorithm in sha512 sha256; do
		read_digest "$_algorithm" || continue
		file_digest=$_algorithm:$digest
		load_digests
		published=$published$(lines "$all_digests" | sed -n "s/ .* $(printf %.73s "$file_digest")\$//p" | head -n 1)
	done
}

# check_published: a file that is not what was published as this version for this machine, where that is known. Only
# npm's archives have a package.json. One that somebody has decompressed has no digest but the one that its user names.
check_published() {
	_build=${github_builds%% *}
	[ ! -f "$root/package.json" ] || _build=$npm_build
	find_known "$_build"
	[ "$published" != "$version" ] && [ -n "$known" ] || return 0
	is_compressed "$staging/archive" || [ -z "$wanted_sha256" ] || return 0
	[ -n "$file_digest" ] || verify_digest sha256:
	die 6 checksum-mismatch "the archive is not Wasp $version as it was published." "$nothing Download it again: $RELEASES_URL"
}

# unpack_archive: leaves $staging/new. Nothing in it is looked at before its digest was found right, where one is known.
unpack_archive() {
	need tar
	need gzip
	_checked=$release_digest$wanted_sha256
	verify_digest "$release_digest"
	release_digest=${release_digest:+${release_digest%%:*}:$digest}
	[ "$release_source" != file ] || release_digest=$file_digest
	verify_digest "${wanted_sha256:+sha256:$wanted_sha256}"
	release_digest=${release_digest:-${wanted_sha256:+sha256:$wanted_sha256}}
	# One that was cut between two entries is told by no tar, but by the zeros at its end.
	[ -n "$_checked" ] || case $(decompress 2>/dev/null | tail -c 512 | od -An -tx1) in *[1-9a-f]*) die_damaged ;; esac
	say_step 'Unpacking'
	# bsdtar needs a locale with UTF-8 for names in it. macOS may lack the first, others the second.
	for tar_locale in C.UTF-8 en_US.UTF-8; do
		run_waiting /dev/null unpack
		_errors=$(cat "$work/errors")
		case $_errors in *locale*) ;; *) break ;; esac
	done
	explain_unpacking
	refuse_what_no_release_has
	keep_wasp_only
}

# verify_digest ALGORITHM:HEX: of the archive, or its first 64 digits or more; nothing stands for none
verify_digest() {
	[ -n "$1" ] || return 0
	_wanted=${1#*:}
	read_digest "${1%%:*}" \
		|| die 6 no-hash-tool 'the archive cannot be checked: your PATH has no working sha256sum, shasum or openssl.' "$(how_to_install openssl)"
	case ${#_wanted},$digest in
		64,"$_wanted"* | 66,"$_wanted"* | 128,"$_wanted") ;;
		*)
			die 6 checksum-mismatch "the archive is not the one that was published: its ${1%%:*} is${newline}$digest, and should be${newline}$_wanted." \
				"$nothing Run this again; if it happens again, something on the way changes the file."
			;;
	esac
	say_step "Checked: ${1%%:*}:$digest"
}

# read_digest ALGORITHM: sets digest to that of the archive, or fails
read_digest() {
	digest=''
	run_waiting "$work/digest" hash_archive "${1#sha}" && read -r digest _ <"$work/digest" \
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
	[ ! -e "$staging/unpacked" ] || rm -rf "$staging/damaged" "$staging/unpacked"
	mkdir "$staging/unpacked" && cd "$staging/unpacked" || exit 1
	decompress | head -c "$((UNPACKED_LIMIT + 1))" | {
		LC_ALL=$tar_locale tar -xof -
		_tar_status=$?
		# gzip is not to be ended by what tar does not read, such as the zeros behind the last entry.
		cat >/dev/null
		exit "$_tar_status"
	}
}

# is_compressed FILE: by gzip
is_compressed() {
	case $(od -An -tx1 -N2 "$1" 2>/dev/null) in *1f*8b*) ;; *) false ;; esac
}

# decompress: the archive, which a browser may have decompressed already
decompress() {
	if is_compressed "$staging/archive"; then
		gzip -dc <"$staging/archive" || : >"$staging/damaged"
	else
		cat "$staging/archive"
	fi
}

# explain_unpacking: a tar may complain and end well
explain_unpacking() {
	case $_status,$_errors in
		*"'..'"* | *'emoving leading'* | *'utside'* | *'ot a directory'* | *'symlink'*) die_unsafe ;;
		*'Damaged tar'*) ;;
		0,*) [ -e "$staging/damaged" ] || return 0 ;;
	esac
	[ "$(decompress 2>/dev/null | head -c "$((UNPACKED_LIMIT + 1))" | wc -c)" -le "$UNPACKED_LIMIT" ] || die_unsafe
	! is_of_the_system "$_errors" || die_file_system "cannot unpack into $(pretty "$staging")" "$_errors"
	die_damaged
}

die_damaged() {
	die 6 corrupt-archive 'the archive is damaged, incomplete, or not a Wasp release.' "$nothing Download it again."
}

die_unsafe() {
	die 6 unsafe-archive 'the archive is unsafe: it is far too large, or has a path, a link or a file that no Wasp release has.' \
		"$nothing Please report where the archive came from."
}

# refuse_what_no_release_has: tar keeps to its folder; in it may be only plain files of one name, folders, and links that
# stay inside data
refuse_what_no_release_has() {
	root=$staging/unpacked
	[ ! -d "$root/package" ] || [ -L "$root/package" ] || root=$root/package
	[ -z "$(find "$root" ! -type f ! -type d ! -type l -o -type f \( -links +1 -o -perm -4000 -o -perm -2000 \) \
		-o -name '*[[:cntrl:]]*')" ] \
		&& [ "$(find "$root" | wc -l)" -le "$ENTRY_LIMIT" ] && all_links_stay_inside || die_unsafe
}

# all_links_stay_inside: those in the data folder. Where ".." stands before all else in a target, and a folder for it in
# the name, both are left out, so any other ".." may lead outside.
all_links_stay_inside() {
	# "NAME<TAB>TARGET/" of each
	_links=$(find "$root/data" -type l 2>/dev/null | while IFS= read -r _link; do
		printf '%s\t%s/\n' "${_link#"$root/data/"}" "$(readlink "$_link")"
	done)
	[ -z "$_links" ] || ! lines "$_links" | sed -E -e :up -e "s,^[^/$tab]*/([^$tab]*$tab)\\.\\./,\\1," -e 't up' \
		| grep -qE "^[^$tab]*\$|$tab/|[$tab/]\\.\\./"
}

# keep_wasp_only: moves wasp-bin and data to $staging/new, readable by all and writable by the owner
keep_wasp_only() {
	[ -f "$root/wasp-bin" ] && [ -d "$root/data" ] && ! [ -L "$root/wasp-bin" ] && ! [ -L "$root/data" ] \
		|| die_damaged
	change_in "$staging" chmod -R u=rwX,go=rX "$root/data" "$root/wasp-bin"
	[ -x "$root/wasp-bin" ] || change_in "$staging" chmod 755 "$root/wasp-bin"
	# An npm archive says itself which Node.js it wants.
	if [ -z "$release_node" ] && [ -f "$root/package.json" ] && read_json "$root/package.json"; then
		pick engines.node
		take_node_range "$picked"
	fi
	make_folder "$staging" "$staging/new"
	change_in "$staging" mv "$root/wasp-bin" "$root/data" "$staging/new/"
}
