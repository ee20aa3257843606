"""An analysis as a page of blocks: the answer, and how each number was made."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import metadata

from lbsense._format import (
    clean_text,
    format_gain,
    format_number,
    format_probability,
    plural,
)
from lbsense._version import __version__
from lbsense.analysis import Analysis
from lbsense.checks import Findings
from lbsense.model import InputFile
from lbsense.report.blocks import (
    Bullets,
    Cell,
    Column,
    Figure,
    Page,
    Paragraph,
    Section,
    Table,
    name_of,
)
from lbsense.report.evidence import evidence
from lbsense.stats import GapSplitResult

__all__ = ["answer", "build_page", "figure_names", "provenance", "subject"]


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


def subject(analysis: Analysis) -> str:
    """Return one line on what was read: platform, metric, sizes and period."""
    history = analysis.history
    competition = history.competition
    parts = [
        competition.platform,
        competition.metric,
        competition.better,
        plural(len(history), "submission"),
    ]
    if competition.n_public is not None:
        parts.append(f"{competition.n_public:,} public test rows")
    parts.append(history.period)
    return clean_text(" · ".join(part for part in parts if part))


def answer(analysis: Analysis) -> tuple[Section, ...]:
    """Return the three parts of the answer."""
    parts = (
        ("happened", "What happened", tuple(_happened(analysis))),
        ("noise", "What was noise", tuple(_noise(analysis))),
        ("todo", "What to do", tuple(_todo(analysis))),
    )
    return tuple(
        Section(key=key, title=title, blocks=(Bullets(items=items),))
        for key, title, items in parts
        if items
    )


def _happened(analysis: Analysis) -> Iterator[str]:
    history = analysis.history
    luck = analysis.luck
    scored = [step for step in analysis.steps if step.public_score is not None]
    yield (
        f"{plural(len(scored), 'scored submission')} of {len(history)}. Evidence: "
        f"{analysis.evidence}."
    )
    if luck is not None and math.isfinite(luck.true_climb):
        yield (
            "From the first submission to the best one the public score gained "
            f"{format_number(luck.public_climb, digits=2)}; "
            f"{format_number(luck.true_climb, digits=2)} of that is estimated to be "
            f"real (standard error {format_number(luck.true_climb_se, digits=2)})."
        )
    told = analysis.retrospective
    if told is not None and told.best_public is not None:
        yield _gap(told.best_public, fits=told.fits)


def _gap(split: GapSplitResult, *, fits: bool) -> str:
    if not split.gap:
        return "The best public submission scored the same in private."
    moved = f"{format_number(abs(split.gap), digits=2)} " + (
        "worse" if split.gap > 0 else "better"
    )
    if not fits:
        return (
            f"The best public submission scored {moved} in private. Private scores lie "
            "outside what was to be expected before the end: a split into luck, "
            "selection and shift is not to be trusted here."
        )
    return (
        f"The best public submission scored {moved} in private: "
        f"{format_gain(-split.selection)} luck in its public score, "
        f"{format_gain(-split.common_luck - split.own_luck)} luck of the split, "
        f"{format_gain(-split.shift)} shift."
    )


def _noise(analysis: Analysis) -> Iterator[str]:
    noise, luck = analysis.noise, analysis.luck
    if math.isfinite(noise.score_se):
        yield (
            "One public score carries a standard error of about "
            f"{format_number(noise.score_se, digits=2)}."
        )
    if math.isfinite(noise.step_se):
        yield (
            "A difference of two typical public scores carries "
            f"{format_number(noise.step_se, digits=2)}."
        )
    elif math.isfinite(noise.step_se_high):
        yield (
            "A difference of two public scores carries at most "
            f"{format_number(noise.step_se_high, digits=2)}."
        )
    else:
        reason = analysis.notes.get("gain", analysis.notes.get("direction", ""))
        yield f"The noise of a step is not known. {reason}".strip()
    if luck is not None and luck.positions.size:
        yield (
            f"Of {plural(int(luck.positions.size), 'new public best')}, about "
            f"{luck.expected_luck:.0f} are expected to be luck."
        )
    resolution = analysis.resolution
    if resolution is not None and math.isfinite(resolution.smallest_gain):
        yield (
            "The smallest gain that this leaderboard can tell (80% power) is about "
            f"{format_number(resolution.smallest_gain, digits=2)}; "
            f"{format_probability(resolution.below_fraction)} of the steps chased "
            "differences too small to be told from their own noise."
        )


def _todo(analysis: Analysis) -> Iterator[str]:
    retrospective, picks = analysis.retrospective, analysis.picks
    if retrospective is not None:
        yield from retrospective.advice
    elif picks is not None:
        names = " and ".join(name_of(analysis, i) for i in picks.best.positions)
        yield (
            f"Select {names}: the better of them is the best of all with "
            f"{format_probability(picks.best.p_holds_best)} probability."
        )
        yield from _default_trap(analysis)
    yield analysis.next_fact


def _default_trap(analysis: Analysis) -> Iterator[str]:
    picks = analysis.picks
    if picks is None:
        return
    for pair in picks.rules:
        other = set(pair.positions) != set(picks.best.positions)
        if pair.rule == "two best public" and other:
            yield (
                "If you select nothing, the platform takes your two best public "
                "scores: expected to cost "
                f"{format_number(max(pair.cost, 0.0), digits=2)}."
            )


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


def provenance(analysis: Analysis, sources: Sequence[InputFile]) -> Iterator[Section]:
    """Yield how the numbers were made, what was read, and with what."""
    yield Section(
        key="methods",
        title="How each number was made",
        blocks=(
            Bullets(items=_METHODS),
            Paragraph(text="What has to be true for them to hold:"),
            Bullets(items=_ASSUMPTIONS),
            Paragraph(text=f"References of the steps: {analysis.parents}."),
            Paragraph(text=f"Noise of the public score: {analysis.noise.basis}"),
            *_notes(analysis),
        ),
        quiet=True,
    )
    yield Section(
        key="inputs",
        title="Inputs and versions",
        blocks=tuple(_inputs(analysis, sources)),
        quiet=True,
    )


def _notes(analysis: Analysis) -> Iterator[Bullets]:
    if analysis.notes:
        yield Bullets(
            items=[f"{name}: {text}" for name, text in sorted(analysis.notes.items())]
        )


def _inputs(
    analysis: Analysis, sources: Sequence[InputFile]
) -> Iterator[Table | Bullets | Paragraph]:
    if sources:
        yield Table(
            name="files",
            caption="Files that were read.",
            columns=(
                Column(name="File"),
                Column(name="Bytes", numeric=True),
                Column(name="SHA-256"),
            ),
            rows=[
                (
                    Cell(text=clean_text(item.name)),
                    Cell(text=f"{item.n_bytes:,}"),
                    Cell(text=item.sha256),
                )
                for item in sources
            ],
        )
    competition = analysis.history.competition
    given = [
        f"{name} = {clean_text(str(value))}"
        for name, value in competition.to_dict().items()
        if value is not None
    ]
    if given:
        yield Paragraph(text=f"Competition: {'; '.join(given)}.")
    yield Paragraph(
        text=f"Made with {', '.join(_versions())}. The same inputs, options "
        "and versions give the same bytes."
    )
    doubts = [str(warning) for warning in analysis.history.warnings]
    dropped = analysis.history.dropped
    if doubts:
        yield Bullets(items=doubts)
    if dropped:
        yield Paragraph(
            text=f"{plural(len(dropped), 'row or cell', 'rows or cells')} not "
            "understood:"
        )
        yield Bullets(items=[str(issue) for issue in dropped])


def _versions() -> Iterator[str]:
    """Yield what the page was made with; a package may lie there uninstalled."""
    yield f"Python {platform.python_version()}"
    yield f"lbsense {__version__}"
    for name in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            yield f"{name} {metadata.version(name)}"
