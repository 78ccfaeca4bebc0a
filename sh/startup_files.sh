# shellcheck shell=sh
# One line in the start-up files of a person's shells reads env.sh (env.fish in fish), which puts Wasp on PATH and sets
# up tab completion. The line does nothing when that file is gone, and its comment is how it is found again.

# spell PATH: sets word and fish_word to what stands for it in sh and in fish. What is in the home is spelled with $HOME,
# so that the home may move.
spell() {
	_home='' _below=$1
	case ${home:+$1} in "$home"/*) _home=\$HOME _below=${1#"$home"} ;; esac
	word=\"$_home$(escaped "$_below")\"
	# In fish, a backtick is nothing special.
	fish_word=$word
	# shellcheck disable=SC2016 # it is no command
	case $word in *\`*) fish_word=$(lines "$word" | sed 's/\\`/`/g') ;; esac
}

# spell_lines: sets startup_line and fish_line, old_words, of which each line of an earlier installer has one, and
# own_shell and path_command for what a person types
spell_lines() {
	is_on_path
	spell "$wasp_root/env.sh"
	startup_line="if [ -f $word ] && [ -r $word ]; then . $word; fi"
	old_words=${word%env.sh?}completions/
	spell "$wasp_root/env.fish"
	fish_line="if test -f $fish_word; source $fish_word; end"
	old_words=$old_words$newline${fish_word%env.fish?}completions/
	spell "$prefix/bin"
	old_words=$old_words$newline$word$newline$fish_word
	path_command="export PATH=${word%?}:\$PATH\""
	own_shell=${SHELL:-sh}
	own_shell=${own_shell##*/}
	case $own_shell in
		dash | ash | busybox | posh) own_shell="sh" ;;
		ksh* | *oksh) own_shell=ksh ;;
		fish) path_command="set -gx PATH $fish_word \$PATH" ;;
	esac
}

is_on_path() {
	on_path=false
	case ":${PATH-}:" in *":$prefix/bin:"* | *":$prefix/bin/:"*) on_path=true ;; esac
}

can_be_on_path() {
	case $prefix in *:* | *"$newline"*) return 1 ;; esac
}

is_github_job() {
	[ -n "${GITHUB_PATH-}" ] && is_on_ci
}

# may_change_startup_files: nobody forbade it, and it is this user's own home: under sudo, HOME may be another's, who
# could then not change what is written there
may_change_startup_files() {
	$modify_path && [ -z "$destdir" ] && can_be_on_path || return 1
	case ${HOME-} in /*) ;; *) return 1 ;; esac
	# shellcheck disable=SC3067 # where it is not known, the numbers are compared
	[ -O "$HOME/." ] 2>/dev/null || [ "$(owner_of "$HOME/.")" = "$(id -u)" ]
}

# add_to_startup_files: sets path_message, which says what was done, or warns of what a person has to do
add_to_startup_files() {
	spell_lines
	path_message='' edited='' present='' _bin=$(pretty "$prefix/bin")
	if ! can_be_on_path; then
		warn "$_bin cannot be on PATH: its name has a colon or a line break. Choose another --prefix."
	elif $modify_path && is_github_job && add_to_github_path; then
		path_message="Added $_bin to PATH for the next steps of this job. In this step: $path_command"
	elif is_on_ci || ! may_change_startup_files; then
		$on_path || warn "$_bin is not on your PATH. To add it:${newline}$path_command"
	else
		for_each_startup_file add_line
		_files=${edited:-$present}
		case $on_path,$edited,$_files in
			true,,* | *,) ;;
			*) path_message="Set up PATH and tab completion for new terminals in $_files." ;;
		esac
		case $on_path,$own_shell in
			true,* | *,sh | *,bash | *,zsh | *,fish | *,ksh | *,mksh | *,yash) ;;
			# What this installer cannot write for.
			*) warn "$_bin is not on PATH in $own_shell. Add it there." ;;
		esac
	fi
}

# for_each_startup_file DO: "DO FILE LINE" for each that is to have the line: the person's own shell's, and of the other
# shells those that are there. What each shell reads when it starts: at a login, in a window, or both.
for_each_startup_file() {
	startup_verb=$1 offered=$newline
	real_home=$(cd "$HOME/" && pwd -P)
	real_home=${real_home%/}
	# Of these, bash reads the first at a login, the last here; on a Mac every window is a login.
	_login=.profile
	for _name in .bash_login .bash_profile; do [ ! -r "$home/$_name" ] || _login=$_name; done
	offer bash "$home/.bashrc"
	# Not .zshenv: on a Mac, /etc/zprofile comes after it and puts the system's folders first.
	ask_for_zdotdir
	offer zsh "$zdotdir/.zshrc"
	offer fish "$(absolute_or "${XDG_CONFIG_HOME-}" "$home/.config")/fish/conf.d/wasp.fish"
	# The others are only for PATH.
	! $on_path || return 0
	for _shell in "bash $_login" 'ksh .kshrc' 'ksh .profile' 'mksh .mkshrc' 'mksh .profile' 'yash .yashrc' 'yash .yash_profile' 'sh .profile'; do
		offer "${_shell% *}" "$home/${_shell#* }"
	done
}

# offer SHELL FILE
offer() {
	[ "$1" = "$own_shell" ] || [ -e "${2%/conf.d/wasp.fish}" ] || return 0
	case $offered in *"$newline$2$newline"*) return 0 ;; esac
	offered=$offered$2$newline
	case $2 in
		*.fish) "$startup_verb" "$2" "$fish_line" ;;
		*) "$startup_verb" "$2" "$startup_line" ;;
	esac
}

# ask_for_zdotdir: sets zdotdir. A zshenv may set it without exporting it, so zsh is asked.
ask_for_zdotdir() {
	zdotdir=$(absolute_or "${ZDOTDIR-}" "$home")
	[ "$own_shell" = zsh ] || [ -e "$home/.zshenv" ] || return 0
	# shellcheck disable=SC2016 # for zsh
	_said=$(ask zsh -c '\builtin print -r -- "
zdotdir=${ZDOTDIR:-$HOME}"') || return 0
	case $_said in *"${newline}zdotdir=/"*) zdotdir=${_said##*"${newline}zdotdir="} ;; esac
}

# take_out_of_startup_files: wherever the lines may be
take_out_of_startup_files() {
	may_change_startup_files || return 0
	spell_lines
	edited='' on_path=false
	for_each_startup_file remove_line
	# Where another start-up file came first, or a variable named no other folder.
	for _name in .bash_profile .bash_login .zshrc .zshenv .config/fish/conf.d/wasp.fish; do offer '' "$home/$_name"; done
	[ -z "$edited" ] || say "Removed Wasp from $edited"
}

# add_to_github_path: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
add_to_github_path() {
	# The line of another step may have no end.
	[ -f "$GITHUB_PATH" ] && _end=$(tail -c 1 "$GITHUB_PATH") \
		&& (lines "${_end:+$newline}$prefix/bin" >>"$GITHUB_PATH") 2>/dev/null
}
