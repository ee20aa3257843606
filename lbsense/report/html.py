"""A page of blocks as one self-contained HTML file, its plots as SVG of its colours."""

from __future__ import annotations

import io
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

import matplotlib as mpl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lbsense import plots
from lbsense._format import VERDICT_SIGNS, clean_text
from lbsense.analysis import Analysis
from lbsense.plots import PALETTES
from lbsense.report.blocks import Page
from lbsense.report.page import figure_names

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


#: What each figure of a report is drawn by.
PLOTS: Mapping[str, Callable[[Analysis], Axes]] = {
    "timeline": plots.plot_timeline,
    "steps": plots.plot_steps,
    "cv_public": plots.plot_cv_public,
    "public_private": plots.plot_public_private,
    "outlook": plots.plot_outlook,
    "differences": plots.plot_differences,
    "picks": plots.plot_picks,
    "resolution": plots.plot_resolution,
    "similarity": plots.plot_similarity,
}
_TITLES = {
    "timeline": "Scores in the order of submission",
    "steps": "Estimated true gain of every step",
    "cv_public": "Public against CV scores",
    "public_private": "Private against public scores",
    "outlook": "Private scores to expect",
    "differences": "Private scores against the best expected one",
    "picks": "Pairs to select",
    "resolution": "Differences chased, and the smallest that can be told",
    "similarity": "Correlation of the noise of submissions",
}
_ZOOM = 6.6  # rem per inch: the text of a picture is as large as that around it
_HEAD = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_LIGHT = PALETTES["light"]


def pictures(analysis: Analysis, names: Iterable[str]) -> dict[str, str]:
    """Return SVG elements by name of the figure, with titles for screen readers."""
    return {name: _svg(name, _draw(name, analysis)) for name in names}


def picture_png(analysis: Analysis, name: str) -> bytes:
    """Return one figure as a PNG."""
    stream = io.BytesIO()
    figure = _draw(name, analysis)
    _save(figure, stream, format="png", dpi=150, metadata={"Software": None})
    return stream.getvalue()


def _save(figure: Figure, stream: IO[Any], **options: Any) -> None:
    with warnings.catch_warnings():
        # A script that the font does not know is no news for the reader.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(stream, **options)


def palette_css(theme: str) -> str:
    """Return the colours of a theme as CSS custom properties."""
    return " ".join(f"--plot-{role}: {code};" for role, code in PALETTES[theme].items())


def _draw(name: str, analysis: Analysis) -> Figure:
    figure = PLOTS[name](analysis).figure
    assert isinstance(figure, Figure)
    return figure


def _svg(name: str, figure: Figure) -> str:
    stream = io.StringIO()
    # Text stays text: it can be read aloud, searched and selected.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        _save(figure, stream, format="svg", metadata={"Date": None})
    text = _METADATA.sub("", _HEAD.sub("", stream.getvalue()))
    # Identifiers must differ between the pictures of one page.
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    for role, code in _LIGHT.items():
        text = text.replace(code, f"var(--plot-{role}, {code})")
    title = f'<title id="{name}-title">{_TITLES[name]}</title>'
    start, end = text.index("<svg"), text.index(">", text.index("<svg"))
    view = re.search(r'viewBox="[^"]*"', text[start:end])
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'{view.group() if view else ""} role="img" aria-labelledby="{name}-title" '
        f'style="max-width: {figure.get_figwidth() * _ZOOM:.0f}rem">'
    )
    return opening + title + text[end + 1 :].strip()
