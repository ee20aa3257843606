"""Markdown of plain text: nothing that an entrant wrote is markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lbsense._format import clean_text, format_time, plural

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!$&])")
_STARTS_BLOCK = re.compile(r"^(\d+)([.)])|^([-+=])")
_EMPTY_LINES = re.compile(r"\n{3,}")


def markdown_text(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no HTML, on one line."""
    return _STARTS_BLOCK.sub(
        lambda found: (
            f"{found[1]}\\{found[2]}" if found[1] is not None else f"\\{found[3]}"
        ),
        _escape(text),
    )


def markdown_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of plain texts, escaped."""
    lines = ["| " + " | ".join(map(_cell, row)) + " |" for row in (headers, *rows)]
    return "\n".join([lines[0], "|" + " --- |" * len(headers), *lines[1:]])


def render_markdown(template: str, **context: Any) -> str:
    """Return a template filled in, with one empty line between its parts."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lbsense.report"),
        autoescape=False,  # Markdown has characters of its own: see the filters
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "cell": _cell,
        "md": markdown_text,
        "plural": plural,
        "time": format_time,
    }
    text = environment.get_template(f"{template}.md.j2").render(context)
    return _EMPTY_LINES.sub("\n\n", text).strip() + "\n"


def _cell(text: str) -> str:
    return _escape(text) or " "


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", clean_text(text))
