"""Simulated leaderboards of several kinds, with true scores, noise and copies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KINDS = ("normal", "tail", "two kinds", "copies", "two stages")


@dataclass(frozen=True)
class World:
    """A board: true scores, one public and one private score of every team."""

    true: np.ndarray
    public: np.ndarray
    private: np.ndarray
    noise: float
    ratio: float

    @classmethod
    def of(
        cls,
        kind: str,
        *,
        n_teams: int,
        noise: float,
        ratio: float = 0.65,
        seed: int = 0,
    ) -> World:
        """Return a board.

        ``normal``: true scores are normal. ``tail``: half of a t law with 1.5 degrees
        of freedom, so that the worst scores are absurd. ``two kinds``: a crowd at the
        top and a wide rest. ``copies``: a third of the teams submitted one of twelve
        notebooks, some with a tweak. ``two stages``: the private board is another test
        set, on which true scores differ and a fifth of the teams failed.
        """
        rng = np.random.default_rng([seed, n_teams, KINDS.index(kind)])
        n = n_teams
        label = np.arange(n)
        true = rng.normal(size=n)
        if kind == "tail":
            true = -0.7 * np.abs(rng.standard_t(1.5, size=n))
        elif kind == "two kinds":
            crowd = rng.random(n) < 0.4
            true = np.where(crowd, rng.normal(0, 0.15, n), rng.normal(-2, 0.8, n))
        elif kind == "copies":
            of_it = rng.random(n) < 1 / 3
            share = rng.dirichlet(np.ones(12))
            label = np.where(of_it, n + rng.choice(12, n, p=share), label)
            true = rng.normal(size=n + 12)[label]
        _, group = np.unique(label, return_inverse=True)
        shared = rng.normal(size=(2, group.max() + 1))[:, group]
        tweaked = (rng.random(n) < 0.2) & (label >= n)
        own = np.where(tweaked, 0.1 * noise, 0.0) * rng.normal(size=(2, n))
        public = true + noise * shared[0] + own[0]
        elsewhere = true
        if kind == "two stages":
            elsewhere = 0.6 * true + rng.normal(0, 0.8, n)
        private = elsewhere + ratio * (noise * shared[1] + own[1])
        if kind == "two stages":
            failed = rng.random(n) < 0.2
            private = np.where(failed, private.min() - 1, private)
        return cls(true, np.round(public, 5), np.round(private, 5), noise, ratio)
