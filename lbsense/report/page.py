"""A page as blocks that know neither HTML nor Markdown, and an analysis as such a page.

The answer comes first, then the evidence, then how each number was made.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from typing import TypeAlias

from lbsense import plots, words
from lbsense._codes import FALSE_CLAIMS, VERDICTS
from lbsense._format import (
    clean_text,
    decimals_shown,
    format_fixed,
    format_gain,
    format_number,
    format_probability,
    plural,
    shorten,
)
from lbsense._version import __version__
from lbsense.analysis import Analysis
from lbsense.checks import Findings, explain
from lbsense.model import InputFile
from lbsense.stats import GapSplitResult


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences."""

    items: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A code or a name, what it says, and what belongs to it when one looks closer.

    Attributes
    ----------
    label, title : str
        Such as the code and the title of a finding.
    text : str
        What was seen.
    kind : str
        "warning", "notice", "info" or "quiet".
    details : sequence of tuple of str
        Heading and text of what is shown on demand.
    """

    label: str
    title: str
    text: str
    kind: str = "info"
    details: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, and whether its cells are numbers."""

    name: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes
    ----------
    text : str
        As shown.
    order : float or None
        What the column is sorted by; None sorts by the text.
    kind : str
        Verdict or outcome that is shown by more than its word; empty for plain text.
    details : str
        A sentence that is shown on demand.
    note : str
        What stands small below the text.
    link : str
        The section that it leads to; the cell then names its row.
    """

    text: str
    order: float | None = None
    kind: str = ""
    details: str = ""
    note: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table.

    An interactive one has a row for each submission, which pictures lead to, is shown
    as cards on a phone, and can be sorted and filtered where scripts run.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    interactive: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture with its name, and with what it shows in words."""

    name: str
    caption: str
    scene: plots.Scene


#: A plain text is a paragraph.
Block: TypeAlias = str | Bullets | Remark | Table | Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and its blocks; a quiet one is folded away at first."""

    key: str
    title: str
    blocks: Sequence[Block]
    quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole report.

    Attributes
    ----------
    title, subject : str
        The competition, and one line on what was read.
    headline : str
        The answer in one sentence.
    points : sequence of str
        What else stands on the first screen.
    figure : Figure or None
        The picture beside the answer.
    inventory : sequence of Section
        What happened, what was noise, what to do.
    sections : sequence of Section
        The evidence, in the order of reading.
    """

    title: str
    subject: str
    headline: str
    points: Sequence[str]
    figure: Figure | None
    inventory: Sequence[Section]
    sections: Sequence[Section]

    def figures(self) -> Iterator[Figure]:
        """Yield the pictures in the order in which they are met."""
        if self.figure is not None:
            yield self.figure
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, Figure):
                    yield block


def texts(*names: str) -> list[Column]:
    """Return columns of texts."""
    return [Column(name) for name in names]


def numbers(*names: str) -> list[Column]:
    """Return columns of numbers."""
    return [Column(name, numeric=True) for name in names]


def row(*cells: str | Cell) -> list[Cell]:
    """Return the cells of a row; a plain text is a cell."""
    return [Cell(cell) if isinstance(cell, str) else cell for cell in cells]


def file_table(sources: Sequence[InputFile]) -> Iterator[Table]:
    """Yield the table of the files that were read, none where there are none."""
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


_STATUS = {"passed": "not flagged", "not_applicable": "not knowable", "muted": "muted"}
#: What each figure shows, by the name of what draws it.
_CAPTIONS = {
    "timeline": "Point at a submission for its facts; a click leads to its row.",
    "steps": "What the public score said of every step and, where it can be told, what "
    "the step was truly worth.",
    "public_private": "Whether private scores followed the public ones.",
    "outlook": "Private score to expect of the most promising submissions, from what "
    "was known before the end: thick 80%, thin 95%.",
    "differences": "Private scores against the one that is expected to be best, from "
    "what was known before the end.",
    "cv_public": "Public against CV scores. Two series that both drift agree without "
    "meaning it: the numbers below are of gains.",
    "resolution": "The differences that were chased, against the smallest gain that "
    "this leaderboard can tell.",
    "similarity": "Correlation of the noise of every two submissions, from their "
    "predictions. Two that are alike are one candidate.",
}


