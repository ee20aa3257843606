"""The noise of the submissions in `Predictions`, under a metric known by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from lbsense._format import plural
from lbsense._result import Caveat, Missing
from lbsense._typing import ArrayLike, FloatArray, IntArray, RandomState
from lbsense._validation import check_kind
from lbsense.errors import LbsenseWarning, warn
from lbsense.metrics import Metric, find_metric, influence
from lbsense.model import Columns, History, NameIndex, Predictions, display_names
from lbsense.stats import (
    JointNoiseResult,
    ResampledResult,
    UnlabelledNoiseResult,
    bootstrap,
    disagreement_noise,
    drawn_label_noise,
    joint_noise,
    resample_confusion,
)

_FEWEST = 2  # submissions with predictions: one has no difference to anything
_MOST_ROWS = 50_000  # of submission files that are looked at
_DRAWN = 100_000  # labels in all sets that are drawn together
#: Families of metrics of which any increasing function of a prediction is as good.
_OF_ORDER = frozenset({"roc_auc", "normalized_gini", "average_precision"})


def noise_of(
    predictions: Predictions,
    metric: str | Metric,
    *,
    n: int | None = None,
    names: Sequence[str] | None = None,
    confidence_level: float = 0.95,
    rng: RandomState = None,
) -> JointNoiseResult:
    """Return the joint noise of the scores of submissions on ``n`` rows.

    Use it with ``n`` as the size of the public or the private set: how far every score
    and every difference of two can move there by the choice of rows alone. Groups and
    weights of the predictions are respected.

    Parameters
    ----------
    predictions : Predictions
        With labels and out-of-fold predictions.
    metric : str or Metric
        The metric; it needs influence values (`lbsense.metrics.influence`).
    n : int, optional
        Rows behind a score; by default the training rows.
    names : sequence of str, optional
        Submissions, by default all with out-of-fold predictions.
    confidence_level : float
        Of the intervals.
    rng : int or numpy.random.Generator, optional
        Source of randomness for the effective number of submissions.

    Returns
    -------
    JointNoiseResult
        Scores are out-of-fold scores, written as the metric writes them.

    Raises
    ------
    ValueError
        If there are no labels or no out-of-fold predictions, or the metric has no
        influence values or is not defined for them.

    See Also
    --------
    bootstrap_of : for metrics without influence values.
    unlabelled_noise_of : from the submission files alone.

    Notes
    -----
    Every metric is linearised: the score moves by the mean of the influence of the rows
    drawn. Intervals are Wilson's for accuracy, on the logit scale for other scores
    within (0, 1), else normal with Student's t.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 2000)
    >>> oof = y[:, np.newaxis] + rng.normal(0, 1, (2000, 2))
    >>> predictions = Predictions(labels=y, oof=oof, oof_names=("first", "second"))
    >>> noise = noise_of(predictions, "roc_auc", n=1000, rng=0)
    >>> noise.names, noise.n, bool((noise.se < 0.02).all())
    (('first', 'second'), 1000, True)
    """
    check_kind(predictions, Predictions, name="predictions")
    known = find_metric(metric) if isinstance(metric, str) else metric
    names = predictions.oof_names if names is None else tuple(names)
    labels, oof = _labelled(predictions, names)
    scores, psi = _influences(known, labels, oof, predictions.weights, names)
    noise = joint_noise(
        scores,
        psi,
        n=n,
        groups=predictions.groups,
        names=names,
        interval="auto" if known.negated else known.interval,
        confidence_level=confidence_level,
        rng=rng,
    )
    if known.greater_is_better:
        return noise
    return replace(noise, p_better=noise.p_better.T)


def bootstrap_of(
    predictions: Predictions,
    metric: str | Metric | Callable[..., Any],
    *,
    n: int | None = None,
    names: Sequence[str] | None = None,
    block_length: int | None = None,
    n_resamples: int = 10_000,
    confidence_level: float = 0.95,
    progress: Callable[[int, int], None] | None = None,
    rng: RandomState = None,
) -> ResampledResult:
    """Return how the scores of submissions spread over resampled rows.

    The check of `noise_of`, and the way for metrics of your own. Groups are drawn whole
    where the predictions have them; else metrics of counts are drawn from their tables,
    means and AUC from sorted rows, and anything else is called anew for every draw.

    Parameters
    ----------
    predictions : Predictions
        With labels and out-of-fold predictions.
    metric : str, Metric or callable
        The metric, or ``metric(y_true, y_pred) -> float``.
    n : int, optional
        Rows behind a score; by default the training rows.
    names : sequence of str, optional
        Submissions, by default all with out-of-fold predictions.
    block_length : int, optional
        Draw blocks of so many rows that follow each other in the times of the
        predictions (or as they stand), where neighbours in time depend on each other.
        The cube root of the number of rows is a rule of thumb.
    n_resamples : int
        Number of draws.
    confidence_level : float
        Of the percentile intervals.
    progress : callable, optional
        Called as ``progress(done, n_resamples)`` from time to time.
    rng : int or numpy.random.Generator, optional
        Source of randomness.

    Returns
    -------
    ResampledResult

    Raises
    ------
    ValueError
        If there are no labels or no out-of-fold predictions, they carry weights, or
        groups while blocks are asked for, or the metric is not defined for them.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.arange(400) % 2
    >>> oof = np.where(np.arange(400) % 5 == 0, 1 - y, y)[:, np.newaxis]
    >>> predictions = Predictions(labels=y, oof=oof, oof_names=("only",))
    >>> result = bootstrap_of(predictions, "accuracy", rng=0)
    >>> bool(abs(result.se[0] - 0.02) < 0.001)
    True
    """
    check_kind(predictions, Predictions, name="predictions")
    names = predictions.oof_names if names is None else tuple(names)
    labels, oof = _labelled(predictions, names)
    if predictions.weights is not None:
        msg = "The bootstrap does not know row weights yet. Use noise_of, which does."
        raise ValueError(msg)
    groups = predictions.groups
    known = find_metric(metric) if isinstance(metric, str) else metric
    counted = _counted(known) if isinstance(known, Metric) else None
    if counted is not None and groups is None and block_length is None:
        return resample_confusion(
            labels,
            oof,
            metric=counted,
            beta=getattr(known, "parameter", None) or 1.0,
            n=n,
            n_resamples=n_resamples,
            confidence_level=confidence_level,
            names=names,
            rng=rng,
        )
    return bootstrap(
        *_as_statistic(known, labels, oof),
        groups=groups,
        block_length=block_length,
        times=None if block_length is None else predictions.times,
        n=n,
        n_resamples=n_resamples,
        confidence_level=confidence_level,
        names=names,
        progress=progress,
        rng=rng,
    )


def unlabelled_noise_of(
    predictions: Predictions,
    metric: str | Metric,
    *,
    n: int,
    names: Sequence[str] | None = None,
    scores: ArrayLike | None = None,
    rng: RandomState = None,
) -> UnlabelledNoiseResult:
    """Return the noise of score differences from submission files, without labels.

    An approximation, for those who kept their submission files but no out-of-fold
    predictions: `lbsense.stats.rows.unlabelled` says what each way assumes.

    Parameters
    ----------
    predictions : Predictions
        With test predictions of at least two submissions.
    metric : str or Metric
        Any metric of labels, probabilities or values that has influence values, with
        one prediction a row.
    n : int
        Rows behind a score, such as the size of the public set.
    names : sequence of str, optional
        Submissions, by default all with test predictions.
    scores : array_like of shape (k,), optional
        Public scores of these, as the metric writes them; needed for metrics of values.
    rng : int or numpy.random.Generator, optional
        Source of randomness.

    Returns
    -------
    UnlabelledNoiseResult

    Raises
    ------
    ValueError
        If there are fewer than two submissions, scores are needed and missing, or there
        is no way for this metric.

    Examples
    --------
    >>> test = [[0, 0], [1, 1], [0, 1], [1, 1]] * 25
    >>> predictions = Predictions(test=test, test_names=("first", "second"))
    >>> noise = unlabelled_noise_of(predictions, "accuracy", n=2500)
    >>> float(noise.difference_se[0, 1]), noise.upper_bound
    (0.01, True)
    """
    check_kind(predictions, Predictions, name="predictions")
    known = find_metric(metric) if isinstance(metric, str) else metric
    names = predictions.test_names if names is None else tuple(names)
    test = _some_rows(predictions.of("test", names))
    if known.unlabelled == "disagreement":
        return disagreement_noise(test, n=n, scores=scores)
    target = known.prediction
    one_a_row = target in ("label", "probability", "value")
    if not one_a_row or known.influence is None or "columnwise" in known.name:
        msg = (
            f"There is no way to the noise of {known.name} without labels. Use "
            "noise_of with out-of-fold predictions."
        )
        raise ValueError(msg)
    if scores is None and known.prediction == "value":
        msg = f"Without labels {known.name} needs scores=, the public scores."
        raise ValueError(msg)
    sign = 1.0 if known.greater_is_better else -1.0
    if known.family in _OF_ORDER and test.ndim == 2 and ((test < 0) | (test > 1)).any():
        columns = [np.searchsorted(np.sort(column), column) for column in test.T]
        test = np.stack(columns, axis=1) / len(test)

    def judge(
        labels: npt.NDArray[Any], given: npt.NDArray[Any]
    ) -> tuple[FloatArray, FloatArray]:
        rows = influence(known, labels, _stack(given))
        return sign * rows.scores, rows.psi

    return drawn_label_noise(
        test,
        judge,
        n=n,
        target="log value" if known.unlabelled == "log" else target,
        scores=None if scores is None else sign * np.asarray(scores, dtype=np.float64),
        n_draws=int(np.clip(_DRAWN // len(test), 3, 20)),
        rng=rng,
    )


def _some_rows(test: npt.NDArray[Any] | Columns) -> npt.NDArray[Any]:
    """Return predictions of at most so many rows, evenly spread."""
    if len(test) <= _MOST_ROWS:
        return np.asarray(test)
    kept = np.linspace(0, len(test) - 1, _MOST_ROWS).astype(np.int64)
    if isinstance(test, Columns):
        return np.stack(
            [test[:, place][kept] for place in range(test.shape[1])], axis=1
        )
    return test[kept]


def _labelled(
    predictions: Predictions, names: Sequence[str]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    if predictions.labels is None or predictions.oof is None:
        lacking = "labels" if predictions.labels is None else "out-of-fold predictions"
        msg = (
            f"There are no {lacking}. Give them to read_predictions, or use "
            "unlabelled_noise_of with the submission files."
        )
        raise ValueError(msg)
    return predictions.labels, predictions.of("oof", names)


def _influences(
    metric: Metric,
    labels: npt.NDArray[Any],
    oof: npt.NDArray[Any] | Columns,
    weights: ArrayLike | None,
    names: Sequence[str],
) -> tuple[FloatArray, npt.NDArray[Any]]:
    """Return scores and influences; a great many one by one, in single precision."""
    if not isinstance(oof, Columns):
        rows = influence(metric, labels, _stack(oof), sample_weight=weights)
        return rows.scores, rows.psi
    scores = np.empty(len(names))
    psi = np.empty(oof.shape, np.float32, order="F")
    for place, name in enumerate(names):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", LbsenseWarning)
            rows = influence(metric, labels, oof[:, place], sample_weight=weights)
        for item in told:
            warn(str(item.message).replace("0 (counted from 0)", name))
        scores[place], psi[:, place] = rows.scores[0], rows.psi[:, 0]
    return scores, psi


def _stack(predictions: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return predictions as `influence` takes them: (n, k), or (k, n, n_outputs)."""
    return predictions if predictions.ndim == 2 else np.moveaxis(predictions, 1, 0)


