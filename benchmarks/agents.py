"""Loops that keep or discard, with and without the gate, on real tables.

    python -m benchmarks.agents                  # the tables of docs/agents.md
    python -m benchmarks.agents --rounds 1       # a quick look: 18 worlds
    python -m benchmarks.agents --write          # and put them into the page
    python -m benchmarks.agents --notes told.jsonl   # resumed where it stopped

An agent changes a model, scores it on a fixed set of validation rows, and keeps the
change or goes back. What it tries next is drawn as entrants of `benchmarks.semi_real`
do it: real steps, tweaks, other seeds, blends, columns of noise, damages. Nothing is
replayed: every policy builds on what it kept, and models are fitted. The true score is
that on tens of thousands of rows that nobody sees.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.semi_real.competition import MAX_TRUTH, Plan, generator, plan
from benchmarks.semi_real.entrant import Entrant, Submission
from benchmarks.semi_real.features import prepare
from benchmarks.semi_real.scoring import score
from benchmarks.semi_real.tables import TABLES, Table
from lbsense.analysis import footing, gate
from lbsense.model import CANDIDATE, Competition, History, Predictions
from lbsense.model import Submission as Sent

PAGE = Path(__file__).parents[1] / "docs" / "agents.md"
HEADING = "## What it is worth\n"
N_RUNS = 40
PATIENCE = 12  # runs in a row without a change kept, after which a loop stops
FIXED = 0.002  # the gain that a fixed threshold asks for, of the first score

Floats = NDArray[np.float64]


@dataclass
class Loop(Entrant):
    """An agent that builds on what it kept last, and draws alike at each run."""

    incumbent: int = 0
    seed: tuple[int, ...] = ()

    def _base(self) -> int:
        return self.incumbent

    def run(self) -> Submission:
        """Make the next model; the draws depend on its number alone."""
        self.rng = np.random.default_rng([*self.seed, len(self.history)])
        return self.send()


@dataclass(frozen=True)
class World:
    """One table, one metric, one set of validation rows."""

    given: Plan
    loop: Loop

    @property
    def sign(self) -> int:
        """1 if larger scores are better."""
        return 1 if self.given.metric.greater_is_better else -1

    def rows(self, which: str) -> slice | NDArray[np.intp]:
        """Return the rows of a set, among those after the training rows."""
        found: slice | NDArray[np.intp] = getattr(self.loop.data, which)
        return found

    def labels(self, which: str) -> Floats:
        """Return the target of a set."""
        data = self.loop.data
        return np.asarray(data.y[data.n_train :][self.rows(which)])

    def score(self, made: Submission, which: str) -> float:
        """Return the oriented score on a set."""
        shown = made.sent[self.rows(which)]
        return self.sign * score(self.given.metric, self.labels(which), shown)


def world(table: Table, number: int) -> World:
    """Return a fresh world, the same for every policy."""
    given = plan(table, number)
    data = prepare(
        given.table,
        given.target,
        generator(table, number, 1),
        sizes=(given.n_train, given.n_public, given.n_private),
        max_truth=MAX_TRUTH,
        n_folds=given.n_folds,
    )
    seed = tuple(generator(table, number, 4).integers(2**31, size=2).tolist())
    loop = Loop(
        data=data,
        metric=given.metric,
        policy="kept",
        guess_rate=given.guess_rate,
        rng=np.random.default_rng(0),
        seed=seed,
    )
    return World(given, loop)


@dataclass
class Notes:
    """What the agent has written down: its validation scores and predictions."""

    world: World
    scores: list[float] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)

    def history(self, n: int) -> History:
        """Return the first runs as a history of one score."""
        sign = self.world.sign
        sent = tuple(
            Sent(
                submission_id=f"run{k}",
                public_score=sign * self.scores[k],
                parent_id=f"run{self.parents[k]}" if self.parents[k] >= 0 else None,
            )
            for k in range(n)
        )
        competition = Competition(
            metric=self.world.given.metric.lbsense,
            greater_is_better=sign > 0,
            test_size=len(self.world.labels("public")),
            public_fraction=1.0,
        )
        return History(competition=competition, submissions=sent)

    def predictions(self, n: int) -> Predictions:
        """Return the validation rows of the first runs and of the next one."""
        rows = self.world.rows("public")
        shown = [made.sent[rows] for made in self.world.loop.history[: n + 1]]
        names = [f"run{k}" for k in range(n)] + [CANDIDATE]
        return Predictions(
            labels=self.world.labels("public"),
            oof=np.stack(shown, axis=1),
            oof_names=tuple(names),
        )


#: Says of the notes whether the newest run is kept.
Policy = Callable[[Notes], bool]


def greedy(notes: Notes) -> bool:
    """Keep every better score."""
    return notes.scores[-1] > notes.scores[notes.parents[-1]]


def threshold(notes: Notes) -> bool:
    """Keep what is better by a fixed amount."""
    least = FIXED * abs(notes.scores[0])
    return notes.scores[-1] > notes.scores[notes.parents[-1]] + least


def gated(
    *, at_least: float = 0.5, false_share: float | None = None, rows: bool = True
) -> Policy:
    """Keep what the gate says, where it can say it: else every better score."""

    def decide(notes: Notes) -> bool:
        n = len(notes.scores) - 1
        history, predictions = notes.history(n), notes.predictions(n)
        try:
            analysis = footing(
                history, predictions, step_noise=None if rows else stated(notes)
            )
            found = gate(
                analysis,
                notes.world.sign * notes.scores[-1],
                parent=f"run{notes.parents[-1]}",
                against=f"run{notes.parents[-1]}",
                at_least=at_least,
                false_share=false_share,
                predictions=predictions if rows else None,
            )
        except ValueError:
            return greedy(notes)
        return (
            greedy(notes) if found.decision == "unknown" else found.decision == "spend"
        )

    return decide


def stated(notes: Notes) -> float:
    """Return the noise of a step that an agent tells from its scores alone.

    Half of the steps are nothing, so their differences are noise: 1.48 times the median
    absolute difference, a hundredth of the score for the first.
    """
    apart = [
        abs(one - notes.scores[parent])
        for one, parent in zip(notes.scores[:-1], notes.parents[:-1], strict=True)
        if parent >= 0 and one != notes.scores[parent]
    ]
    if len(apart) < 4:
        return 0.01 * abs(notes.scores[0])
    return float(1.48 * np.median(apart))


POLICIES: dict[str, tuple[str, Policy]] = {
    "greedy": ("every better score", greedy),
    "threshold": (f"better by {FIXED:.1%} of the first score", threshold),
    "gate": ("the gate, by predictions", gated()),
    "gate 80%": ("the gate, 80% asked", gated(at_least=0.8)),
    "gate 20% false": ("the gate, 20% false ones at most", gated(false_share=0.2)),
    "gate by scores": ("the gate, scores alone", gated(rows=False)),
}


@dataclass(frozen=True)
class Told:
    """What came of one loop, in standard errors of a validation score.

    ``climb`` is what was truly gained, ``claimed`` what the validation score says;
    ``kept`` changes were kept, ``false`` of which gained nothing, in ``runs`` runs.
    ``missed`` of the ``real`` gains worth a quarter of a standard error were discarded.
    """

    policy: str
    world: str
    climb: float
    claimed: float
    kept: int
    false: int
    harm: float
    runs: int
    real: int
    missed: int
    worst: float


def play(table: Table, number: int, name: str) -> Told:
    """Let one policy keep or discard in one world."""
    here = world(table, number)
    notes, policy = Notes(here), POLICIES[name][1]
    truth: list[float] = []
    since, false, harm, real, missed, kept = 0, 0, 0.0, 0, 0, 0
    worst = 0.0
    unit = _score_se(here)
    for k in range(N_RUNS):
        made = here.loop.run()
        parent = here.loop.incumbent if k else -1
        notes.scores.append(here.score(made, "public"))
        notes.parents.append(parent)
        truth.append(here.score(made, "truth"))
        if k == 0:
            continue
        gain = (truth[k] - truth[parent]) / unit(made)
        keep = policy(notes)
        real += gain > 0.25
        missed += gain > 0.25 and not keep
        since = 0 if keep else since + 1
        if keep:
            here.loop.incumbent = k
            kept, false = kept + 1, false + (gain <= 0)
            harm += max(-gain, 0.0)
            worst = max(worst, false / kept)
        if since == PATIENCE:
            break
    end = here.loop.incumbent
    se = unit(here.loop.history[0])
    return Told(
        policy=name,
        world=here.given.name,
        climb=(truth[end] - truth[0]) / se,
        claimed=(notes.scores[end] - notes.scores[0]) / se,
        kept=kept,
        false=false,
        harm=harm,
        runs=len(truth),
        real=real,
        missed=missed,
        worst=worst,
    )


def _score_se(here: World) -> Callable[[Submission], float]:
    """Return what gives the standard error of a validation score of one model.

    From sets of that size drawn from the rows that nobody sees.
    """
    first: list[float] = []

    def unit(made: Submission) -> float:
        if not first:
            rng = np.random.default_rng(0)
            y, p = here.labels("truth"), made.sent[here.rows("truth")]
            n = len(here.labels("public"))
            drawn = [rng.integers(len(y), size=n) for _ in range(200)]
            found = np.std([score(here.given.metric, y[r], p[r]) for r in drawn])
            first.append(max(float(found), 1e-12))
        return first[0]

    return unit


def quiet_play(table: Table, number: int, name: str) -> Told:
    """Play on one core, without the learners' warnings."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return play(table, number, name)


