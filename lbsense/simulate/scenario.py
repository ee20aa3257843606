"""Competitions and leaderboards with a known truth: options, checked, and presets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

import numpy as np

from lbsense._result import Result
from lbsense._typing import FloatArray, Platform, RandomState
from lbsense._validation import check_count, check_fraction, check_positive, read_only
from lbsense.model import Competition, Leaderboard

WorldName: TypeAlias = Literal["gaussian", "trained"]
Policy: TypeAlias = Literal["public", "cv", "both", "previous", "random"]
Parents: TypeAlias = Literal["declared", "described", "withheld"]

MetricName: TypeAlias = Literal["roc_auc", "log_loss", "accuracy", "rmse", "mae"]
GREATER_IS_BETTER: dict[str, bool] = {
    "roc_auc": True,
    "log_loss": False,
    "accuracy": True,
    "rmse": False,
    "mae": False,
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "world": get_args(WorldName),
    "metric": get_args(MetricName),
    "policy": get_args(Policy),
    "parents": get_args(Parents),
    "platform": ("kaggle", "zindi"),
}
_KIND_FRACTIONS = (
    "repeat_fraction",
    "rerun_fraction",
    "probe_fraction",
    "burst_fraction",
    "broken_fraction",
    "failed_fraction",
)
_GAUSSIAN_ONLY = ("step_size", "gain_fraction", "novelty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario(Result):
    """The options of a simulated competition and of its entrant.

    Attributes
    ----------
    world : {"gaussian", "trained"}, default "gaussian"
        ``gaussian`` draws every submission's errors row by row, and a null step is
        worth exactly nothing. ``trained`` fits models, so that steps are changes of a
        model, validation refits, and hardly any step is worth exactly nothing.
    metric : {"roc_auc", "log_loss", "accuracy", "rmse", "mae"}
        Score of both leaderboard and CV.
    n_submissions : int
        Submissions of the entrant, failed ones included.
    n_public, n_private : int
        Test rows behind the public score, and the other test rows.
    n_train, n_folds : int
        Training rows and folds of the cross-validation.
    nested : bool
        Whether the private score covers all test rows, the public ones included.
    policy : {"public", "cv", "both", "previous", "random"}
        What the next submission is built on: the best public score so far, the best
        CV score, the best sum of the two, the last model, or any earlier model. It
        decides the final selection too: the two best public scores, the two best CV
        scores (``cv``), or the best of each (``both``).
    null_fraction : float
        Share of ideas that are duds. In the trained world they put useless features
        in the place of others, which is worth little rather than exactly nothing.
    step_size : float
        Spread of the other ideas: each multiplies the spread of the errors, 1.0 for
        the first model, by ``exp(-|z|)`` or ``exp(|z|)`` with z ~ N(0, step_size).
        Gaussian world only.
    gain_fraction : float
        Share of them that are for the better. Gaussian world only.
    novelty : float
        How much of the errors an idea replaces, in (0, 1]: parent and child have
        errors with correlation ``sqrt(1 - novelty**2)``. Gaussian world only.
    prevalence : float
        Share of positive labels, where the metric needs labels.
    cv_fraction : float
        Share of the submissions whose CV score is on record. The entrant knows all.
    cv_noise : float
        How badly validation transfers: spread of what each step adds, in validation
        alone, to the logarithm of the errors' spread (trained world: relative size of
        the errors). 0.01 to 0.03 is a board on which people stop trusting CV.
    cv_leak : float
        Likewise, but always for the better: validation that leaks.
    shift : float
        How much larger the errors are on private rows, as a logarithm (trained world:
        strength of a shift of the features).
    shift_noise : float
        Spread of what each step adds, on private rows alone (trained world: weight of
        a pattern that holds on private rows alone).
    group_size : int
        Rows that come together and share half of their noise. No group is cut by the
        public-private split or by a fold.
    heavy_tails : bool
        Noise of targets from Student's t with 5 degrees of freedom; 5 % wrong labels.
    repeat_fraction : float
        Share of the submissions that send the base's file again.
    rerun_fraction : float
        Share that send the same model trained again: a null step with little change.
    probe_fraction : float
        Share that are files of one value, half of them with a few rows picked out.
    burst_fraction : float
        Share that are tweaks: runs of six null steps with little change, minutes apart.
    broken_fraction : float
        Share with the rows of the file in the wrong order: public score far below.
    failed_fraction : float
        Share that the platform could not score.
    parents : {"declared", "described", "withheld"}
        Whether ``parent_id`` is filled, the description says ``from exp003``, or
        neither. The truth always has it.
    decimals : int
        Decimals of every score that is shown. The entrant acts on shown scores.
    platform : {"kaggle", "zindi"}
        Platform on record.

    Raises
    ------
    ValueError
        If an option is out of range, or does not exist in the chosen world.

    See Also
    --------
    simulate : Make the competition.

    Notes
    -----
    The Gaussian world: signal ``f ~ N(0, 1)``; submission t sees ``f + tau_t u_t`` with
    ``u_t = sqrt(1 - novelty**2) u_parent + novelty e_t``. Labels are Bernoulli with log
    odds ``1.5 f + b``, targets are ``f`` plus noise of unit variance. Predictions are
    calibrated. The true score depends on ``tau_t`` alone and comes from quadrature.
    Simplified: every idea replaces the same share of the errors, fold models err like
    the final one (no refit noise), and rows differ in nothing but their noise.

    The trained world: ridge regression on blocks of random features; an idea adds,
    drops or swaps a block, or changes the penalty. Rows are drawn from 40,000 fixed
    points with known conditional distribution, so that the truth is an exact average.
    Simplified: one family of models, linear in fixed features; labels are fitted by
    least squares, and probabilities follow by one Newton step of a logistic fit; a
    leak pulls out-of-fold predictions towards the label. The expected CV score, that
    of the models of the folds, is not worked out: ``truth.cv_score`` is nan.

    In both, entrants follow one policy to the end, never blend two submissions and
    never go back to an idea.
    """

    world: WorldName = "gaussian"
    metric: MetricName = "roc_auc"
    n_submissions: int = 40
    n_public: int = 4000
    n_private: int = 6000
    n_train: int = 10_000
    n_folds: int = 5
    nested: bool = False
    policy: Policy = "public"
    null_fraction: float = 0.6
    step_size: float = 0.03
    gain_fraction: float = 0.5
    novelty: float = 0.4
    prevalence: float = 0.3
    cv_fraction: float = 1.0
    cv_noise: float = 0.0
    cv_leak: float = 0.0
    shift: float = 0.0
    shift_noise: float = 0.0
    group_size: int = 1
    heavy_tails: bool = False
    repeat_fraction: float = 0.0
    rerun_fraction: float = 0.0
    probe_fraction: float = 0.0
    burst_fraction: float = 0.0
    broken_fraction: float = 0.0
    failed_fraction: float = 0.0
    parents: Parents = "declared"
    decimals: int = 5
    platform: Platform = "kaggle"

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            value = getattr(self, name)
            if value not in allowed:
                msg = f"{name} must be one of {list(allowed)}, got {value!r}."
                raise ValueError(msg)
        self._check_counts()
        self._check_fractions()
        for name in ("cv_noise", "cv_leak", "shift_noise"):
            if getattr(self, name) != 0:
                check_positive(getattr(self, name), name=name)
        if not math.isfinite(self.shift):
            msg = f"shift must be finite, got {self.shift!r}."
            raise ValueError(msg)
        self._check_ideas()
        if self.nested and (self.shift != 0 or self.shift_noise != 0):
            msg = (
                "shift and shift_noise need nested=False: a nested private set holds "
                "the public rows too, and they are not shifted."
            )
            raise ValueError(msg)

    @property
    def greater_is_better(self) -> bool:
        """Direction of the metric."""
        return GREATER_IS_BETTER[self.metric]

    @property
    def binary(self) -> bool:
        """Whether the rows carry labels 0 and 1 rather than real targets."""
        return self.metric in ("roc_auc", "log_loss", "accuracy")

    def _check_counts(self) -> None:
        check_count(self.n_submissions, name="n_submissions")
        check_count(self.group_size, name="group_size")
        check_count(self.decimals, name="decimals", minimum=0)
        check_count(self.n_folds, name="n_folds", minimum=2)
        for name in ("n_public", "n_private"):
            check_count(getattr(self, name), name=name, minimum=50)
        least = self.n_folds * max(50, self.group_size)
        check_count(self.n_train, name="n_train", minimum=least)

    def _check_fractions(self) -> None:
        for name in ("null_fraction", "cv_fraction"):
            check_fraction(
                getattr(self, name), name=name, low_open=False, high_open=False
            )
        check_fraction(self.prevalence, name="prevalence")
        for name in _KIND_FRACTIONS:
            check_fraction(getattr(self, name), name=name, low_open=False)
        total = sum(getattr(self, name) for name in _KIND_FRACTIONS)
        if total > 1:
            msg = f"{', '.join(_KIND_FRACTIONS)} must sum to at most 1, got {total:g}."
            raise ValueError(msg)

    def _check_ideas(self) -> None:
        check_positive(self.step_size, name="step_size")
        check_fraction(self.novelty, name="novelty", high_open=False)
        check_fraction(
            self.gain_fraction, name="gain_fraction", low_open=False, high_open=False
        )
        if self.world == "gaussian":
            return
        for name in _GAUSSIAN_ONLY:
            default = self.__dataclass_fields__[name].default
            if getattr(self, name) != default:
                msg = (
                    f"{name} belongs to world='gaussian': in the trained world a step "
                    "is worth what the change of the model is worth. Leave it out."
                )
                raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset(Result):
    """A competition that is always the same.

    Attributes
    ----------
    scenario : Scenario
        Its options.
    seed : int
        Its seed.
    """

    scenario: Scenario
    seed: int


#: The competitions of the folder ``data``, by name.
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        # Builds on the best of CV and public together, gains slowly, and keeps what it
        # gained.
        "honest_climber": Preset(
            scenario=Scenario(
                metric="roc_auc",
                n_submissions=36,
                n_public=8000,
                n_private=12_000,
                n_train=20_000,
                policy="both",
                null_fraction=0.45,
                gain_fraction=0.6,
                parents="described",
                repeat_fraction=0.03,
                failed_fraction=0.04,
            ),
            seed=4,
        ),
        # Builds on the best public score, mostly by bursts of tweaks, and climbs on
        # noise that the private rows do not share.
        "leaderboard_chaser": Preset(
            scenario=Scenario(
                metric="roc_auc",
                n_submissions=72,
                n_public=1500,
                n_private=6000,
                n_train=8000,
                policy="public",
                null_fraction=0.9,
                burst_fraction=0.4,
                novelty=0.5,
                parents="withheld",
                rerun_fraction=0.03,
            ),
            seed=2,
        ),
        # Builds on the best CV score, which a leak improves step by step while the
        # leaderboard stands still.
        "leaking_validation": Preset(
            scenario=Scenario(
                metric="rmse",
                n_submissions=40,
                n_public=4000,
                n_private=8000,
                n_train=10_000,
                policy="cv",
                null_fraction=0.7,
                cv_leak=0.03,
                parents="described",
                broken_fraction=0.03,
            ),
            seed=4,
        ),
    }
)


def find_preset(name: str) -> Preset:
    """Return the preset of a name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name not in PRESETS:
        msg = f"{name!r} is no preset. Presets are {', '.join(PRESETS)}."
        raise ValueError(msg)
    return PRESETS[name]


