"""One test set in two parts: how public and private scores move together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense._validation import check_count, read_only
from lbsense.stats.covariance import as_covariance

__all__ = ["SplitNoiseResult", "split_noise"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SplitNoiseResult(Result):
    """Covariances of public and private scores of several submissions.

    Attributes
    ----------
    public, private : ndarray of shape (k, k)
        Covariance of the public scores, and of the private ones.
    cross : ndarray of shape (k, k)
        Covariance of a public score (row) and a private one (column).
    gap : ndarray of shape (k, k)
        Covariance of private minus public scores, the same under either population.
    n_public, n_private : int
        Rows behind each score.
    nested : bool
        Whether the private score covers the public rows too.
    population : {"infinite", "finite"}
        What the scores are compared with.
    """

    public: FloatArray
    private: FloatArray
    cross: FloatArray
    gap: FloatArray
    n_public: int
    n_private: int
    nested: bool
    population: Literal["infinite", "finite"]


def split_noise(
    row_covariance: ArrayLike,
    *,
    n_public: int,
    test_size: int,
    nested: bool = False,
    population: Literal["infinite", "finite"] = "infinite",
) -> SplitNoiseResult:
    """Return the noise of public and private scores of one randomly split test set.

    Parameters
    ----------
    row_covariance : array_like of shape (k, k)
        Covariance per row, as `lbsense.stats.joint.joint_noise` gives it.
    n_public, test_size : int
        Rows behind the public score, and of the whole test set.
    nested : bool
        Whether the private score covers the public rows too (old Zindi rules).
    population : {"infinite", "finite"}
        "infinite" tells how far scores are from the true ones, the test set being a
        sample; "finite" how far they are from the scores on the whole test set, which
        is fixed: the only chance left is which of its rows are public.

    Returns
    -------
    SplitNoiseResult

    Raises
    ------
    ValueError
        If a part has no rows, or the covariance is not one.

    Notes
    -----
    With ``C`` the covariance per row, ``m`` public rows of ``N`` and ``r = N - m``:

    ==========  ===================  ===================  ===========  ================
    population  public               private              cross        gap
    ==========  ===================  ===================  ===========  ================
    infinite    C/m                  C/r (nested C/N)     0 (C/N)      C(1/m + 1/r)
    finite      C(1/m - 1/N)         C(1/r - 1/N) (0)     -C/N (0)     (C(1/m - 1/N))
    ==========  ===================  ===================  ===========  ================

    The gap is the same under either: what is common to both scores cancels. In the
    finite rows ``C`` is that of the whole test set with divisor ``N - 1``. The split is
    taken to be random; after a split by time the gap also holds drift.

    References
    ----------
    Cochran, W. G. (1977). Sampling Techniques, 3rd edition, theorems 2.2 and 2.3.
    Wiley. ISBN 978-0-471-16240-7

    Examples
    --------
    >>> split = split_noise([[1.0]], n_public=250, test_size=1000)
    >>> float(split.gap[0, 0].round(6)), float(split.cross[0, 0])
    (0.005333, 0.0)
    """
    matrix = as_covariance(row_covariance, name="row_covariance")
    check_count(n_public, name="n_public")
    check_count(
        test_size, name="test_size", minimum=n_public if nested else n_public + 1
    )
    if population not in ("infinite", "finite"):
        msg = f"population must be 'infinite' or 'finite', got {population!r}."
        raise ValueError(msg)
    n_private = test_size if nested else test_size - n_public
    known = 1 / test_size if population == "finite" else 0.0
    cross = (1 / test_size if nested else 0.0) - known
    public, private = 1 / n_public - known, 1 / n_private - known
    gap = public + private - 2 * cross
    parts = {"public": public, "private": private, "cross": cross, "gap": gap}
    return SplitNoiseResult(
        **{name: read_only(np.asarray(part * matrix)) for name, part in parts.items()},
        n_public=n_public,
        n_private=n_private,
        nested=nested,
        population=population,
    )
