"""What a metric is: its name, its direction, its range and what it is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from lbsense._result import Result

__all__ = ["AVERAGES", "Average", "Metric", "PredictionKind"]

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

    def __post_init__(self) -> None:
        if not self.family:
            object.__setattr__(self, "family", self.name)

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
