"""Loops that keep or discard, with and without the gate, on real tables.

    python -m benchmarks.agents                  # the tables of docs/agents.md
    python -m benchmarks.agents --rounds 1       # a quick look: 18 worlds
    python -m benchmarks.agents --write          # and put them into the page
    python -m benchmarks.agents --notes told.jsonl   # resumed where it stopped
    python -m benchmarks.agents --streams DIR    # false claims, of semi_real histories

An agent changes a model, scores it on a fixed set of validation rows, and keeps the
change or goes back. What it tries next is drawn as entrants of `benchmarks.semi_real`
do it: real steps, tweaks, other seeds, blends, columns of noise, damages. Nothing is
replayed: every policy builds on what it kept, and models are fitted. The true score is
that on tens of thousands of rows that nobody sees.
"""

from __future__ import annotations

import argparse
import io
import json
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.special import ndtr, polygamma
from threadpoolctl import threadpool_limits

from benchmarks.semi_real.competition import MAX_TRUTH, Plan, generator, plan
from benchmarks.semi_real.entrant import Entrant, Submission
from benchmarks.semi_real.features import prepare
from benchmarks.semi_real.folders import export, position, read_all
from benchmarks.semi_real.scoring import METRICS, score
from benchmarks.semi_real.tables import TABLES, Table
from lbsense.analysis import analyze, footing, gate
from lbsense.ingest import read_submissions
from lbsense.model import CANDIDATE, Competition, History, Predictions
from lbsense.model import Submission as Sent
from lbsense.stats import gain_evalue, online_discoveries

PAGE = Path(__file__).parents[1] / "docs" / "agents.md"
HEADING = "## What it is worth\n"
N_RUNS = 30
REACHED = 0.9  # of the most that any policy gains in a world: runs until then
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
        if self.world.given.metric.name == "rmsle":
            shown = [np.maximum(one, 0.0) for one in shown]
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
    "gate 20% false": ("the gate, 20% false ones at most", gated(false_share=0.2)),
    "gate by scores": ("the gate, scores alone", gated(rows=False)),
}


@dataclass(frozen=True)
class Told:
    """What came of one loop, in standard errors of a validation score.

    ``climb`` is what was truly gained, after every run in ``course``, and ``claimed``
    what the validation score says; ``kept`` changes were kept, ``false`` of which
    gained nothing and lost ``harm``, ``worst`` being the largest share of these at any
    time. ``missed`` of the ``real`` gains of a quarter of a standard error were
    discarded.
    """

    policy: str
    world: str
    claimed: float
    kept: int
    false: int
    harm: float
    real: int
    missed: int
    worst: float
    course: list[float]

    @property
    def climb(self) -> float:
        """True gain in the end."""
        return self.course[-1]

    def runs_to(self, climb: float) -> int:
        """Return the runs until so much was gained, all of them where it never was."""
        reached = (k for k, now in enumerate(self.course, start=1) if now >= climb)
        return next(reached, len(self.course))