BoardKind: TypeAlias = Literal[
    "normal", "tail", "two kinds", "copies", "mixed", "two stages"
]


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
    kind : {"normal", "tail", "two kinds", "copies", "mixed", "two stages"}
        How true scores spread. ``normal``: with standard deviation 1. ``tail``: half of
        a t law with 1.5 degrees of freedom, so that the worst are absurd. ``two
        kinds``: a crowd near the top and a wide rest. ``copies``: a third of the teams
        submitted one of twelve notebooks, a fifth of these with a tweak. ``mixed``:
        what boards of Kaggle have, each in an amount drawn for the board: copies and
        forks of notebooks, teams that choose the luckiest of many submissions for the
        public board and select two for the private one, noise that differs between
        teams and grows down the board, a coarse display, a shift, failures, an absurd
        tail. ``two stages``: the private board is another test set, on which true
        scores differ and a fifth of the teams failed.
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
    if kind == "mixed":
        return _mixed(n, noise, ratio, decimals, draw)
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
    return _board(
        np.round(public, decimals), np.round(private, decimals), true, noise, ratio
    )


def _board(
    public: FloatArray,
    private: FloatArray,
    true: FloatArray,
    noise: float,
    ratio: float,
) -> SimulatedBoard:
    n = len(public)
    order = np.argsort(-public, kind="stable")
    return SimulatedBoard(
        board=Leaderboard(
            competition=Competition(greater_is_better=True),
            team_ids=tuple(str(1000 + i) for i in range(n)),
            team_names=tuple(f"team {i + 1}" for i in range(n)),
            public=public[order],
            private=private[order],
            public_rank=np.full(n, np.nan),
            private_rank=np.full(n, np.nan),
            submitted_at=np.full(n, "NaT", dtype="datetime64[us]"),
            n_submissions=np.zeros(n, dtype=np.int64),
        ),
        true=read_only(true[order]),
        noise=noise,
        ratio=ratio,
    )


