"""Which submission a log entry speaks of: references, experiment ids, file stems."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from lbsense.ingest.log.runs import LogRun
from lbsense.model import Submission, file_stem

__all__ = ["NOBODY", "SHARED", "TAKEN", "match_runs"]

_WORD = re.compile(r"[^\W_](?:[\w.#-]*[^\W_])?")
_PIECE = re.compile(r"[_-]")
_NUMBERED = re.compile(
    r"(?<![^\W_])(?P<prefix>[^\W\d_]{1,20})[_#-]?(?P<number>[0-9]{1,8})"
    r"(?P<suffix>[a-z]?)(?![^\W_]|\.[0-9])",
    re.IGNORECASE,
)
# "exp 12" and "run #3" name an experiment; "lr 12" does not.
_SPACED = re.compile(
    r"(?<![^\W_])(?P<prefix>exp|experiment|run|version|ver|v|trial)\.?[ #]{1,2}"
    r"(?P<number>[0-9]{1,8})(?P<suffix>[a-z]?)(?![^\W_]|\.[0-9])",
    re.IGNORECASE,
)
_SAME_PREFIX = {"experiment": "exp", "version": "v", "ver": "v"}
_MAX_PIECES = 6
_MAX_BREAKS = 40
_MAX_TEXT = 4000

NOBODY = "a name that stands in the texts of one submission"
SHARED = "a name that only one entry and one submission have"
TAKEN = "a submission that no other entry is joined to"


def match_runs(
    submissions: Sequence[Submission], runs: Sequence[LogRun]
) -> tuple[dict[int, LogRun], list[tuple[LogRun, str]]]:
    """Return the run of each submission, and each run left over with the reason.

    Three ways are tried, the surest first. A key that two runs or two submissions
    have is not used; nor is one key against another.
    """
    matches: dict[int, LogRun] = {}
    left = dict.fromkeys(range(len(runs)), NOBODY)
    for keys_of_run, keys_of_submission in _WAYS:
        places = _places(submissions, keys_of_submission)
        keys = [set(keys_of_run(run)) for run in runs]
        uses = Counter(key for found in keys for key in found)
        claims: dict[int, list[int]] = defaultdict(list)
        for number in left:
            known = [key for key in keys[number] if key in places]
            sure = {
                next(iter(places[key]))
                for key in known
                if uses[key] == 1 and len(places[key]) == 1
            }
            if len(sure) == 1:
                claims[sure.pop()].append(number)
            elif known:
                left[number] = SHARED
        for place, numbers in claims.items():
            if place not in matches and len(numbers) == 1:
                matches[place] = runs[numbers[0]]
                del left[numbers[0]]
            else:
                left.update(dict.fromkeys(numbers, TAKEN))
    return matches, [(runs[number], reason) for number, reason in left.items()]


def _places(
    submissions: Sequence[Submission], keys_of: Callable[[Submission], Iterable[str]]
) -> dict[str, set[int]]:
    places: dict[str, set[int]] = defaultdict(set)
    for place, item in enumerate(submissions):
        for key in keys_of(item):
            places[key].add(place)
    return places


# --- the three ways ------------------------------------------------------------------


def _run_references(run: LogRun) -> Iterator[str]:
    return (key.lower() for key in run.references)


def _submission_reference(item: Submission) -> Iterator[str]:
    yield item.submission_id.strip().lower()


def _run_names(run: LogRun) -> Iterator[str]:
    """Yield the forms in which texts may name a run.

    A single word without a digit is no name of a run: "lgbm" says too little.
    """
    for name in run.experiments:
        plain = name.lower()
        numbered = _NUMBERED.fullmatch(plain) or _SPACED.fullmatch(plain)
        if numbered is not None:
            yield _numbered_form(numbered)
        elif _WORD.fullmatch(plain) and not plain.replace(".", "").isdigit():
            compound = len(plain) >= 6 and _PIECE.search(plain) is not None
            if compound or any(char.isdigit() for char in plain):
                yield plain


def _submission_names(item: Submission) -> set[str]:
    """Return every word of a submission's texts that may be the name of a run."""
    names: set[str] = set()
    for text in (item.description, item.file_name):
        text = (text or "")[:_MAX_TEXT]
        for pattern in (_NUMBERED, _SPACED):
            names.update(_numbered_form(match) for match in pattern.finditer(text))
        for match in _WORD.finditer(text.lower()):
            names.update(_parts(file_stem(match.group())))
    return names


def _numbered_form(match: re.Match[str]) -> str:
    """Return one form for "exp7", "EXP_007" and "exp 007"."""
    prefix = match["prefix"].lower()
    prefix = _SAME_PREFIX.get(prefix, prefix)
    return f"{prefix} {int(match['number'])}{match['suffix'].lower()}"


def _parts(word: str) -> Iterator[str]:
    """Yield a word and the parts of it that stand between hyphens and underscores."""
    yield word
    cuts = [match.start() for match in _PIECE.finditer(word)][:_MAX_BREAKS]
    starts, ends = [0, *(cut + 1 for cut in cuts)], [*cuts, len(word)]
    for first, start in enumerate(starts):
        for end in ends[first : first + _MAX_PIECES]:
            yield word[start:end]


def _run_files(run: LogRun) -> Iterator[str]:
    return (file_stem(name).lower() for name in (*run.files, *run.experiments))


def _submission_file(item: Submission) -> Iterator[str]:
    if item.file_name:
        yield file_stem(item.file_name).lower()


_WAYS: tuple[
    tuple[Callable[[LogRun], Iterable[str]], Callable[[Submission], Iterable[str]]], ...
] = (
    (_run_references, _submission_reference),
    (_run_names, _submission_names),
    (_run_files, _submission_file),
)
