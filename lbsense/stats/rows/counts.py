"""Exact resampling of metrics that know predictions only through counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from lbsense._typing import ArrayLike, FloatArray, IntArray, RandomState
from lbsense._validation import check_count, check_fraction, check_positive
from lbsense.stats.rows.bootstrap import ResampledResult, summarise

if TYPE_CHECKING:
    from scipy import sparse

ConfusionMetric: TypeAlias = Literal[
    "accuracy",
    "balanced_accuracy",
    "f_beta",
    "macro_f_beta",
    "quadratic_kappa",
    "mcc",
]

_MAX_CELLS = 2_000_000  # counts held at once: 16 MB
_MAX_CLASSES = 1000


def resample_confusion(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    metric: ConfusionMetric,
    beta: float = 1.0,
    n: int | None = None,
    n_resamples: int = 10_000,
    confidence_level: float = 0.95,
    names: Sequence[str] | None = None,
    rng: RandomState = None,
) -> ResampledResult:
    """Return the bootstrap of a metric of counts, at a cost that does not grow with n.

    Rows with the same label and the same predictions are interchangeable. Drawing rows
    is then drawing how many come from every kind of row, one multinomial vector. This
    is the ordinary bootstrap, not an approximation of it. With many submissions of many
    classes nearly every row is a kind of its own, and the advantage is gone.

    Parameters
    ----------
    y_true : array_like of shape (n_obs,)
        True classes.
    y_pred : array_like of shape (n_obs,) or (n_obs, k)
        Predicted classes of every submission. All see the same draws.
    metric : str
        One of ``CONFUSION_METRICS``. "f_beta" takes the greatest class for the positive
        one and wants two classes; "quadratic_kappa" wants numbers.
    beta : float
        Weight of recall in F-beta.
    n, n_resamples, confidence_level, names, rng
        As in `bootstrap`.

    Returns
    -------
    ResampledResult

    Raises
    ------
    ValueError
        If shapes disagree, labels are missing, or the metric is not defined for them.

    References
    ----------
    Efron, B. (1979). Bootstrap methods: another look at the jackknife. Annals of
    Statistics 7(1), 1-26. doi:10.1214/aos/1176344552

    Examples
    --------
    >>> import numpy as np
    >>> y = np.repeat([0, 1], [600, 400])
    >>> guess = np.where(np.arange(1000) % 5 == 0, 1 - y, y)
    >>> result = resample_confusion(y, guess, metric="accuracy", rng=0)
    >>> float(result.scores[0]), bool(abs(result.se[0] - (0.16 / 1000) ** 0.5) < 5e-4)
    (0.8, True)
    """
    labels, kinds, counts = _kinds(y_true, y_pred)
    score = _scorer(metric, labels, beta)
    check_count(n_resamples, name="n_resamples", minimum=2)
    check_fraction(confidence_level, name="confidence_level")
    n_obs = int(counts.sum())
    n = n_obs if n is None else check_count(n, name="n")
    cells = _cells(kinds, len(labels))
    generator = np.random.default_rng(rng)
    observed = score(_tables(counts[np.newaxis], cells, len(labels)))[0]
    distribution = np.empty((n_resamples, len(observed)))
    batch = max(1, _MAX_CELLS // max(cells.shape))
    for start in range(0, n_resamples, batch):
        size = min(batch, n_resamples - start)
        drawn = generator.multinomial(n, counts / n_obs, size=size)
        distribution[start : start + size] = score(_tables(drawn, cells, len(labels)))
    return summarise(
        observed,
        distribution,
        n=n,
        n_obs=n_obs,
        scheme="iid",
        confidence_level=confidence_level,
        names=names,
    )


def _scorer(
    metric: ConfusionMetric, labels: npt.NDArray[np.generic], beta: float
) -> Callable[[FloatArray], FloatArray]:
    """Return the metric as a function of tables, after checking that it applies."""
    if metric not in CONFUSION_METRICS:
        msg = f"metric must be one of {CONFUSION_METRICS}, got {metric!r}."
        raise ValueError(msg)
    check_positive(beta, name="beta")
    if metric == "f_beta":
        if len(labels) != 2:
            msg = (
                f"f_beta is for two classes, found {labels[:5].tolist()}. For more "
                "classes use metric='macro_f_beta'."
            )
            raise ValueError(msg)
        return lambda table: _f_beta(table, beta)[..., -1]
    if metric == "macro_f_beta":
        return lambda table: _mean_of_known(_f_beta(table, beta))
    if metric == "quadratic_kappa":
        if not np.issubdtype(labels.dtype, np.number):
            msg = f"quadratic_kappa wants numbers, found {labels[:5].tolist()}."
            raise ValueError(msg)
        return lambda table: _quadratic_kappa(table, labels.astype(np.float64))
    return {"accuracy": _accuracy, "mcc": _mcc, "balanced_accuracy": _balanced}[metric]


CONFUSION_METRICS: tuple[str, ...] = ConfusionMetric.__args__  # type: ignore[attr-defined]


def _accuracy(table: FloatArray) -> FloatArray:
    return _ratio(np.trace(table, axis1=-2, axis2=-1), table.sum(axis=(-2, -1)))


def _balanced(table: FloatArray) -> FloatArray:
    """Mean recall of the classes that occur, as scikit-learn has it."""
    right = np.diagonal(table, axis1=-2, axis2=-1)
    return _mean_of_known(_ratio(right, table.sum(axis=-1)))


def _f_beta(table: FloatArray, beta: float) -> FloatArray:
    """F-beta of every class: (1 + b2) tp / ((1 + b2) tp + b2 fn + fp)."""
    right = (1 + beta**2) * np.diagonal(table, axis1=-2, axis2=-1)
    marginal = beta**2 * table.sum(axis=-1) + table.sum(axis=-2)
    return _ratio(right, marginal)


def _quadratic_kappa(table: FloatArray, values: FloatArray) -> FloatArray:
    """One minus observed over expected squared distance of the ratings."""
    square = np.square(values[:, np.newaxis] - values)
    true, guess = table.sum(axis=-1), table.sum(axis=-2)
    observed = np.einsum("...ij,ij->...", table, square)
    expected = np.einsum("...i,ij,...j->...", true, square, guess, optimize=True)
    return 1 - _ratio(observed * table.sum(axis=(-2, -1)), expected)


def _mcc(table: FloatArray) -> FloatArray:
    """Correlation of true and predicted classes, for any number of them (Gorodkin)."""
    total = table.sum(axis=(-2, -1))
    true, guess = table.sum(axis=-1), table.sum(axis=-2)
    covariance = np.trace(table, axis1=-2, axis2=-1) * total - (true * guess).sum(-1)
    spread = (total**2 - (true**2).sum(-1)) * (total**2 - (guess**2).sum(-1))
    return _ratio(covariance, np.sqrt(spread))


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Return the quotient, nan where it is 0/0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(above / below, dtype=np.float64)


def _mean_of_known(values: FloatArray) -> FloatArray:
    return _ratio(np.nansum(values, axis=-1), np.isfinite(values).sum(axis=-1))


def _kinds(
    y_true: ArrayLike, y_pred: ArrayLike
) -> tuple[npt.NDArray[np.generic], IntArray, IntArray]:
    """Return the classes, the kinds of rows as class numbers and how many of each."""
    true, guess = np.asarray(y_true), np.asarray(y_pred)
    guess = guess[:, np.newaxis] if guess.ndim == 1 else guess
    if true.ndim != 1 or guess.ndim != 2 or len(guess) != len(true) or not len(true):
        msg = (
            "y_true must have shape (n_obs,) and y_pred (n_obs,) or (n_obs, k), got "
            f"{true.shape} and {np.shape(y_pred)}."
        )
        raise ValueError(msg)
    columns = np.column_stack([true, guess])
    if columns.dtype.kind == "f" and not np.isfinite(columns).all():
        bad = np.flatnonzero(~np.isfinite(columns).all(axis=1)).tolist()[:5]
        msg = f"Labels and predictions must be finite, but rows {bad} are not."
        raise ValueError(msg)
    labels, flat = np.unique(columns, return_inverse=True)
    if len(labels) > _MAX_CLASSES:
        msg = (
            f"Found {len(labels)} different labels, at most {_MAX_CLASSES} make sense. "
            "Turn probabilities into predicted classes first."
        )
        raise ValueError(msg)
    codes = flat.reshape(columns.shape)
    kinds, kind = np.zeros((1, 0), dtype=np.int64), np.zeros(len(true), dtype=np.int64)
    for column in codes.T:
        seen, kind = _renumber(kind * len(labels) + column, len(kinds) * len(labels))
        kinds = np.column_stack([kinds[seen // len(labels)], seen % len(labels)])
    return labels, kinds, np.bincount(kind)


def _renumber(codes: IntArray, n_codes: int) -> tuple[IntArray, IntArray]:
    """Return the codes that occur, and every code as its position among them."""
    if n_codes > 4 * len(codes):
        return np.unique(codes, return_inverse=True)
    seen = np.flatnonzero(np.bincount(codes, minlength=n_codes))
    position = np.zeros(n_codes, dtype=np.int64)
    position[seen] = np.arange(len(seen))
    return seen, position[codes]


def _cells(kinds: IntArray, n_classes: int) -> sparse.csr_array:
    """Return which cells of the tables of all submissions a row of each kind is in."""
    n_kinds, n_scores = len(kinds), kinds.shape[1] - 1
    cell = kinds[:, :1] * n_classes + kinds[:, 1:]
    cell += np.arange(n_scores) * n_classes**2
    shape = (n_kinds, n_scores * n_classes**2)
    row = np.repeat(np.arange(n_kinds), n_scores)
    from scipy import sparse  # slow to import, and needed here alone

    return sparse.csr_array((np.ones(cell.size), (row, cell.ravel())), shape=shape)


def _tables(drawn: IntArray, cells: sparse.csr_array, n_classes: int) -> FloatArray:
    """Return the confusion tables of shape (n_draws, k, n_classes, n_classes)."""
    flat = drawn.astype(np.float64) @ cells
    return np.asarray(flat).reshape(len(drawn), -1, n_classes, n_classes)
