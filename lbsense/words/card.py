"""What another person needs to arrive at the same score, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lbsense._format import format_number, format_time, plural
from lbsense.model import Card, CardCheck, Experiment, InputFile

_LACKS = {
    "commit": "The version of the code is not known: run it in a repository of git.",
    "clean": "The code differed from the commit: commit it, and run it again.",
    "repository": "Where the code can be had is not known.",
    "command": "How it was run is not known: log it with its command.",
    "seeds": "No seed is known: set one, and log it.",
    "packages": "The versions of the packages are not known.",
    "data": "Which data it read is not known: log the files, for their digests.",
    "predictions": "The digest of what was submitted is not known: log the file.",
    "cv": "It has no CV score.",
    "reruns": "How far another run would land from this one is not known: run it once "
    "more with another seed, under the same name.",
    "public": "Its public score is not known.",
    "seconds": "How long it runs is not known.",
    "author": "Who made it is not stated.",
    "license": "Under which license it may be used is not stated.",
}


def card_lacks(card: Card) -> list[str]:
    """Return what is missing for another person, a sentence each."""
    return [_LACKS[name] for name in card.lacks]


def card_entries(card: Card) -> dict[str, list[str]]:
    """Return what is known, by the question that it answers."""
    entry, place = card.experiment, card.experiment.environment
    commit = f"Commit {place.commit}"
    if place.dirty is not None:
        commit += ", with changes" if place.dirty else ", without changes"
    machine = [
        f"{name}: {text}"
        for name, text in (
            ("System", place.system),
            ("CPU", f"{place.cpu}, {plural(place.n_cpus or 1, 'processor')}"),
            ("GPU", place.gpu or "none"),
        )
        if place.python is not None and text
    ]
    found = {
        "code": [commit if place.commit else "", place.repository or ""],
        "environment": [
            f"Python {place.python}" if place.python else "",
            f"{plural(len(place.packages), 'package')}, versions below"
            if place.packages
            else "",
        ],
        "hardware": machine,
        "command": [entry.command or ""],
        "seeds": [", ".join(map(str, entry.seeds))],
        "data": [_file(item) for item in entry.data],
        "result": [_file(item) for item in entry.predictions],
        "time": [_time(entry)],
        "validation": [_validation(entry)],
        "score": _scores(card),
        "reason": [entry.hypothesis or "", _from(entry)],
    }
    return {name: [text for text in told if text] for name, told in found.items()}


def _file(item: InputFile) -> str:
    return f"{item.name}, {item.n_bytes:,} bytes, SHA-256 {item.sha256}"


def _from(entry: Experiment) -> str:
    return "" if entry.parent is None else f"Made from {entry.parent}."


def _time(entry: Experiment) -> str:
    if entry.seconds is None:
        return ""
    return f"{entry.seconds:,.0f} s from {format_time(entry.started_at)} UTC"


def _validation(entry: Experiment) -> str:
    if entry.cv_score is None:
        return ""
    named = f" ({entry.cv_metric})" if entry.cv_metric else ""
    folds = ", ".join(map(format_number, entry.cv_fold_scores))
    told = f"CV {format_number(entry.cv_score)}{named}"
    return f"{told}; folds {folds}" if folds else told


def _scores(card: Card) -> list[str]:
    """Return the score to expect, and how far another run may land from it."""
    entry, told = card.experiment, []
    if entry.public_score is not None:
        told.append(f"Public score {format_number(entry.public_score, digits=7)}.")
    if entry.private_score is not None:
        told.append(f"Private score {format_number(entry.private_score, digits=7)}.")
    elif card.private_mean is not None:
        told.append(
            f"Private score to expect {format_number(card.private_mean)}, between "
            f"{format_number(card.private_low)} and "
            f"{format_number(card.private_high)} with 95%."
        )
    if card.next_low is not None:
        told.append(
            f"CV of {plural(len(card.reruns), 'run')} of the same code: "
            f"{', '.join(map(format_number, card.reruns))}; that of one more lies "
            f"between {format_number(card.next_low)} and "
            f"{format_number(card.next_high)} with 95%."
        )
    if card.public_se is not None:
        told.append(
            "Public scores of two runs differ with a standard error of "
            f"{format_number(card.public_se, digits=2)}, as repeats in the history "
            "show."
        )
    return told


def card_checked(checks: Sequence[CardCheck]) -> str:
    """Return what came of looking at this machine."""
    tally = Counter(item.status for item in checks)
    if not checks:
        return "Nothing is recorded that could be verified here."
    if tally["same"] == len(checks):
        return f"All {plural(len(checks), 'thing')} recorded are the same here."
    return (
        f"Of {plural(len(checks), 'thing')} recorded {tally['same']} are the same "
        f"here, "
        f"{tally['differs']} differ, {tally['absent']} are not here."
    )
