"""Train a model and print its validation AUC: what an agent edits and runs.

    python train.py --seed 0 C=0.1 n_features=10

It stands for your own script: the loops beside it only read what it prints.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

N_TRAIN = 400


def data() -> tuple[np.ndarray, np.ndarray]:
    """Return rows and labels; the first are for training, the rest for validation."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(6400, 30))
    chance = 1 / (1 + np.exp(-0.4 * x[:, :12].sum(axis=1)))  # 12 columns tell it
    return x, (rng.random(len(x)) < chance).astype(int)


def fit(changes: dict[str, float], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and predictions of the validation rows."""
    x, y = data()
    n_features = int(changes.get("n_features", 4))
    rows = np.random.default_rng(seed).integers(0, N_TRAIN, N_TRAIN)  # a bootstrap
    model = LogisticRegression(C=changes.get("C", 1.0), max_iter=500)
    model.fit(x[rows, :n_features], y[rows])
    return y[N_TRAIN:], model.predict_proba(x[N_TRAIN:, :n_features])[:, 1]


def main() -> None:
    """Print the score of the changes on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("changes", nargs="*", help="name=value")
    given = parser.parse_args()
    pairs = (item.partition("=") for item in given.changes)
    changes = {name: float(value) for name, _, value in pairs}
    labels, predictions = fit(changes, given.seed)
    print(f"{roc_auc_score(labels, predictions):.5f}")


if __name__ == "__main__":
    main()
