"""How well are leaderboards read? Simulated boards whose truth is known.

    python -m benchmarks.boards                  # all tables
    python -m benchmarks.boards --rounds 20      # a quick look
    python -m benchmarks.boards --only speed     # or: shake-up, after, entrant

Every cell draws boards of one kind, size and noise; seeds from 12,000 on were not
looked at when anything was chosen.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from lbsense.analysis import analyze, analyze_board
from lbsense.analysis.noise import DISTINCT
from lbsense.ingest import read_leaderboard, read_leaderboards
from lbsense.model import History, Leaderboard, Submission
from lbsense.simulate import simulate_board
from lbsense.stats import (
    board_draws,
    expected_shake_up,
    mean_ranks,
    pair_noise,
    places,
    rank_sets,
    shake_up,
    shared_scores,
)

FIRST_SEED = 12_000
LIMIT = np.log(1.5)
KINDS = ("normal", "tail", "two kinds", "copies")
SIZES = (100, 500, 2_000)
NOISES = ((0.15, 0.65), (0.4, 0.65), (1.0, 1.5))


def one_board(kind: str, n: int, noise: float, ratio: float, seed: int) -> dict:
    """Return what was said of one board and what happened."""
    made = simulate_board(kind, n_teams=n, noise=noise, ratio=ratio, rng=seed)
    public, private = made.board.public, made.board.private
    groups = shared_scores(public)
    draws = board_draws(public, noise, ratio=ratio, groups=groups, rng=seed)
    found = expected_shake_up(draws)
    happened = shake_up(public, private)
    where = places(draws)
    true, last = mean_ranks(made.true), mean_ranks(private)
    sets = rank_sets(public, noise, rng=seed)
    low, high = marginal_sets(public, noise, seed)
    # Copies share one true place: an interval that holds any of theirs holds it.
    spread = (np.unique(made.true, return_counts=True)[1].max() - 1) / 2
    slack = spread if kind == "copies" else 0
    pairs = pair_noise(public, private, ratio=ratio)
    return {
        "kind": kind,
        "in80": found.low80 <= happened.statistic <= found.high80,
        "in95": found.low95 <= happened.statistic <= found.high95,
        "top95": found.top_low95 <= happened.top <= found.top_high95,
        "expected": found.expected,
        "happened": happened.statistic,
        "true": float(
            (
                (where.true_low - slack <= true) & (true <= where.true_high + slack)
            ).mean()
        ),
        "private": float(
            ((where.private_low <= last) & (last <= where.private_high)).mean()
        ),
        "together": bool(((sets.low <= true) & (true <= sets.high)).all()),
        "each": float(((low <= true) & (true <= high)).mean()),
        "width": float((where.true_high - where.true_low).mean() / n),
        "width_each": float((high - low).mean() / n),
        "width_together": float((sets.high - sets.low).mean() / n),
        "chance": where.p_bronze,
        "medal": last <= where.medals.bronze,
        "gold": where.p_gold,
        "has_gold": last <= where.medals.gold,
        "pairs": pairs.public_se / noise if pairs else np.nan,
    }


def marginal_sets(
    x: np.ndarray, noise: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sets of csranks for the rank of each team by itself.

    The bound depends on nothing but how many others are still open: it is found for
    some numbers of them, and read off between.
    """
    n, ordered = len(x), np.sort(x)
    n_draws = int(np.clip(2_000_000 // n, 200, 1000))
    error = noise * np.random.default_rng(seed).standard_normal((n_draws, n))
    top = np.maximum.accumulate(error[:, 1:], axis=1)
    bottom = np.minimum.accumulate(error[:, 1:], axis=1)
    own = error[:, [0]]
    sizes = np.unique(np.geomspace(1, n - 1, 60).astype(np.int64))
    largest = np.maximum(top[:, sizes - 1] - own, own - bottom[:, sizes - 1])
    bounds = np.maximum.accumulate(np.quantile(largest, 0.95, axis=0))
    left = np.full(n, n - 1)
    while True:
        bound = np.interp(left, sizes, bounds)
        above = n - np.searchsorted(ordered, x + bound, side="right")
        below = np.searchsorted(ordered, x - bound, side="left")
        new = np.minimum(left, n - 1 - above - below)
        if np.array_equal(new, left):
            return above + 1, n - below
        left = new


def cells() -> Iterator[tuple[str, int, float, float]]:
    for kind in KINDS:
        for n in SIZES:
            for noise, ratio in NOISES:
                yield kind, n, noise, ratio


def calibration(rounds: int, jobs: int) -> None:
    print(
        "\n| board | teams | noise | expected / found | in 80% | in 95% | top in 95% "
        "| true place 95% | after 80% | all at once 95% | each (csranks) | width: ours "
        "/ csranks | noise by pairs |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    whole: list[dict] = []
    for kind, n, noise, ratio in cells():
        count = max(8, rounds // 4) if n > 1_000 else rounds
        got = Parallel(n_jobs=jobs)(
            delayed(one_board)(kind, n, noise, ratio, FIRST_SEED + i)
            for i in range(count)
        )
        whole += got
        mean = {
            name: float(np.nanmean([item[name] for item in got]))
            for name in got[0]
            if np.ndim(got[0][name]) == 0 and name != "kind"
        }
        print(
            f"| {kind} | {n:,} | {noise} x{ratio} | {mean['expected']:.3f} / "
            f"{mean['happened']:.3f} | {mean['in80']:.2f} | {mean['in95']:.2f} | "
            f"{mean['top95']:.2f} | {mean['true']:.3f} | {mean['private']:.3f} | "
            f"{mean['together']:.2f} | {mean['each']:.3f} | {mean['width']:.2f} / "
            f"{mean['width_each']:.2f} | {mean['pairs']:.2f} |",
            flush=True,
        )
    print("\n| kind | in 80% | in 95% | top in 95% | slope of medals | of gold |")
    print("|---|---|---|---|---|---|")
    for kind in (*KINDS, "all"):
        part = [item for item in whole if kind in ("all", item["kind"])]
        shares = " | ".join(
            f"{np.mean([item[name] for item in part]):.3f}"
            for name in ("in80", "in95", "top95")
        )
        slopes = " | ".join(
            f"{_slope(part, chance, has):.2f}"
            for chance, has in (("chance", "medal"), ("gold", "has_gold"))
        )
        print(f"| {kind} | {shares} | {slopes} |")
    for name in ("together", "true", "private"):
        print(f"all: {name} {np.mean([item[name] for item in whole]):.3f}")


def _slope(boards: list[dict], chance: str, has: str) -> float:
    x = np.concatenate([item[chance] for item in boards])
    y = np.concatenate([item[has] for item in boards]).astype(float)
    return float(np.polyfit(x, y, 1)[0])


def one_pair(kind: str, n: int, noise: float, seed: int) -> dict:
    """Return what is said after the reveal, noise unknown."""
    made = simulate_board(kind, n_teams=n, noise=noise, rng=seed)
    found = analyze_board(made.board).result
    assert found.shake_up
    pairs, expected = found.pairs, found.expected
    return {
        "error": abs(expected.expected - found.shake_up.statistic),
        "by_law": abs(
            expected_shake_up(found.draws).expected - found.shake_up.statistic
        ),
        "in80": found.expected.low80
        <= found.shake_up.statistic
        <= found.expected.high80,
        "two": bool(pairs) and bool(pairs.two_stage),
        "noise": pairs.public_se / noise if pairs else np.nan,
        "verdict": found.verdict or "none",
    }


def after(rounds: int, jobs: int) -> None:
    print(
        "\n| board | teams | noise | mean absolute error of the expected shake-up / "
        "by deconvolution | in 80% | noise within 1.5 | two stages said | as much / "
        "more / less / none |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for kind in (*KINDS, "mixed", "two stages"):
        for n in (100, 500):
            for noise in (0.15, 0.5):
                got = Parallel(n_jobs=jobs)(
                    delayed(one_pair)(kind, n, noise, FIRST_SEED + i)
                    for i in range(rounds)
                )
                said = [item["verdict"] for item in got]
                shares = " / ".join(
                    f"{said.count(v) / len(said):.2f}"
                    for v in ("as much", "more", "less", "none")
                )
                print(
                    f"| {kind} | {n} | {noise} | "
                    f"{np.mean([g['error'] for g in got]):.3f} / "
                    f"{np.mean([g['by_law'] for g in got]):.3f} | "
                    f"{np.mean([g['in80'] for g in got]):.2f} | "
                    f"{np.mean([abs(np.log(g['noise'])) < LIMIT for g in got]):.2f} | "
                    f"{np.mean([g['two'] for g in got]):.2f} | {shares} |",
                    flush=True,
                )


def entrant(rounds: int) -> None:
    """Print how near the noise in an entrant's analysis lies to that of the board."""
    print("\n| board | within 1.5 | stated over true, 10% / median / 90% |")
    print("|---|---|---|")
    for kind in (*KINDS, "mixed"):
        ratios = []
        for i in range(rounds):
            size, noise = (100, 500)[i % 2], (0.15, 0.5)[i % 4 // 2]
            made = simulate_board(kind, n_teams=size, noise=noise, rng=FIRST_SEED + i)
            best = float(np.quantile(made.board.public, 0.9))
            history = History(
                competition=made.board.competition,
                submissions=tuple(
                    Submission(submission_id=f"s{k}", public_score=best - 1 + k)
                    for k in range(2)
                ),
            )
            found = analyze(history, board=made.board).noise
            ratios.append(found.score_se * np.sqrt(DISTINCT) / noise)
        ends = np.nanquantile(ratios, [0.1, 0.5, 0.9])
        near = np.mean(np.abs(np.log(ratios)) < LIMIT)
        told = " / ".join(f"{end:.2f}" for end in ends)
        print(f"| {kind} | {near:.2f} | {told} |", flush=True)


def write(board: Leaderboard, path: Path, kind: str, head: str = "") -> None:
    scores = getattr(board, kind)
    order = np.argsort(-scores, kind="stable")
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if not path.stat().st_size:
            names = "Rank,TeamId,TeamName,LastSubmissionDate,Score,SubmissionCount"
            writer.writerow([*(["competition"] if head else []), *names.split(",")])
        for place, i in enumerate(order, 1):
            row = [place, board.team_ids[i], board.team_names[i]]
            writer.writerow(
                [
                    *([head] if head else []),
                    *row,
                    "2026-07-01 10:00:00",
                    f"{scores[i]:.5f}",
                    7,
                ]
            )


def speed() -> None:
    print("\n| what | wall s | CPU s | peak MB |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        board = simulate_board("copies", n_teams=10_000, rng=1).board
        write(board, at / "public.csv", "public")
        write(board, at / "private.csv", "private")
        read_leaderboard(at / "public.csv")  # imports
        analyze_board(simulate_board(n_teams=100, rng=1).board)
        _timed(
            "board of 10,000 teams, public alone: read and analysed",
            lambda: analyze_board(read_leaderboard(at / "public.csv"), noise=0.3),
        )
        _timed(
            "board of 10,000 teams, both: read and analysed",
            lambda: analyze_board(
                read_leaderboard(at / "public.csv", at / "private.csv")
            ),
        )
        left, number = 593_689, 0
        while left:
            n = min(left, 2_000 + 500 * (number % 5))
            if left - n < 2:
                n = left
            part = simulate_board(n_teams=n, rng=number).board
            write(part, at / "many.csv", "public", f"competition-{number}")
            left, number = left - n, number + 1
        _timed(
            "593,689 rows of many boards: read",
            lambda: read_leaderboards(at / "many.csv"),
        )


def _timed(what: str, run) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"| {what} | {time.perf_counter() - wall:.2f} | "
        f"{time.process_time() - cpu:.2f} | {peak:.0f} |",
        flush=True,
    )


def main() -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=100, help="boards in each cell")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", choices=("shake-up", "after", "entrant", "speed"))
    given = parser.parse_args()
    if given.only in (None, "shake-up"):
        calibration(given.rounds, given.jobs)
    if given.only in (None, "after"):
        after(given.rounds, given.jobs)
    if given.only in (None, "entrant"):
        entrant(given.rounds)
    if given.only in (None, "speed"):
        speed()


if __name__ == "__main__":
    main()
