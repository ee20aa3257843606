"""Meta Kaggle's tables, read out of core: one row per competition."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd

from lbsense.errors import IngestError, LbsenseError

_FILES = ("Competitions", "Teams", "Submissions")
# Text first: infinities and blanks occur among numbers, and booleans are words.
_COMPETITIONS = """
CREATE TEMP TABLE competitions AS
SELECT
    TRY_CAST(Id AS BIGINT) AS competition_id,
    Slug AS slug,
    HostSegmentTitle AS kind,
    EvaluationAlgorithmAbbreviation AS metric,
    CASE lower(EvaluationAlgorithmIsMax)
        WHEN 'true' THEN 1 WHEN 'false' THEN -1 END AS sign,
    TRY_CAST(LeaderboardPercentage AS DOUBLE) / 100 AS public_fraction,
    lower(OnlyAllowKernelSubmissions) = 'true' AS notebooks_only,
    coalesce(
        try_strptime(DeadlineDate, '%m/%d/%Y %H:%M:%S'),
        TRY_CAST(DeadlineDate AS TIMESTAMP)
    ) AS deadline
FROM {competitions}
WHERE TRY_CAST(Id AS BIGINT) IS NOT NULL
"""
_TEAMS = """
CREATE TEMP TABLE teams AS
SELECT
    TRY_CAST(Id AS BIGINT) AS team_id,
    TRY_CAST(CompetitionId AS BIGINT) AS competition_id,
    TRY_CAST(PublicLeaderboardRank AS DOUBLE) AS public_rank,
    TRY_CAST(PrivateLeaderboardRank AS DOUBLE) AS private_rank
