# shellcheck shell=sh
# The state that the program starts from, whatever it inherits, and its constants.
#
# Every function that can fail in a way worth explaining ends in "die", which leaves the program. So none of
# them is called inside $(...), where it would leave only the subshell. A helper that may take a moment runs
# in the background and is waited for, because a shell answers a signal during "wait" at once.

[ -z "${ZSH_EVAL_CONTEXT-}" ] || { emulate sh && setopt traps_async; }
set +aefuxvC
# bash passes exported functions on to /bin/sh.
# shellcheck disable=SC3044 # bash has it
[ -z "${BASH_VERSINFO-}" ] || {
	shopt -u failglob nullglob nocasematch 2>/dev/null
	unset -f declare
	for _name in $(declare -F); do case $_name in -*) ;; *) unset -f "$_name" ;; esac done
}
unalias -a 2>/dev/null
unset CDPATH IFS GLOBIGNORE TAR_OPTIONS GZIP BASH_ENV ENV POSIXLY_CORRECT
set -u
umask 022
# With a standard stream closed, the next file that is opened would take its place.
exec </dev/null
(: >&1) 2>/dev/null || exec >/dev/null
(: >&2) 2>/dev/null || exec 2>/dev/null
user_locale=${LC_ALL-}
# The messages of other programs are looked at, so they must be in one language.
export LC_ALL=C

INSTALLER_VERSION=0.2.0
NPM_PACKAGE=@wasp.sh/wasp-cli
NPM_PATH=@wasp.sh%2fwasp-cli
FIRST_NPM_VERSION=0.20.2
INSTALLER_URL=https://get.wasp.sh/install.sh
RELEASES_URL=https://github.com/wasp-lang/wasp/releases
# The oldest glibc that the release binaries run on (objdump -T wasp-bin | grep GLIBC_).
OLDEST_GLIBC=2.29
REDIRECT_LIMIT=10
# No answer is longer. GitHub says about 50 kB of each of a hundred releases.
ANSWER_LIMIT=16777216
# An archive beyond these is not a Wasp release (0.25.0: 522 entries, 67 MB unpacked).
UNPACKED_LIMIT=1073741824
ENTRY_LIMIT=100000
# A helper program (npm, node, python, ldd, zsh) that takes longer is as one that is not there. npm needs
# longer to fetch something.
HELPER_LIMIT_S=10
NPM_FETCH_LIMIT_S=600
# Where the install event goes. telemetry_ping.py has the same three.
TELEMETRY_URL=https://app.posthog.com/capture/
TELEMETRY_KEY=CdDd2A0jKTI2vFAsrI9JWm3MqpOcgHz1bMyogAcwsE4
TELEMETRY_DEADLINE_S=10
# What ends every line of ours in a start-up file; the second also stands for the line break before it.
OUR_MARK='# added by the Wasp installer'
OUR_MARK_WITH_BREAK="$OUR_MARK, with the line break before it"

newline='
'
nothing='Nothing was installed.'
tab=$(printf '\t') carriage_return=$(printf '\r') escape=$(printf '\033')
