"""Keep or discard, with out-of-fold or validation predictions as the evidence.

    python keep_or_discard.py

An agent that keeps every better score climbs on noise. Here every run leaves its
predictions of the validation rows: with the labels they tell the exact noise of the
difference of two runs, however alike these are, and the gate decides on that.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

import lbsense as lb

sys.path.insert(0, str(Path(__file__).parent))
from train import fit  # your own training

IDEAS = [
    {"C": 1.1},
    {"n_features": 5},
    {"C": 0.9},
    {"n_features": 12},
    {"C": 1.2},
    {"n_features": 30},
    {"C": 0.02},
]


class Loop:
    """What was tried so far: scores, predictions, and what each was made from."""

    def __init__(self) -> None:
        self.runs: list[lb.Submission] = []
        self.shown: list[np.ndarray] = []
        self.kept: dict[str, float] = {}
        self.incumbent: str | None = None

    def try_out(self, idea: dict[str, float]) -> str:
        """Run an idea on what is kept; return keep or discard."""
        changes = {**self.kept, **idea}
        labels, shown = fit(changes)
        score = float(roc_auc_score(labels, shown))
        decision = self.judge(labels, shown, score)
        name = f"run{len(self.runs)}"
        self.runs.append(
            lb.Submission(
                submission_id=name,
                public_score=score,
                parent_id=self.incumbent,
                description=str(idea),
            )
        )
        self.shown.append(shown)
        if decision == "keep":
            self.kept, self.incumbent = changes, name
        return decision

    def judge(self, labels: np.ndarray, shown: np.ndarray, score: float) -> str:
        """Ask the gate; while it knows too little, nothing is kept but the first."""
        if self.incumbent is None:
            return "keep"
        history = lb.History(
            competition=lb.Competition(
                metric="roc_auc",
                greater_is_better=True,
                test_size=len(labels),
                public_fraction=1.0,
            ),
            submissions=tuple(self.runs),
        )
        predictions = lb.Predictions(
            labels=labels,
            oof=np.column_stack([*self.shown, shown]),
            oof_names=(*(run.submission_id for run in self.runs), lb.CANDIDATE),
        )
        found = lb.gate(
            lb.footing(history, predictions),
            score,
            parent=self.incumbent,
            against=self.incumbent,
            predictions=predictions,
            false_share=0.2,
        )
        print(f"  {found.reason}")
        return "keep" if found.decision == "spend" else "discard"


def main() -> None:
    """Try all ideas and say what was kept."""
    loop = Loop()
    for idea in [{}, *IDEAS]:
        decision = loop.try_out(idea)
        print(f"{decision:8} {loop.runs[-1].public_score:.5f} {idea}")
    print(f"kept: {loop.kept}")


if __name__ == "__main__":
    main()
