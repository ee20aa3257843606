"""The bootstrap: any metric, rows drawn once for all submissions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from lbsense._format import plural
from lbsense._typing import ArrayLike, FloatArray, RandomState
from lbsense._validation import as_float_matrix, check_count, check_fraction
from lbsense.stats.rows._resample import resample, use_numba
from lbsense.stats.rows._weighted import Auc, Called, Mean, Statistic
from lbsense.stats.rows.covariance import group_sums
from lbsense.stats.rows.intervals import bca_interval, studentized_interval
from lbsense.stats.rows.resampled import ResampledResult, summarise
from lbsense.stats.rows.row_draws import RowDraws, cluster, iid, series, stratified

__all__ = ["bootstrap"]

Metric: TypeAlias = Callable[..., Any] | Literal["mean", "roc_auc"]
Scheme: TypeAlias = Literal["iid", "stratified", "cluster", "block"]

_MAX_JACKKNIFE = 500  # deletions behind the acceleration of BCa


def bootstrap(
    metric: Metric,
    y_true: ArrayLike | None,
    y_pred: ArrayLike,
    *,
    scheme: Scheme = "iid",
    groups: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    times: ArrayLike | None = None,
    block_length: int | None = None,
    n: int | None = None,
    n_resamples: int = 10_000,
    interval: Literal["percentile", "bca", "studentized"] = "percentile",
    confidence_level: float = 0.95,
    psi: ArrayLike | None = None,
    standard_error: Callable[..., Any] | None = None,
    names: Sequence[str] | None = None,
    engine: Literal["auto", "numpy", "numba"] = "auto",
    n_jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    rng: RandomState = None,
) -> ResampledResult:
    """Return how scores spread over resampled rows, the same for all submissions.

    Use it for a metric without an influence function, and to check one that has it.
    For metrics of counts `lbsense.stats.confusion.resample_confusion` draws the same
    distribution at a fraction of the cost.

    Parameters
    ----------
    metric : callable, "mean" or "roc_auc"
        ``metric(y_true, y_pred) -> float``, or a scorer of scikit-learn. "mean" is the
        mean of ``y_pred`` itself: losses of the rows. "roc_auc" is sorted once and
        counted anew for every draw.
    y_true : array_like of shape (n_obs,) or (n_obs, ...), or None
        Labels; not needed for "mean".
    y_pred : array_like of shape (n_obs,), (n_obs, k) or (n_obs, k, ...)
        Predictions of one submission, or of several along the second axis.
    scheme : {"iid", "stratified", "cluster", "block"}
        Draw rows; rows within ``strata``; whole ``groups``; or blocks of rows that
        follow each other in ``times``.
    groups, strata, times : array_like of shape (n_obs,), optional
        What the scheme needs. By default strata are the classes of ``y_true``, and
        rows are in time order.
    block_length : int, optional
        Rows of a block; by default the cube root of ``n_obs``, a rule of thumb that is
        too short where rows depend on each other for longer.
    n : int, optional
        Rows of a draw, such as the size of the public set (m out of n); by default
        ``n_obs``. The interval is then one of the score on ``n`` rows.
    n_resamples : int
        Number of draws.
    interval : {"percentile", "bca", "studentized"}
        Which interval.
    confidence_level : float
        Of the interval, in (0, 1).
    psi : array_like of shape (n_obs, k), optional
        Influence of every row, from which BCa takes its acceleration; by default from
        a jackknife over at most 500 deletions.
    standard_error : callable, optional
        ``standard_error(y_true, y_pred) -> float``, for the studentized interval of a
        metric of your own.
    names : sequence of str, optional
        Names of the submissions; by default their positions.
    engine : {"auto", "numpy", "numba"}
        "auto" compiles with numba where that is installed and the work is worth it.
        Both engines draw from one distribution, not the same numbers.
    n_jobs : int, optional
        Threads for compiled loops; by default one per processor, at most 8. The result
        does not depend on it.
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
        If shapes disagree, predictions hold nan or inf, AUC meets one class only, or
        the options do not fit each other.
    ImportError
        If numba is asked for and not installed.

    Warns
    -----
    LbsenseWarning
        If more than 1% of the draws leave a score undefined.

    Notes
    -----
    BCa: Efron (1987), with acceleration ``sum(u**3) / (6 * sum(u**2) ** 1.5)`` of the
    influences ``u``. Studentized: ``(score* - score) / se*``, where the standard error
    is that of a mean, or DeLong's for AUC. Memory does not grow with ``n_resamples``
    beyond the result itself.

    References
    ----------
    Efron, B. (1987). Better bootstrap confidence intervals. Journal of the American
    Statistical Association 82(397), 171-185. doi:10.1080/01621459.1987.10478410

    Politis, D. N., Romano, J. P. (1992). A circular block-resampling procedure for
    stationary data. In Exploring the Limits of Bootstrap, 263-270. Wiley.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 500)
    >>> pred = y + rng.normal(size=500)
    >>> result = bootstrap("roc_auc", y, pred, n_resamples=2000, rng=0)
    >>> bool(0.015 < result.se[0] < 0.025)
    True
    """
    check_count(n_resamples, name="n_resamples", minimum=2)
    check_fraction(confidence_level, name="confidence_level")
    if interval not in ("percentile", "bca", "studentized"):
        msg = (
            f"interval must be 'percentile', 'bca' or 'studentized', got {interval!r}."
        )
        raise ValueError(msg)
    labels, predictions = _check_data(metric, y_true, y_pred)
    n_obs, n_columns = predictions.shape[:2]
    n = n_obs if n is None else check_count(n, name="n")
    if metric == "roc_auc" and scheme == "iid" and labels is not None:
        # Single rows may stand in any order; in this one the loops run straight on.
        order = np.lexsort((predictions[:, 0], labels))
        labels, predictions = labels[order], predictions[order]
    fast = use_numba(engine, work=n * n_columns * n_resamples, metric=metric)
    draws = _draws(scheme, n_obs, n, labels, groups, strata, times, block_length, fast)
    statistic = _statistic(metric, labels, predictions, standard_error, fast)
    if interval == "studentized" and (
        scheme not in ("iid", "stratified") or n != n_obs
    ):
        msg = (
            "The studentized interval is for single rows and n = n_obs. With "
            f"scheme={scheme!r} and n={n} use 'bca' or 'percentile'."
        )
        raise ValueError(msg)
    scores = statistic.observed()
    distribution, errors = resample(
        statistic,
        draws,
        n_resamples=n_resamples,
        with_errors=interval == "studentized",
        n_jobs=n_jobs,
        progress=progress,
        rng=np.random.default_rng(rng),
    )
    ends = None
    if errors is not None:
        se = statistic.standard_errors(np.ones((1, n_obs), dtype=np.int64))[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = (distribution - scores) / errors
        ends = studentized_interval(scores, se, ratios, confidence_level)
    elif interval == "bca":
        acceleration = _acceleration(statistic, draws, psi)
        ends = bca_interval(scores, distribution, acceleration, confidence_level)
    return summarise(
        scores,
        distribution,
        n=n,
        n_obs=n_obs,
        scheme=scheme,
        confidence_level=confidence_level,
        names=names,
        ends=ends,
        interval=interval,
    )


def _check_data(
    metric: Metric, y_true: ArrayLike | None, y_pred: ArrayLike
) -> tuple[npt.NDArray[Any] | None, npt.NDArray[Any]]:
    """Return labels and predictions as arrays of one length, the latter by column."""
    if isinstance(metric, str) and metric not in ("mean", "roc_auc"):
        msg = f"metric must be a function, 'mean' or 'roc_auc', got {metric!r}."
        raise ValueError(msg)
    predictions = np.asarray(y_pred)
    predictions = predictions[:, np.newaxis] if predictions.ndim == 1 else predictions
    if predictions.ndim < 2 or len(predictions) < 2:
        msg = f"y_pred must have at least 2 rows, got shape {np.shape(y_pred)}."
        raise ValueError(msg)
    _check_finite(predictions, "y_pred")
    if y_true is None:
        if metric != "mean":
            msg = "y_true may only be left out for metric='mean'."
            raise ValueError(msg)
        return None, predictions
    labels = np.asarray(y_true)
    if len(labels) != len(predictions):
        msg = f"y_true has {len(labels)} rows and y_pred {len(predictions)}."
        raise ValueError(msg)
    _check_finite(labels, "y_true")
    return labels, predictions


def _check_finite(values: npt.NDArray[Any], name: str) -> None:
    if values.dtype.kind == "f":
        finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
        if not finite.all():
            rows = np.flatnonzero(~finite).tolist()
            msg = f"{name} holds nan or inf in {plural(len(rows), 'row')}: {rows[:5]}."
            raise ValueError(msg)


def _statistic(
    metric: Metric,
    labels: npt.NDArray[Any] | None,
    predictions: npt.NDArray[Any],
    standard_error: Callable[..., Any] | None,
    fast: bool,
) -> Statistic:
    if metric == "mean":
        return Mean(as_float_matrix(predictions, name="y_pred"), fast=fast)
    if metric == "roc_auc":
        scores = as_float_matrix(predictions, name="y_pred")
        return Auc(np.asarray(labels), scores, fast=fast)
    assert callable(metric)
    return Called(metric, np.asarray(labels), predictions, standard_error)


def _draws(
    scheme: Scheme,
    n_obs: int,
    n: int,
    labels: npt.NDArray[Any] | None,
    groups: ArrayLike | None,
    strata: ArrayLike | None,
    times: ArrayLike | None,
    block_length: int | None,
    fast: bool,
) -> RowDraws:
    """Return the scheme, after checking that it was given what it needs."""
    given = {"stratified": strata, "cluster": groups, "block": times}
    for other, values in given.items():
        if values is not None and scheme != other:
            msg = f"scheme={scheme!r} does not use what scheme={other!r} needs."
            raise ValueError(msg)
        if values is not None and np.shape(values) != (n_obs,):
            msg = f"scheme={scheme!r} needs one value per row, got {np.shape(values)}."
            raise ValueError(msg)
    if scheme == "iid":
        return iid(n_obs, n, fast=fast)
    if scheme == "stratified":
        return stratified(_classes(labels if strata is None else strata), n, fast=fast)
    if scheme == "cluster":
        if groups is None:
            msg = "scheme='cluster' needs groups, one value per row."
            raise ValueError(msg)
        return cluster(np.asarray(groups), n, fast=fast)
    if scheme == "block":
        order = np.arange(n_obs) if times is None else np.asarray(times)
        return series(order, n, block_length)
    msg = f"scheme must be 'iid', 'stratified', 'cluster' or 'block', got {scheme!r}."
    raise ValueError(msg)


def _classes(values: ArrayLike | None) -> npt.NDArray[Any]:
    if values is None:
        msg = "scheme='stratified' needs strata, one value per row."
        raise ValueError(msg)
    strata = np.asarray(values)
    n_strata = len(np.unique(strata))
    if n_strata > len(strata) / 2:
        msg = (
            f"scheme='stratified' found {n_strata} strata in {len(strata)} rows: draws "
            "would hardly differ. Pass strata, such as bins of the target."
        )
        raise ValueError(msg)
    return strata


def _acceleration(
    statistic: Statistic, draws: RowDraws, psi: ArrayLike | None
) -> FloatArray:
    """Return the acceleration of BCa, from influences or from a jackknife."""
    n_obs = len(draws.units)
    if psi is not None:
        influence = group_sums(as_float_matrix(psi, name="psi"), draws.units)
    else:
        _, unit = np.unique(draws.units, return_inverse=True)
        n_deletions = min(int(unit.max()) + 1, _MAX_JACKKNIFE)
        scores = [
            statistic((unit % n_deletions != deleted).astype(np.int64)[np.newaxis])[0]
            for deleted in range(n_deletions)
        ]
        influence = np.mean(scores, axis=0) - np.array(scores)
    cube, square = (influence**3).sum(axis=0), (influence**2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(cube / (6 * square**1.5) * np.sqrt(n_obs / draws.n))
