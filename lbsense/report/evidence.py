"""The evidence of a report, section by section."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from lbsense._format import (
    decimals_shown,
    format_fixed,
    format_gain,
    format_number,
    format_probability,
    format_time,
    gain_decimals,
    plural,
    shorten,
)
from lbsense.analysis import Analysis, Step
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
    name_of,
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
    if analysis.retrospective is not None:
        yield _retrospective(analysis)
    if analysis.outlook is not None:
        yield _picks(analysis)
    if analysis.agreement is not None:
        yield _agreement(analysis)
    if analysis.resolution is not None:
        yield _resolution(analysis)
    if analysis.joint is not None:
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
    if found is not None:
        blocks += [
            Bullets(items=found.sentences),
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
            Column(name=name_of(analysis, index), numeric=True),
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
    sign = analysis.history.competition.direction()
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
                Cell(text=format_number(sign * item.score), order=sign * item.score),
                Cell(text=format_number(item.regret, digits=2), order=item.regret),
                Cell(
                    text=format_number(item.regret_se, digits=2), order=item.regret_se
                ),
            )
            for item in (found.rules if found is not None else ())
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
    if picks is not None:
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
                            text=", ".join(name_of(analysis, i) for i in pair.positions)
                        ),
                        Cell(text=format_number(max(pair.cost, 0.0), digits=2)),
                        Cell(text=format_number(pair.regret, digits=2)),
                        Cell(text=format_probability(pair.p_holds_best)),
                    )
                    for pair in (picks.best, *picks.rules)
                ],
            ),
        ]
    outlook = analysis.outlook
    if outlook is not None and not outlook.sizes_known:
        blocks.append(
            Paragraph(
                text="The sizes of the test sets were not given: the private set is "
                "taken to be as large as the public one."
            )
        )
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
    if found is not None:
        told = [
            f"Rank correlation of CV gains and public gains: "
            f"{format_number(found.statistic, digits=2)} (95% interval "
            f"{format_number(found.ci_low, digits=2)} to "
            f"{format_number(found.ci_high, digits=2)}, {plural(found.n_obs, 'step')})."
        ]
        if math.isfinite(found.perfect_r):
            told.append(
                "A CV without any noise would show "
                f"{format_number(found.perfect_r, digits=2)}: the noise of the public "
                "score allows no more."
            )
        if not found.testable:
            told.append(f"Agreement cannot be tested here. {found.reason}")
        if math.isfinite(found.cv_excess_share):
            told.append(
                f"{found.cv_excess_share:.0%} of the noise variance of a CV gain does "
                "not come from the choice of rows: refitting, or validation that does "
                "not transfer."
            )
        blocks.append(Bullets(items=told))
    return Section(key="agreement", title="Do CV and leaderboard agree?", blocks=blocks)


def _resolution(analysis: Analysis) -> Section:
    found = analysis.resolution
    blocks: list[Block] = [
        Figure(
            name="resolution",
            caption="The differences that were chased, against the smallest gain that "
            "this leaderboard can tell.",
        )
    ]
    if found is not None and math.isfinite(found.score_bits):
        blocks.append(
            Paragraph(
                text=f"{plural(found.n_scores, 'public score')} revealed at most "
                f"{format_fixed(found.score_bits, decimals=0)} bits about the public "
                f"rows, the {plural(found.n_new_bests, 'new best')} alone "
                f"{format_fixed(found.best_bits, decimals=0)}."
            )
        )
    if analysis.limits is not None:
        limits = analysis.limits
        blocks.append(
            Paragraph(
                text="The most that a pure attack on the leaderboard with as many "
                f"scores could have gained is about {format_gain(limits.boosting)}, "
                "without learning anything."
            )
        )
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


def step_table(analysis: Analysis) -> Table:
    """Return one row per submission; columns that say nothing are left out."""
    steps = analysis.steps
    place = {step.submission_id: row for row, step in enumerate(steps)}
    outcomes = (
        analysis.retrospective.outcomes
        if analysis.retrospective
        else ("",) * len(steps)
    )
    shown = decimals_shown(
        step.public_score for step in steps if step.public_score is not None
    )
    columns: dict[Column, list[Cell]] = {
        Column(name="#", numeric=True): [
            Cell(text=str(row + 1), order=row + 1) for row in range(len(steps))
        ],
        Column(name="Date (UTC)"): [
            Cell(
                text=format_time(step.submitted_at),
                order=step.submitted_at.timestamp() if step.submitted_at else None,
            )
            for step in steps
        ],
        Column(name="Submission"): [_name(step) for step in steps],
        Column(name="Verdict"): [
            Cell(text=step.verdict, kind=step.verdict, details=step.sentence)
            for step in steps
        ],
        Column(name="CV", numeric=True): _scores(step.cv_score for step in steps),
        Column(name="Public", numeric=True): _scores(
            step.public_score for step in steps
        ),
        Column(name="Private", numeric=True): _scores(
            step.private_score for step in steps
        ),
        Column(name="Against", numeric=True): [
            Cell(text="-")
            if step.reference_id is None
            else Cell(
                text=f"#{place[step.reference_id] + 1}",
                order=place[step.reference_id] + 1,
            )
            for step in steps
        ],
        Column(name="Public step", numeric=True): [
            Cell(
                text=format_fixed(step.public_gain, decimals=shown, sign=True),
                order=step.public_gain,
            )
            for step in steps
        ],
        Column(name="Estimated gain (95%)", numeric=True): _gains(steps),
        Column(name="P(gain)", numeric=True): [
            Cell(text=format_probability(step.p_gain), order=step.p_gain)
            for step in steps
        ],
        Column(name="In the end"): [Cell(text=text or "-") for text in outcomes],
    }
    told = {
        column: cells
        for column, cells in columns.items()
        if any(cell.text != "-" for cell in cells)
    }
    return Table(
        name="steps",
        caption=(
            "Every submission against the one it is compared with. Gains are oriented: "
            "more is better. The interval is the 95% interval of the true gain."
        ),
        columns=tuple(told),
        rows=tuple(zip(*told.values(), strict=True)),
        interactive=True,
    )


def _name(step: Step) -> Cell:
    return Cell(text=shorten(step.name, _NAME_WIDTH) or step.submission_id)


def _scores(values: Iterable[float | None]) -> list[Cell]:
    scores = list(values)
    decimals = decimals_shown(value for value in scores if value is not None)
    return [
        Cell(text=format_fixed(value, decimals=decimals), order=value)
        for value in scores
    ]


def _gains(steps: Sequence[Step]) -> list[Cell]:
    """Return gains and intervals to the two digits that their widths support."""
    decimals = gain_decimals(
        step.gain_high - step.gain_low
        for step in steps
        if step.gain_high is not None and step.gain_low is not None
    )

    def told(step: Step) -> str:
        gain, low, high = (
            format_fixed(value, decimals=decimals, sign=True)
            for value in (step.gain, step.gain_low, step.gain_high)
        )
        return gain if low == "-" else f"{gain} ({low} to {high})"

    return [Cell(text=told(step), order=step.gain) for step in steps]
