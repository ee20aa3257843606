"""The metrics that are known by name, and how a name is understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from types import MappingProxyType

from lbsense._format import clean_text, shorten
from lbsense.metrics.record import AVERAGES, Average, Averaged, Metric, tokens_of
from lbsense.metrics.table import AMBIGUOUS, RECORDS

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


def _key(text: str) -> str:
    return "".join(tokens_of(text))


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
    choices = AMBIGUOUS.get("".join(tokens), ())
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


def _registered() -> dict[str, Metric]:
    records = {metric.name: metric for metric in RECORDS}
    f1 = replace(
        records["fbeta"],
        name="f1",
        title="F1 score",
        parameter=1.0,
        aliases=("f score", "f measure", "f1 binary"),
    )
    return {**records, "f1": f1}


METRICS: Mapping[str, Metric] = MappingProxyType(_registered())
"""Every registered metric by its canonical name."""

_INDEX = {
    _key(text): metric
    for metric in METRICS.values()
    for text in (metric.name, *metric.aliases)
}
_WITH_PARAMETER = [metric for metric in RECORDS if metric.takes]
