"""What another person needs to arrive at the same score, and whether it is here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lbsense.errors import IngestError
from lbsense.ingest import input_files, read_environment
from lbsense.ledger.record import find_experiment
from lbsense.model import (
    Card,
    CardCheck,
    Environment,
    Experiment,
    InputFile,
    Lack,
    Ledger,
)
from lbsense.stats import score_gap

_SEEDS = re.compile(r"(seeds?[= ])\d{1,18}\b", re.IGNORECASE)
_SHORT = 12  # characters of a digest that are shown


def make_card(
    ledger: Ledger,
    name: str,
    *,
    author: str | None = None,
    license: str | None = None,  # noqa: A002  the name that users look for
) -> Card:
    """Return the card of an experiment, and what it lacks.

    Parameters
    ----------
    ledger : Ledger
        What was tried.
    name : str
        Name or identifier of the experiment, reference or file of its submission.
    author, license : str, optional
        Who made it, and under which terms.

    Raises
    ------
    ValueError
        If there is no such experiment.

    Notes
    -----
    Runs of the same code are those of one name, or of one commit and one command,
    seeds aside. Where one more run lies is a t interval for the next of as many.
    """
    entry = find_experiment(ledger, name)
    runs = [item for item in ledger if item is entry or _is_rerun(item, entry)]
    scores = tuple(item.cv_score for item in runs if item.cv_score is not None)
    after = score_gap([0.0] * len(scores), scores) if len(scores) > 1 else None
    card = Card(experiment=entry, author=author, license=license, reruns=scores)
    if after is not None:
        card = replace(card, next_low=after.ci_low, next_high=after.ci_high)
    return replace(card, lacks=tuple(_lacks(card)))


def _is_rerun(item: Experiment, entry: Experiment) -> bool:
    if item.status == "failed":
        return False
    if item.name.casefold() == entry.name.casefold():
        return True
    commits = {item.environment.commit, entry.environment.commit}
    if None in commits or len(commits) > 1 or not (item.command and entry.command):
        return False
    bare = {_SEEDS.sub(r"\1", text) for text in (item.command, entry.command)}
    return len(bare) == 1


def _lacks(card: Card) -> Iterator[Lack]:
    entry, place = card.experiment, card.experiment.environment
    known: dict[Lack, object] = {
        "commit": place.commit,
        "clean": place.commit is None or place.dirty is False,
        "repository": place.repository,
        "command": entry.command,
        "seeds": entry.seeds,
        "packages": place.packages,
        "data": entry.data,
        "predictions": entry.predictions,
        "cv": entry.cv_score,
        "reruns": len(card.reruns) > 1,
        "public": entry.public_score,
        "seconds": entry.seconds,
        "author": card.author,
        "license": card.license,
    }
    for name, value in known.items():
        if value is None or value is False or value in ((), {}):
            yield name


def check_card(entry: Experiment, folder: Path | None = None) -> list[CardCheck]:
    """Return what can be verified of an experiment on this machine.

    Parameters
    ----------
    entry : Experiment
        As the ledger has it.
    folder : Path, optional
        Where its code and files are; the working folder by default.

    Returns
    -------
    list of CardCheck
        Commit, Python, packages, system, hardware, and every file by its digest.
    """
    place = Path.cwd() if folder is None else folder
    now = read_environment(place)
    found = [*_surroundings(entry.environment, now)]
    for kind, files in (("data", entry.data), ("predictions", entry.predictions)):
        found += [_file(kind, item, place) for item in files]
    return found


def _surroundings(then: Environment, now: Environment) -> Iterator[CardCheck]:
    if then.commit is not None:
        yield _compared("commit", then.commit, now.commit)
        yield _compared("code as committed", _state(then.dirty), _state(now.dirty))
    for name in ("python", "system", "cpu", "gpu"):
        recorded = getattr(then, name)
        if recorded is not None:
            yield _compared(name, recorded, getattr(now, name))
    for name, version in then.packages.items():
        yield _compared(f"package {name}", version, now.packages.get(name))


def _state(dirty: bool | None) -> str:
    return "unknown" if dirty is None else "no" if dirty else "yes"


def _compared(what: str, recorded: str, found: str | None) -> CardCheck:
    status = "absent" if found is None else "same" if found == recorded else "differs"
    return CardCheck(
        what=what,
        status=status,  # type: ignore[arg-type]
        recorded=recorded,
        found=found or "not here",
    )


def _file(kind: str, item: InputFile, place: Path) -> CardCheck:
    """Compare a file, which is looked for by its path and then by its name."""
    name = Path(item.name)
    inside = not name.is_absolute() and ".." not in name.parts
    tried = [place / name] * inside + [place / name.name]
    path = next((path for path in tried if path.is_file()), None)
    found = None
    if path is not None:
        try:
            found = input_files([path])[0].sha256
        except IngestError:
            found = None
    told = _compared(f"{kind} {item.name}", item.sha256, found)
    return replace(told, recorded=told.recorded[:_SHORT], found=told.found[:_SHORT])
