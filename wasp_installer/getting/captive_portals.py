"""Networks that answer with a web page of their own until somebody logs in."""

from __future__ import annotations

from wasp_installer.errors import SourceProblem

from .addresses import host_of


def captive_portal(url: str) -> SourceProblem:
    """The problem of a network that answers in place of the server."""
    return SourceProblem(
        "captive-portal",
        f"{host_of(url)} answered with a web page, perhaps the login page of your network",
    )


def is_web_page(start: bytes) -> bool:
    """Whether bytes that begin with ``start`` are HTML, where something else is due."""
    lowered = start[:512].lower()
    return any(tag in lowered for tag in (b"<!doctype html", b"<html", b"<head", b"<script"))
