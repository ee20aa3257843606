"""Thousands of competitions at once: shake-up and overfitting by kind and size."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lbsense._result import plain
from lbsense.analysis.board import Told
from lbsense.words import field_entries, field_headline

if TYPE_CHECKING:
    import pandas as pd

_SIZES = (0, 100, 250, 1000, math.inf)
_SHARES = (0.0, 0.15, 0.35, 1.0)
_FEWEST = 5  # competitions of a group
SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldAnalysis(Told):
    """What finished competitions say together.

    Attributes
    ----------
    competitions : DataFrame
        One row per competition, as `read_field` gives them, with ``size``, ``share``
        and ``year``.
    groups : DataFrame
        One row per group of each ``by`` (all, metric, size, share, year, kind,
        notebooks only): competitions, quartiles of the shake-up and of one minus the
        rank correlation, medians of the slope of private on public scores, over all
        submissions and over the best tenth, and of the gap in standard deviations.
    """

    competitions: pd.DataFrame = field(repr=False)
    groups: pd.DataFrame = field(repr=False)

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return field_headline(self._groups())

    def entries(self) -> list[tuple[str, str]]:
        """Return what the field says: a heading and a sentence each."""
        return field_entries(self._groups())

    def _groups(self) -> list[dict[str, Any]]:
        names = list(self.groups.columns)
        return [
            dict(zip(names, row, strict=True))
            for row in self.groups.itertuples(index=False, name=None)
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per competition."""
        return self.competitions

    def to_dict(self) -> dict[str, Any]:
        """Return the groups as ``json.dumps`` takes them."""
        return {
            "schema": SCHEMA,
            "headline": self.headline,
            "groups": plain(self._groups()),
        }


def analyze_field(competitions: pd.DataFrame) -> FieldAnalysis:
    """Return what finished competitions say together.

    Parameters
    ----------
    competitions : DataFrame
        As `read_field` gives it.

    Returns
    -------
    FieldAnalysis

    Notes
    -----
    The slope of private on public scores, and the gap between them over all
    submissions and over the best tenth, are the analyses of Roelofs et al. (2019), for
    every metric; a gap is in standard deviations of the public scores, so that metrics
    can be pooled. A slope below 1 among the best tenth is what choosing by noise alone
    gives: it is no sign of overfitting by itself.

    References
    ----------
    Roelofs, R., et al. (2019). A meta-analysis of overfitting in machine learning.
    Advances in Neural Information Processing Systems 32.
    """
    import pandas as pd

    rows = competitions.copy()
    rows["year"] = pd.to_datetime(rows["deadline"]).dt.year.astype("Int64").astype(str)
    rows["size"] = _binned(rows["n_teams"], _SIZES, "teams")
    rows["share"] = _binned(rows["public_fraction"], _SHARES, "public")
    rows["gap"] = rows["mean_gap"] / rows["sd_public"]
    rows["gap_top"] = rows["mean_gap_top"] / rows["sd_public"]
    groups = [_summary("all", "all", rows)]
    for by in ("metric", "kind", "size", "share", "year", "notebooks_only"):
        groups += [
            _summary(by, str(name), part)
            for name, part in rows.groupby(by)
            if len(part) >= _FEWEST
        ]
    return FieldAnalysis(competitions=rows, groups=pd.DataFrame(groups))


def _binned(
    values: pd.Series[float], edges: tuple[float, ...], name: str
) -> pd.Series[str]:
    import pandas as pd

    labels = [f"{low:g} to {high:g} {name}" for low, high in pairwise(edges)]
    found = pd.cut(values, edges, right=False, labels=labels).astype(object)
    return found.fillna("unknown")


def _summary(by: str, name: str, part: pd.DataFrame) -> dict[str, Any]:
    shake = part["shake_up"].dropna()
    apart = 1 - part["spearman"].dropna()
    return {
        "by": by,
        "group": name,
        "n_competitions": len(part),
        "n_submissions": int(part["n_submissions"].fillna(0).sum()),
        **{f"shake_up_{q}": _quantile(shake, q / 100) for q in (25, 50, 75)},
        **{f"one_less_spearman_{q}": _quantile(apart, q / 100) for q in (25, 50, 75)},
        "slope": _quantile(part["slope"].dropna(), 0.5),
        "slope_top": _quantile(part["slope_top"].dropna(), 0.5),
        "gap": _quantile(part["gap"].dropna(), 0.5),
        "gap_top": _quantile(part["gap_top"].dropna(), 0.5),
    }


def _quantile(values: pd.Series[float], level: float) -> float:
    return float(values.quantile(level)) if len(values) else math.nan
