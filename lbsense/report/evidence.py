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
    Paragraph,
    Remark,
    Section,
    Table,
)
from lbsense.stats import GapSplitResult

__all__ = ["evidence", "step_table"]

_STATUS = {"passed": "not flagged", "not_applicable": "not knowable", "muted": "muted"}


def evidence(analysis: Analysis, findings: Findings) -> Iterator[Section]:
    """Yield the sections that this history has something to say in."""
    if analysis.steps:
        yield _timeline(analysis)
        yield Section(
            key="steps",
            title="Every step",
            blocks=(
                Figure(
                    name="steps",
                    caption="Estimated true gain of every step with its 95% interval, "
                    "beside the raw public gain.",
                ),
                step_table(analysis),
            ),
        )
    if analysis.retrospective:
        yield _retrospective(analysis)
    if analysis.outlook:
        yield _picks(analysis)
    if analysis.agreement:
        yield _agreement(analysis)
    if analysis.resolution:
        yield _resolution(analysis)
    if analysis.joint:
        yield Section(
            key="similarity",
            title="How alike the submissions are",
            blocks=(
                Figure(
                    name="similarity",
                    caption="Correlation of the noise of every two submissions, from "
                    "their predictions. Two that are alike are one candidate.",
                ),
            ),
        )
    yield _findings(findings)


def _timeline(analysis: Analysis) -> Section:
    counts = analysis.counts()
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return Section(
        key="timeline",
        title="The competition as it went",
        blocks=(
            Figure(
                name="timeline",
                caption="Public, CV and private scores in the order of submission, "
                f"the running best and what it is truly worth. Verdicts: {told}.",
            ),
        ),
    )


def _retrospective(analysis: Analysis) -> Section:
    found = analysis.retrospective
    blocks: list[Block] = []
    if found:
        # The answer above tells the gap and the advice.
        told = words.lessons(analysis, "page")[len(words.gap(analysis)) :]
        blocks += [
            Bullets(items=told),
            Figure(
                name="public_private",
                caption="Private against public scores. On the thin line they are "
                "equal.",
            ),
        ]
        splits = [
            split for split in (found.best_public, found.selected) if split is not None
        ]
        if splits:
            blocks.append(_split_table(analysis, splits))
        blocks.append(_rule_table(analysis))
    return Section(key="retrospective", title="After the end", blocks=blocks)


def _split_table(analysis: Analysis, splits: Sequence[GapSplitResult]) -> Table:
    parts = (
        ("Private minus public", "gap", ""),
        ("Luck in the public score (selection)", "selection", "selection_se"),
        ("Luck of the split, shared by all", "common_luck", "common_se"),
        ("Shift between the sets", "shift", ""),
        ("Luck of its own on the private rows", "own_luck", "selection_se"),
    )
    unique = {split.position: split for split in splits}
    columns = [Column(name="Part")]
    for index in unique:
        columns += [
            Column(name=words.name_of(analysis, index), numeric=True),
            Column(name="standard error", numeric=True),
        ]
    rows = []
    for title, part, error in parts:
        cells = [Cell(text=title)]
        for split in unique.values():
            value = -float(getattr(split, part))
            se = getattr(split, error) if error else math.nan
            cells.append(Cell(text=format_gain(value), order=value))
            cells.append(Cell(text=format_number(se, digits=2)))
        rows.append(cells)
    return Table(
        name="split",
        caption="Where the distance of private and public scores came from, in gains: "
        "minus is a fall. The four parts add up to the first row.",
        columns=columns,
        rows=rows,
    )


def _rule_table(analysis: Analysis) -> Table:
    found = analysis.retrospective
    return Table(
        name="rules",
        caption="What each way to select would have scored. Regret is the distance to "
        "the best private score of all; its noise is what luck on the private rows "
        "alone makes of it.",
        columns=(
            Column(name="Rule"),
            Column(name="Submissions"),
            Column(name="Private", numeric=True),
            Column(name="Regret", numeric=True),
            Column(name="Noise of it", numeric=True),
        ),
        rows=[
            (
                Cell(text=item.rule),
                Cell(text=", ".join(f"#{index + 1}" for index in item.positions)),
                Cell(text=format_number(item.score), order=item.score),
                Cell(text=format_number(item.regret, digits=2), order=item.regret),
                Cell(
                    text=format_number(item.regret_se, digits=2), order=item.regret_se
                ),
            )
            for item in (found.rules if found else ())
        ],
    )


