"""Scores and differences of one leaderboard, in digits and words that fit it."""

from __future__ import annotations

import math

from lbsense._format import decimals_shown, format_number
from lbsense.model import History

#: Standard errors within which chance keeps 95 of 100 differences.
TO_95 = 1.96
_RISING = ("rose", "fell")
_EITHER = ("improved", "got worse")  # also where less is better
_DIGITS = 2
_SCORE_DIGITS = 5


class Board:
    """How the scores of one leaderboard are said.

    Parameters
    ----------
    history : History
        Whose scores they are.

    Attributes
    ----------
    sign : int
        What orients a raw score; 1 where the direction is not known.
    decimals : int
        That the board shows.
    rose : str
        What a score does that gets better.
    """

    __slots__ = ("_cv", "_public", "decimals", "rose", "sign")

    def __init__(self, history: History) -> None:
        competition = history.competition
        known = competition.greater_is_better is not None
        self.sign = competition.direction() if known else 1
        self.decimals = competition.display_decimals or decimals_shown(
            item.public_score for item in history if item.public_score is not None
        )
        self._public = _RISING if competition.greater_is_better else _EITHER
        rising_cv = known and competition.cv_direction() > 0
        self._cv = _RISING if rising_cv else _EITHER
        self.rose = self._public[0]

    def score(self, value: float | None) -> str:
        """Return a raw score as people quote it."""
        return format_number(value, digits=_SCORE_DIGITS)

    def band(self, low: float, high: float) -> str:
        """Return a range of raw scores, in two digits of its half width."""
        half = (high - low) / 2
        if not 0 < half < math.inf:
            return f"{self.score(low)} to {self.score(high)}"
        decimals = self._decimals(half)
        return f"{low:z.{decimals}f} to {high:z.{decimals}f}"

    def amount(self, value: float | None, *, like: float | None = None) -> str:
        """Return the size of a difference, in two digits and none that no board shows.

        Parameters
        ----------
        value : float or None
            The difference; its sign is left out.
        like : float or None
            A difference whose decimals it gets.
        """
        if value is None or math.isnan(value):
            return "-"
        decimals = self._decimals(abs(like or value))
        least = 10.0**-decimals
        if 0 < abs(value) < least / 2 and like is None:
            return f"less than {least:.{decimals}f}"
        return f"{abs(value):,.{decimals}f}"

    def cost(self, value: float) -> str:
        """Return what a choice costs: nothing where it is less than nothing."""
        return self.amount(value).replace("less than ", "<") if value > 0 else "0"

    def gain(self, value: float | None) -> str:
        """Return a difference with its sign; more is better."""
        told = self.amount(value)
        if not value or math.isnan(value) or not told[0].isdigit():
            return "0" if value is not None and not math.isnan(value) else "-"
        return f"{'+' if value > 0 else '-'}{told}"

    def moved(self, gain: float, *, cv: bool = False) -> str:
        """Return by how much a public score, or CV, got better or worse, in words."""
        if not gain:
            return "stayed the same"
        words = self._cv if cv else self._public
        return f"{words[gain < 0]} by {self.amount(gain)}"

    def is_nothing(self, value: float) -> bool:
        """Whether a difference is too small for the board to show."""
        return self.amount(value).startswith("less") or not value

    def _decimals(self, size: float) -> int:
        """Return the decimals of two digits, at most those of the board."""
        if not size > 0:
            return min(self.decimals, 3)
        wanted = _DIGITS - 1 - math.floor(math.log10(float(f"{size:.{_DIGITS - 1}e}")))
        return max(0, min(wanted, self.decimals) if self.decimals else wanted)
