"""The learners: what one model foretells out of fold and on the rows after training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from benchmarks.semi_real.features import Data

__all__ = ["LEARNERS", "Model", "default", "foretell"]

Floats = NDArray[np.float64]

#: Hyperparameters of each learner: start, lowest, highest.
LEARNERS: dict[str, dict[str, tuple[float, float, float]]] = {
    "boosting": {
        "max_iter": (40, 10, 90),
        "learning_rate": (0.1, 0.02, 0.5),
        "max_leaf_nodes": (12, 3, 40),
        "min_samples_leaf": (20, 3, 200),
        "l2_regularization": (1, 0.01, 300),
        "max_features": (0.7, 0.2, 1.0),
    },
    "forest": {
        "n_estimators": (30, 10, 50),
        "min_samples_leaf": (5, 1, 80),
        "max_features": (0.5, 0.15, 1.0),
        "max_samples": (0.7, 0.2, 1.0),
    },
    "extra": {
        "n_estimators": (30, 10, 60),
        "min_samples_leaf": (4, 1, 80),
        "max_features": (0.6, 0.15, 1.0),
    },
    "linear": {"penalty": (10, 0.01, 10000)},
    "neighbours": {"n_neighbors": (25, 3, 100)},
}
WHOLE = {"max_iter", "max_leaf_nodes", "min_samples_leaf", "n_estimators"} | {
    "n_neighbors"
}


@dataclass(frozen=True)
class Model:
    """One learner with all that it needs to be fitted again.

    Attributes
    ----------
    learner : str
        One of `LEARNERS`.
    parameters : tuple of (str, float)
        Its hyperparameters.
    features : tuple of int
        The features that it sees, by number.
    seed : int
        Of the learner.
    n_useless : int
        Columns of noise (or shuffled ones) beside the features.
    useless_seed : int
        Which noise.
    log_target : bool
        Fitted to the logarithm of one plus the target.
    rows : float
        Share of the training rows that are used.
    """

    learner: str
    parameters: tuple[tuple[str, float], ...]
    features: tuple[int, ...]
    seed: int = 0
    n_useless: int = 0
    useless_seed: int = 0
    log_target: bool = False
    rows: float = 1.0


def default(learner: str) -> tuple[tuple[str, float], ...]:
    """Return the hyperparameters that a learner starts with."""
    return tuple((name, first) for name, (first, _, _) in LEARNERS[learner].items())


def foretell(model: Model, data: Data) -> tuple[Floats, Floats]:
    """Return what a model says out of fold, and what it says after training on all.

    Parameters
    ----------
    model : Model
        The model.
    data : Data
        The competition's rows.

    Returns
    -------
    out_of_fold : array of shape (n_train,)
    after : array of shape (n_rows - n_train,)
    """
    x = _columns(model, data)
    n = data.n_train
    y = np.log1p(np.maximum(data.y, 0)) if model.log_target else data.y
    out = np.empty(n)
    for fold in range(int(data.fold.max()) + 1):
        inside = data.fold == fold
        out[inside] = _fit(model, x[:n][~inside], y[:n][~inside], x[:n][inside], data)
    after = _fit(model, x[:n], y[:n], x[n:], data)
    if model.log_target:
        top = np.log1p(data.y[:n].max()) + 1
        out, after = (np.expm1(np.minimum(p, top)) for p in (out, after))
    return out, after


def _columns(model: Model, data: Data) -> NDArray[np.float32]:
    chosen = list(model.features)
    if model.learner in ("linear", "neighbours"):
        parts = [data.linear[k] for k in chosen]
    else:
        parts = [data.trees[:, chosen]]
    if model.n_useless:
        rng = np.random.default_rng(model.useless_seed)
        noise = rng.standard_normal((len(data.y), model.n_useless))
        parts.append(noise.astype(np.float32))
    return np.concatenate(parts, axis=1)


def _fit(
    model: Model,
    x: NDArray[np.float32],
    y: Floats,
    x_new: NDArray[np.float32],
    data: Data,
) -> Floats:
    keep = max(50, int(model.rows * len(y)))
    x, y = x[:keep], y[:keep]
    if data.binary and y.min() == y.max():
        return np.full(len(x_new), y[0])
    learner = _learner(model, len(y), binary=data.binary)
    learner.fit(x, y)
    said = learner.predict_proba(x_new)[:, 1] if data.binary else learner.predict(x_new)
    return np.asarray(said, float)


def _learner(model: Model, n_rows: int, *, binary: bool) -> Any:
    p: dict[str, Any] = {
        name: round(value) if name in WHOLE else value
        for name, value in model.parameters
    }
    if model.learner == "boosting":
        boosting = (
            HistGradientBoostingClassifier if binary else HistGradientBoostingRegressor
        )
        return boosting(**p, early_stopping=False, max_bins=63, random_state=model.seed)
    if model.learner == "forest":
        forest = RandomForestClassifier if binary else RandomForestRegressor
        return forest(**p, random_state=model.seed)
    if model.learner == "extra":
        extra = ExtraTreesClassifier if binary else ExtraTreesRegressor
        return extra(**p, random_state=model.seed)
    if model.learner == "linear":
        if binary:
            return LogisticRegression(C=1 / p["penalty"], max_iter=60, tol=1e-3)
        return Ridge(alpha=p["penalty"])
    p["n_neighbors"] = min(p["n_neighbors"], n_rows)
    neighbours = KNeighborsClassifier if binary else KNeighborsRegressor
    return neighbours(**p, algorithm="brute")
