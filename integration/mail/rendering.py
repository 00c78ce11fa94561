"""Mails as HTML: a Jinja template that writes MJML, turned into tables that Outlook shows (https://documentation.mjml.io).

A template of a package is ``<package>/templates/mail/<kind>.mjml`` and extends ``_layout.mjml``, which says what
blocks there are. Values are escaped; a value that is meant to be markup does not exist.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from pathlib import Path

import mrml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from integration.mail.quiet import zone_or_utc
from integration.mail.text import text_of

__all__ = ["day_and_time", "render", "text_of"]

PACKAGES = Path(__file__).parent.parent
NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def render(template: str, **values: object) -> str:
    """The HTML of a mail from ``<template>.mjml`` of any package; every value that the template names must be given.

    Raises jinja2.TemplateNotFound, jinja2.UndefinedError, and ValueError for a template that is no MJML.
    """
    clean = {name: _clean(value) for name, value in values.items()}
    return mrml.to_html(_environment().get_template(f"{template}.mjml").render(clean)).content


def day_and_time(starts_at: datetime, ends_at: datetime, *, time_zone: str | None) -> str:
    """When something is, on the wall of a reader: "Tuesday 24 November, 09:00-09:30 (Europe/Zurich)"."""
    zone = zone_or_utc(time_zone)
    starts, ends = starts_at.astimezone(zone), ends_at.astimezone(zone)
    return f"{starts:%A} {starts.day} {starts:%B}, {starts:%H:%M}–{ends:%H:%M} ({zone.key})"


@cache
def _environment() -> Environment:
    folders = sorted(PACKAGES.glob("*/templates/mail"))
    return Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _clean(value: object) -> object:
    """Characters that XML does not know would make the whole mail unreadable: names come from spreadsheets."""
    if isinstance(value, str):
        return NOT_IN_XML.sub("", value)
    if isinstance(value, (list, tuple)):
        return [_clean(each) for each in value]
    if isinstance(value, dict):
        return {key: _clean(each) for key, each in value.items()}
    return value