def _counted(metric: Metric) -> Any:
    """Return what `resample_confusion` calls the metric, or None."""
    drawn_by_row = metric.resampler in ("mean", "roc_auc")
    return None if metric.negated or drawn_by_row else metric.resampler


def _as_statistic(
    metric: Metric | Callable[..., Any],
    labels: npt.NDArray[Any],
    oof: npt.NDArray[Any],
) -> tuple[Any, npt.NDArray[Any], npt.NDArray[Any]]:
    """Return metric, labels and predictions as `bootstrap` takes them fastest."""
    if not isinstance(metric, Metric):
        return metric, labels, oof
    if metric.resampler == "roc_auc" and not metric.negated:
        return "roc_auc", labels, oof
    if metric.resampler == "mean":
        rows = influence(metric, labels, _stack(oof))
        return "mean", labels, rows.psi + rows.scores

    def score(y_true: npt.NDArray[Any], y_pred: npt.NDArray[Any]) -> float:
        stacked = y_pred if y_pred.ndim == 1 else y_pred[np.newaxis]
        return float(influence(metric, y_true, stacked).scores[0])

    return score, labels, oof


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Noise of the submissions with predictions, on the rows of the public set.

    Attributes
    ----------
    joint : JointNoiseResult or Missing
        By out-of-fold predictions and labels, or why there is none.
    place : ndarray of int of shape (m,)
        Which submissions have predictions, in the order of ``difference_se``.
    difference_se : ndarray of shape (m, m)
        Standard error of the difference of two public scores.
    score_se : float
        Typical standard error of one; nan where files do not tell it.
    log_sd : float
        How well the logarithms of these are known.
    cv : ndarray of shape (n_submissions,)
        Oriented score of the out-of-fold predictions, nan without.
    n_public : int
        Rows behind a public score.
    n_train : int or None
        Rows behind a CV score, None where files do not tell it.
    caveats : tuple of Caveat
        What was assumed.
    """

    joint: JointNoiseResult | Missing
    place: IntArray
    difference_se: FloatArray
    score_se: float
    log_sd: float
    cv: FloatArray
    n_public: int
    n_train: int | None
    caveats: tuple[Caveat, ...] = ()

    def between(self, reference: IntArray) -> FloatArray:
        """Return the noise of every step, nan where predictions do not tell it."""
        index = np.full(len(self.cv), -1, dtype=np.int64)
        index[self.place] = np.arange(len(self.place))
        own, other = index, np.where(reference >= 0, index[reference], -1)
        told = (own >= 0) & (other >= 0)
        return np.where(told, self.difference_se[own, other], np.nan)


def rows_of(history: History, predictions: Predictions | None) -> Rows | Missing:
    """Return the noise of the submissions of a history, or why there is none.

    Out-of-fold predictions and labels tell it; else the submission files do.
    """
    if predictions is None:
        return Missing("predictions", "No predictions were given.", ("predictions",))
    labelled = predictions.labels is not None and predictions.oof is not None
    competition = history.competition
    if not labelled and not predictions.test_names:
        return _unused("they hold no labels, or no out-of-fold predictions.")
    if competition.metric is None:
        return _unused("the metric is not named.", "metric")
    if competition.n_public is None:
        return _unused(
            "the size of the public set is not known.", "test_size", "public_fraction"
        )
    asked = competition.metric, competition.n_public
    found: Rows | Missing | None = None
    if labelled:
        found = _labelled_rows(history, predictions, *asked)
    if not found and predictions.test_names:
        sent = _sent_rows(history, predictions, *asked)
        found = sent if sent or found is None else found
    if not isinstance(found, Rows):
        return _unused("there are none.") if found is None else found
    left = sum(
        item.public_score is not None and index not in found.place
        for index, item in enumerate(history)
    )
    if not left:
        return found
    caveat = Caveat(
        "joint",
        f"{plural(left, 'scored submission')} came without predictions; what they "
        "share with their parents was taken to be what is typical of the others.",
    )
    return replace(found, caveats=(*found.caveats, caveat))


def _labelled_rows(
    history: History, predictions: Predictions, metric: str, n_public: int
) -> Rows | Missing:
    """Return what labels and out-of-fold predictions tell."""
    place = _places(history, predictions.oof_names)
    if len(place) < _FEWEST:
        return _few(place, predictions.oof_names)
    try:
        joint = noise_of(
            predictions,
            metric,
            n=n_public,
            names=tuple(place),
            rng=0,
        )
    except ValueError as error:
        return _unused(str(error))
    own = np.diag(joint.row_covariance)
    if not (own > 0).mean() > 0.5:
        return _unused(
            "most of their scores are undefined or carry no noise (constant or perfect "
            "predictions)."
        )
    if not np.nan_to_num(joint.difference_se).any():
        return _unused("they are all the same.")
    where = np.array(list(place.values()))
    cv = np.full(len(history), np.nan)
    cv[where] = history.competition.direction() * joint.scores
    return Rows(
        joint=joint,
        place=where,
        difference_se=joint.difference_se,
        score_se=float(np.sqrt(np.nanmedian(own) / n_public)),
        log_sd=0.05,
        cv=cv,
        n_public=n_public,
        n_train=joint.n_obs,
    )


def _sent_rows(
    history: History, predictions: Predictions, metric: str, n_public: int
) -> Rows | Missing:
    """Return what the submission files tell without a label."""
    place = _places(history, predictions.test_names)
    if len(place) < _FEWEST:
        return _few(place, predictions.test_names)
    where = np.array(list(place.values()))
    public = history.raw_scores("public")[where]
    try:
        noise = unlabelled_noise_of(
            predictions,
            metric,
            n=n_public,
            names=tuple(place),
            scores=public,
            rng=0,
        )
    except ValueError as error:
        return _unused(str(error))
    if not noise.difference_se.any():
        return _unused("they are all the same.")
    caveat = Caveat(
        "noise",
        "The noise of the steps is that of the submission files, without labels: "
        f"{noise.assumption[0].lower()}{noise.assumption[1:]}",
        ("oof",),
    )
    return Rows(
        joint=Missing(
            "joint",
            "Submission files alone tell the noise of a step and not of a score.",
            ("oof",),
        ),
        place=where,
        difference_se=noise.difference_se,
        score_se=float("nan"),
        log_sd=noise.log_sd,
        cv=np.full(len(history), np.nan),
        n_public=n_public,
        n_train=None,
        caveats=(caveat,),
    )


def sent_contents(
    history: History, predictions: Predictions | None
) -> tuple[dict[int, str], Caveat | None]:
    """Return a digest of what each submission file predicts, by position.

    Equal predictions whose public scores differ were not both sent: then their digests
    differ, and the caveat says so.
    """
    if predictions is None or not predictions.test_names:
        return {}, None
    place = _places(history, predictions.test_names)
    test = predictions.of("test", tuple(place))
    found: dict[int, str] = {}
    first: dict[str, int] = {}
    caveat = None
    for column, index in enumerate(place.values()):
        values = np.ascontiguousarray(test[:, column])
        if values.dtype.kind == "f":  # a difference that arithmetic makes is none
            unit = max(float(np.abs(values).max(initial=0.0)), 1e-300)
            values = np.round(values / unit, 9) + 0.0
        digest = blake2b(values.tobytes(), digest_size=16).hexdigest()
        found[index] = f"{digest} {history[index].public_score}"
        other = first.setdefault(digest, index)
        if found[other] != found[index]:
            names = display_names(history)
            caveat = Caveat(
                "files",
                f"{names[other]} and {names[index]} hold the same predictions, but "
                "their public scores differ: are these the files that were sent?",
            )
    return found, caveat


def _few(place: dict[str, int], names: Sequence[str]) -> Missing:
    return _unused(
        f"{len(place)} of their {plural(len(names), 'name')} is that of a scored "
        "submission; names are submission ids or file names."
    )


def _unused(why: str, *need: str) -> Missing:
    return Missing("joint", f"The predictions were not used: {why}", need)


def _places(history: History, names: Sequence[str]) -> dict[str, int]:
    """Return name of predictions -> position of the one submission that it names."""
    return {
        name: place
        for name, place in NameIndex(history).places(names).items()
        if history[place].public_score is not None
    }
