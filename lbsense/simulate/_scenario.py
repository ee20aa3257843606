"""The options of a simulated competition and of its entrant, checked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lbsense._result import Result
from lbsense._typing import Platform
from lbsense._validation import check_count, check_fraction, check_positive
from lbsense.simulate._scores import GREATER_IS_BETTER, MetricName

__all__ = ["Parents", "Policy", "Scenario", "WorldName"]

WorldName: TypeAlias = Literal["gaussian", "trained"]
Policy: TypeAlias = Literal["public", "cv", "both", "previous", "random"]
Parents: TypeAlias = Literal["declared", "described", "withheld"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "world": ("gaussian", "trained"),
    "metric": tuple(GREATER_IS_BETTER),
    "policy": ("public", "cv", "both", "previous", "random"),
    "parents": ("declared", "described", "withheld"),
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
    """The options of :func:`lbsense.simulate.simulate`, which explains each.

    Attributes
    ----------
    world, metric, policy, parents, platform : str
        See :func:`lbsense.simulate.simulate`, as for all that follow.
    n_submissions, n_public, n_private, n_train, n_folds, group_size, decimals : int
        Counts.
    step_size, gain_fraction, novelty : float
        How the entrant's ideas behave in the Gaussian world.
    null_fraction, cv_fraction : float
        Shares, in [0, 1].
    repeat_fraction, rerun_fraction, probe_fraction, burst_fraction : float
        Shares of the submissions, in [0, 1).
    broken_fraction, failed_fraction : float
        Likewise.
    prevalence, cv_noise, cv_leak, shift, shift_noise : float
        See :func:`lbsense.simulate.simulate`.
    nested, heavy_tails : bool
        Likewise.
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
