# Tab completion of wasp in bash.

# Wasp lists only some words, and repeats a command that has none.
_wasp() {
  local IFS=$' \t\n' word=${COMP_WORDS[COMP_CWORD]} before="${COMP_WORDS[*]:1:COMP_CWORD-1}" words=
  case $before in
    start) words=db ;;
    build) words=start ;;
    telemetry) words='on off show' ;;
    installer) words=$(command wasp installer --help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\)[] A-Z[]*.*/\1/p') ;;
    'installer use' | 'installer uninstall') words=$(command wasp installer list 2>/dev/null | tr -d '*') ;;
    *' '*) ;;
    *)
      words=$(COMP_LINE="wasp $before " command wasp completion:list 2>/dev/null)
      [ -n "$before" ] || words="$words install news installer"
      [ "$words" != "$before" ] || words=
      ;;
  esac
  COMPREPLY=()
  [ -z "$words" ] || COMPREPLY=($(compgen -W "$words" -- "$word"))
}

complete -o default -F _wasp wasp
