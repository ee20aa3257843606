"""Noise that a whole leaderboard tells, in the analysis of one entrant's history."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import lbsense as lb
from lbsense.model import Competition, History, Leaderboard, Submission
from lbsense.simulate import simulate_board
from lbsense.words import noise


def history(scores: np.ndarray, **facts: object) -> History:
    return History(
        competition=Competition(greater_is_better=True, **facts),  # type: ignore[arg-type]
        submissions=tuple(
            Submission(submission_id=f"s{i}", public_score=float(score))
            for i, score in enumerate(scores)
        ),
    )


@pytest.fixture(scope="module")
def board() -> Leaderboard:
    return simulate_board(n_teams=600, noise=0.2, rng=3).board


RISING = np.array([0.1, 0.5, 0.4, 0.9, 1.0, 3.0])


def test_board_tells_the_noise_where_nothing_else_does(board: Leaderboard) -> None:
    alone = lb.analyze(history(RISING))
    found = lb.analyze(history(RISING), board=board)
    assert np.isnan(alone.noise.score_se)
    assert alone.claims == "none"
    assert found.claims == "real"
    assert found.noise.n_board == 600
    # 0.2 is the part that teams do not share, an eighth of the variance.
    assert found.noise.score_se == pytest.approx(0.2 / np.sqrt(0.12), rel=0.25)
    assert found.noise.step_se_high > np.sqrt(2) * 0.2
    assert "600 teams on the leaderboard" in found.noise.basis
    assert "scores of 600 teams on the leaderboard tell" in " ".join(noise(found))


def test_lower_is_better_is_the_same_board_mirrored(board: Leaderboard) -> None:
    found = lb.analyze(history(RISING), board=board)
    low = replace(history(-RISING), competition=Competition(greater_is_better=False))
    down = replace(board, public=-board.public, private=-board.private)
    mirrored = lb.analyze(low, board=down)
    assert mirrored.noise.score_se == pytest.approx(found.noise.score_se)


def test_what_metric_and_sizes_tell_better_stays(board: Leaderboard) -> None:
    facts = {"metric": "accuracy", "test_size": 2000, "public_fraction": 0.3}
    part = history(0.5 + RISING / 10, **facts)
    scaled = replace(
        board, public=0.5 + board.public / 10, private=0.5 + board.private / 10
    )
    found, alone = lb.analyze(part, board=scaled), lb.analyze(part)
    assert found.noise.score_se == alone.noise.score_se
    assert found.noise.n_board == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda b: replace(b, private=np.full(len(b), np.nan)), "not known"),
        (lambda b: replace(b, public=100 + b.public), "on one scale"),
        (
            lambda b: replace(
                b, private=np.where(np.arange(len(b)) % 3, b.private, np.nan)
            ),
            "another test",
        ),
    ],
)
def test_a_board_that_tells_nothing_says_why(
    board: Leaderboard, change: object, told: str
) -> None:
    found = lb.analyze(history(RISING), board=change(board))  # type: ignore[operator]
    assert found.noise.n_board == 0
    assert told in " ".join(map(str, found.caveats))


@pytest.mark.parametrize("kind", ["tail", "copies", "mixed"])
def test_the_noise_is_that_of_the_board_within_half(kind: str) -> None:
    near = 0
    for seed in range(20):
        made = simulate_board(kind, n_teams=400, noise=0.3, rng=seed)
        best = float(np.quantile(made.board.public, 0.9))
        found = lb.analyze(history(np.array([best - 1, best])), board=made.board)
        ratio = found.noise.score_se * np.sqrt(0.12) / made.noise
        near += 1 / 1.5 < ratio < 1.5
    assert near >= 16


def test_no_board() -> None:
    with pytest.raises(TypeError, match="board"):
        lb.analyze(history(RISING), board="public.csv")  # type: ignore[arg-type]
