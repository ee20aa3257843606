"""More than one history as a page of blocks: a leaderboard, several histories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lbsense._format import (
    clean_text,
    decimals_shown,
    format_fixed,
    format_number,
    format_probability,
    shorten,
)
from lbsense.analysis import BoardAnalysis, Comparison, FieldAnalysis
from lbsense.model import InputFile
from lbsense.plots import BOARD_SCENES, compare_scene
from lbsense.report.page import (
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

_MOST_ROWS = 60
_AROUND = 10  # teams shown on each side of the one that is asked about
_METHODS = (
    "Shake-up: mean absolute change of place as a share of the teams (BreakfastPirate "
    "2014); rank correlations of Spearman and of Kendall.",
    "Noise: differences of public and private scores at each level of the board, by "
    "medians, copies counted once (after Grubbs 1948).",
    "What noise alone gives: with both boards, teams of one level exchange how far "
    "they moved; else true scores behind the board by an EM deconvolution (Kiefer and "
    "Wolfowitz 1956), then fresh noise, draw by draw. Teams that share a submission "
    "move together.",
    "Places that hold for all teams at once: sets of ranks of Mogstad, Romano, Shaikh "
    "and Wilhelm (2024).",
    "Medals: Kaggle's numbers of medals by teams (kaggle.com/progression).",
)


def board_page(
    found: BoardAnalysis, sources: Sequence[InputFile], *, title: str | None = None
) -> Page:
    """Return the page of a leaderboard."""
    board = found.board
    told = dict(found.entries())
    first = [told[name] for name in ("Reveal", "Medals", "Two stages") if name in told]
    points = first or [told[name] for name in ("Expected", "Ladder")]
    figures = list(_figures(found))
    above = (told["Board"], *points)
    rest = [f"{k}: {v}" for k, v in found.entries() if v not in above]
    return Page(
        title=clean_text(title or board.competition.slug or "") or "Leaderboard",
        subject=told["Board"],
        headline=found.headline,
        points=points,
        figure=figures[0],
        inventory=(Section(key="board", title="The board", blocks=(Bullets(rest),)),),
        sections=(
            Section(key="pictures", title="Pictures", blocks=tuple(figures[1:])),
            Section(key="teams", title="Teams", blocks=(_teams(found),)),
            Section(
                key="methods",
                title="How each number was made",
                blocks=tuple(_provenance(found, sources)),
                quiet=True,
            ),
        ),
    )


def board_section(found: BoardAnalysis) -> Section:
    """Return what a board adds to the report of a history."""
    told = [f"{name}: {text}" for name, text in found.entries()]
    return Section(
        key="leaderboard",
        title="The whole leaderboard",
        blocks=(found.headline, Bullets(told), *_figures(found)),
    )


def _figures(found: BoardAnalysis) -> Iterator[Figure]:
    for name, (build, caption) in BOARD_SCENES.items():
        yield Figure(f"board_{name}", caption, build(found))


def _teams(found: BoardAnalysis) -> Table:
    frame = found.to_frame()
    shown = set(range(min(len(frame), _MOST_ROWS)))
    if found.standing:
        own = found.standing.position
        shown |= set(range(max(0, own - _AROUND), min(len(frame), own + _AROUND + 1)))
    decimals = decimals_shown(
        value for value in frame["public_score"] if np.isfinite(value)
    )
    rows = []
    for at in sorted(shown):
        team = frame.iloc[at]
        rows.append(
            row(
                Cell(f"{team.public_rank:g}", float(team.public_rank)),
                shorten(team.team_name, 40),
                Cell(format_fixed(team.public_score, decimals=decimals)),
                Cell(format_fixed(team.private_score, decimals=decimals)),
                f"{team.true_low:.0f} to {team.true_high:.0f}",
                f"{team.private_low:.0f} to {team.private_high:.0f}",
                Cell(str(team.group), float(team.group)),
                Cell(format_probability(team.p_gold), float(team.p_gold)),
                Cell(format_probability(team.p_bronze), float(team.p_bronze)),
            )
        )
    left = len(frame) - len(rows)
    more = f" {left:,} more are in the JSON." if left else ""
    return Table(
        name="teams",
        caption="The best teams: true place (95%), place after the reveal by the "
        f"public board alone (80%), step of the ladder, chances of medals.{more}",
        columns=[
            *numbers("Place"),
            *texts("Team"),
            *numbers("Public", "Private"),
            *texts("True place", "After the reveal"),
            *numbers("Step", "Gold", "Any medal"),
        ],
        rows=rows,
    )


def _provenance(found: BoardAnalysis, sources: Sequence[InputFile]) -> Iterator[Block]:
    yield Bullets(_METHODS)
    if found.board.issues:
        yield "Not understood, or not joined:"
        yield Bullets([str(issue) for issue in found.board.issues[:50]])
    yield from file_table(sources)


def field_page(found: FieldAnalysis, *, title: str | None = None) -> Page:
    """Return the page of many competitions."""
    told = found.entries()
    tables = []
    for by, part in found.groups.groupby("by", sort=False):
        rows = [
            row(
                shorten(str(group["group"]), 60),
                *(
                    Cell(format_number(group[name], digits=3), float(group[name]))
                    for name in _GROUP_COLUMNS
                ),
            )
            for group in part.to_dict("records")
        ]
        tables.append(
            Table(
                name=f"field_{by}",
                caption=f"By {str(by).replace('_', ' ')}: quartiles of the shake-up, "
                "median slope of private on public scores and median gap in standard "
                "deviations, over all submissions and over the best tenth.",
                columns=[*texts("Group"), *numbers(*_GROUP_COLUMNS.values())],
                rows=rows,
            )
        )
    return Page(
        title=clean_text(title or "") or "Finished competitions",
        subject=told[0][1],
        headline=found.headline,
        points=[f"{name}: {text}" for name, text in told[1:4]],
        figure=None,
        inventory=(),
        sections=(
            Section(
                key="told",
                title="What moved most, and least",
                blocks=(Bullets([f"{name}: {text}" for name, text in told]),),
            ),
            Section(key="groups", title="Groups", blocks=tuple(tables)),
        ),
    )


_GROUP_COLUMNS = {
    "n_competitions": "Competitions",
    "shake_up_25": "25%",
    "shake_up_50": "median",
    "shake_up_75": "75%",
    "slope": "slope",
    "slope_top": "slope, best",
    "gap": "gap",
    "gap_top": "gap, best",
}


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
                blocks=(Bullets(COMPARE_METHODS), *file_table(sources)),
                quiet=True,
            ),
        ),
    )


def _missing(told: Sequence[str]) -> tuple[Block, ...]:
    return (Bullets(told),) if told else ("Nothing.",)
