# conf.d/wasp.fish reads this:
# it puts Wasp on PATH and sets up tab completion.
set -g __wasp_root ''
set -l bin (string replace -r '/share/wasp-lang$' '' -- $__wasp_root)/bin
if not contains -- $bin $PATH
    set -l first (string match -v /bin -- $CONDA_PREFIX/bin $VIRTUAL_ENV/bin)
    if contains -- "$PATH[1]" $first
        # An active conda or venv environment stays first.
        set -gx PATH $PATH[1] $bin $PATH[2..-1]
    else
        set -gx PATH $bin $PATH
    end
end
if status is-interactive; and test -r $__wasp_root/completions/wasp.fish
    source $__wasp_root/completions/wasp.fish
end
set -e __wasp_root
