# shellcheck shell=sh
# What this machine is, and which build of Wasp runs on it.

# identify_platform: sets os (linux, macos or windows), arch (x86_64 or aarch64) and libc (glibc or musl), each empty
# where Wasp has nothing for it; also system and machine as uname calls them
identify_platform() {
	system=$(uname -s)
	machine=$(uname -m)
	case $machine in
		x86_64 | amd64 | x64) arch=x86_64 ;;
		aarch64 | arm64) arch=aarch64 ;;
	esac
	case $system in
		Linux)
			os=linux
			# https://www.freedesktop.org/software/systemd/man/os-release.html
			distro_id=$(sed -nE "s/^ID=[\"']*([a-z0-9._-]*).*/\1/p" /etc/os-release 2>/dev/null)
			distro_id=${distro_id%%"$newline"*}
			# Where neither helper answers, the static build needs no glibc.
			glibc_version=''
			for _tool in 'getconf GNU_LIBC_VERSION' 'ldd --version'; do
				# shellcheck disable=SC2086 # its words
				[ -n "$glibc_version" ] || glibc_version=$(ask $_tool | sed -nE '1s/^(glibc|ldd .*) ([0-9]+\.[0-9.]+)$/\2/p')
			done
			libc=${glibc_version:+glibc}
			libc=${libc:-musl}
			;;
		Darwin)
			os=macos
			# A shell under Rosetta sees an x86_64 machine.
			[ "$(sysctl -n hw.optional.arm64 2>/dev/null)" != 1 ] || arch=aarch64
			;;
		MINGW* | MSYS* | CYGWIN* | Windows*) os=windows ;;
	esac
	say_step "Platform: $system $machine${libc:+ $libc}${distro_id:+ ($distro_id)}"
}

# choose_build: sets which build of Wasp runs here: npm_build, and github_builds in order of preference
choose_build() {
	case $os,$arch,$(ask getconf LONG_BIT) in
		windows,*) die 3 unsupported-platform "$system is Windows, where Wasp runs inside WSL." \
			'Open WSL (if you have none: wsl --install) and run this again there.' ;;
		,*) die_unsupported "$system" ;;
		*,,*) die_unsupported "$machine processors" ;;
		*,32) die_unsupported "a 32-bit userland on a $arch processor" ;;
		macos,x86_64,*) npm_build=darwin-x64-unknown github_builds='macos-x86_64 macos-universal' ;;
		macos,*) npm_build=darwin-arm64-unknown github_builds='macos-aarch64 macos-universal macos-x86_64' ;;
		linux,x86_64,*)
			npm_build=linux-x64-glibc github_builds=linux-x86_64
			! needs_static_build || npm_build=linux-x64-musl github_builds=linux-x86_64-static
			;;
		*)
			npm_build=linux-arm64-glibc github_builds=linux-aarch64
			! needs_static_build || die_unsupported \
				"$arch with $libc${glibc_version:+ $glibc_version}, only for glibc $OLDEST_GLIBC or newer"
			;;
	esac
}

# needs_static_build: there is no glibc that is new enough, or no program loader where the other build looks for it
# (NixOS has a stub there)
needs_static_build() {
	[ "$libc" = musl ] || comes_before "$glibc_version" "$OLDEST_GLIBC" \
		|| { [ "$arch" = x86_64 ] && { [ "$distro_id" = nixos ] || ! [ -e /lib64/ld-linux-x86-64.so.2 ]; }; }
}

die_unsupported() {
	die 3 unsupported-platform "Wasp has no release for $1." \
		'Wasp runs on Linux (x86_64, aarch64), macOS (Intel, Apple silicon), and Windows through WSL.'
}

platform_words() {
	case $os in macos) _system=macOS ;; *) _system=Linux ;; esac
	printf '%s' "$_system $arch${libc:+ ($libc)}"
}

# is_on_ci: the rule of is_on_ci in telemetry_ping.py
is_on_ci() {
	for _name in CI BUILD_ID BUILD_NUMBER CI_APP_ID CI_BUILD_ID CI_BUILD_NUMBER CI_NAME CONTINUOUS_INTEGRATION RUN_ID \
		GITHUB_ACTIONS TRAVIS; do
		eval "_value=\${$_name-}"
		case $_value in '' | 0 | [Ff][Aa][Ll][Ss][Ee]) ;; *) return 0 ;; esac
	done
	return 1
}