def evidence(analysis: Analysis, findings: Findings) -> Iterator[Section]:
    """Yield the sections that this history has something to say in."""
    parts: list[tuple[str, str, Iterable[Block]]] = [
        ("steps", "Every step", _steps(analysis)),
        ("retrospective", "After the end", _retrospective(analysis)),
        (
            "outlook",
            "What was to be expected before the end"
            if analysis.retrospective
            else "What to expect, and which two to select",
            _outlook(analysis),
        ),
        ("agreement", "Do CV and leaderboard agree?", _agreement(analysis)),
        (
            "resolution",
            "What this leaderboard can tell",
            figure(analysis, "resolution"),
        ),
        ("similarity", "How alike the submissions are", figure(analysis, "similarity")),
        ("tried", "What was tried, and what was learned", _tried(analysis)),
        ("findings", "Findings", _findings(findings)),
    ]
    for key, title, told in parts:
        blocks = tuple(told)
        if blocks:
            yield Section(key=key, title=title, blocks=blocks)


def figure(analysis: Analysis, name: str) -> Iterator[Figure]:
    """Yield a picture where there is something to see."""
    scene: plots.Scene = getattr(plots, f"plot_{name}").scene(analysis)
    if not scene.reason:
        caption = _CAPTIONS[name]
        if name == "timeline" and len(analysis.steps) > plots.MOST_LINKS:
            caption = "So many submissions are drawn without links to their rows."
        yield Figure(name, caption, scene)


def _steps(analysis: Analysis) -> Iterator[Block]:
    if not analysis.steps:
        return
    yield from figure(analysis, "steps")
    given = analysis.counts()
    yield Remark(
        label="",
        title="What the verdicts mean",
        text="",
        kind="quiet",
        details=tuple(
            (verdict, f"{text.meaning} {text.why}")
            for verdict, text in VERDICTS.items()
            if verdict in given
        ),
    )
    yield _step_table(analysis)


def _retrospective(analysis: Analysis) -> Iterator[Block]:
    found = analysis.retrospective
    if not found:
        return
    # The answer above tells the gap and the advice.
    told = words.lessons(analysis, "page", tables=True)
    yield Bullets(told[len(words.gap(analysis)) :])
    yield from figure(analysis, "public_private")
    splits = [split for split in (found.best_public, found.selected) if split]
    if splits and found.fits and found.sizes_known:
        yield _split_table(splits)
    yield Table(
        name="rules",
        caption="What each way to select would have scored. Regret is the distance to "
        "the best private score of all; its noise is what luck on the private rows "
        "alone makes of it.",
        columns=[
            *texts("Rule", "Submissions"),
            *numbers("Private", "Regret", "Noise of it"),
        ],
        rows=[
            row(
                item.rule,
                _numbers(item.positions),
                Cell(format_number(item.score), item.score),
                Cell(_cost(analysis, item.regret), item.regret),
                Cell(_cost(analysis, item.regret_se), item.regret_se),
            )
            for item in found.rules
        ],
    )


def _tried(analysis: Analysis) -> Iterator[Block]:
    """Yield what was expected of the steps and what was found; needs a ledger."""
    found = analysis.learning
    if not found:
        return
    yield Bullets(words.learning(analysis))
    reasoned = [item for item in found.steps if item.hypothesis or item.expected]
    if reasoned:
        yield Table(
            name="tried",
            caption="Why each change was made, the gain that was expected of it, and "
            "the gain that public score and CV measured. More is better, whatever the "
            "metric.",
            columns=[
                *texts("Submission", "Why"),
                *numbers("Expected", "Measured", "Standard error"),
                *texts("Outcome"),
            ],
            rows=[
                row(
                    words.name_of(analysis, item.position),
                    shorten(item.hypothesis or "-", 200),
                    Cell(format_gain(item.expected), item.expected),
                    Cell(format_gain(item.found), item.found),
                    Cell(format_number(item.found_se, digits=2), item.found_se),
                    item.outcome,
                )
                for item in reasoned
            ],
        )


