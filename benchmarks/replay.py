"""Real histories replayed: is the private step foretold by what was known then?

    python benchmarks/replay.py FOLDER        # files as FOLDER/<name>_<metric>.csv

At every submission the history up to and including it, without private scores, is
analysed; the estimated gain of the last step is then compared with the private gain
over the same reference. `slope` is the regression of the private on the foretold gain
(1 is right), `error` the mean absolute error over that of foretelling no change; both
beside those of the raw public gain. No file is part of the project.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from lbsense import History, LbsenseWarning, analyze, read_table

METRICS = {
    "aptos2019_qwk": "quadratic_kappa",
    "clouds_dice": "dice",
    "tweet_sentiment_jaccard": "jaccard",
    "rogii_rmse": "rmse",
}
_FEWEST = 9  # submissions before anything is foretold


def foretold(history: History, last: int) -> tuple[float, float, float] | None:
    """Return estimated, public and private gain of one step, None where unknown."""
    known = tuple(
        replace(item, private_score=None) for item in history.submissions[: last + 1]
    )
    step = analyze(replace(history, submissions=known)).steps[-1]
    if step.gain is None or step.public_gain is None or step.reference_id is None:
        return None
    sign = history.competition.direction()
    private = history[last].private_score
    reference = history[step.reference_id].private_score
    if private is None or reference is None:
        return None
    return step.gain, step.public_gain, sign * (private - reference)


def line(name: str, told: np.ndarray) -> str:
    """Return the row of one history; the worst twentieth of steps is left out."""
    gain, public, private = told.T
    keep = np.abs(public) <= np.quantile(np.abs(public), 0.95)
    gain, public, private = gain[keep], public[keep], private[keep]
    cells = []
    for guess in (gain, public):
        slope = np.polyfit(guess, private, 1)[0] if np.ptp(guess) > 0 else np.nan
        error = np.abs(private - guess).mean() / np.abs(private).mean()
        cells += [f"{slope:.2f}", f"{error:.2f}"]
    return f"| {name} | {len(gain)} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print one row for every history that has private scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    print("| history | steps | slope | error | slope of public | error of public |")
    print("|---|---|---|---|---|---|")
    for name, metric in METRICS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LbsenseWarning)
            history = read_table(folder / f"{name}.csv", metric=metric)
        found = Parallel(n_jobs=-1)(
            delayed(foretold)(history, last) for last in range(_FEWEST, len(history))
        )
        told = np.array([item for item in found if item is not None])
        if len(told) < 5:
            print(f"| {name} | {len(told)} | too few | | | |")
        else:
            print(line(name, told), flush=True)


if __name__ == "__main__":
    main()
