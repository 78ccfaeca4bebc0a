"""What the toolkit costs, measured: `python -m benchmarks` or `make bench`.

Each benchmark is a module with a `run` function, listed in `__main__.py`. `measure` runs and counts
what they compare; `mirror` gives them a server of their own.
"""
