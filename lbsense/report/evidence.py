"""The evidence of a report, section by section."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from lbsense import words
from lbsense._format import (
    format_gain,
    format_number,
    format_probability,
    plural,
    shorten,
)
from lbsense.analysis import Analysis
from lbsense.checks import Findings, explain
from lbsense.report.blocks import (
    Block,
    Bullets,
    Cell,
    Column,
    Figure,
    Remark,
    Section,
    Table,
    numbers,
    row,
    texts,
)
from lbsense.stats import GapSplitResult

_STATUS = {"passed": "not flagged", "not_applicable": "not knowable", "muted": "muted"}


_CAPTIONS = {
    "timeline": "Public, CV and private scores in the order of submission, the running "
    "best and what it is truly worth. Verdicts: {verdicts}.",
    "steps": "Estimated true gain of every step with its 95% interval, beside the raw "
    "public gain.",
    "public_private": "Private against public scores. On the thin line they are equal.",
    "outlook": "Private score to expect of the most promising submissions, from what "
    "was known before the end: thick 80%, thin 95%.",
    "differences": "Private scores against the one that is expected to be best: above "
    "0 is better. Thick 80%, thin 95%. Submissions share most of the luck of a split, "
    "so that differences are known far better than scores.",
    "picks": "How probable it is that a pair holds the best submission.",
    "cv_public": "Public against CV scores. Two series that both drift agree without "
    "meaning it: the numbers below are of gains.",
    "resolution": "The differences that were chased, against the smallest gain that "
    "this leaderboard can tell.",
    "similarity": "Correlation of the noise of every two submissions, from their "
    "predictions. Two that are alike are one candidate.",
}


def evidence(analysis: Analysis, findings: Findings) -> Iterator[Section]:
    """Yield the sections that this history has something to say in."""
    parts: list[tuple[str, str, Iterator[Block]]] = []
    if analysis.steps:
        parts += [
            ("timeline", "The competition as it went", _timeline(analysis)),
            ("steps", "Every step", _steps(analysis)),
        ]
    parts += [
        ("retrospective", "After the end", _retrospective(analysis)),
        ("outlook", "What to expect, and which two to select", _outlook(analysis)),
        ("agreement", "Do CV and leaderboard agree?", _agreement(analysis)),
        ("resolution", "What this leaderboard can tell", _resolution(analysis)),
        ("similarity", "How alike the submissions are", _similarity(analysis)),
        ("findings", "Findings", _findings(findings)),
    ]
    for key, title, told in parts:
        blocks = tuple(told)
        if blocks:
            yield Section(key=key, title=title, blocks=blocks)


def _figure(name: str, **told: str) -> Figure:
    return Figure(name, _CAPTIONS[name].format(**told))


def _timeline(analysis: Analysis) -> Iterator[Block]:
    counts = analysis.counts().items()
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in counts)
    yield _figure("timeline", verdicts=verdicts)


def _steps(analysis: Analysis) -> Iterator[Block]:
    yield _figure("steps")
    yield _step_table(analysis)


def _retrospective(analysis: Analysis) -> Iterator[Block]:
    found = analysis.retrospective
    if not found:
        return
    # The answer above tells the gap and the advice.
    yield Bullets(words.lessons(analysis, "page")[len(words.gap(analysis)) :])
    yield _figure("public_private")
    splits = [split for split in (found.best_public, found.selected) if split]
    if splits:
        yield _split_table(analysis, splits)
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
                ", ".join(f"#{index + 1}" for index in item.positions),
                Cell(format_number(item.score), item.score),
                Cell(format_number(item.regret, digits=2), item.regret),
                Cell(format_number(item.regret_se, digits=2), item.regret_se),
            )
            for item in found.rules
        ],
    )


def _split_table(analysis: Analysis, splits: Sequence[GapSplitResult]) -> Table:
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
        columns += numbers(words.name_of(analysis, index), "standard error")
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
    yield _figure("outlook")
    yield _figure("differences")
    yield Bullets(words.differences(analysis))
    picks = analysis.picks
    if picks:
        yield _figure("picks")
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
                    ", ".join(words.name_of(analysis, i) for i in pair.positions),
                    format_number(max(pair.cost, 0.0), digits=2),
                    format_number(pair.regret, digits=2),
                    format_probability(pair.p_holds_best),
                )
                for pair in (picks.best, *picks.rules)
            ],
        )
    yield from words.outlook(analysis)


def _agreement(analysis: Analysis) -> Iterator[Block]:
    if analysis.agreement:
        yield _figure("cv_public")
        yield Bullets(words.agreement(analysis))


def _resolution(analysis: Analysis) -> Iterator[Block]:
    if analysis.resolution:
        yield _figure("resolution")
        yield from words.revealed(analysis)


def _similarity(analysis: Analysis) -> Iterator[Block]:
    if analysis.joint:
        yield _figure("similarity")


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
    rest = [
        f"{item.code} {item.title}: {_STATUS.get(item.status, item.status)}. "
        f"{item.message}"
        for item in findings
        if item.status != "flagged"
    ]
    if rest:
        yield Remark(
            label="",
            title=f"{plural(len(rest), 'further check')}, not flagged",
            text="",
            kind="quiet",
            details=tuple(("", text) for text in rest),
        )


_NAME_WIDTH = 160
_KEYS = (
    "number",
    "when",
    "name",
    "verdict",
    "cv",
    "public",
    "private",
    "against",
    "step",
    "estimate",
    "p_gain",
    "rows",
    "hindsight",
    "p_later",
    "outcome",
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
    cells["name"] = [
        Cell(shorten(cell.text, _NAME_WIDTH)) for cell in cells.get("name", ())
    ]
    cells["verdict"] = [
        Cell(words.verdict_label(step), kind=step.verdict, details=step.sentence)
        for step in analysis.steps
    ]
    return Table(
        name="steps",
        caption=(
            "Every submission against the one it is compared with. Gains are oriented: "
            "more is better. The interval is the 95% interval of the true gain."
        ),
        columns=tuple(Column(column.heading, column.numeric) for column in columns),
        rows=tuple(zip(*(cells[column.key] for column in columns), strict=True)),
        interactive=True,
    )
