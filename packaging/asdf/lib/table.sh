# shellcheck shell=sh
# What the programs in bin/ share: the table of releases (version, platform, address, SHA-256 in each
# line, the newest version first), and how they fail.

table=${0%/*}/../lib/releases.txt

# fail CAUSE HINT
fail() {
	printf 'error: %s\n       %s\n' "$1" "$2" >&2
	exit 1
}

# versions: prints them, the oldest first
versions() {
	awk '!seen[$1]++ { known[++count] = $1 } END { while (count) print known[count--] }' "$table"
}

# platform: prints the name of this machine in the table
platform() {
	_system=$(uname -s) _machine=$(uname -m)
	case $_machine in
		amd64) _machine=x86_64 ;;
		arm64) _machine=aarch64 ;;
	esac
	case $_system in
		Linux) echo "linux-$_machine" ;;
		Darwin)
			# Rosetta shows an Intel Mac to a shell on Apple silicon.
			[ "$(sysctl -n hw.optional.arm64 2>/dev/null)" != 1 ] || _machine=aarch64
			echo "macos-$_machine"
			;;
		*) echo "$_system-$_machine" ;;
	esac
}

# archive_row: prints the address and the SHA-256 of $ASDF_INSTALL_VERSION for this machine
archive_row() {
	[ "${ASDF_INSTALL_TYPE:-version}" = version ] \
		|| fail 'only released versions of Wasp can be installed.' 'See them: asdf list all wasp'
	_platform=$(platform)
	awk -v version="$ASDF_INSTALL_VERSION" -v platform="$_platform" '
        $1 == version && $2 == platform { print $3, $4; found = 1 }
        END { exit !found }
    ' "$table" || fail "this plugin knows no Wasp $ASDF_INSTALL_VERSION for $_platform." \
		'Update the plugin, or choose one of: asdf list all wasp'
}
