# shellcheck shell=sh
# Start-up files read this: it puts Wasp on PATH and sets up tab completion.
__wasp_root=''
__wasp_bin=${__wasp_root%/share/wasp-lang}/bin
case ":${PATH-}:" in
	*:"$__wasp_bin":*) ;;
	*)
		# An active conda or venv environment stays first.
		case ${PATH-}: in
			"${CONDA_PREFIX:-//}/bin":*) PATH=$CONDA_PREFIX/bin:$__wasp_bin${PATH#"$CONDA_PREFIX/bin"} ;;
			"${VIRTUAL_ENV:-//}/bin":*) PATH=$VIRTUAL_ENV/bin:$__wasp_bin${PATH#"$VIRTUAL_ENV/bin"} ;;
			*) PATH=$__wasp_bin${PATH:+:$PATH} ;;
		esac
		export PATH
		;;
esac
case $- in
	*i*)
		if [ -n "${BASH_VERSINFO-}" ] && [ -r "$__wasp_root/completions/wasp.bash" ]; then
			. "$__wasp_root/completions/wasp.bash"
		elif [ -n "${ZSH_EVAL_CONTEXT-}" ] && [ -r "$__wasp_root/completions/_wasp" ]; then
			. "$__wasp_root/completions/_wasp"
		fi
		;;
esac
unset __wasp_root __wasp_bin
