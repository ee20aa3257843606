"""How good are stated chances, intervals and verdicts of steps whose truth is known?"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

__all__ = ["BINS", "ROPE", "area", "figures_of", "with_rope"]

#: A true gain is more than this share of the noise of a typical public step.
ROPE = 0.25
BINS = (0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.01)


def with_rope(steps: pd.DataFrame) -> pd.DataFrame:
    """Return the steps of one history with ``gained`` and ``lost``."""
    rope = ROPE * float(steps["se"].median()) if len(steps) else 0.0
    return steps.assign(gained=steps["true"] > rope, lost=steps["true"] < -rope)


def area(p: Any, y: Any) -> float:
    """Return the area under the ROC curve, nan if all are alike."""
    y = np.asarray(y, bool)
    n_yes = int(y.sum())
    if n_yes in (0, len(y)):
        return float("nan")
    won = rankdata(p)[y].sum() - n_yes * (n_yes + 1) / 2
    return float(won / (n_yes * (len(y) - n_yes)))


def figures_of(steps: pd.DataFrame, *, verdicts: bool = True) -> dict[str, Any]:
    """Return what is stated of steps against what is true.

    Parameters
    ----------
    steps : DataFrame
        One row a step: ``gained``, ``lost``, ``true``, ``p``, ``low``, ``high`` (nan
        where nothing is stated) and ``verdict``.
    verdicts : bool
        Whether verdicts are judged too.

    Returns
    -------
    dict
        ``steps``; ``answered``: share with a chance; ``base``: share of true gains;
        ``auc``, ``brier``, ``skill`` (one minus Brier over the base rate's), ``slope``
        (of what is true on the stated chance); ``bins``: lower end, steps, true share;
        ``interval95``: share of true differences inside; ``progress``, ``setback``:
        claims, precision, recall; ``verdicts``: counts. A step without an answer counts
        as the base rate.
    """
    gained = steps["gained"].to_numpy(bool)
    base = float(gained.mean())
    told = steps["p"].notna().to_numpy()
    p = steps["p"].astype(float).fillna(base).to_numpy()
    brier = float(((p - gained) ** 2).mean())
    spread = p - p.mean()
    some_spread = float((spread**2).mean()) > 1e-9
    inside = steps.loc[steps["low"].notna() & steps["high"].notna()]
    found: dict[str, Any] = {
        "steps": len(steps),
        "answered": float(told.mean()),
        "base": base,
        "auc": area(p, gained),
        "brier": brier,
        "skill": 1 - brier / (base * (1 - base)) if 0 < base < 1 else float("nan"),
        "slope": float((spread * gained).sum() / (spread**2).sum())
        if some_spread
        else float("nan"),
        "bins": [
            [low, int(chosen.sum()), float(gained[chosen].mean())]
            for low, high in pairwise(BINS)
            if (chosen := told & (p >= low) & (p < high)).any()
        ],
        "interval95": float(
            inside["true"].between(inside["low"], inside["high"]).mean()
        ),
    }
    if verdicts:
        for word, right in (("progress", gained), ("setback", steps["lost"])):
            said = (steps["verdict"] == word).to_numpy()
            hits = float((said & np.asarray(right, bool)).sum())
            found[word] = {
                "claims": int(said.sum()),
                "precision": hits / said.sum() if said.any() else float("nan"),
                "recall": hits / max(1, int(np.sum(right))),
            }
    found["verdicts"] = dict(Counter(steps["verdict"]))
    return found
