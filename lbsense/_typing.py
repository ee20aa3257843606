"""Type aliases that every floor shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FloatArray: TypeAlias = npt.NDArray[np.float64]
    IntArray: TypeAlias = npt.NDArray[np.int64]
    BoolArray: TypeAlias = npt.NDArray[np.bool_]
    ArrayLike: TypeAlias = npt.ArrayLike
    RandomState: TypeAlias = int | np.random.Generator | None
else:  # what needs no arrays loads no numpy
    FloatArray = IntArray = BoolArray = ArrayLike = RandomState = Any

Platform: TypeAlias = Literal[
    "kaggle",
    "zindi",
    "loop",
    "aide",
    "mle-bench",
    "rd-agent",
    "optuna",
    "mlflow",
    "wandb",
    "hydra",
]
ScoreKind: TypeAlias = Literal["public", "private", "cv"]
Status: TypeAlias = Literal["complete", "pending", "error", "unknown"]
CvSource: TypeAlias = Literal["column", "description", "file name", "log"]
Verdict: TypeAlias = Literal[
    "baseline",
    "progress",
    "guess",
    "chasing",
    "setback",
    "repeat",
    "probe",
    "unscored",
    "unknown",
]
