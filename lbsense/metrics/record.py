"""What a metric is, from its names to the influence of a row, and how a name finds it.

Every metric is a row of `metrics.csv`: its cells are the fields of `Metric`, and name
the functions that measure it. Names come from scikit-learn, LightGBM, XGBoost,
CatBoost, and from the evaluation pages of Kaggle and Zindi. Letter case, blanks and
punctuation do not count, so each name stands there once.
"""

from __future__ import annotations

import csv
import pkgutil
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from lbsense._format import clean_text, shorten
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
    noise: Rule | None = None
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
    noise: Rule | None = field(default=None, repr=False, compare=False)
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


# Names that stand for several metrics, and what each of them would be.
_AMBIGUOUS: dict[str, tuple[str, ...]] = {
    "gini": ("normalized_gini", "raw_gini"),
    "giniindex": ("normalized_gini", "raw_gini"),
    "ginicoefficient": ("normalized_gini", "raw_gini"),
    "map": ("map_at_k", "detection_map", "average_precision"),
    "meanaverageprecision": ("map_at_k", "detection_map", "average_precision"),
    "loss": ("log_loss", "mse", "mae", "hamming_loss"),
    "error": ("error_rate", "rmse", "mae"),
    "score": ("accuracy", "roc_auc", "f1", "r2"),
    "kappa": ("quadratic_kappa", "cohen_kappa", "linear_kappa"),
    "weightedkappa": ("quadratic_kappa", "linear_kappa"),
    "correlation": ("pearson", "spearman", "kendall", "mcc"),
    "loglikelihood": ("neg_log_loss", "laplace_log_likelihood"),
    "deviance": ("poisson_deviance", "gamma_deviance", "log_loss"),
    "topk": ("top_k_accuracy", "recall_at_k", "map_at_k"),
    "hit": ("recall_at_k", "top_k_accuracy"),
    "distance": ("levenshtein_distance", "mae", "rmse"),
    "levenshteinscore": ("levenshtein_distance", "neg_levenshtein_distance"),
    "meanauc": ("roc_auc", "roc_auc_ovr", "mean_columnwise_auc"),
}

