"""Several histories side by side as a page of blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lbsense._format import clean_text
from lbsense.analysis import Comparison
from lbsense.model import InputFile
from lbsense.plots import compare_scene
from lbsense.report.blocks import (
    Block,
    Bullets,
    Cell,
    Figure,
    Page,
    Section,
    Table,
    file_table,
    numbers,
    row,
    texts,
)
from lbsense.words import COMPARE_METHODS, FIGURES, compare_caption, compare_title


def compare_page(
    found: Comparison, sources: Sequence[InputFile], *, title: str | None = None
) -> Page:
    """Return the page of a comparison."""
    headings, body = found.rows()
    told = [f"{name}: {text}" for name, text in found.entries()]
    return Page(
        title=clean_text(title or "") or compare_title(found.habits, found.portfolio),
        subject="; ".join(found.told()),
        headline=found.headline,
        points=told[:3],
        figure=Figure("comparison", compare_caption(), compare_scene(found)),
        inventory=(
            Section(key="told", title="In words", blocks=(Bullets(told[3:]),)),
            Section(
                key="missing", title="What is missing", blocks=_missing(found.reasons())
            ),
        ),
        sections=(
            Section(
                key="numbers",
                title="The numbers",
                blocks=(
                    Table(
                        name="numbers",
                        caption=compare_caption(),
                        columns=[*texts(headings[0]), *numbers(*headings[1:])],
                        rows=[row(*map(Cell, cells)) for cells in body],
                    ),
                    Bullets([f"{f.title}: {f.meaning}" for f in FIGURES.values()]),
                ),
            ),
            Section(
                key="methods",
                title="How each number was made",
                blocks=tuple(_provenance(sources)),
                quiet=True,
            ),
        ),
    )


def _missing(told: Sequence[str]) -> tuple[Block, ...]:
    return (Bullets(told),) if told else ("Nothing.",)


def _provenance(sources: Sequence[InputFile]) -> Iterator[Block]:
    yield Bullets(COMPARE_METHODS)
    yield from file_table(sources)
