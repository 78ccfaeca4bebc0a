"""Fixtures of the attacks that are tried."""

from __future__ import annotations

from tests.getters.conftest import both

__all__ = ["both"]
