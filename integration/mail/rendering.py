"""Mails as HTML: a Jinja template that writes MJML, turned into tables that Outlook shows (https://documentation.mjml.io).

A template of a package is ``<package>/templates/mail/<kind>.mjml`` and extends ``_layout.mjml``, which says what
blocks there are. Values are escaped; a value that is meant to be markup does not exist.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import mrml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from integration.formats import day_and_time
from integration.language import gettext, language, ngettext
from integration.mail.text import text_of

__all__ = ["day_and_time", "render", "text_of"]

PACKAGES = Path(__file__).parent.parent
NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def render(template: str, **values: object) -> str:
    """The HTML of a mail from ``<template>.mjml`` of any package; every value that the template names must be given.

    It is written in the language that is spoken now: ``with speaking(person.language)`` around what renders a mail.
    Raises jinja2.TemplateNotFound, jinja2.UndefinedError, and ValueError for a template that is no MJML.
    """
    clean = {"language": language()} | {name: _clean(value) for name, value in values.items()}
    return mrml.to_html(_environment().get_template(f"{template}.mjml").render(clean)).content


@cache
def _environment() -> Environment:
    folders = sorted(PACKAGES.glob("*/templates/mail"))
    environment = Environment(
        extensions=["jinja2.ext.i18n"],
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(gettext=gettext, ngettext=ngettext, _=gettext)
    return environment


def _clean(value: object) -> object:
    """Characters that XML does not know would make the whole mail unreadable: names come from spreadsheets."""
    if isinstance(value, str):
        return NOT_IN_XML.sub("", value)
    if isinstance(value, (list, tuple)):
        return [_clean(each) for each in value]
    if isinstance(value, dict):
        return {key: _clean(each) for key, each in value.items()}
    return value