def _split_table(splits: Sequence[GapSplitResult]) -> Table:
    parts = (
        ("Private minus public", "gap", ""),
        ("Luck in the public score (selection)", "selection", "selection_se"),
        ("Luck of the split, shared by all", "common_luck", "common_se"),
        ("Shift between the sets", "shift", ""),
        ("Luck of its own on the private rows", "own_luck", "selection_se"),
    )
    unique = {split.position: split for split in splits}
    columns = texts("Part")
    for index in unique:
        columns += numbers(f"#{index + 1}", "standard error")
    rows = []
    for title, part, error in parts:
        cells = row(title)
        for split in unique.values():
            value = -float(getattr(split, part))
            se = getattr(split, error) if error else math.nan
            cells += row(Cell(format_gain(value), value), format_number(se, digits=2))
        rows.append(cells)
    return Table(
        name="split",
        caption="Where the distance of private and public scores came from, in gains: "
        "minus is a fall. The four parts add up to the first row.",
        columns=columns,
        rows=rows,
    )


def _outlook(analysis: Analysis) -> Iterator[Block]:
    if not analysis.outlook:
        return
    yield from figure(analysis, "outlook")
    yield from figure(analysis, "differences")
    if analysis.retrospective:
        return  # what each choice scored is told with the private scores
    yield Bullets(words.differences(analysis))
    picks = analysis.picks
    if picks:
        yield Table(
            name="pairs",
            caption="Pairs to select. Cost: expected private score lost against "
            "the first row. Regret: against knowing the private scores.",
            columns=[
                *texts("Rule", "Pair"),
                *numbers("Cost", "Regret", "Holds the best"),
            ],
            rows=[
                row(
                    pair.rule,
                    _numbers(pair.positions),
                    _cost(analysis, pair.cost),
                    _cost(analysis, pair.regret),
                    format_probability(pair.p_holds_best),
                )
                for pair in (picks.best, *picks.rules)
            ],
        )
    yield from words.outlook(analysis)


def _numbers(positions: Iterable[int]) -> str:
    """Return which submissions these are."""
    return ", ".join(f"#{index + 1}" for index in positions)


def _cost(analysis: Analysis, value: float) -> str:
    """Return what is lost in the digits of the board."""
    scores = (step.public_score for step in analysis.steps)
    decimals = decimals_shown(score for score in scores if score is not None)
    if not value > 0:
        return "0"
    least = 10.0**-decimals
    if value < least / 2:
        return f"<{least:.{decimals}f}"
    return format_fixed(value, decimals=decimals)


def _agreement(analysis: Analysis) -> Iterator[Block]:
    if analysis.agreement:
        yield from figure(analysis, "cv_public")
        yield Bullets(words.agreement(analysis))


def _findings(findings: Findings) -> Iterator[Block]:
    for item in findings.flagged:
        evidence = (
            f"value {format_number(item.value)}, threshold "
            f"{format_number(item.threshold)}, {item.n_obs} observations."
        )
        yield Remark(
            label=item.code,
            title=item.title,
            text=item.message,
            kind=item.severity,
            details=(*explain(item.code).parts(), ("Evidence", evidence)),
        )
    if not findings.flagged:
        yield "Nothing was flagged."
    quiet = [item for item in findings if item.status != "flagged"]
    alike: dict[str, list[str]] = {}  # what is said of several is said once
    for item in quiet:
        told = f"{_STATUS.get(item.status, item.status)}. {item.message}"
        alike.setdefault(told, []).append(f"{item.code} {item.title}")
    rest = [f"{'; '.join(titles)}: {told}" for told, titles in alike.items()]
    if rest:
        yield Remark(
            label="",
            title=f"{plural(len(quiet), 'further check')}, not flagged",
            text="",
            kind="quiet",
            details=tuple(("", text) for text in rest),
        )


_NAME_WIDTH = 160
_KEYS = (
    "number",
    "name",
    "verdict",
    "p_gain",
    "outcome",
    "public",
    "cv",
    "private",
    "against",
    "step",
    "estimate",
    "rows",
    "hindsight",
    "p_later",
)