def _picks(analysis: Analysis) -> Section:
    blocks: list[Block] = [
        Figure(
            name="outlook",
            caption="Private score to expect of the most promising submissions, from "
            "what was known before the end: thick 80%, thin 95%.",
        )
    ]
    picks = analysis.picks
    if picks:
        blocks += [
            Figure(
                name="picks",
                caption="How probable it is that a pair holds the best submission.",
            ),
            Table(
                name="pairs",
                caption="Pairs to select. Cost: expected private score lost against "
                "the first row. Regret: against knowing the private scores.",
                columns=(
                    Column(name="Rule"),
                    Column(name="Pair"),
                    Column(name="Cost", numeric=True),
                    Column(name="Regret", numeric=True),
                    Column(name="Holds the best", numeric=True),
                ),
                rows=[
                    (
                        Cell(text=pair.rule),
                        Cell(
                            text=", ".join(
                                words.name_of(analysis, i) for i in pair.positions
                            )
                        ),
                        Cell(text=format_number(max(pair.cost, 0.0), digits=2)),
                        Cell(text=format_number(pair.regret, digits=2)),
                        Cell(text=format_probability(pair.p_holds_best)),
                    )
                    for pair in (picks.best, *picks.rules)
                ],
            ),
        ]
    blocks += [Paragraph(text=text) for text in words.outlook(analysis)]
    return Section(
        key="outlook", title="What to expect, and which two to select", blocks=blocks
    )


def _agreement(analysis: Analysis) -> Section:
    found = analysis.agreement
    blocks: list[Block] = [
        Figure(
            name="cv_public",
            caption="Public against CV scores. Two series that both drift agree "
            "without meaning it: the numbers below are of gains.",
        )
    ]
    if found:
        blocks.append(Bullets(items=words.agreement(analysis)))
    return Section(key="agreement", title="Do CV and leaderboard agree?", blocks=blocks)


def _resolution(analysis: Analysis) -> Section:
    blocks: list[Block] = [
        Figure(
            name="resolution",
            caption="The differences that were chased, against the smallest gain that "
            "this leaderboard can tell.",
        )
    ]
    blocks += [Paragraph(text=text) for text in words.revealed(analysis)]
    return Section(
        key="resolution", title="What this leaderboard can tell", blocks=blocks
    )


def _findings(findings: Findings) -> Section:
    flagged = [
        Remark(
            label=item.code,
            title=item.title,
            text=item.message,
            kind=item.severity,
            details=(
                *explain(item.code).parts(),
                (
                    "Evidence",
                    f"value {format_number(item.value)}, threshold "
                    f"{format_number(item.threshold)}, {item.n_obs} observations.",
                ),
            ),
        )
        for item in findings.flagged
    ]
    rest = [
        f"{item.code} {item.title}: {_STATUS.get(item.status, item.status)}. "
        f"{item.message}"
        for item in findings
        if item.status != "flagged"
    ]
    blocks: list[Block] = list(flagged)
    if not flagged:
        blocks.append(Paragraph(text="Nothing was flagged."))
    if rest:
        blocks.append(
            Remark(
                label="",
                title=f"{plural(len(rest), 'further check')}, not flagged",
                text="",
                kind="quiet",
                details=tuple(("", text) for text in rest),
            )
        )
    return Section(key="findings", title="Findings", blocks=blocks)


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
    "outcome",
)


def step_table(analysis: Analysis) -> Table:
    """Return one row per submission; columns that say nothing are left out."""
    found = analysis.retrospective
    columns = words.step_columns(
        analysis.steps, _KEYS, outcomes=found.outcomes if found else ()
    )
    cells = {
        column.key: [
            Cell(text=text, order=order)
            for text, order in zip(column.cells, column.order, strict=True)
        ]
        for column in columns
    }
    cells["name"] = [
        Cell(text=shorten(cell.text, _NAME_WIDTH)) for cell in cells.get("name", ())
    ]
    cells["verdict"] = [
        Cell(text=step.verdict, kind=step.verdict, details=step.sentence)
        for step in analysis.steps
    ]
    return Table(
        name="steps",
        caption=(
            "Every submission against the one it is compared with. Gains are oriented: "
            "more is better. The interval is the 95% interval of the true gain."
        ),
        columns=tuple(
            Column(name=column.heading, numeric=column.numeric) for column in columns
        ),
        rows=tuple(zip(*(cells[column.key] for column in columns), strict=True)),
        interactive=True,
    )
