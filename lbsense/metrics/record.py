"""What a metric is: one record, from its names to the influence of a row.

A metric is added by adding its record to `lbsense.metrics.table`, whose fields point to
the functions that measure it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from lbsense._result import Result
from lbsense._typing import FloatArray

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Rule:
    """A function of a module of this room, which is loaded when it is called."""

    module: str
    name: str

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Return what the function does."""
        module = import_module(f"lbsense.metrics.{self.module}")
        return getattr(module, self.name)(*args, **options)


@dataclass(frozen=True, slots=True)
class Rules:
    """The functions of a module, none of which is loaded yet."""

    module: str

    def __getattr__(self, name: str) -> Rule:
        """Return the function of that name."""
        if name.startswith("__"):
            raise AttributeError(name)
        return Rule(self.module, name)


AnyArray: TypeAlias = "np.ndarray[Any, Any]"
Parts: TypeAlias = tuple[FloatArray, FloatArray]  # scores (k,), influence (n, k)
Band: TypeAlias = tuple[float, float, float, str]  # low, typical, high, basis

PredictionKind: TypeAlias = Literal[
    "probability",
    "label",
    "value",
    "ranking",
    "labels",
    "text",
    "boxes",
    "distribution",
]
Average: TypeAlias = Literal["macro", "micro", "weighted", "samples"]
AVERAGES: tuple[Average, ...] = ("macro", "micro", "weighted", "samples")
Resampler: TypeAlias = Literal[
    "mean",
    "roc_auc",
    "accuracy",
    "balanced_accuracy",
    "f_beta",
    "macro_f_beta",
    "quadratic_kappa",
    "mcc",
]
InfluenceRule: TypeAlias = Callable[["Case"], Parts]
NoiseRule: TypeAlias = Callable[["Known"], Band]

_LONGEST_WRITTEN = 2  # words of a name that people also write as one
_STANDS_ALONE = 3  # letters of a word that needs no number


class Parameter(NamedTuple):
    """The number in the names of a family."""

    template: str  # how the name is written
    kind: Literal["count", "positive", "fraction"]
    ways: tuple[str, ...]  # how people write it, # for the number; "at" is left out


class Averaged(NamedTuple):
    """What changes when a metric is averaged over classes or rows."""

    average: Average
    noise: NoiseRule | None = None
    resampler: Resampler | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(Result):
    """A metric: which way is better, which scores are possible, what it is given.

    Attributes
    ----------
    name : str
        Canonical name in the manner of scikit-learn, such as ``"roc_auc"``, ``"f2"``
        or ``"map_at_5"``.
    title : str
        Name for people.
    greater_is_better : bool
        Direction of the scores as they are written.
    low, high : float
        Range of the scores; infinite where there is no bound.
    prediction : str
        What is predicted: a ``"probability"`` or any score that ranks, a ``"label"``,
        a ``"value"``, a ``"ranking"`` of labels, a set of ``"labels"`` or a mask,
        ``"text"``, ``"boxes"`` or a ``"distribution"``.
    aliases : tuple of str
        Other names that ``find_metric`` takes for this one.
    family : str
        Name without parameter, average and sign: ``"fbeta"`` for ``"f2_macro"``.
    parameter : float or None
        The beta of F-beta, the k of MAP@k, the quantile of the pinball loss.
    average : {"macro", "micro", "weighted", "samples"} or None
        How classes or rows are averaged; None is the plain form.
    negated : bool
        Whether the score is written with its sign flipped, as scikit-learn does in
        ``"neg_log_loss"``.
    is_share : bool
        Whether the score is the share of rows that are right.
    in_target_unit : bool
        Whether the score is an error in the unit of the target, so that a whole number
        is as good a score as any.
    takes : Parameter or None
        The number that its names may carry.
    averages : tuple of Averaged
        How it may be averaged.
    noise : callable or None
        From what is known beside the score to the noise of a row.
    influence : callable or None
        From labels and predictions to scores and the influence of every row.
    resampler : str or None
        How the bootstrap draws it fastest: as a ``"mean"`` of rows, as ``"roc_auc"``,
        or from the table of counts of that name.
    interval : {"auto", "logit"}
        Scale of its intervals: the logit for scores that crowd towards an end.
    unlabelled : {"disagreement", "log"} or None
        What tells the noise of a difference without labels: the rows on which two files
        differ, or labels drawn with residuals on the scale of ``log1p``; None for
        labels drawn as predictions are.
    """

    name: str
    title: str
    greater_is_better: bool
    low: float
    high: float
    prediction: PredictionKind
    aliases: tuple[str, ...] = ()
    family: str = ""
    parameter: float | None = None
    average: Average | None = None
    negated: bool = False
    is_share: bool = field(default=False, repr=False)
    in_target_unit: bool = field(default=False, repr=False)
    takes: Parameter | None = field(default=None, repr=False)
    averages: tuple[Averaged, ...] = field(default=(), repr=False, compare=False)
    noise: NoiseRule | None = field(default=None, repr=False, compare=False)
    influence: InfluenceRule | None = field(default=None, repr=False, compare=False)
    resampler: Resampler | None = field(default=None, repr=False)
    interval: Literal["auto", "logit"] = field(default="auto", repr=False)
    unlabelled: Literal["disagreement", "log"] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.family:
            object.__setattr__(self, "family", self.name)

    @property
    def written(self) -> frozenset[str]:
        """Return the single words by which people write the metric, in lower case.

        Names of two words count as one too (``"rocauc"``), and a number behind a word
        is part of it (``"f1"``); a word of three letters and more stands without it as
        well (``"rouge"``).
        """
        found = set()
        for name in (self.name, *self.aliases):
            tokens = tokens_of(name)
            n_numbers = sum(token[0].isdecimal() for token in tokens)
            if len(tokens) <= _LONGEST_WRITTEN and not tokens[0][0].isdecimal():
                found.add("".join(tokens))
                if n_numbers and len(tokens[0]) >= _STANDS_ALONE:
                    found.add(tokens[0])
        return frozenset(found)

    def mirrored(self) -> Metric:
        """Return the metric whose scores are these with the sign flipped."""
        return replace(
            self,
            name=f"neg_{self.name}",
            title=f"{self.title}, sign flipped",
            greater_is_better=not self.greater_is_better,
            low=0.0 - self.high,  # never -0.0
            high=0.0 - self.low,
            aliases=(),
            negated=not self.negated,
        )

    def contains(self, score: float) -> bool:
        """Return whether ``score`` is a number that the metric can give."""
        return self.low <= score <= self.high


def tokens_of(text: str) -> list[str]:
    """Return the words and numbers of a name, in lower case."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("'s ", "s ")
    return re.findall(r"\d+(?:\.\d+)?|[^\W\d_]+", plain)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """What a metric is computed from, after its check.

    Attributes
    ----------
    metric : Metric
        The metric, without a flipped sign.
    y : ndarray
        True labels or values, a row each.
    pred : ndarray
        Predictions of every submission.
    weight : ndarray of shape (n,) or None
        Row weights of mean 1; None when all rows count alike.
    eps : float
        Nearest that a probability comes to 0 or 1 under a logarithm.
    """

    metric: Metric
    y: AnyArray
    pred: AnyArray
    weight: FloatArray | None
    eps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A score, and what else is known of the data behind it."""

    metric: Metric
    score: float
    prevalence: float | None
    n_classes: int | None
    kurtosis: float | None
