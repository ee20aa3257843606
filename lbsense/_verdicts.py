"""The nine verdicts of a step: what each means, why it is given, and what to do.

The one text of terminal, page, notebook and documentation; without numbers, and so
light that `lbsense explain guess` loads nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FALSE_CLAIMS", "VERDICTS", "VERDICT_TINTS", "VerdictText"]

#: Of the claims of a gain or a loss, as long as the list is.
FALSE_CLAIMS = "about one in ten is expected to be false"


@dataclass(frozen=True, slots=True)
class VerdictText:
    """What one verdict means.

    Attributes
    ----------
    short : str
        In a few words, as a legend has it.
    meaning : str
        In a sentence.
    why : str
        When it is given.
    wrong : str
        When it is wrong.
    remedy : str
        What to do then.
    """

    short: str
    meaning: str
    why: str
    wrong: str
    remedy: str


#: Verdict -> what it means, in the order in which people ask.
VERDICTS: Mapping[str, VerdictText] = {
    "progress": VerdictText(
        "a real gain",
        "A real gain: luck does not explain it.",
        "Public score and CV together got better by more than chance can do. It is "
        "clear from a probability of 95% on, and likely below that.",
        f"Of such claims {FALSE_CLAIMS}; more if CV leaks.",
        "Build on it.",
    ),
    "guess": VerdictText(
        "a difference that chance can make",
        "Chance alone can make a difference of this size.",
        "What was measured is no larger than what two equal submissions can differ by.",
        "The change may still be good or bad: this board and this CV cannot show it.",
        "Do not count it as a gain. Keep it if CV over more folds or seeds likes it.",
    ),
    "chasing": VerdictText(
        "better in public, against a CV that has earned trust",
        "The public score got better, and CV, which has earned trust, says it should "
        "not have.",
        "CV has followed the leaderboard so far, and this time it got worse or stood "
        "still.",
        "Where the change helps on test rows alone, such as a shift between train and "
        "test.",
        "Do not select it for its public score.",
    ),
    "setback": VerdictText(
        "a real loss",
        "A real loss: bad luck does not explain it.",
        "Public score and CV together got worse by more than chance can do.",
        f"Of such claims {FALSE_CLAIMS}.",
        "Go back to what came before; a single model or an ablation that is set aside "
        "is no fault.",
    ),
    "repeat": VerdictText(
        "the same content again",
        "The same content again: any difference is pure noise.",
        "It has the digest, every score or the own word of an earlier one.",
        "Where two files happen to score the same to the last digit.",
        "Read the difference as a free measurement of noise.",
    ),
    "probe": VerdictText(
        "a measurement, no model",
        "A measurement of the leaderboard, not a model.",
        "By its own name it holds one value for all rows, or is a probe.",
        "Where a model is called so.",
        "Nothing: it is left out of the list of gains.",
    ),
    "unscored": VerdictText(
        "no score",
        "It failed, is pending, or shows no score.",
        "The platform gave it no public score.",
        "Where the score stands in a column that was not read.",
        "Nothing can be learned from it before it has a score.",
    ),
    "baseline": VerdictText(
        "the first one: nothing before it",
        "The first scored one: there is nothing to compare it with.",
        "It begins the history, or a branch of it.",
        "Where older submissions are missing from the export.",
        "Nothing.",
    ),
    "unknown": VerdictText(
        "real or chance, too little is known",
        "Real or chance: what was given cannot tell.",
        "Nothing says how large chance is here, or the evidence points to one side and "
        "not clearly enough.",
        "It claims nothing.",
        "Give what the answer asks for: CV scores most of all.",
    ),
}

#: Verdict -> the colour behind its word, to be read on light and on dark.
VERDICT_TINTS: Mapping[str, str] = {
    "progress": "rgba(0,160,110,.28)",
    "guess": "rgba(220,170,30,.28)",
    "chasing": "rgba(200,70,150,.28)",
    "setback": "rgba(220,90,20,.28)",
    "repeat": "rgba(50,140,210,.25)",
    "probe": "rgba(100,100,220,.25)",
    "unscored": "rgba(128,128,128,.12)",
    "baseline": "rgba(128,128,128,.18)",
    "unknown": "rgba(128,128,128,.18)",
}
