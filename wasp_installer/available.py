"""Which versions there are to install, for ``list --remote``."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass

from .console import Console
from .options import Options
from .platforms import Platform, choose_builds
from .registry import RegistryLookup, asks_npm
from .releases import (
    NoSourceError,
    Source,
    network_error,
    nothing_to_be_found,
    plan_sources,
    try_in_turn,
)
from .transport import Transport


@dataclass(frozen=True)
class Available:
    """The versions of one source, newest first."""

    source: str
    versions: list[str]


def find_available(options: Options, console: Console, platform: Platform) -> Available:
    """The versions that the first source that answers has.

    Raises:
        InstallerError: none answers, or none has a Wasp.
    """

    def attempt(source: Source) -> Available:
        return Available(source.key, source.versions())

    with contextlib.ExitStack() as stack:
        registry = None
        if asks_npm(options.source, "latest"):
            registry = stack.enter_context(contextlib.closing(RegistryLookup(os.environ, console)))
        transport = Transport(console, options.timeout_s)
        sources = plan_sources(
            options.source, transport, platform, choose_builds(platform), registry
        )
        try:
            return try_in_turn(sources, console, attempt)
        except NoSourceError as error:
            if error.network_problem:
                raise network_error(error.network_problem, "the list of versions") from None
            raise nothing_to_be_found() from None