def _step_table(analysis: Analysis) -> Table:
    """Return one row per submission; columns that say nothing are left out."""
    columns = words.step_columns(analysis.steps, _KEYS)
    cells = {
        column.key: [
            Cell(text, order)
            for text, order in zip(column.cells, column.order, strict=True)
        ]
        for column in columns
    }
    times = words.step_columns(analysis.steps, ("when",))
    when = times[0].cells if times else [""] * len(analysis.steps)
    cells["number"] = [
        Cell(cell.text, cell.order, link="timeline") for cell in cells["number"]
    ]
    cells["name"] = [
        Cell(shorten(cell.text, _NAME_WIDTH), note=time, details=step.sentence)
        for cell, time, step in zip(cells["name"], when, analysis.steps, strict=True)
    ]
    cells["verdict"] = [
        Cell(words.verdict_label(step), kind=step.verdict) for step in analysis.steps
    ]
    for key in ("estimate", "hindsight"):
        split = [(cell.text.partition(" ("), cell.order) for cell in cells.get(key, ())]
        cells[key] = [
            Cell(gain, order, note=ends.rstrip(")")) for (gain, _, ends), order in split
        ]
    return Table(
        name="steps",
        caption=(
            "Every submission against the one it is compared with. Gains are oriented: "
            "more is better; below each estimated gain stands its 95% interval."
        ),
        columns=tuple(Column(column.heading, column.numeric) for column in columns),
        rows=tuple(zip(*(cells[column.key] for column in columns), strict=True)),
        interactive=True,
    )


def build_page(
    analysis: Analysis,
    findings: Findings,
    sources: Sequence[InputFile],
    *,
    title: str | None = None,
    board: Section | None = None,
) -> Page:
    """Return the page of an analysis, with a section on its leaderboard."""
    slug = analysis.history.competition.slug
    headline = clean_text(analysis.headline)
    points = [text for text in _points(analysis) if text not in headline]
    above = {item.message for item in findings}
    if not (math.isfinite(analysis.noise.step_se_high) or analysis.posterior):
        above.add(words.why(analysis.posterior, "page"))  # said where the noise is
    return Page(
        title=clean_text(title or slug or "") or "Submission history",
        subject=" · ".join(words.subject(analysis.history)),
        headline=headline,
        points=points,
        figure=next(figure(analysis, "timeline"), None),
        inventory=tuple(_inventory(analysis, points)),
        sections=(
            *evidence(analysis, findings),
            *(() if board is None else (board,)),
            *_provenance(analysis, sources, above),
        ),
    )


def _points(analysis: Analysis) -> list[str]:
    """Return what stands on the first screen beside the headline."""
    _, last, select, wanted = words.answer(analysis, "page")
    return [last, select, next(iter(words.advice(analysis)), wanted)]


def _inventory(analysis: Analysis, told: Sequence[str]) -> Iterator[Section]:
    """Yield what happened, what was noise and what to do, what is told left out."""
    parts = (
        ("happened", "What happened", _happened(analysis)),
        ("noise", "What was noise", _noise(analysis)),
        (
            "todo",
            "Next time" if analysis.retrospective else "What to do",
            _todo(analysis),
        ),
    )
    for key, title, items in parts:
        fresh = [item for item in items if item not in told]
        if fresh:
            yield Section(key=key, title=title, blocks=(Bullets(fresh),))


def _happened(analysis: Analysis) -> list[str]:
    read = [f"{name}: {text}" for name, text in words.reading_entries(analysis.history)]
    return [
        words.tally(analysis),
        *words.jumps(analysis),
        *words.expectation(analysis),
        *words.gap(analysis, parts=False),
        f"Evidence: {analysis.evidence}.",
        *read[:1],
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
    if analysis.retrospective:
        return words.advice(analysis)
    return [*words.default_trap(analysis), words.next_fact(analysis, "page")]


_METHODS = (
    "Gains: CV and public gains of one step measure one true gain with independent "
    "noise; how large gains and noise are is learned from the whole history and, "
    "where it cannot be learned, integrated over (Efron 2010; Grubbs 1948).",
    f"Claims of progress and setback: {FALSE_CLAIMS} "
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


def _provenance(
    analysis: Analysis, sources: Sequence[InputFile], above: Container[str]
) -> Iterator[Section]:
    """Yield how the numbers were made, what was read, and with what."""
    alike: dict[str, list[str]] = {}
    for name, text in sorted(words.notes(analysis, "page").items()):
        if text not in above:
            alike.setdefault(text, []).append(name)
    told = [f"{', '.join(names)}: {text}" for text, names in alike.items()]
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
    yield from file_table(sources)
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
    if read[1:]:  # the first one stands with what happened
        yield Bullets([f"{name}: {text}" for name, text in read[1:]])
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
