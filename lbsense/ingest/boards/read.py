"""Leaderboards of every kind to a `Leaderboard`: one day, a pair, a series, many."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from lbsense._format import plural, shorten
from lbsense.errors import IngestError
from lbsense.ingest.boards.sheets import (
    SCORES,
    Sheet,
    competition_of,
    day_of,
    numbers_of,
    read_sheets,
    team_keys,
    times_of,
)
from lbsense.model import Competition, Leaderboard, RowIssue

BoardKind: TypeAlias = Literal["public", "private"]

_BENCHMARK = re.compile(r"\bbench ?mark$", re.IGNORECASE)
_SURE = 0.99  # share of neighbours in order, from which places tell the direction


def read_leaderboard(
    public: Any,
    private: Any = None,
    *,
    kind: BoardKind | None = None,
    metric: str | None = None,
    greater_is_better: bool | None = None,
    test_size: int | None = None,
    public_fraction: float | None = None,
    nested: bool | None = None,
    slug: str | None = None,
) -> Leaderboard:
    r"""Return the leaderboard in a file, a pair of files or a series of daily files.

    Parameters
    ----------
    public : path, list of paths, file-like, text or DataFrame
        A board as Kaggle or another platform gives it: a zip or a CSV of any year,
        what ``kaggle competitions leaderboard --show`` prints, a saved page, or a
        table of your own with teams and scores. Of several files those with other
        teams are pages of one board, those with the same teams are its days.
    private : the same, optional
        The private board, where it is another file. Which of two files is which is
        told by their names, else by their order.
    kind : {"public", "private"}, optional
        What the scores of a single board are, where its name does not tell.
    metric, greater_is_better, test_size, public_fraction, nested, slug : optional
        What is known of the competition, as `read_submissions` takes it. The name of
        a download tells the competition; places on the board tell the direction.

    Returns
    -------
    Leaderboard
        Without the host's benchmarks. ``issues`` lists what was not read or joined.

    Raises
    ------
    IngestError
        If there is no board in it, or two boards cannot be joined.

    Notes
    -----
    Boards are joined by the identifier of the team. Without one they are joined by
    name, and a name that several teams have is left unjoined. Of a board with a row
    for every improvement the last of each team counts, and ``history`` holds the rest.

    Examples
    --------
    >>> board = read_leaderboard(
    ...     "Rank,TeamId,TeamName,Score\n1,7,ada,0.91\n2,8,20211117,0.90\n",
    ...     "Rank,TeamId,TeamName,Score\n1,8,20211117,0.89\n2,7,ada,0.88\n",
    ... )
    >>> board.team_names, board.private.tolist()
    (('ada', '20211117'), [0.88, 0.89])
    >>> board.competition.greater_is_better
    True
    """
    options: dict[str, Any] = {
        "metric": metric,
        "greater_is_better": greater_is_better,
        "test_size": test_size,
        "public_fraction": public_fraction,
        "nested": nested,
        "slug": slug,
    }
    first = read_sheets(public)
    second = read_sheets(private) if private is not None else []
    first_kind = _kind_of(first[-1].source)
    if second and first_kind == "private" and _kind_of(second[-1].source) != "private":
        first, second = second, first
        first_kind = "public"
    sources = [sheet.source for sheet in (*first, *second)]
    competition = competition_of(options, sources)
    board = _board(first, first_kind or kind or "public", competition)
    if second:
        board = _joined(board, _board(second, "private", competition))
    return _directed(board, stated=greater_is_better, metric=metric)


def read_leaderboards(data: Any, **options: Any) -> dict[str, Leaderboard]:
    """Return the boards of many competitions that stand in one table, by competition.

    Parameters
    ----------
    data : path, file-like, text or DataFrame
        A table with a column of competitions beside teams and scores.
    **options
        As `read_leaderboard` takes them, for every board.

    Returns
    -------
    dict of str to Leaderboard
        In the order of the table. A board on which nothing can be read is left out
        where others can be read.

    Raises
    ------
    IngestError
        If no column names the competition, or no board can be read.
    """
    sheet = read_sheets(data)[-1]
    if "competition" not in sheet.frame:
        msg = f"{sheet.source}: no column that names the competition of each row."
        raise IngestError(msg)
    kind: BoardKind = options.pop("kind", None) or _kind_of(sheet.source) or "public"
    boards: dict[str, Leaderboard] = {}
    problems: list[str] = []
    rows = sheet.frame.drop(columns="competition")
    for name, part in rows.groupby(sheet.frame["competition"], sort=False):
        slug = None if str(name).isdigit() else str(name)
        try:
            competition = competition_of({"slug": slug, **options}, [])
            one = Sheet(source=f"{sheet.source}, {name}", frame=part)
            board = _board([one], kind, competition)
            boards[str(name)] = _directed(
                board, stated=options.get("greater_is_better"), metric=None
            )
        except IngestError as error:
            problems.append(str(error))
    if not boards:
        raise IngestError(problems[0] if problems else f"{sheet.source}: no rows.")
    return boards


# --- one board -----------------------------------------------------------------------


def _kind_of(source: str) -> BoardKind | None:
    """Say which board a file holds, by its name."""
    name = os.path.basename(source).lower()
    private, public = "private" in name, "public" in name
    if private == public:
        return None
    return "private" if private else "public"


def _board(days: list[Sheet], kind: BoardKind, competition: Competition) -> Leaderboard:
    """Return the last day as a board, with the days before it as its history."""
    sheet = days[-1]
    frame, issues = sheet.frame.reset_index(drop=True), list(sheet.issues)
    if len(set(frame.get("competition", ()))) > 1:
        msg = (
            f"{sheet.source}: boards of several competitions. Read them with "
            "read_leaderboards(...), or cut out the rows of one."
        )
        raise IngestError(msg)
    frame, benchmarks = _without_benchmarks(frame)
    frame, keys = _each_once(frame, sheet.source, issues)
    if not len(frame):
        msg = f"{sheet.source}: no team on this board."
        raise IngestError(msg)
    values = {
        name: numbers_of(frame, name, sheet.source, issues)
        for name in (*SCORES, "rank", "public_rank", "private_rank", "count")
    }
    times = times_of(frame)
    history = None
    order = np.arange(len(frame))
    if len(set(keys)) < len(keys):
        order, history = _last_of_each(keys, times, values, kind)
    count = values["count"][order]
    names = frame["team_name"] if "team_name" in frame else pd.Series(keys)
    ids = frame["team_id"] if "team_id" in frame else pd.Series([""] * len(frame))
    scores = {
        "public": values["public_score"][order],
        "private": values["private_score"][order],
        "public_rank": values["public_rank"][order],
        "private_rank": values["private_rank"][order],
    }
    if np.isnan(scores[kind]).all():
        scores[kind] = values["score"][order]
    if np.isnan(scores[f"{kind}_rank"]).all() and history is None:
        scores[f"{kind}_rank"] = values["rank"][order]
    if not (np.isfinite(scores["public"]) | np.isfinite(scores["private"])).any():
        msg = f"{sheet.source}: no team has a score that is a number."
        raise IngestError(msg)
    board = Leaderboard(
        competition=competition,
        team_ids=tuple(ids.iloc[order]),
        team_names=tuple(names.iloc[order]),
        submitted_at=times[order],
        n_submissions=np.nan_to_num(count).astype(np.int64),
        history=history,
        benchmarks=benchmarks,
        issues=tuple(issues),
        public=scores["public"],
        private=scores["private"],
        public_rank=scores["public_rank"],
        private_rank=scores["private_rank"],
    )
    return board if len(days) < 2 else _with_days(board, days, kind)


def _without_benchmarks(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Set aside what the host put on the board, and empty rows."""
    frame = frame.reset_index(drop=True)
    if "team_name" not in frame:
        return frame, ()
    is_one = pd.Series([bool(_BENCHMARK.search(name)) for name in frame["team_name"]])
    if "members" in frame:
        is_one &= frame["members"] == ""
    if "benchmark" in frame:
        is_one |= frame["benchmark"].str.lower().isin(("true", "1"))
    if "rank" in frame:
        is_one |= frame["rank"] == "0"
    rest = frame[~is_one]
    return rest.reset_index(drop=True), tuple(frame.loc[is_one, "team_name"].unique())


