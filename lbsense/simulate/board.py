"""Leaderboards with a known truth: true scores, noise, shared notebooks, two stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np

from lbsense._result import Result
from lbsense._typing import FloatArray, RandomState
from lbsense._validation import check_count, check_positive, read_only
from lbsense.model import Competition, Leaderboard

BoardKind: TypeAlias = Literal["normal", "tail", "two kinds", "copies", "two stages"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedBoard(Result):
    """A leaderboard and the truth behind it.

    Attributes
    ----------
    board : Leaderboard
        What entrants see, the best public score first.
    true : ndarray of shape (n_teams,)
        True score of every team on the public board.
    noise : float
        Standard error of a public score.
    ratio : float
        Private over public standard error.
    """

    board: Leaderboard
    true: FloatArray = field(repr=False)
    noise: float
    ratio: float


def simulate_board(
    kind: BoardKind = "normal",
    *,
    n_teams: int = 500,
    noise: float = 0.3,
    ratio: float = 0.65,
    decimals: int = 5,
    rng: RandomState = None,
) -> SimulatedBoard:
    """Return a leaderboard whose truth is known.

    Parameters
    ----------
    kind : {"normal", "tail", "two kinds", "copies", "two stages"}
        How true scores spread. ``normal``: with standard deviation 1. ``tail``: half of
        a t law with 1.5 degrees of freedom, so that the worst are absurd. ``two
        kinds``: a crowd near the top and a wide rest. ``copies``: a third of the teams
        submitted one of twelve notebooks, a fifth of these with a tweak. ``two
        stages``: the private board is another test set, on which true scores differ
        and a fifth of the teams failed.
    n_teams : int
        Teams.
    noise : float
        Standard error of a public score, less what all teams have in common.
    ratio : float
        Private over public standard error.
    decimals : int
        Decimals that the board shows.
    rng : int or numpy.random.Generator
        Source of the draws.

    Returns
    -------
    SimulatedBoard

    Examples
    --------
    >>> made = simulate_board("copies", n_teams=100, rng=1)
    >>> len(made.board), made.board.has_private
    (100, True)
    """
    if kind not in get_args(BoardKind):
        msg = f"kind must be one of {', '.join(get_args(BoardKind))}, got {kind!r}."
        raise ValueError(msg)
    n = check_count(n_teams, name="n_teams", minimum=2)
    check_positive(noise, name="noise")
    check_positive(ratio, name="ratio")
    draw = np.random.default_rng(rng)
    label = np.arange(n)
    true = draw.normal(size=n)
    if kind == "tail":
        true = -0.7 * np.abs(draw.standard_t(1.5, size=n))
    elif kind == "two kinds":
        crowd = draw.random(n) < 0.4
        true = np.where(crowd, draw.normal(0, 0.15, n), draw.normal(-2, 0.8, n))
    elif kind == "copies":
        shares = draw.random(n) < 1 / 3
        weight = draw.dirichlet(np.ones(12))
        label = np.where(shares, n + draw.choice(12, n, p=weight), label)
        true = draw.normal(size=n + 12)[label]
    _, group = np.unique(label, return_inverse=True)
    shared = draw.normal(size=(2, int(group.max()) + 1))[:, np.ravel(group)]
    tweaked = (draw.random(n) < 0.2) & (label >= n)
    own = np.where(tweaked, 0.1 * noise, 0.0) * draw.normal(size=(2, n))
    public = true + noise * shared[0] + own[0]
    elsewhere = true
    if kind == "two stages":
        elsewhere = 0.6 * true + draw.normal(0, 0.8, n)
    private = elsewhere + ratio * (noise * shared[1] + own[1])
    if kind == "two stages":
        private = np.where(draw.random(n) < 0.2, private.min() - 1, private)
    order = np.argsort(-public, kind="stable")
    return SimulatedBoard(
        board=Leaderboard(
            competition=Competition(greater_is_better=True),
            team_ids=tuple(str(1000 + i) for i in range(n)),
            team_names=tuple(f"team {i + 1}" for i in range(n)),
            public=np.round(public[order], decimals),
            private=np.round(private[order], decimals),
            public_rank=np.full(n, np.nan),
            private_rank=np.full(n, np.nan),
            submitted_at=np.full(n, "NaT", dtype="datetime64[us]"),
            n_submissions=np.zeros(n, dtype=np.int64),
        ),
        true=read_only(true[order]),
        noise=noise,
        ratio=ratio,
    )