_NEGATIONS = ("neg", "negative", "negated", "minus")
_MINUS_SIGNS = ("-", "−", "–")
_IDLE_WORDS = ("score", "metric")
_AVERAGE_WORDS = ("average", "averaged", "avg")
# Kaggle runs words together: MeanFScore, MacroFScore.
_WORD_BOUNDS = re.compile("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def find_metric(name: str) -> Metric:
    """Return the metric that goes by ``name``.

    Letter case, blanks and punctuation do not count. A number in the name is the
    parameter (``"f2"``, ``"map@5"``, ``"top_3_accuracy"``, ``"pinball_0.9"``), the
    words macro, micro, weighted and samples are the average (``"macro F1"``), and
    ``neg`` or a minus sign in front is the flipped sign of scikit-learn's scorers.

    Parameters
    ----------
    name : str
        Canonical name, alias, or the name on a Kaggle or Zindi evaluation page.

    Returns
    -------
    Metric
        With its direction and range; those of ``"neg_rmse"`` are mirrored, so that
        greater is better and no score is above 0.

    Raises
    ------
    TypeError
        If ``name`` is not text.
    ValueError
        If the name is not known, or stands for several metrics: the direction of a
        metric is never guessed.

    Examples
    --------
    >>> find_metric("Area Under Receiver Operating Characteristic Curve").name
    'roc_auc'
    >>> find_metric("MAP@5").name
    'map_at_5'
    >>> rmse = find_metric("neg_root_mean_squared_error")
    >>> rmse.name, rmse.greater_is_better, rmse.high
    ('neg_rmse', True, 0.0)
    >>> find_metric("gini")
    Traceback (most recent call last):
        ...
    ValueError: The metric name 'gini' stands for several: 'normalized_gini' (Gini...
    """
    if not isinstance(name, str):
        msg = f"metric must be a name such as 'roc_auc', got {name!r}."
        raise TypeError(msg)
    metric = _read(name)
    if metric is None:
        raise ValueError(_unknown(name))
    return metric


def _read(text: str) -> Metric | None:
    """Return the metric that the text names, or None."""
    tokens = tokens_of(text)
    signed = text.strip().startswith(_MINUS_SIGNS)
    if signed and text.strip()[1:2].isspace():
        return None  # a minus sign or the dot of a list: not for us to say
    if not signed:
        metric = _plain(tokens)
        if metric is not None:
            return metric
    if tokens and (signed or tokens[0] in _NEGATIONS):
        metric = _plain(tokens if signed else tokens[1:])
        return None if metric is None else metric.mirrored()
    apart = _WORD_BOUNDS.sub(" ", text)
    return _explained_in_brackets(text) or (_read(apart) if apart != text else None)


def _plain(tokens: list[str]) -> Metric | None:
    """Return the metric that words without a sign name, or None."""
    brief = [token for token in tokens if token not in _IDLE_WORDS]
    for words in (tokens, brief):
        _check_one_meaning(words)
        found = _INDEX.get("".join(words)) or _with_parameter(words)
        if found is not None:
            return found
    return _with_average(tokens) or _with_average(brief)


def _check_one_meaning(tokens: list[str]) -> None:
    choices = _AMBIGUOUS.get("".join(tokens), ())
    if choices:
        named = ", ".join(f"{name!r} ({find_metric(name).title})" for name in choices)
        msg = (
            f"The metric name {' '.join(tokens)!r} stands for several: {named}. "
            "Use one of these names."
        )
        raise ValueError(msg)


def _with_parameter(tokens: list[str]) -> Metric | None:
    """Return the metric whose name carries a number, or None."""
    numbers = [token for token in tokens if token[0].isdecimal()]
    if len(numbers) != 1:
        return None
    (number,) = numbers
    way = "".join("#" if t == number else t for t in tokens if t != "at")
    # "f05" cannot carry a point in many file formats; no beta is written 05.
    value = float(f"0.{number[1:]}" if re.fullmatch(r"0\d+", number) else number)
    for metric in _WITH_PARAMETER:
        takes = metric.takes
        if takes and way in takes.ways and _ALLOWED[takes.kind](value):
            return _set_parameter(metric, takes.template, value)
    return None


def _set_parameter(metric: Metric, template: str, value: float) -> Metric:
    name = template.format(f"{value:g}")
    title = f"{metric.title} ({value:g})"
    if metric.family == "fbeta":
        title = f"F{value:g} score"
    return replace(metric, name=name, title=title, parameter=value, aliases=())


_ALLOWED: dict[str, Callable[[float], bool]] = {
    "count": lambda value: value >= 1 and value.is_integer(),
    "positive": lambda value: value > 0,
    "fraction": lambda value: 0 < value < 1,
}


def _with_average(tokens: list[str]) -> Metric | None:
    """Return the metric whose name says how it is averaged, or None."""
    for average, rest in _split_average(tokens):
        metric = _INDEX.get("".join(rest)) or _with_parameter(rest)
        if metric is None or not metric.averages:
            continue
        if average is None:
            return metric
        return next(
            _set_average(metric, way) for way in metric.averages if way[0] == average
        )
    return None


def _split_average(tokens: list[str]) -> Iterator[tuple[Average | None, list[str]]]:
    rest = [token for token in tokens if token not in _AVERAGE_WORDS]
    for average in AVERAGES:
        if average in rest:
            yield average, [token for token in rest if token != average]
    if "binary" in rest:
        yield None, [token for token in rest if token != "binary"]
    # On Kaggle a "mean F score" is the mean over rows of the score of a set of labels.
    if rest and rest[0] == "mean":
        yield "samples", rest[1:]


def _set_average(metric: Metric, way: Averaged) -> Metric:
    return replace(
        metric,
        name=f"{metric.name}_{way.average}",
        title=f"{metric.title}, {way.average} average",
        average=way.average,
        prediction="labels" if way.average == "samples" else metric.prediction,
        aliases=(),
        noise=way.noise,
        resampler=way.resampler,
    )


def _explained_in_brackets(text: str) -> Metric | None:
    """Return the metric of "Root Mean Squared Error (RMSE)": said twice, alike."""
    match = re.fullmatch(r"([^()\[\]]+)[(\[]([^()\[\]]+)[)\]]\s*", text)
    if match is None:
        return None
    outside, inside = (_read(part) for part in match.groups())
    return outside if outside == inside else None


def _unknown(name: str) -> str:
    texts = {alias: m.name for m in METRICS.values() for alias in (m.name, *m.aliases)}
    close = get_close_matches(" ".join(tokens_of(name)), texts, n=5, cutoff=0.6)
    names = list(dict.fromkeys(texts[text] for text in close))[:3]
    hint = f" Close to it: {', '.join(names)}." if names else ""
    return (
        f"The metric {shorten(clean_text(name), 60)!r} is not known.{hint} Use a name "
        "of lbsense.metrics.METRICS, or pass greater_is_better=True or False with your "
        "own name."
    )


def _records() -> Iterator[Metric]:
    """Yield the metrics of the table; an empty cell leaves what `Metric` says."""
    # Also where the package is imported from a zipped wheel.
    found = pkgutil.get_data("lbsense.metrics", "metrics.csv")
    assert found is not None
    for row in csv.DictReader(found.decode("utf-8").splitlines()):
        told: dict[str, Any] = {name: cell for name, cell in row.items() if cell}
        low, high = (float(told.pop(end)) for end in ("low", "high"))
        scale, ways = told.pop("scale", ""), told.pop("ways", "").split("|")
        if takes := told.pop("takes", "").split():
            kind, template = takes
            written = tuple("".join(way.split()) for way in ways)
            told["takes"] = Parameter(template, kind, written)
        if names := told.get("influence", "").split():
            applied, *rules = (Rule(*name.split(".")) for name in names)
            told["influence"] = partial(applied, *rules)
        if noise := told.get("noise"):
            told["noise"] = Rule("score_rules", noise)
        yield Metric(
            greater_is_better=told.pop("better") == "higher",
            low=int(low) if low.is_integer() else low,
            high=int(high) if high.is_integer() else high,
            prediction=told.pop("predicts"),
            is_share=scale == "share",
            in_target_unit=scale == "target",
            aliases=tuple(filter(None, told.pop("aliases", "").split(" | "))),
            averages=tuple(map(_averaged, told.pop("averages", "").split())),
            **told,
        )


def _averaged(cell: str) -> Averaged:
    """Return what one average changes, such as ``macro=over_classes/macro_f_beta``."""
    average, _, rules = cell.partition("=")
    noise, _, resampler = rules.partition("/")
    rule = Rule("score_rules", noise) if noise else None
    return Averaged(average, rule, resampler or None)  # type: ignore[arg-type]


_OF_RECORDS = {metric.name: metric for metric in _records()}
_F1 = replace(
    _OF_RECORDS["fbeta"],
    name="f1",
    title="F1 score",
    parameter=1.0,
    aliases=("f score", "f measure", "f1 binary"),
)
METRICS: Mapping[str, Metric] = MappingProxyType({**_OF_RECORDS, "f1": _F1})
"""Every registered metric by its canonical name."""

_INDEX = {
    "".join(tokens_of(text)): metric
    for metric in METRICS.values()
    for text in (metric.name, *metric.aliases)
}
_WITH_PARAMETER = [metric for metric in _OF_RECORDS.values() if metric.takes]
