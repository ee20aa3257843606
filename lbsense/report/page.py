"""An analysis as a page of blocks: the answer, and how each number was made."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import metadata

from lbsense import words
from lbsense._format import clean_text, plural
from lbsense._version import __version__
from lbsense.analysis import Analysis
from lbsense.checks import Findings
from lbsense.model import InputFile
from lbsense.report.blocks import (
    Block,
    Bullets,
    Figure,
    Page,
    Section,
    Table,
    numbers,
    row,
    texts,
)
from lbsense.report.evidence import evidence


def build_page(
    analysis: Analysis, findings: Findings, sources: Sequence[InputFile]
) -> Page:
    """Return the page of an analysis."""
    slug = analysis.history.competition.slug
    return Page(
        title=clean_text(slug or "") or "Submission history",
        subject=" · ".join(words.subject(analysis.history)),
        headline=clean_text(analysis.headline),
        answer=_answer(analysis),
        sections=(*evidence(analysis, findings), *_provenance(analysis, sources)),
    )


def figure_names(page: Page) -> Iterator[str]:
    """Yield the figures of a page in the order in which they are met."""
    for section in page.sections:
        for block in section.blocks:
            if isinstance(block, Figure):
                yield block.name


def _answer(analysis: Analysis) -> tuple[Section, ...]:
    """Return the three parts of the answer."""
    parts = (
        ("happened", "What happened", _happened(analysis)),
        ("noise", "What was noise", _noise(analysis)),
        ("todo", "What to do", _todo(analysis)),
    )
    return tuple(
        Section(key=key, title=title, blocks=(Bullets(items),))
        for key, title, items in parts
        if items
    )


def _happened(analysis: Analysis) -> list[str]:
    scored = sum(step.public_score is not None for step in analysis.steps)
    told = (
        f"{plural(scored, 'scored submission')} of {len(analysis.history)}. Evidence: "
        f"{analysis.evidence}."
    )
    read = [f"{name}: {text}" for name, text in words.reading_entries(analysis.history)]
    return [
        told,
        *read[:1],
        *words.climb(analysis),
        *words.jumps(analysis),
        *words.expectation(analysis),
        *words.gap(analysis),
    ]


def _noise(analysis: Analysis) -> list[str]:
    told = words.noise(analysis)
    if not math.isfinite(analysis.noise.step_se_high) and not analysis.posterior:
        told.append(words.why_no_noise(analysis, "page"))
    return [
        *told,
        *words.alone(analysis),
        *words.luck(analysis),
        *words.resolution(analysis),
    ]


def _todo(analysis: Analysis) -> list[str]:
    told = words.advice(analysis)
    if not analysis.retrospective:
        told = [*words.selection(analysis), *words.default_trap(analysis)]
    return [*told, words.next_fact(analysis, "page")]


_METHODS = (
    "Gains: CV and public gains of one step measure one true gain with independent "
    "noise; how large gains and noise are is learned from the whole history and, "
    "where it cannot be learned, integrated over (Efron 2010; Grubbs 1948).",
    "Claims of progress and setback: about one in ten is expected to be false "
    "(false discovery rate over the whole list: Bayesian; for gains also Benjamini and "
    "Hochberg 1995).",
    "True levels and the private outlook: the posterior of all scores together, "
    "conditional on all of them, so that choosing the best brings no further bias "
    "(Dawid 1994).",
    "Pairs: expected better score of two correlated normals (Clark 1961).",
    "Correlations: Spearman with a Fisher-type interval that holds for few points "
    "(Bonett and Wright 2000); lines: Deming, since both coordinates carry noise.",
)
_ASSUMPTIONS = (
    "Public rows are a random sample of the test rows; where they are cut by time or "
    "group, the bands are too narrow.",
    "CV and public score have the same metric, and their noise is independent. A leak "
    "that both share cannot be seen from scores.",
    "Each submission is compared with the one it was built on. Where nobody declared "
    "it, it is inferred from the scores.",
)
_PACKAGES = ("numpy", "scipy", "pandas", "matplotlib", "jinja2")


def _provenance(analysis: Analysis, sources: Sequence[InputFile]) -> Iterator[Section]:
    """Yield how the numbers were made, what was read, and with what."""
    notes = words.notes(analysis, "page")
    told = [f"{name}: {text}" for name, text in sorted(notes.items())]
    yield Section(
        key="methods",
        title="How each number was made",
        blocks=(
            Bullets(_METHODS),
            "What has to be true for them to hold:",
            Bullets(_ASSUMPTIONS),
            f"References of the steps: {analysis.parents}.",
            f"Noise of the public score: {analysis.noise.basis}",
            *([Bullets(told)] if told else []),
        ),
        quiet=True,
    )
    yield Section(
        key="inputs",
        title="Inputs and versions",
        blocks=tuple(_inputs(analysis, sources)),
        quiet=True,
    )


def _inputs(analysis: Analysis, sources: Sequence[InputFile]) -> Iterator[Block]:
    if sources:
        yield Table(
            name="files",
            caption="Files that were read.",
            columns=[*texts("File"), *numbers("Bytes"), *texts("SHA-256")],
            rows=[
                row(clean_text(item.name), f"{item.n_bytes:,}", item.sha256)
                for item in sources
            ],
        )
    history = analysis.history
    given = [
        f"{name} = {clean_text(str(value))}"
        for name, value in history.competition.to_dict().items()
        if value is not None
    ]
    if given:
        yield f"Competition: {'; '.join(given)}."
    yield (
        f"Made with {', '.join(_versions())}. The same inputs, options "
        "and versions give the same bytes."
    )
    read = words.reading_entries(history, len(history.submissions) + 100)
    if read:
        yield Bullets([f"{name}: {text}" for name, text in read])
    if history.warnings:
        yield Bullets([str(warning) for warning in history.warnings])
    if history.dropped:
        count = plural(len(history.dropped), "row or cell", "rows or cells")
        yield f"{count} not understood:"
        yield Bullets([str(issue) for issue in history.dropped])


def _versions() -> Iterator[str]:
    """Yield what the page was made with; a package may lie there uninstalled."""
    yield f"Python {platform.python_version()}"
    yield f"lbsense {__version__}"
    for name in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            yield f"{name} {metadata.version(name)}"
