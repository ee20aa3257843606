"""An analysis as a page of blocks, whatever it is written as."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lbsense._format import clean_text
from lbsense.analysis import Analysis
from lbsense.checks import Findings
from lbsense.model import InputFile
from lbsense.report._answer import answer, subject
from lbsense.report._blocks import Figure, Page
from lbsense.report._provenance import provenance
from lbsense.report._sections import evidence

__all__ = ["build_page", "figure_names"]


def build_page(
    analysis: Analysis, findings: Findings, sources: Sequence[InputFile]
) -> Page:
    """Return the page of an analysis."""
    slug = analysis.history.competition.slug
    return Page(
        title=clean_text(slug or "") or "Submission history",
        subject=subject(analysis),
        headline=clean_text(analysis.headline),
        answer=answer(analysis),
        sections=(*evidence(analysis, findings), *provenance(analysis, sources)),
    )


def figure_names(page: Page) -> Iterator[str]:
    """Yield the figures of a page in the order in which they are met."""
    for section in page.sections:
        for block in section.blocks:
            if isinstance(block, Figure):
                yield block.name
