"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from types import FrameType

from benchmarks import install, telemetry
from benchmarks.measure import BenchmarkError, Options
from benchmarks.pages import machine_description, replace_figures
from benchmarks.report import as_json, as_markdown, as_svg, as_table

BENCHMARKS = {"install": install.run, "telemetry": telemetry.run}


def main() -> int:
    """Run the benchmarks asked for and print their tables."""
    arguments = parsed()
    options = Options(arguments.rounds, arguments.only, arguments.direct)
    signal.signal(signal.SIGTERM, stop)
    documents, tables, charts = {}, {}, {}
    try:
        for name in arguments.benchmark or BENCHMARKS:
            with tempfile.TemporaryDirectory(prefix="wasp-bench-") as folder:
                for report in BENCHMARKS[name](options, Path(folder)):
                    print(as_table(report), end="\n\n", flush=True)
                    documents[report.name] = as_json(report)
                    tables[report.name] = as_markdown(report)
                    if report.chart is not None:
                        charts[report.chart.file] = as_svg(report, report.chart)
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(documents, indent=1) + "\n", encoding="utf-8")
    if arguments.page is not None:
        replace_figures(arguments.page, {"Run": run_description(), **tables})
        for file, picture in charts.items():
            arguments.page.with_name(file).write_text(picture, encoding="utf-8")
    return 0


def run_description() -> str:
    """Return in one sentence what was run, when and on what."""
    return f"`make bench`, {datetime.now(timezone.utc):%Y-%m-%d}, on {machine_description()}."


def parsed() -> argparse.Namespace:
    """Return what the command line says."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure what it costs."
    )
    made.add_argument(
        "benchmark", nargs="*", type=known, help=f"{', '.join(BENCHMARKS)} (default: all)"
    )
    made.add_argument("--rounds", type=rounds, help="counted rounds (default: as many as it needs)")
    made.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="measure only this row of the one benchmark named; may be repeated",
    )
    made.add_argument(
        "--direct", action="store_true", help="use the real server instead of a mirror of it"
    )
    made.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a file")
    made.add_argument("--page", type=Path, metavar="FILE", help="put all figures into this page")
    arguments = made.parse_args()
    if arguments.page is not None and (arguments.benchmark or arguments.only):
        made.error("--page needs all benchmarks")
    if arguments.only and len(arguments.benchmark) != 1:
        made.error("--only needs the name of the benchmark that has the row")
    return arguments


def known(name: str) -> str:
    """Return the name of a benchmark."""
    if name not in BENCHMARKS:
        raise argparse.ArgumentTypeError(f"no benchmark is named {name!r}")
    return name


def rounds(text: str) -> int:
    """Return a number of rounds, at least one."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one round is needed")
    return number


def stop(_signal: int, _frame: FrameType | None) -> None:
    """End as after Ctrl-C, so that servers and folders go too."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
