"""scikit-learn's scorers on predictions that are already made."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["predictions_scorer", "takes_estimator"]


def takes_estimator(metric: Callable[..., Any]) -> bool:
    """Say whether a metric is called as scorers are: ``(estimator, X, y)``."""
    try:
        names = list(inspect.signature(metric).parameters)
    except (TypeError, ValueError):
        return False
    return names[:2] == ["estimator", "X"]


def predictions_scorer(
    scorer: Callable[..., Any], y_true: npt.NDArray[Any]
) -> Callable[[npt.NDArray[Any], npt.NDArray[Any]], float]:
    """Return the scorer as a function of labels and predictions.

    The scorer is handed an estimator that predicts what it is given: the predictions
    stand in for the features.
    """
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.multiclass import type_of_target

    class Given:
        def predict(self, X: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return X

    class GivenClassifier(ClassifierMixin, Given, BaseEstimator):  # type: ignore[misc]
        classes_ = np.unique(y_true)

        def predict_proba(self, X: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return np.column_stack([1 - X, X]) if X.ndim == 1 else X

        def decision_function(self, X: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return X

    class GivenRegressor(RegressorMixin, Given, BaseEstimator):  # type: ignore[misc]
        pass

    continuous = type_of_target(y_true).startswith("continuous")
    estimator = GivenRegressor() if continuous else GivenClassifier()
    return lambda labels, predictions: float(scorer(estimator, predictions, labels))
