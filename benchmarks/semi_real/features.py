"""One competition's rows: split, coded for trees and for linear models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.semi_real.tables import Table, Target, load, target_values

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Data", "prepare"]

Floats = NDArray[np.float64]
N_LEVELS = 10  # levels of a category that get a column of their own in linear models
N_DERIVED = 8


@dataclass(frozen=True, eq=False)
class Data:
    """The rows of one competition; the first ``n_train`` are the training set.

    Attributes
    ----------
    y : array of shape (n_rows,)
        The target of all rows.
    trees : array of shape (n_rows, n_features)
        One column a feature, for trees.
    linear : tuple of arrays
        The columns of each feature for linear models, standardised.
    names : tuple of str
        What each feature is.
    n_given : int
        The first features are columns of the table, the others are made from them.
    n_train, n_public, n_private : int
        Sizes; all rows after these are the truth.
    fold : array of shape (n_train,)
        The fold of each training row.
    """

    y: Floats
    trees: NDArray[np.float32]
    linear: tuple[NDArray[np.float32], ...]
    names: tuple[str, ...]
    n_given: int
    n_train: int
    n_public: int
    n_private: int
    fold: NDArray[np.intp]
    binary: bool

    def __post_init__(self) -> None:
        for array in (self.y, self.trees, self.fold, *self.linear):
            array.setflags(write=False)

    @property
    def public(self) -> slice:
        """Rows of the public set, among those after the training set."""
        return slice(0, self.n_public)

    @property
    def private(self) -> slice:
        """Rows of the private set, among those after the training set."""
        return slice(self.n_public, self.n_public + self.n_private)

    @property
    def truth(self) -> slice:
        """Rows that nobody selects by, among those after the training set."""
        return slice(self.n_public + self.n_private, len(self.y) - self.n_train)


def prepare(
    table: Table,
    target: Target,
    rng: np.random.Generator,
    *,
    sizes: tuple[int, int, int],
    max_truth: int,
    n_folds: int,
) -> Data:
    """Draw the rows and code the features.

    Parameters
    ----------
    table, target : Table, Target
        Where the rows come from and what is foretold.
    rng : numpy.random.Generator
        Draws the rows, the folds and the features that are made.
    sizes : tuple of int
        Rows of the training, public and private set.
    max_truth : int
        At most so many of the other rows are the truth.
    n_folds : int
        Folds of the cross-validation.
    """
    frame = load(table.name)
    y = target_values(frame, target)
    usable = np.flatnonzero(np.isfinite(y))
    rows = rng.permutation(usable)[: sum(sizes) + max_truth]
    frame = frame.iloc[rows].reset_index(drop=True)
    unused = {target.column, *target.gives_away, *table.ids}
    frame = frame[[c for c in frame.columns if c not in unused]]
    columns: dict[str, Floats] = {}
    categories: set[str] = set()
    for name in frame.columns:
        codes, is_category = _coded(frame[name])
        columns[name] = codes
        if is_category:
            categories.add(name)
    n_given = len(columns)
    columns |= _derived(columns, categories, rng)
    return Data(
        y=y[rows],
        trees=np.stack([c.astype(np.float32) for c in columns.values()], axis=1),
        linear=tuple(_block(c, n in categories) for n, c in columns.items()),
        names=tuple(columns),
        n_given=n_given,
        n_train=sizes[0],
        n_public=sizes[1],
        n_private=sizes[2],
        fold=rng.permutation(np.arange(sizes[0]) % n_folds),
        binary=target.binary,
    )


def _coded(column: pd.Series) -> tuple[Floats, bool]:
    # Numbers with the median where they miss; levels by how frequent they are.
    kind = column.dtype.kind
    if kind in "biuf":
        values = column.to_numpy(float)
        known = values[np.isfinite(values)]
        middle = float(np.median(known)) if len(known) else 0.0
        return np.where(np.isfinite(values), values, middle), False
    text = column.astype(str)
    if text.str.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d").mean() > 0.9:
        clock = (
            text.str.slice(11, 13).astype(float)
            + text.str.slice(14, 16).astype(float) / 60
        )
        return clock.to_numpy(float), False
    order = {level: k for k, level in enumerate(text.value_counts().index)}
    return text.map(order).to_numpy(float), True


def _derived(
    columns: dict[str, Floats], categories: set[str], rng: np.random.Generator
) -> dict[str, Floats]:
    # Products, ratios, logarithms, counts of levels, means within a level.
    numbers = [n for n in columns if n not in categories and np.ptp(columns[n]) > 0]
    groups = [n for n in columns if 1 < len(np.unique(columns[n])) <= len(columns[n])]
    made: dict[str, Floats] = {}
    for _ in range(4 * N_DERIVED):
        if len(made) == N_DERIVED or not numbers:
            break
        how = rng.choice(["product", "ratio", "log", "count", "mean"])
        a, b, g = rng.choice(numbers), rng.choice(numbers), rng.choice(groups)
        level = np.unique(columns[g], return_inverse=True)[1]
        if how == "product" and a != b:
            made[f"{a} * {b}"] = columns[a] * columns[b]
        elif how == "ratio" and a != b:
            made[f"{a} / {b}"] = columns[a] / (np.abs(columns[b]) + 1)
        elif how == "log":
            made[f"log {a}"] = np.log1p(np.abs(columns[a]))
        elif how == "count":
            made[f"count of {g}"] = np.bincount(level)[level].astype(float)
        elif how == "mean" and a != g:
            mean = np.bincount(level, columns[a]) / np.bincount(level)
            made[f"mean {a} by {g}"] = mean[level]
    return made


def _block(values: Floats, is_category: bool) -> NDArray[np.float32]:
    if is_category:
        n = int(min(N_LEVELS, values.max() + 1))
        block = (values[:, None] == np.arange(n)).astype(float)
    else:
        block = values[:, None]
    spread = block.std(axis=0)
    block = (block - block.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return np.clip(block, -6, 6).astype(np.float32)
