"""Every check in the order of its code: to make them all, and to explain each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lbsense._result import Result
from lbsense._validation import check_kind
from lbsense._verdicts import VERDICTS
from lbsense.checks.agreement import AGREEMENT_CHECKS, OUTCOME_CHECKS
from lbsense.checks.finding import Check, Findings, Severity, Text
from lbsense.checks.probes import PROBE_CHECKS
from lbsense.checks.selection import SELECTION_CHECKS

if TYPE_CHECKING:
    from lbsense.analysis import Analysis
    from lbsense.model import Predictions

#: Code -> title and text.
DATA_TEXTS: Mapping[str, tuple[str, Text]] = {
    "LBS101": (
        "The export may be truncated",
        Text(
            "Older submissions are probably missing.",
            "The export has exactly 20, 50 or 200 rows: a full page.",
            "If you made exactly that many submissions.",
            "Export again with a larger page, or give all pages together.",
        ),
    ),
    "LBS102": (
        "Two metrics or scales on one board",
        Text(
            "Differences between the two groups of public scores mean nothing.",
            "The public scores fall into two groups, ten times or more apart.",
            "Where broken submissions are that far off; one alone is never taken for a "
            "second group.",
            "Give each metric a file of its own.",
        ),
    ),
    "LBS103": (
        "Public and private scores are equal",
        Text(
            "One score is shown twice, so that nothing follows from the difference.",
            "On every submission that has both (at least three) they are the same.",
            "Hardly ever.",
            "Export again after the close, or leave the private column out.",
        ),
    ),
    "LBS104": (
        "Scores are too coarse",
        Text(
            "Most changes do not show in the public score.",
            "More than half of the steps left it exactly as it was.",
            "Where you sent the same predictions again and again.",
            "Judge by CV; the public score has few rows or few decimals.",
        ),
    ),
    "LBS105": (
        "Duplicate submissions",
        Text(
            "Some submissions are one model sent again, not independent trials.",
            "They share a digest, or every score to the last digit, or a description "
            "says which one was sent again.",
            "Where two models happen to score the same on all sides.",
            "Nothing: repeats are kept apart, and measure the noise of a re-run.",
        ),
    ),
    "LBS106": (
        "Complete without a score",
        Text(
            "Some submissions count as complete and show no score.",
            "The status says complete, the score cells are blank.",
            "On boards that hide scores on purpose.",
            "Look them up on the site; they are kept and not judged.",
        ),
    ),
    "LBS107": (
        "Private may cover the public rows",
        Text(
            "On old Zindi competitions (2018-19) the private score is that of all "
            "rows, which makes it more certain.",
            "A Zindi history, and nobody said how the rows overlap.",
            "On newer competitions public and private rows are separate.",
            "Read the rules; say nested=True (--nested) if they overlap.",
        ),
    ),
    "LBS108": (
        "CV scheme or metric changed",
        Text(
            "CV scores before and after are not comparable.",
            "Descriptions name different validations, or CV scores form two groups far "
            "apart.",
            "Where only the wording changed.",
            "See LBS204, the finding that follows from it.",
        ),
    ),
    "LBS109": (
        "Dates need a look",
        Text(
            "The order of the submissions may be wrong, and with it what each is "
            "compared with.",
            "Dates are missing, in the future, in mixed zones, ambiguous in day and "
            "month, or not in the order of the rows.",
            "A file sorted by score is sorted again by date: no harm.",
            "Write dates as 2026-07-28 14:05 in UTC.",
        ),
    ),
    "LBS110": (
        "Extreme scores",
        Text(
            "A score is impossible for the metric, infinite, 0 among others that are "
            "not, or a hundred times the typical one.",
            "Platforms and people write such numbers for a failed submission.",
            "A truly broken submission may score so; then it is right to keep it.",
            "Blank the cell where the number stands for a missing score.",
        ),
    ),
    "LBS111": (
        "Rows or cells not understood",
        Text(
            "Part of the file was not read.",
            "A cell is no number, no date or no known status, or a row has other cells "
            "than the heading.",
            "Where the row is a total or a remark.",
            "All are listed in history.dropped, with file and line: correct them.",
        ),
    ),
    "LBS112": (
        "Public and private on different scales",
        Text(
            "Differences of public and private scores mean nothing here.",
            "Their median ratio is below a half or above two.",
            "Where the private data are very different: it is a shift then.",
            "Check that both columns are of one metric.",
        ),
    ),
    "LBS113": (
        "Log entries not joined",
        Text(
            "Some runs of the experiment log belong to no submission.",
            "Neither name, file nor time of the run points to exactly one submission.",
            "Runs that were never submitted are not joined, and should not be.",
            "Name the file or the submission in the log (columns=, --columns).",
        ),
    ),
    "LBS114": (
        "A score that may be public or private",
        Text(
            "Zindi fills one column called score with the public score before the "
            "close and with the private score after it.",
            "The only score column of the export has that name; it is read as public.",
            "Before the close, or in exports that have both columns.",
            "After the close pass columns={'private_score': 'score'} "
            "(--columns private_score=score).",
        ),
    ),
    "LBS115": (
        "A column that may be the CV score",
        Text(
            "CV scores may be in the file and are not used.",
            "Several columns could be the CV score and none names the metric, or the "
            "heading of the only one does not say that it is.",
            "Where the columns hold scores of single models, of training or of another "
            "metric.",
            "Name the column (columns=, --columns cv_score=NAME).",
        ),
    ),
    "LBS116": (
        "Scores in percent beside scores that are not",
        Text(
            "CV and public scores were written in two units; CV was brought to the "
            "unit of the public score.",
            "All scores of one kind are at most 1, all of the other lie between 1 and "
            "100, and they are a hundred times as large or so.",
            "Where the two are of different metrics.",
            "Write both in one unit.",
        ),
    ),
    "LBS117": (
        "Several tables that could be the history",
        Text(
            "The document holds more than one table of submissions with scores, and "
            "one of them was read as the history.",
            "The table that says most was taken: the most cells under known names in "
            "rows with a score.",
            "Where the history is another of the tables, or is in parts.",
            "Name the table by its number or its heading (table=, --table); 1,2 reads "
            "two as one history.",
        ),
    ),
    "LBS120": (
        "Facts from the catalogue",
        Text(
            "What was said about the competition was completed from a list of Kaggle's "
            "own facts, as of March 2022.",
            "The name of the competition is in the list, and a metric, a public share, "
            "a deadline or a number of selections was not given.",
            "Where the host changed the rules later.",
            "Compare it with the pages of the competition; say the metric, the share "
            "or the deadline where they differ.",
        ),
    ),
    "LBS121": (
        "The platform did not answer everything",
        Text(
            "The submissions were fetched, and something about it is not as it should "
            "be.",
            "A page was repeated, a question that can be done without was refused, the "
            "metric is not registered, or the clock of the machine is wrong.",
            "Where the platform has changed what it answers.",
            "Fetch again later; what is fetched twice is not counted twice.",
        ),
    ),
    "LBS125": (
        "A ledger that was read in part, or joins nothing",
        Text(
            "What was tried is not, or not wholly, known to the analysis.",
            "A line of the ledger is damaged or of a newer version, or none of its "
            "experiments is that of a submission by digest, reference, name or file.",
            "Where the ledger is that of experiments which were never submitted.",
            "Begin the description of a submission with the name of its experiment, or "
            "add the reference to the ledger (lbsense log --add-to NAME --ref "
            "REF); a damaged line may be mended or left as it is.",
        ),
    ),
}


#: Every check, in the order of its code.
CHECKS: tuple[Check, ...] = (
    *AGREEMENT_CHECKS,
    *SELECTION_CHECKS,
    *PROBE_CHECKS,
    *OUTCOME_CHECKS,
)


def run_checks(
    analysis: Analysis,
    predictions: Predictions | None = None,
    *,
    mute: Iterable[str] = (),
) -> Findings:
    """Return the findings of every check about one analysed history.

    Parameters
    ----------
    analysis : Analysis
        As `lbsense.analyze` gives it; it is not changed.
    predictions : Predictions, optional
        With the submitted files, some checks can look at what was sent.
    mute : iterable of str
        Codes that are known and accepted: they are still checked, and ``muted`` where
        they would be flagged.

    Returns
    -------
    Findings

    Raises
    ------
    ValueError
        If a code to mute is not that of a check.

    See Also
    --------
    explain : What a code means and what to do.

    Examples
    --------
    >>> from lbsense.analysis import analyze
    >>> from lbsense.simulate import Scenario, simulate
    >>> analysis = analyze(simulate(Scenario(null_fraction=1.0), rng=1).before_close())
    >>> findings = run_checks(analysis, mute=["LBS303"])
    >>> [item.code for item in findings if item.status == "muted"]
    ['LBS303']
    """
    from lbsense.analysis import Analysis
    from lbsense.model import Predictions

    check_kind(analysis, Analysis, name="analysis")
    check_kind(predictions, Predictions, name="predictions", optional=True)
    if not isinstance(mute, Iterable):
        check_kind(mute, str, name="mute")
    muted = {mute} if isinstance(mute, str) else set(mute)
    unknown = sorted(map(str, muted - {item.code for item in CHECKS}))
    if unknown:
        msg = (
            f"mute holds {', '.join(unknown)}, which no check has. Checks are "
            f"{', '.join(item.code for item in CHECKS)}."
        )
        raise ValueError(msg)
    return Findings(
        findings=tuple(
            item.finding(analysis, predictions, muted=item.code in muted)
            for item in CHECKS
        )
    )


_GROUPS = {
    "LBS1": "Data",
    "LBS2": "Agreement of CV and leaderboard",
    "LBS3": "Selection and adaptivity",
    "LBS4": "Outcome",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Result):
    """A code or a verdict in plain words.

    Attributes
    ----------
    code, title : str
        As in the finding or the data warning; of a verdict its word and meaning.
    severity : {"info", "notice", "warning"}
        How much it matters.
    meaning : str
        What it says about the history.
    why : str
        What makes it fire.
    wrong : str
        When it is wrong.
    remedy : str
        What to do.
    reference : str
        Where the idea comes from; empty for data warnings.
    """

    code: str
    title: str
    severity: Severity
    meaning: str
    why: str
    wrong: str
    remedy: str
    reference: str = ""

    def parts(self) -> tuple[tuple[str, str], ...]:
        """Return heading and text of every part."""
        about_a_verdict = self.code in VERDICTS
        told = (
            ("What it means", self.meaning),
            ("When it is given" if about_a_verdict else "Why it fires", self.why),
            ("When it is wrong", self.wrong),
            ("What to do", self.remedy),
        )
        return (*told, ("Reference", self.reference)) if self.reference else told

    def __str__(self) -> str:
        how = "verdict" if self.code in VERDICTS else self.severity
        lines = [f"{self.code} ({how}): {self.title}"]
        lines += [f"  {heading}: {text}" for heading, text in self.parts()]
        return "\n".join(lines)


def _of(
    code: str, title: str, severity: Severity, text: Text, reference: str = ""
) -> Explanation:
    return Explanation(
        code=code,
        title=title,
        severity=severity,
        reference=reference,
        **text._asdict(),
    )


#: Every code, in order.
EXPLANATIONS: dict[str, Explanation] = {
    code: _of(code, title, "warning", text)
    for code, (title, text) in DATA_TEXTS.items()
} | {
    item.code: _of(item.code, item.title, item.severity, item.text, item.reference)
    for item in CHECKS
}


def explain(code: str) -> Explanation:
    """Return what a verdict, a finding or a data warning means, and what to do.

    Parameters
    ----------
    code : str
        A verdict such as ``"guess"``, or a code such as ``"LBS301"``; small letters and
        the bare number are understood.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError
        If there is no such verdict or code.

    Examples
    --------
    >>> print(explain("301").title)
    Most of the climb of the public score is probably luck
    """
    check_kind(code, str, name="code")
    verdict = VERDICTS.get(code.strip().lower())
    if verdict is not None:
        word = code.strip().lower()
        return Explanation(
            code=word,
            title=verdict.short,
            severity="info",
            meaning=verdict.meaning,
            why=verdict.why,
            wrong=verdict.wrong,
            remedy=verdict.remedy,
        )
    name = code.strip().upper()
    name = f"LBS{name}" if name.isdecimal() else name
    if name not in EXPLANATIONS:
        msg = (
            f"There is no code {code!r}. Codes are {', '.join(EXPLANATIONS)}; verdicts "
            f"are {', '.join(VERDICTS)}."
        )
        raise ValueError(msg)
    return EXPLANATIONS[name]


def explanations_page() -> str:
    """Return all explanations as a page of Markdown."""
    lines = [
        "# Verdicts, warnings and findings",
        "",
        "Every verdict and every code in plain words; `lbsense explain guess` and",
        "`lbsense explain LBS301` print the same. Codes are",
        "stable: one that is retired is not used again. A flag names evidence in a",
        "history, never a person. `run_checks(analysis, mute=['LBS306'])` silences",
        "what you know already.",
    ]
    lines += ["", "## Verdicts"]
    for item in map(explain, VERDICTS):
        lines += ["", f"### {item.code}: {item.title}", ""]
        lines += [f"- **{head}.** {text}" for head, text in item.parts()]
    for prefix, group in _GROUPS.items():
        lines += ["", f"## {group}"]
        for item in EXPLANATIONS.values():
            if item.code.startswith(prefix):
                lines += ["", f"### {item.code}: {item.title}", ""]
                lines += [f"*{item.severity}*", ""]
                lines += [f"- **{head}.** {text}" for head, text in item.parts()]
    return "\n".join(lines) + "\n"
