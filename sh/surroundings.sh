# shellcheck shell=sh
# What keeps Wasp from being used, or this program from being run safely.

# start_node_lookup: node takes a while to say its version, so it is asked beside the download
start_node_lookup() {
  : >"$work/node"
  ! have node || {
    ask node --version >"$work/node" &
    node_lookup=$!
  }
}

check_node() {
  _needs="Wasp $version needs Node.js${release_node:+ $release_node}."
  if ! have node; then
    case $(ls "${NVM_DIR:-${HOME-}/.nvm}/versions/node" 2>/dev/null) in
      '') warn "Node.js is not on PATH. $_needs${newline}Install it: https://nodejs.org/en/download" ;;
      *) warn "Node.js is not on PATH, but nvm has it. $_needs${newline}Switch it on in this terminal: nvm use node" ;;
    esac
    return
  fi
  [ -n "$node_lookup" ] || start_node_lookup
  wait "$node_lookup" 2>/dev/null
  node_lookup=''
  read -r node_version <"$work/node" || :
  node_version=${node_version#v}
  # The first version of a range such as ">=24.14.1".
  _minimum=${release_node#"${release_node%%[0-9]*}"}
  _minimum=${_minimum%%[!0-9.]*}
  case $node_version in
    *[!0-9A-Za-z.+-]* | [!0-9]* | '')
      warn "$(command -v node) does not say which version it is. $_needs${newline}Install it anew: https://nodejs.org/en/download"
      ;;
    *)
      [ -z "$_minimum" ] || ! comes_before "$node_version" "$_minimum" \
        || warn "Node.js is $node_version. $_needs${newline}Install a newer one: https://nodejs.org/en/download"
      ;;
  esac
  case $(command -v npm) in
    '') warn "npm is not on PATH, and Wasp needs it.${newline}It comes with Node.js: https://nodejs.org/en/download" ;;
    /mnt/?/*) warn "npm on PATH is that of Windows, and Wasp needs one inside WSL.${newline}It comes with Node.js: https://nodejs.org/en/download" ;;
  esac
}

# check_other_wasp: from the next start of a shell on, this wasp comes first where it was put on PATH now
check_other_wasp() {
  [ "$on_path" = yes ] || [ -z "$path_message" ] || return 0
  _first=$(command -v wasp || :)
  case $_first in
    '' | "$prefix/bin/wasp" | [!/]*) return 0 ;;
  esac
  # The same file by another name, such as through a link to the home folder.
  # shellcheck disable=SC3013 # every shell here knows -ef; one that did not would only warn in vain
  [ "$_first" -ef "$prefix/bin/wasp" ] 2>/dev/null || warn "another wasp comes first on your PATH: $_first${newline}Remove it, or put $(pretty "$prefix/bin") before it."
}

# refuse_danger_for_root: root would run, or remove, what is in a folder that another user can swap. In a container of
# CI, that is how it is meant, and what is staged is not run.
refuse_danger_for_root() {
  [ -z "$destdir" ] && [ "$(id -u)" = 0 ] || return 0
  for _folder in "$share_dir" "$bin_dir"; do
    until [ -z "$_folder" ]; do
      read_owner "$_folder/."
      case $mode,$owner in
        # A number that a container does not know is 65534.
        , | *[tT],0 | *[tT],65534 | ????????[!w]*,[0-9] | ????????[!w]*,[0-9][0-9] | ????????[!w]*,[1-4][0-9][0-9] | ????????[!w]*,65534) ;;
        *,? | *,?? | *,[1-4]?? | *,65534) found_danger "$_folder may be written to by everyone" ;;
        *) found_danger "$_folder belongs to another user (number $owner)" ;;
      esac
      _folder=${_folder%/*}
    done
  done
}

found_danger() {
  is_on_ci || die permission-denied "root must not work below a folder that others can change: $1." \
    'Run this again as that user, without sudo. For all users: --prefix /usr/local'
  [ "$warned_of_ci" = yes ] || say "$1; on CI, root installs there all the same."
  warned_of_ci=yes
}

# refuse_closed_places: the highest folders that are there must take new ones
refuse_closed_places() {
  name_owner
  for _place in "$share_dir" "$bin_dir"; do
    topmost_missing "$_place"
    [ -z "$missing" ] || _place=${missing%/*}
    change "write to $(pretty "${_place:-/}")" mkdir "$_place/.wasp-staging-$owner_name-000000"
    rmdir "$_place/.wasp-staging-$owner_name-000000"
  done
}
