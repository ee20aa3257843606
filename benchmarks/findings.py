"""How often does each finding fire? Simulated histories, told by scores and CV.

    python benchmarks/findings.py                # the table of docs/findings.md
    python benchmarks/findings.py --rounds 5     # a quick look
    python benchmarks/findings.py --write        # text and table of docs/findings.md
    python benchmarks/findings.py --text         # the text alone, the table kept

Each column is one kind of entrant, each entry the share of histories in which a code is
flagged, of those in which it could be checked; "-" where it could in none. In the first
three columns nobody does anything wrong: what fires there is either true of such a
history too (a history without any true gain has no real gain) or a false flag.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from lbsense.analysis import analyze
from lbsense.checks import explanations_page, run_checks
from lbsense.model import Predictions
from lbsense.simulate import Scenario, SimulatedCompetition, simulate

PAGE = Path(__file__).parents[1] / "docs" / "findings.md"
HEADING = "## How often each fires\n"
INTRODUCTION = """
Share of simulated histories in which a code is flagged, of those in which it could be
checked, in percent; "-" where it could in none. {rounds} histories of {length}
submissions in each column, 2,000 public, 4,000 private and 4,000 training rows; made by
`python benchmarks/findings.py --write`.

- *nothing real*: all steps are worth exactly nothing and the entrant builds on the best
  sum of CV and public score. LBS303 is right here, and so are LBS301 and LBS302;
  LBS201 is not, here and wherever few steps are real.
- *climber*: builds on the same, half of the steps are real. LBS301, LBS305 and LBS306
  speak of the luck in the public score, which such an entrant has too, and LBS302 of
  the last eight steps; what else is flagged here is a false flag.
- *climber, accuracy*: the same, scored by accuracy.
- *public scores alone*: the climber, without CV.
- *chaser*: builds on the best public score, nine of ten steps are worth nothing.
- *tweaker*: the same, with half of the submissions in bursts of one weight.
- *CV apart*: validation that does not transfer (noise .1 a step).
- *prober*: a fifth of the submissions are files of one value with a few rows changed;
  files given.
- *shifted*: private rows are harder.
"""
_CLIMBER = {"policy": "both", "null_fraction": 0.5, "step_size": 0.1}
COLUMNS: Mapping[str, dict[str, Any]] = {
    "nothing real": {"policy": "both", "null_fraction": 1.0},
    "climber": _CLIMBER,
    "climber, accuracy": {**_CLIMBER, "metric": "accuracy"},
    "public scores alone": {**_CLIMBER, "cv_fraction": 0.0},
    "chaser": {"policy": "public", "null_fraction": 0.9},
    "tweaker": {"policy": "public", "null_fraction": 0.9, "burst_fraction": 0.5},
    "CV apart": {**_CLIMBER, "cv_noise": 0.1},
    "prober": {**_CLIMBER, "probe_fraction": 0.2},
    "shifted": {**_CLIMBER, "shift": 0.3},
}
LENGTH = 40


def files_of(simulated: SimulatedCompetition) -> Predictions | None:
    """Return the submitted files, where the simulation kept them."""
    if simulated.rows is None:
        return None
    names = tuple(item.submission_id for item in simulated.history)
    return Predictions(test_names=names, test=simulated.rows.test)


def statuses(options: dict[str, Any], seed: int) -> dict[str, str]:
    """Return code -> status for one history."""
    sizes = {"n_public": 2000, "n_private": 4000, "n_train": 4000}
    scenario = Scenario(n_submissions=LENGTH, **sizes, **options)
    simulated = simulate(scenario, rng=seed, keep_rows=scenario.probe_fraction > 0)
    findings = run_checks(analyze(simulated.history), files_of(simulated))
    return {item.code: item.status for item in findings}


def table(rounds: int, jobs: int) -> str:
    """Return the shares as a Markdown table."""
    found = Parallel(n_jobs=jobs, verbose=1)(
        delayed(statuses)(options, 1000 * number + seed)
        for number, options in enumerate(COLUMNS.values())
        for seed in range(rounds)
    )
    cells = [found[at : at + rounds] for at in range(0, len(found), rounds)]
    lines = [
        f"| code | {' | '.join(COLUMNS)} |",
        f"|---|{'---|' * len(COLUMNS)}",
    ]
    for code in found[0]:
        shares = [share([item[code] for item in cell]) for cell in cells]
        lines.append(f"| {code} | {' | '.join(shares)} |")
    return "\n".join(lines) + "\n"


def share(seen: list[str]) -> str:
    """Return the percentage flagged of those that could be checked."""
    checked = [status for status in seen if status != "not_applicable"]
    if not checked:
        return "-"
    return f"{100 * np.mean([status == 'flagged' for status in checked]):.0f}"


def main() -> None:
    """Print the table, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=60, help="histories a column")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--write", action="store_true", help="write the page")
    parser.add_argument("--text", action="store_true", help="its text alone")
    given = parser.parse_args()
    if given.text:
        kept = PAGE.read_text("utf-8").partition(HEADING)[2]
    else:
        introduction = INTRODUCTION.format(rounds=given.rounds, length=LENGTH)
        kept = f"{introduction}\n{table(given.rounds, given.jobs)}"
    if given.text or given.write:
        PAGE.write_text(f"{explanations_page()}\n{HEADING}{kept}", "utf-8")
    else:
        print(kept)


if __name__ == "__main__":
    main()