def table_of(told: Iterable[Told]) -> str:
    """Return the Markdown table of all policies."""
    every = list(told)
    lines = [
        "| keeps | true gain | claimed | kept | of these no gain | worst share "
        "| lost by them | real gains discarded | runs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    base = {one.world: one.climb for one in every if one.policy == "greedy"}
    for name, (text, _) in POLICIES.items():
        mine = [one for one in every if one.policy == name]
        if not mine:
            continue
        apart = np.array([one.climb - base.get(one.world, np.nan) for one in mine])
        climb = np.mean([one.climb for one in mine])
        shown = f"{climb:.2f}"
        if name != "greedy":
            se = np.nanstd(apart) / np.sqrt(len(apart))
            shown += f" ({np.nanmean(apart):+.2f} ± {se:.2f})"
        kept = sum(one.kept for one in mine)
        false = sum(one.false for one in mine)
        real, missed = sum(o.real for o in mine), sum(o.missed for o in mine)
        cells = [
            text,
            shown,
            f"{np.mean([one.claimed for one in mine]):.2f}",
            f"{kept / len(mine):.1f}",
            f"{false / max(kept, 1):.0%}",
            f"{np.mean([one.worst for one in mine]):.0%}",
            f"{np.mean([one.harm for one in mine]):.2f}",
            f"{missed / max(real, 1):.0%}",
            f"{np.mean([one.runs for one in mine]):.1f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _kept(notes: Path | None) -> list[Told]:
    """Return the loops that were played before."""
    if notes is None or not notes.exists():
        return []
    lines = notes.read_text(encoding="utf-8").splitlines()
    return [Told(**json.loads(line)) for line in lines]


def main(arguments: list[str] | None = None) -> None:
    """Play all policies in all worlds and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.agents",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=3, help="worlds a table")
    parser.add_argument("--first-round", type=int, default=0)
    parser.add_argument("--only", default="", help="part of a table's name")
    parser.add_argument("--policies", default=",".join(POLICIES))
    parser.add_argument(
        "--notes", type=Path, help="JSON lines of loops: kept, and resumed from"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--write", action="store_true", help="put it into the page")
    given = parser.parse_args(arguments)
    rounds = range(given.first_round, given.first_round + given.rounds)
    todo = [
        (table, number, name)
        for number in rounds
        for table in TABLES
        if given.only in table.name
        for name in given.policies.split(",")
    ]
    told = _kept(given.notes)
    known = {(one.policy, one.world) for one in told}
    todo = [t for t in todo if (t[2], f"{t[0].short}-{t[1]}") not in known]
    for one in Parallel(n_jobs=given.jobs, verbose=1, return_as="generator")(
        delayed(quiet_play)(*one) for one in todo
    ):
        told.append(one)
        if given.notes is not None:
            with given.notes.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(one)) + "\n")
    text = table_of(told)
    print(text)
    if given.write:
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(HEADING)
        head, _, after = rest.partition("\n| keeps |")
        after = after.partition("\n\n")[2]
        PAGE.write_text(f"{before}{HEADING}{head}\n{text}\n{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