def _each_once(
    frame: pd.DataFrame, source: str, issues: list[RowIssue]
) -> tuple[pd.DataFrame, list[str]]:
    """Return a board without rows that stand there twice, and the keys of its teams."""
    keys = team_keys(frame) if len(frame) else []
    if len(set(keys)) == len(keys):
        return frame, keys
    twice = frame.drop(columns="line", errors="ignore").duplicated()
    if not twice.any():
        return frame, keys
    issues.append(
        RowIssue(
            source=source,
            found=plural(int(twice.sum()), "row") + " once more",
            expected="each team once",
            action="taken once",
        )
    )
    frame = frame[~twice].reset_index(drop=True)
    return frame, team_keys(frame)


def _last_of_each(
    keys: list[str], times: np.ndarray, values: dict[str, np.ndarray], kind: BoardKind
) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the row that counts of every team, and all rows as a history."""
    score = values["score"]
    if np.isnan(score).all():
        score = values[f"{kind}_score"]
    codes, _ = pd.factorize(pd.Series(keys))
    rows = pd.DataFrame({"team": codes, "time": times, "score": score})
    rows = rows[rows["score"].notna()]
    rows = rows.sort_values(["time", "team"], kind="stable", na_position="first")
    steps = np.sign(rows.groupby("team")["score"].diff().dropna())
    rising = float((steps > 0).mean()) if len(steps) else 1.0
    ends = rows.groupby("team")["score"]
    best = ends.idxmax() if rising >= 0.5 else ends.idxmin()
    values_at = rows.loc[best, "score"].to_numpy()
    order = np.argsort(-values_at if rising >= 0.5 else values_at, kind="stable")
    chosen = best.to_numpy()[order]
    place = {int(codes[row]): position for position, row in enumerate(chosen)}
    history = rows.assign(team=rows["team"].map(place)).reset_index(drop=True)
    return chosen, history


def _with_days(board: Leaderboard, days: list[Sheet], kind: BoardKind) -> Leaderboard:
    """Return the last board with the scores of all days as its history."""
    by = "team_id" if any(board.team_ids) else "team_name"
    keys = board.team_ids if by == "team_id" else board.team_names
    place = {key: position for position, key in enumerate(keys)}
    parts, issues = [], list(board.issues)
    for sheet in days:
        frame, _ = _without_benchmarks(sheet.frame)
        if by not in frame:
            continue
        one = _board([dataclasses.replace(sheet, issues=[])], kind, board.competition)
        keys = one.team_ids if by == "team_id" else one.team_names
        teams = pd.Series(keys).map(place)
        parts.append(
            pd.DataFrame(
                {
                    "team": teams,
                    "time": day_of(sheet).tz_localize(None),
                    "score": one.public if kind == "public" else one.private,
                }
            ).dropna()
        )
        gone = int(teams.isna().sum())
        if gone:
            issues.append(
                RowIssue(
                    source=sheet.source,
                    found=plural(gone, "team"),
                    expected="teams that are on the last board",
                    action="left out of the movement: merged, renamed or removed",
                )
            )
    history = pd.concat(parts, ignore_index=True).astype({"team": np.int64})
    return dataclasses.replace(board, history=history, issues=tuple(issues))


# --- two boards ----------------------------------------------------------------------


def _joined(public: Leaderboard, private: Leaderboard) -> Leaderboard:
    """Return both boards as one, joined by identifier or, with care, by name."""
    issues = [*public.issues, *private.issues]
    by_id = all(public.team_ids) and all(private.team_ids)
    shared = set(public.team_ids) & set(private.team_ids)
    if by_id and len(shared) >= 2:
        left, right, how = public.team_ids, private.team_ids, "team id"
    else:
        left, right, how = public.team_names, private.team_names, "team name"
        left, right = _unique(left, issues), _unique(right, issues)
        shared = {name for name in left if name} & set(right)
        if len(shared) < 2:
            msg = (
                f"{len(shared)} teams are on both boards, of {len(public)} and "
                f"{len(private)}. Are they of one competition? They are joined by "
                "TeamId or, where a file has none, by TeamName."
            )
            raise IngestError(msg)
    at = {key: position for position, key in enumerate(right) if key}
    match = np.array([at.get(key, -1) if key else -1 for key in left])
    extra = np.array(sorted(set(range(len(right))) - set(match.tolist())), dtype=int)
    for board, missing in (("private", int((match < 0).sum())), ("public", len(extra))):
        if missing:
            issues.append(
                RowIssue(
                    source="the boards",
                    found=plural(missing, "team"),
                    expected=f"a row on the {board} board",
                    action="kept without that score",
                )
            )

    def both(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        filled = np.where(match >= 0, theirs[np.maximum(match, 0)], np.nan)
        own = np.where(np.isfinite(filled), filled, mine)
        return np.concatenate([own, theirs[extra]])

    nothing = np.full(len(public), np.nan)
    pad = np.full(len(extra), np.nan)
    return dataclasses.replace(
        public,
        team_ids=public.team_ids + tuple(private.team_ids[i] for i in extra),
        team_names=public.team_names + tuple(private.team_names[i] for i in extra),
        public=np.concatenate([public.public, pad]),
        public_rank=np.concatenate([public.public_rank, pad]),
        private=both(nothing, private.private),
        private_rank=both(nothing, private.private_rank),
        submitted_at=np.concatenate([public.submitted_at, private.submitted_at[extra]]),
        n_submissions=np.concatenate(
            [public.n_submissions, private.n_submissions[extra]]
        ),
        benchmarks=tuple(dict.fromkeys((*public.benchmarks, *private.benchmarks))),
        issues=tuple(issues),
        matched_by=how,
    )


def _unique(names: Sequence[str], issues: list[RowIssue]) -> tuple[str, ...]:
    """Return names with those that several teams have made empty."""
    counts = pd.Series(names).value_counts()
    twice = set(counts.index[counts > 1]) - {""}
    if twice:
        issues.append(
            RowIssue(
                source="the boards",
                found=f"{plural(len(twice), 'name')} of several teams: "
                f"{shorten(', '.join(sorted(twice)[:3]), 60)}",
                expected="one team a name",
                action="not joined",
            )
        )
    return tuple("" if name in twice else name for name in names)


# --- which way is better -------------------------------------------------------------


def _directed(
    board: Leaderboard, *, stated: bool | None, metric: str | None
) -> Leaderboard:
    """Return the board with the direction that its places tell, where they do."""
    seen = _direction_seen(board)
    known = board.competition.greater_is_better
    if seen is None or seen == known:
        return board
    if known is not None and (stated is not None or metric is not None):
        told = "higher" if seen else "lower"
        msg = (
            f"The places on this board say that {told} is better, what was said of "
            "the competition says the contrary. Leave the metric and the direction "
            "out, or check the file."
        )
        raise IngestError(msg)
    competition = board.competition
    if known is not None:  # the catalogue is wrong on some old competitions
        competition = dataclasses.replace(competition, metric=None)
    return dataclasses.replace(
        board, competition=dataclasses.replace(competition, greater_is_better=seen)
    )


def _direction_seen(board: Leaderboard) -> bool | None:
    """Return whether greater is better, by places, else by the order of the rows."""
    found = []
    for kind in ("public", "private"):
        score = getattr(board, kind)
        rank = getattr(board, f"{kind}_rank")
        known = np.isfinite(score)
        if (known & np.isfinite(rank)).sum() >= 2:
            known &= np.isfinite(rank)
            ordered = score[known][np.argsort(rank[known], kind="stable")]
        elif kind == "public" or np.isnan(board.public).all():
            ordered = score[known]  # a board without places is in their order
        else:
            continue
        steps = np.diff(ordered)
        steps = steps[steps != 0]
        if not len(steps):
            continue
        falling = float((steps < 0).mean())
        if max(falling, 1 - falling) >= _SURE:
            found.append(falling > 0.5)
    return found[0] if found and len(set(found)) == 1 else None