FROM {teams}
WHERE coalesce(lower(IsBenchmark), 'false') <> 'true'
"""
_SHAKES = """
CREATE TEMP TABLE shakes AS
WITH placed AS (
    SELECT
        competition_id,
        rank() OVER a AS x,
        rank() OVER b AS y,
        count(*) OVER (PARTITION BY competition_id) AS n
    FROM teams
    WHERE public_rank IS NOT NULL AND private_rank IS NOT NULL
    WINDOW
        a AS (PARTITION BY competition_id ORDER BY public_rank),
        b AS (PARTITION BY competition_id ORDER BY private_rank)
)
SELECT
    competition_id,
    any_value(n) AS n_teams,
    avg(abs(x - y)) / any_value(n) AS shake_up,
    avg(abs(x - y)) FILTER (y <= greatest(1, n // 10)) / any_value(n) AS shake_up_top,
    corr(x, y) AS spearman
FROM placed
GROUP BY competition_id
HAVING any_value(n) >= {fewest}
"""
# Scores beyond the worst twentieth are failures, not models: Roelofs et al. look at
# those above a baseline.
_GAPS = """
CREATE TEMP TABLE gaps AS
WITH scores AS (
    SELECT
        t.competition_id,
        c.sign * TRY_CAST(s.{public} AS DOUBLE) AS x,
        c.sign * TRY_CAST(s.{private} AS DOUBLE) AS y
    FROM {submissions} AS s
    JOIN teams AS t ON t.team_id = TRY_CAST(s.TeamId AS BIGINT)
    JOIN competitions AS c USING (competition_id)
    WHERE c.sign IS NOT NULL AND coalesce(lower(s.IsAfterDeadline), 'false') <> 'true'
),
finite AS (
    SELECT * FROM scores
    WHERE isfinite(x) AND isfinite(y) AND abs(x) < 1e12 AND abs(y) < 1e12
),
bounds AS (
    SELECT
        competition_id,
        approx_quantile(x, 0.05) AS worst,
        approx_quantile(x, 0.9) AS best
    FROM finite
    GROUP BY competition_id
)
SELECT
    f.competition_id,
    count(*) AS n_submissions,
    avg(x - y) AS mean_gap,
    stddev_samp(x - y) AS sd_gap,
    stddev_samp(x) AS sd_public,
    regr_slope(y, x) AS slope,
    corr(x, y) AS correlation,
    avg(x - y) FILTER (x >= best) AS mean_gap_top,
    regr_slope(y, x) FILTER (x >= best) AS slope_top
FROM finite AS f
JOIN bounds AS b USING (competition_id)
WHERE x >= worst
GROUP BY f.competition_id
HAVING count(*) >= {fewest}
"""


def read_field(
    folder: str | os.PathLike[str],
    *,
    fewest: int = 30,
    memory: str = "3GB",
    threads: int | None = None,
) -> pd.DataFrame:
    """Return one row per finished competition of Meta Kaggle.

    Parameters
    ----------
    folder : path
        Where ``Competitions.csv``, ``Teams.csv`` and ``Submissions.csv`` lie, also as
        ``.csv.gz``.
    fewest : int
        Teams, and submissions, that a competition needs.
    memory : str
        What DuckDB may hold; the rest goes to a temporary folder.
    threads : int, optional
        By default one for each core.

    Returns
    -------
    DataFrame
        ``shake_up``, ``shake_up_top``, ``spearman`` over teams with both places; over
        submissions before the deadline, worse twentieth left out, larger is better:
        ``mean_gap`` (public less private), ``sd_gap``, ``slope`` and ``correlation``
        of private on public, and the same of the best tenth (Roelofs et al. 2019).

    Raises
    ------
    IngestError
        If a table is missing or has other columns.
    LbsenseError
        If DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError as error:
        msg = "Meta Kaggle is read with DuckDB: pip install 'lbsense[field]'."
        raise LbsenseError(msg) from error
    tables = {name.lower(): _table(Path(folder), name) for name in _FILES}
    with duckdb.connect(":memory:") as base:
        base.execute(f"SET memory_limit = '{memory}'")
        base.execute("SET preserve_insertion_order = false")
        if threads is not None:
            base.execute(f"SET threads = {int(threads)}")
        try:
            names = _columns(base, tables["submissions"])
            chosen = {
                kind: next(
                    name
                    for name in (
                        f"{kind}ScoreFullPrecision",
                        f"{kind}ScoreLeaderboardDisplay",
                    )
                    if name in names
                )
                for kind in ("Public", "Private")
            }
            for query in (_COMPETITIONS, _TEAMS, _SHAKES, _GAPS):
                base.execute(
                    query.format(
                        **tables,
                        fewest=int(fewest),
                        public=chosen["Public"],
                        private=chosen["Private"],
                    )
                )
            found: pd.DataFrame = base.execute(
                "SELECT c.*, s.* EXCLUDE competition_id, g.* EXCLUDE competition_id "
                "FROM competitions AS c LEFT JOIN shakes AS s USING (competition_id) "
                "LEFT JOIN gaps AS g USING (competition_id) "
                "WHERE s.n_teams IS NOT NULL OR g.n_submissions IS NOT NULL "
                "ORDER BY c.competition_id"
            ).df()
        except (duckdb.Error, StopIteration) as error:
            first = str(error).partition("\n")[0] or "a column of scores is missing"
            msg = (
                f"{folder}: not the tables of Meta Kaggle as they are known ({first})."
            )
            raise IngestError(msg) from error
    return found


def _table(folder: Path, name: str) -> str:
    for suffix in (".csv", ".csv.gz"):
        path = folder / f"{name}{suffix}"
        if path.is_file():
            quoted = str(path).replace("'", "''")
            return (
                f"read_csv('{quoted}', all_varchar = true, header = true, "
                "quote = '\"', escape = '\"', ignore_errors = true, "
                "max_line_size = 16000000)"
            )
    msg = f"{folder}: no {name}.csv. Unpack Meta Kaggle's CSV files there."
    raise IngestError(msg)


def _columns(base: Any, table: str) -> list[str]:
    return [
        row[0] for row in base.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    ]
