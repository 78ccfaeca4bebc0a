"""What the toolkit costs, measured: `python -m benchmarks` or `make bench`.

Each benchmark is a module with a `run` function, listed in `__main__.py`. `measure` runs what they
compare and counts, `report` tells of it; `mirror` and `collector` give them servers of their own,
and `world` a user with Wasp.
"""
