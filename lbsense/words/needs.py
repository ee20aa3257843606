"""What would supply a result that is missing, said to whoever reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from lbsense._result import Caveat, Missing

#: Who reads: a user of Python, a user of the terminal, or anyone who has a page.
Reader: TypeAlias = Literal["python", "terminal", "page"]


class _Need(NamedTuple):
    """One need as a page says it, and where Python and the shell have a name for it."""

    page: str
    python: str = ""
    terminal: str = ""
    brief: str = ""  # on a line of a terminal that names several

    def to(self, reader: Reader) -> str:
        return getattr(self, reader) or self.page


#: Need by its name. An empty text is one that the reason of a result says already.
NEEDS: Mapping[str, _Need] = {
    "metric": _Need("the metric", terminal="--metric"),
    "test_size": _Need("the number of test rows", "test_size", "--test-size"),
    "public_fraction": _Need(
        "the share of them that is public", "public_fraction", "--public-fraction"
    ),
    "train_size": _Need("the number of training rows", "train_size", "--train-size"),
    "direction": _Need(
        "the metric, or whether higher or lower is better",
        "the metric (metric='roc_auc'), or greater_is_better=True or False",
        "the metric (--metric roc_auc), or --higher-is-better or --lower-is-better",
        brief="--metric",
    ),
    "cv": _Need("CV scores"),
    "cv_usable": _Need(
        "CV scores that follow the leaderboard", brief="CV that follows the board"
    ),
    "cv_pairs": _Need("CV scores for at least 5 steps", brief="CV of 5 steps"),
    "cv_direction": _Need(
        "the direction of the CV metric where it does",
        "cv_greater_is_better where it does",
        "--cv-better where it does",
    ),
    "predictions": _Need("predictions"),
    "oof": _Need(
        "out-of-fold predictions",
        "out-of-fold predictions (analyze(history, predictions))",
        "out-of-fold predictions (--predictions)",
        brief="--predictions",
    ),
    "ledger": _Need("a ledger of what was tried and why", terminal="--ledger"),
    "expectations": _Need("the gain that you expect, for at least 3 steps"),
    "private": _Need(""),
    "fewer_submissions": _Need(""),
}
#: What is given in one go.
_TOGETHER = ("metric", "test_size", "public_fraction", "train_size")


def asked(need: Iterable[str], reader: Reader) -> list[str]:
    """Return what to ask for, a few words each."""
    words = (NEEDS[name].to(reader) for name in need)
    return [text for text in words if text]


def briefly(need: Iterable[str]) -> list[str]:
    """Return what to ask for in a terminal in the fewest words."""
    return [NEEDS[name].brief or NEEDS[name].to("terminal") for name in need]


def listed(names: Sequence[str]) -> str:
    """Return names as people list them."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def ask(need: Iterable[str], reader: Reader) -> str:
    """Return what to ask for as one list: all of the facts, or one of the rest."""
    names = tuple(need)
    facts = asked((name for name in names if name in _TOGETHER), reader)
    rest = " or ".join(asked((n for n in names if n not in _TOGETHER), reader))
    if rest:
        return ", ".join([*facts, f"or {rest}"]) if facts else rest
    return listed(facts)


def asked_in_order(need: Iterable[str], reader: Reader) -> list[str]:
    """Return what to ask for in the order given, facts given in one go together."""
    groups: list[list[str]] = []
    for name in need:
        if groups and name in _TOGETHER and groups[-1][-1] in _TOGETHER:
            groups[-1].append(name)
        else:
            groups.append([name])
    return [ask(group, reader) for group in groups]


def tell(missing: Missing | Caveat, reader: Reader) -> str:
    """Return why a result is missing or weak, and what would help."""
    wanted = ask(missing.need, reader)
    is_whole = missing.reason.endswith((".", "?"))
    if not wanted:
        return missing.reason if is_whole else f"{missing.reason}."
    if is_whole:
        return f"{missing.reason} Give {wanted}."
    return f"{missing.reason}: give {wanted}."


def why(result: object, reader: Reader, otherwise: str = "") -> str:
    """Return why a result is missing; ``otherwise`` where it is there."""
    return tell(result, reader) if isinstance(result, Missing) else otherwise
