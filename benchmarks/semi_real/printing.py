"""Tables for the terminal: what is stated, what is true, what could be known."""

from __future__ import annotations

import math
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.semi_real.judging import QUESTIONS

__all__ = ["print_groups", "print_judged"]

#: What the oracle must read to know as much as each question gives.
SAME_SOURCES = {
    "foretold": "public and CV",
    "no_sizes": "public and CV",
    "hindsight": "public and private",
    "rescaled": "public and CV",
}
FIGURES = {
    "steps": ("steps",),
    "answered": ("answered",),
    "true gains": ("base",),
    "AUC": ("auc",),
    "skill": ("skill",),
    "slope": ("slope",),
    "interval 95%": ("interval95",),
    "progress: precision": ("progress", "precision"),
    "progress: recall": ("progress", "recall"),
    "setback: precision": ("setback", "precision"),
    "setback: recall": ("setback", "recall"),
}
OF_HISTORIES = {
    "private bands: 95%": ("private bands", "cover95"),
    "private bands: 80%": ("private bands", "cover80"),
    "private bands: best public, 95%": ("private bands", "best95"),
    "luck share of new bests, stated": ("luck", "stated"),
    "luck share of new bests, true": ("luck", "true"),
    "climb, stated over true": ("luck", "climb_stated_over_true"),
    "climb, public over true": ("luck", "climb_public_over_true"),
    "noise of a score, stated over true": ("noise", "score_noise", "median"),
    "  within a factor of 1.5": ("noise", "score_noise", "within_1.5"),
    "noise of a step, stated over true": ("noise", "step_noise", "median"),
    "  within a factor of 1.5 ": ("noise", "step_noise", "within_1.5"),
    "verdicts changed by rescaling CV": ("changed by rescaling CV",),
}


def print_judged(found: dict[str, Any], console: Console) -> None:
    """Print all figures, each question beside what could be known."""
    stated, best = found["stated"], found.get("ceiling", {})
    for question, source in SAME_SOURCES.items():
        if question not in stated:
            continue
        table = Table(title=f"{question}: {QUESTIONS[question]}", title_justify="left")
        table.add_column("")
        for name in ("stated", "who knows each step's noise", "who knows its median"):
            table.add_column(name, justify="right")
        for label, path in FIGURES.items():
            columns = [
                stated[question],
                *(best.get(n, {}).get(source, {}) for n in best),
            ]
            row = [_text(_at(column, path)) for column in columns]
            if any(row):
                table.add_row(label, *row)
        console.print(table)
    table = Table(title="of histories", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    for label, path in OF_HISTORIES.items():
        if text := _text(_at(stated, path)):
            table.add_row(label, text)
    for rule, value in stated.get("regret", {}).items():
        table.add_row(f"regret of two picks: {rule}", _text(value))
    console.print(table)


def print_groups(groups: dict[str, Any], by: str, console: Console) -> None:
    """Print the most telling figures of each group."""
    columns: dict[str, tuple[str, ...]] = {
        "AUC": ("foretold", "auc"),
        "skill": ("foretold", "skill"),
        "interval": ("foretold", "interval95"),
        "progress": ("foretold", "progress", "precision"),
        "recall": ("foretold", "progress", "recall"),
        "setback": ("foretold", "setback", "precision"),
        "recall ": ("foretold", "setback", "recall"),
        "band 95%": ("private bands", "cover95"),
        "score noise": ("noise", "score_noise", "median"),
        "step noise": ("noise", "step_noise", "median"),
    }
    table = Table(title=f"foretold, by {by}", title_justify="left")
    table.add_column(by)
    for name in columns:
        table.add_column(name, justify="right")
    for group, figures in groups.items():
        table.add_row(group, *(_text(_at(figures, path)) for path in columns.values()))
    console.print(table)


def _at(figures: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        figures = figures.get(name, {}) if isinstance(figures, dict) else {}
    return figures


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if isinstance(value, int):
        return str(value)
    return "" if math.isnan(value) else f"{value:.3f}"
