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
			distro_id=$(sed -n "s/^ID=[\"']*\([a-z0-9._-]*\).*/\1/p" /etc/os-release 2>/dev/null | head -n 1)
			detect_libc
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

# detect_libc: sets libc, and glibc_version for glibc. Where neither helper answers, the static build needs neither.
detect_libc() {
	glibc_version=$(ask getconf GNU_LIBC_VERSION | sed -n 's/^glibc \([0-9]*\.[0-9.]*\)$/\1/p')
	[ -n "$glibc_version" ] || glibc_version=$(ask ldd --version | sed -n '1s/^ldd .* \([0-9]*\.[0-9.]*\)$/\1/p')
	libc=${glibc_version:+glibc}
	libc=${libc:-musl}
}

# choose_build: sets which build of Wasp runs here: npm_build, and github_builds in order of preference
choose_build() {
	[ "$os" != windows ] || die unsupported-platform "$system is Windows, where Wasp runs inside WSL." \
		'Open WSL (if you have none: wsl --install) and run this again there.'
	[ -n "$os" ] || die_unsupported "$system"
	[ -n "$arch" ] || die_unsupported "$machine processors"
	[ "$(getconf LONG_BIT 2>/dev/null)" != 32 ] || die_unsupported "a 32-bit userland on a $arch processor"
	case $os,$arch in
		macos,x86_64) npm_build=darwin-x64-unknown github_builds='macos-x86_64 macos-universal' ;;
		macos,aarch64) npm_build=darwin-arm64-unknown github_builds='macos-aarch64 macos-universal macos-x86_64' ;;
		linux,x86_64)
			npm_build=linux-x64-glibc github_builds=linux-x86_64
			! needs_static_build || npm_build=linux-x64-musl github_builds=linux-x86_64-static
			;;
		linux,aarch64)
			npm_build=linux-arm64-glibc github_builds=linux-aarch64
			! needs_static_build || [ "$libc" = glibc ] || die_unsupported 'musl (Alpine) on aarch64'
			! needs_static_build || die unsupported-platform \
				"Wasp needs glibc $OLDEST_GLIBC or newer on $arch; this system has $glibc_version." \
				'Use a newer release of your distribution.'
			;;
	esac
}

# needs_static_build: there is no glibc that is new enough, or no program loader where the other build looks for it
# (NixOS has a stub there)
needs_static_build() {
	[ "$libc" = glibc ] && ! comes_before "$glibc_version" "$OLDEST_GLIBC" || return 0
	[ "$arch" = x86_64 ] && { [ "$distro_id" = nixos ] || ! [ -e /lib64/ld-linux-x86-64.so.2 ]; }
}

die_unsupported() {
	die unsupported-platform "Wasp has no release for $1." \
		'Wasp runs on Linux (x86_64, aarch64), macOS (Intel, Apple silicon), and Windows through WSL.'
}

platform_words() {
	case $os in
		linux) printf 'Linux %s%s' "$arch" "${libc:+ ($libc)}" ;;
		macos) printf 'macOS %s' "$arch" ;;
	esac
}

# is_on_ci: the rule of is_on_ci in telemetry_ping.py
is_on_ci() {
	for _value in "${CI-}" "${BUILD_ID-}" "${BUILD_NUMBER-}" "${CI_APP_ID-}" "${CI_BUILD_ID-}" \
		"${CI_BUILD_NUMBER-}" "${CI_NAME-}" "${CONTINUOUS_INTEGRATION-}" "${RUN_ID-}" "${GITHUB_ACTIONS-}" "${TRAVIS-}"; do
		case $_value in '' | 0 | [Ff][Aa][Ll][Ss][Ee]) ;; *) return 0 ;; esac
	done
	return 1
}
