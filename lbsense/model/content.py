"""What the names of a submission say that its file holds, where it is no model."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from lbsense._format import clean_text
from lbsense.model.identity import file_stem

# "linear probe" is a model, "probe set" are data, a "negative probe" is an experiment:
# the word alone says nothing of the leaderboard.
_BOARD = r"(?:lb|leader[ _-]?board|(?:test[ _-])?labels?)"
_PROBE = re.compile(
    rf"\b{_BOARD}[ _-]?prob(?:e|es|ing)\b"
    rf"|\bprob(?:e|ing)[ _-](?:the[ _-])?{_BOARD}\b"
    r"|\bprobe[ _-](?:rows?|ids?|index|segment|slice|class|prior|base[ _-]rate)\b"
    r"|^\W*probe[ _#-]*\d*\W*$",
    re.IGNORECASE,
)
_VALUE = r"(?:zeros?|ones?|0s|1s|[01]|\d*\.\d+|nan|the[ ]same[ ]value)"
_ONE_VALUE = re.compile(
    rf"""
    ^\W*(?:(?:lb|leaderboard)[ _-])?
    (?:probe\W+|baseline\W+|submi\w+\W+(?:of\W+|with\W+)?|predict\w*\W+|test\W+)?
    (?:
        (?:all|only|just|every(?:thing|[ ]row)?)
            (?:[ ](?:rows?|predictions?|targets?|labels?))?
            (?:[ _-]|\W+(?:are|is|set[ ]to|to|=)\W+|\W*=\W*){_VALUE}
        | (?:zeros|ones)
        | const(?:ant)?(?:[ ](?:prediction|value|score|submission|file|baseline))?s?
            (?:[ ]of)?\W*{_VALUE}
    )
    (?= \W*$ | \W*[,;:|()] | [ ][+-]
        | [ ](?:baseline|submission|prediction|probe|everywhere|for)\b)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NEUTRAL_LIST = """
    probe probes probing all sub subs submission submissions test pred preds prediction
    predictions baseline const constant value lb only just my file the"""
_NEUTRAL = frozenset(_NEUTRAL_LIST.split())
_CONSTANT = {"zeros", "zeroes", "ones", "allzeros", "allones", "0s", "1s"}


class StatedContent(NamedTuple):
    """What the names say: the kind of content, and the words that say it."""

    kind: Literal["one value", "probe"]
    words: str


def stated_content(
    description: str | None, file_name: str | None
) -> StatedContent | None:
    """Return what a submission says that it holds, where that is no model.

    Parameters
    ----------
    description, file_name : str or None
        As the entrant gave them.

    Returns
    -------
    StatedContent or None
        "one value" for a file of zeros, of ones or of another constant; "probe" for one
        that is called a probe of the leaderboard or of its labels.

    Examples
    --------
    >>> stated_content(None, "probe_const_0.10.csv")
    StatedContent(kind='one value', words='probe_const_0.10')
    >>> stated_content("negative probe, smaller lexicon", "c.csv") is None
    True
    """
    text, stem = clean_text(description or ""), clean_text(file_stem(file_name or ""))
    if _ONE_VALUE.search(text):
        return StatedContent("one value", text)
    if _names_one_value(stem):
        return StatedContent("one value", stem)
    for given in (text, stem.replace("_", " ")):
        found = _PROBE.search(given)
        if found is not None:
            return StatedContent("probe", found.group().strip())
    return None


def _names_one_value(stem: str) -> bool:
    """Say whether the name of a file is that of a constant and nothing else."""
    parts = [part for part in re.split(r"[_\-\s]+", stem.casefold()) if part]
    left = [part for part in parts if part not in _NEUTRAL]
    if len(left) != 1:
        return False
    spelt = left[0] in _CONSTANT or (left[0] in ("zero", "one") and "all" in parts)
    number = re.fullmatch(r"(?:const|constant|all)?(?:\d*\.\d+|0p\d+|[01])", left[0])
    stated = {"const", "constant", "all"} & {*parts} or re.match("const|all", left[0])
    return spelt or (number is not None and bool(stated))
