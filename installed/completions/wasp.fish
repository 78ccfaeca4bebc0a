# Tab completion of wasp in fish.

# Wasp lists only some words, and repeats a command that has none.
function __wasp_words
  set -l before (commandline -opc)[2..-1]
  switch "$before"
    case start
      echo db
    case build
      echo start
    case telemetry
      printf '%s\t%s\n' on 'switch it on' off 'switch it off' show 'the exact data that is sent'
    case installer
      command wasp installer --help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\)[] A-Z[]*/\1\t/p'
    case 'installer use' 'installer uninstall'
      command wasp installer list 2>/dev/null | string sub -s 3
    case '* *'
    case ''
      COMP_LINE='wasp ' command wasp completion:list 2>/dev/null
      printf '%s\n' install news installer\t'manage versions of Wasp'
    case '*'
      COMP_LINE="wasp $before " command wasp completion:list 2>/dev/null | string match -v -- "$before"
  end
end

complete -c wasp -f -a '(__wasp_words)'
