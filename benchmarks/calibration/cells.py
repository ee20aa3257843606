"""The kinds of competition that are simulated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

__all__ = ["Cell", "grid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One kind of competition, and what the entrant kept of it."""

    # B: scores alone; D: out-of-fold predictions too; F: files that were sent
    level: str
    world: str
    policy: str
    n_public: int
    n_submissions: int
    null_fraction: float | None = None  # only where the world has true steps of its own
    cv_noise: float = 0.0
    parents: str = "declared"

    @property
    def name(self) -> str:
        """Return what identifies the cell, words apart by blanks."""
        words = [self.level, self.world, self.policy, f"n{self.n_public}"]
        words.append(f"k{self.n_submissions}")
        if self.null_fraction is not None:
            words.append(f"null{self.null_fraction}")
        if self.cv_noise:
            words.append(f"cv{self.cv_noise}")
        if self.parents != "declared":
            words.append(self.parents)
        return " ".join(words)

    def options(self) -> dict[str, Any]:
        """Return the options of `lbsense.simulate.simulate`."""
        options: dict[str, Any] = {
            "world": self.world,
            "policy": self.policy,
            "n_public": self.n_public,
            "n_private": 6000,
            "n_train": 4000,
            "n_submissions": self.n_submissions,
            "parents": self.parents,
        }
        if self.world == "gaussian":
            options |= {"step_size": 0.1, "cv_noise": self.cv_noise}
            options["null_fraction"] = self.null_fraction
        return options


def grid(*, quick: bool = False) -> Iterator[Cell]:
    """Yield all cells, or a sixth of them that touches every factor."""
    levels = ("B", "D")
    policies = ("public", "cv", "both")
    sizes = (500, 1000, 4000, 20_000)
    lengths = (10, 40, 150)
    nulls = (0.3, 0.6, 0.9, 1.0)
    for level, policy, n_public, length, null in product(
        levels, policies, sizes, lengths, nulls
    ):
        place = policies.index(policy) + sizes.index(n_public) + nulls.index(null)
        if quick and (length != 40 or place % 2):
            continue
        yield Cell(
            level=level, world="gaussian", policy=policy, n_public=n_public,
            n_submissions=length, null_fraction=null,
        )  # fmt: skip
    for level, policy, n_public, length in product(levels, policies, sizes, lengths):
        if quick and length != 40:
            continue
        yield Cell(
            level=level, world="trained", policy=policy, n_public=n_public,
            n_submissions=length,
        )  # fmt: skip
    for world, policy, n_public in product(("gaussian", "trained"), policies, sizes):
        if quick and n_public not in (1000, 4000):
            continue
        yield Cell(
            level="F", world=world, policy=policy, n_public=n_public,
            n_submissions=40, null_fraction=0.6 if world == "gaussian" else None,
        )  # fmt: skip
    for cv_noise, null in product((0.003, 0.01), (0.6, 0.9)):
        yield Cell(
            level="B", world="gaussian", policy="both", n_public=4000,
            n_submissions=40, null_fraction=null, cv_noise=cv_noise,
        )  # fmt: skip
    for policy, null in product((*policies, "previous", "random"), (0.6,)):
        yield Cell(
            level="B", world="gaussian", policy=policy, n_public=4000,
            n_submissions=40, null_fraction=null, parents="withheld",
        )  # fmt: skip