def play(table: Table, number: int, name: str) -> Told:
    """Let one policy keep or discard in one world."""
    here = world(table, number)
    notes, policy = Notes(here), POLICIES[name][1]
    truth: list[float] = []
    false, harm, real, missed, kept, worst = 0, 0.0, 0, 0, 0, 0.0
    course: list[float] = []
    unit = _score_se(here)
    for k in range(N_RUNS):
        made = here.loop.run()
        parent = here.loop.incumbent if k else -1
        notes.scores.append(here.score(made, "public"))
        notes.parents.append(parent)
        truth.append(here.score(made, "truth"))
        if k == 0:
            course.append(0.0)
            continue
        gain = (truth[k] - truth[parent]) / unit(made)
        keep = policy(notes)
        real += gain > 0.25
        missed += gain > 0.25 and not keep
        if keep:
            here.loop.incumbent = k
            kept, false = kept + 1, false + (gain <= 0)
            harm += max(-gain, 0.0)
            worst = max(worst, false / kept)
        course.append((truth[here.loop.incumbent] - truth[0]) / unit(made))
    end = here.loop.incumbent
    return Told(
        policy=name,
        world=here.given.name,
        claimed=(notes.scores[end] - notes.scores[0]) / unit(made),
        kept=kept,
        false=false,
        harm=harm,
        real=real,
        missed=missed,
        worst=worst,
        course=course,
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
        "| lost by them | real gains discarded | runs to 90% |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    most: dict[str, float] = {}
    for one in every:
        most[one.world] = max(most.get(one.world, 0.0), one.climb)
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
            f"{np.mean([o.runs_to(REACHED * most[o.world]) for o in mine]):.1f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _kept(notes: Path | None) -> list[Told]:
    """Return the loops that were played before."""
    if notes is None or not notes.exists():
        return []
    lines = notes.read_text(encoding="utf-8").splitlines()
    return [Told(**json.loads(line)) for line in lines]


def invested(p: Floats, share: float, weights: Floats, *, adaptive: bool) -> list[bool]:
    """Return the claims of LORD++, or of SAFFRON where adaptive, in a stream of tests.

    Ramdas et al. (2017, arXiv:1710.00499; 2018, arXiv:1802.09098), half of the share at
    the start: LORD++ has the level ``w_t q / 2 + w_(t - t1) q / 2 + q sum(w_(t - tj))``
    over the times of its claims; SAFFRON counts only tests with a p-value above 1/2.
    """
    claims: list[int] = []
    passed = np.concatenate([[0], np.cumsum(p <= 0.5)])  # candidates before each test
    for place, one in enumerate(p):
        since = np.array([-1, *claims])
        skipped = passed[place] - passed[since + 1] if adaptive else 0
        level = weights[place - since - 1 - skipped]
        level[:2] /= 2
        bar = level.sum() * share
        if one <= (min(bar / 2, 0.5) if adaptive else bar):
            claims.append(place)
    return [place in claims for place in range(len(p))]


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """All steps of a history with what was true: values to test them by, by method."""

    values: dict[str, Floats]
    real: NDArray[np.bool_]  # a true gain
    large: NDArray[np.bool_]  # of one standard error of a step at least


def streams(folder: Path) -> str:
    """Return how many claims in the stream of every history are false, as Markdown.

    The folder is one of `benchmarks.semi_real make`. Probabilities, noise and the luck
    taken out are those of the whole history; the largest false share is that of a stop
    at the worst moment.
    """
    found = list(_streams(folder))
    lines = [
        f"| by ({len(found)} histories) | held to | false at the end | at the worst "
        "stop | claims a history | large gains found |",
        "|---|---|---|---|---|---|",
    ]
    methods = ("posterior", "lord++", "saffron", "e-lond")
    for method, share in product(methods, (0.05, 0.1, 0.2, 0.3)):
        last, worst, claims, power = [], [], [], []
        for stream in found:
            claimed = _claims(stream.values[method], method, share)
            false = np.cumsum(claimed & ~stream.real)
            false = false / np.maximum(np.cumsum(claimed), 1)
            last.append(false[-1])
            worst.append(false.max())
            claims.append(claimed.sum())
            power += claimed[stream.large].tolist()
        lines.append(
            f"| {method} | {share:.0%} | {np.mean(last):.1%} | {np.mean(worst):.1%} "
            f"| {np.mean(claims):.1f} | {np.mean(power):.0%} |"
        )
    return "\n".join(lines) + "\n"


def _claims(values: Floats, method: str, share: float) -> NDArray[np.bool_]:
    if method == "posterior" or method == "e-lond":
        return online_discoveries(values, method=method, false_share=share).claimed
    weights = 1 / (np.arange(1, len(values) + 2) + 30.0) ** 2
    weights /= float(polygamma(1, 31))
    known = np.flatnonzero(np.isfinite(values))
    claimed = np.zeros(len(values), dtype=bool)
    claimed[known] = invested(
        values[known], share, weights, adaptive=method == "saffron"
    )
    return claimed


def _streams(folder: Path) -> Iterator[Stream]:
    for played in read_all(folder):
        history = read_submissions(
            io.StringIO(export(played, private=False)),
            metric=METRICS[played.metric].lbsense,
            train_size=played.meta["n_train"],
            test_size=played.meta["n_public"] + played.meta["n_private"],
            public_fraction=played.meta["public_fraction"],
        )
        analysis = analyze(history)
        steps = analysis.posterior
        if not steps:
            continue
        gain = np.full(len(history), np.nan)
        for k, step in enumerate(analysis.steps):
            if step.reference_id is not None and step.verdict != "repeat":
                at = position(step.submission_id), position(step.reference_id)
                gain[k] = played.truth[at[0]] - played.truth[at[1]]
        judged = np.isfinite(gain)
        noise = np.where(judged, np.sqrt(steps.seen_var), np.nan)
        pvalue = ndtr(-steps.seen / noise)
        yield Stream(
            values={
                "posterior": np.where(judged, 1 - steps.p_gain, np.nan),
                "lord++": pvalue,
                "saffron": pvalue,
                "e-lond": gain_evalue(steps.seen, noise),
            },
            real=gain > 0,
            large=(gain > np.nanmedian(steps.public_se)) & np.isfinite(steps.p_gain),
        )


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
    parser.add_argument(
        "--streams", type=Path, help="of competitions: false claims in their streams"
    )
    parser.add_argument("--write", action="store_true", help="put it into the page")
    given = parser.parse_args(arguments)
    if given.streams is not None:
        print(streams(given.streams))
        return
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
