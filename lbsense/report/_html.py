"""A page of blocks as one self-contained HTML file."""

from __future__ import annotations

from collections import Counter

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lbsense._format import VERDICT_SIGNS, clean_text
from lbsense.analysis import Analysis
from lbsense.report._blocks import Page
from lbsense.report._figures import palette_css, pictures
from lbsense.report._page import figure_names

__all__ = ["html_page"]

_LOADER = PackageLoader("lbsense.report")


def html_page(page: Page, analysis: Analysis, *, version: str) -> str:
    """Return the page as HTML. Text of the entrant is escaped and inert."""
    environment = Environment(
        loader=_LOADER,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_inert,
    )
    counts = Counter(step.verdict for step in analysis.steps)
    html = environment.get_template("page.html.j2").render(
        page=page,
        signs=VERDICT_SIGNS,
        kinds=counts.most_common(),
        figures={
            name: Markup(svg)
            for name, svg in pictures(analysis, figure_names(page)).items()
        },
        style=Markup(_style()),
        script=Markup(_part("page.js")),
        version=version,
    )
    return html.strip() + "\n"


def _inert(value: object) -> object:
    """Return text without control and direction characters; markup as it is."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return clean_text(value)
    return value


def _style() -> str:
    dark = palette_css("dark")
    return (
        f":root {{ {palette_css('light')} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
        f"{_part('page.css')}"
    )


def _part(name: str) -> str:
    source, _, _ = _LOADER.get_source(Environment(autoescape=True), name)
    return source.strip()
