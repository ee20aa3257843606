"""The words that stand beside exported files."""

from __future__ import annotations

import dataclasses

from lbsense.simulate._competition import SimulatedCompetition

__all__ = ["folder_readme"]

_FILES = """\
- `submissions.csv`: Kaggle's client, 2.2.3 and newer, `--csv`, after the close.
- `submissions_before_close.csv`: the same while the competition runs, when nobody has a
  private score.
- `submissions_old_client.csv`, `submissions_old_client_before_close.csv`: clients up to
  1.6, without `ref`, with whole seconds, lower-case status and `None` for blanks.
- `submissions.json`: Kaggle's newest client, `--format json`, after the close.
- `host_submissions.csv`: what the host of a community competition downloads, one team.
- `zindi.json`, `zindi_before_close.json`: payload of Zindi's submissions.
- `experiment_log.csv`: the entrant's own log, with CV, fold scores and, where the
  entrant kept track, the parent of each experiment.
- `truth.csv`: what no entrant knows, see below.
"""

_PREDICTIONS = """\
- `predictions/train.csv`: labels and folds of the training rows.
- `predictions/solution.csv`: labels of the test rows, and which of them are public.
- `predictions/submission_*.csv`, `predictions/oof_*.csv`: submitted and out-of-fold
  predictions of each experiment.
"""

_TRUTH = """\
## The truth

`truth.csv` has one row per submission, oldest first:

- `kind`: `first`, `step` (an idea that matters), `dud` (an idea that does not),
  `tweak` (one of a burst of small changes), `repeat` (the same file again), `rerun`
  (the same model trained again), `probe`, `broken` (rows in the wrong order) or
  `failed`.
- `parent_id`: the submission that it was made from.
- `true_score`, `true_private_score`: the score expected on fresh rows of the public and
  of the private kind, whatever the rows that happened to be drawn.
- `true_cv_score`: the CV score expected, which is another one where validation leaks or
  does not transfer; blank where it is not known.
- `true_gain`: `true_score` minus that of the parent, positive when it is better.
- `is_null`: whether that gain is exactly zero.
- `selected`: whether it was chosen for the final ranking.
"""


def folder_readme(simulated: SimulatedCompetition) -> str:
    """Return the README of one exported competition."""
    competition = simulated.history.competition
    private = "all test rows" if competition.nested else "the others"
    better = "higher" if competition.greater_is_better else "lower"
    changed = [
        f"`{field.name}={getattr(simulated.scenario, field.name)!r}`"
        for field in dataclasses.fields(simulated.scenario)
        if getattr(simulated.scenario, field.name) != field.default
    ]
    files = _FILES + (_PREDICTIONS if simulated.rows is not None else "")
    return f"""\
# A simulated competition

Invented data, made by `lbsense.simulate`, in the shapes that platforms export.

- Metric: `{competition.metric}`, {better} is better.
- Training rows: {competition.train_size:,}. Test rows: {competition.test_size:,}, of
  which {competition.n_public:,} are public; the private score covers {private}.
- Submissions: {len(simulated.history)}. World: {simulated.scenario.world}.
- Options other than the defaults: {", ".join(changed) or "none"}.

## The files

{files}
{_TRUTH}"""