def _mixed(
    n: int, noise: float, ratio: float, decimals: int, draw: np.random.Generator
) -> SimulatedBoard:
    """Return a board on which everything happens, each thing in some amount."""
    copied, forked = draw.choice([0, 0.1, 0.25, 0.45]), draw.choice([0, 0.2, 0.4])
    crowd = draw.random(n) < 0.5
    true = (
        draw.normal(size=n),
        0.15 * draw.normal(size=n) - draw.exponential(1.2, n),
        np.where(crowd, draw.normal(0, 0.25, n), draw.normal(-1.5, 1.0, n)),
        -0.7 * np.abs(draw.standard_t(1.5, n)),
    )[draw.integers(4)]
    n_books = int(draw.integers(4, 25))
    book = draw.choice(n_books, n, p=draw.dirichlet(np.full(n_books, 0.6)))
    level = np.quantile(true, draw.uniform(0.2, 0.93, n_books))[book]
    drawn = draw.random(n)
    copies, forks = drawn < copied, (drawn >= copied) & (drawn < copied + forked)
    near = level + 0.15 * draw.normal(size=n)
    true = np.where(copies, level, np.where(forks, near, true))
    below = np.clip(np.median(true) - true, 0, 4)
    own = noise * (1 + draw.choice([0, 0.3]) * below)
    own *= np.exp(draw.choice([0, 0.3, 0.6]) * draw.normal(size=n))
    of_book = noise * draw.normal(size=(2, n_books))[:, book]
    of_team = own * draw.normal(size=(2, n))
    of_fork = np.sqrt(0.7) * of_book + np.sqrt(0.3) * of_team
    e = np.where(copies, of_book, np.where(forks, of_fork, of_team))
    public, private = true + e[0], true + ratio * e[1]
    many = 1 + draw.geometric(1 / 15, n) * draw.choice([0, 0.5, 1.0])
    for i in np.flatnonzero((many >= 2) & ~copies):
        count = int(min(many[i], 100))
        change = 0.15 * noise * draw.normal(size=count)
        chance = np.sqrt(0.2) * own[i] * draw.normal(size=(2, count))
        shown, kept = public[i] + change + chance[0], private[i] + change
        kept = kept + ratio * chance[1]
        by_cv = change + 0.3 * noise * draw.normal(size=count)
        two = [int(np.argmax(shown)), int(np.argmax(by_cv))]
        if draw.random() < 0.15:
            two = [int(draw.integers(count))]
        public[i], private[i] = shown.max(), kept[two].max()
    failed = draw.random(n) < draw.choice([0, 0.005, 0.02])
    private = np.where(failed, private - draw.exponential(5, n), private)
    absurd = np.where(draw.random(n) < 0.01, 1e4 * draw.random(n), 0.0)
    public, private = public - absurd, private - absurd * draw.uniform(0.9, 1.1, n)
    private = private + 2 * noise * draw.normal()
    if draw.random() < 0.25:
        step = noise * draw.choice([0.1, 0.3, 1.0])
        public = np.round(public / step) * step
        private = np.round(private / (step * ratio**2)) * step * ratio**2
    return _board(
        np.round(public, decimals), np.round(private, decimals), true, noise, ratio
    )
