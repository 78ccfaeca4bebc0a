#!/bin/sh
# Starts Wasp. The Wasp installer writes this file anew whenever the current version changes.
wasp_version=@VERSION@
wasp_root=@ROOT@
wasp_dir=$wasp_root/$wasp_version
if ! [ -x "$wasp_dir/wasp-bin" ]; then
    # An install that was killed while it replaced this version left the old one aside.
    for replaced in "$wasp_root"/.staging-*/replaced/"$wasp_version"; do
        [ ! -x "$replaced/wasp-bin" ] || wasp_dir=$replaced
    done
    if ! [ -x "$wasp_dir/wasp-bin" ]; then
        printf 'wasp: Wasp %s is no longer in %s.\n' "$wasp_version" "$wasp_root" >&2
        printf '      Install it again: curl -sSL https://get.wasp.sh/install.sh | sh\n' >&2
        exit 127
    fi
fi
export waspc_datadir="$wasp_dir/data"
exec "$wasp_dir/wasp-bin" "$@"
