"""One submission as it was recorded, and the competition it was sent to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from lbsense._format import clean_text
from lbsense._result import Result
from lbsense._typing import CvSource, Platform, Status
from lbsense._validation import check_count, check_fraction
from lbsense.errors import DirectionUnknownError


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission(Result):
    """One submission; scores are raw, as the platform showed them.

    Attributes
    ----------
    submission_id : str
        The platform's reference, or the name that the input gives, ``row<line>`` where
        it gives none.
    submitted_at : datetime or None
        Timezone-aware, UTC.
    title : str or None
        What the entrant called the experiment, run or version, where a column says it.
    file_name, description : str or None
        As the entrant gave them: untrusted text, never changed.
    status : {"complete", "pending", "error", "unknown"}
        Whether the platform scored it; unknown where a table of your own has no score
        and says no more: perhaps it was never submitted.
    status_detail : str or None
        The platform's own word on a failure.
    public_score, private_score, cv_score : float or None
        None when missing.
    cv_std : float or None
        The spread that stood beside the CV score, as in ``0.7052 (0.0641)``.
    cv_fold_scores : tuple of float
        Score of every fold; empty when unknown.
    cv_source : {"column", "description", "file name", "log"} or None
        Where the CV score came from.
    cv_text : str or None
        The very text that the CV score was read from.
    cv_scheme : str or None
        What kind of validation it was, as far as the text says ("cv", "oof", "loo").
    cv_metric : str or None
        The metric that stood beside the CV score, as it was written there.
    selected : bool or None
        Whether it was chosen for the final ranking.
    parent_id : str or None
        The submission that this one was derived from, where declared.
    content_hash : str or None
        Digest of the submitted file.
    source_file : str or None
        File that the row was read from.
    source_line : int or None
        Its line there, the first line being 1.
    """

    submission_id: str
    submitted_at: datetime | None = None
    title: str | None = None
    file_name: str | None = None
    description: str | None = None
    status: Status = "complete"
    status_detail: str | None = None
    public_score: float | None = None
    private_score: float | None = None
    cv_score: float | None = None
    cv_std: float | None = None
    cv_fold_scores: tuple[float, ...] = ()
    cv_source: CvSource | None = None
    cv_text: str | None = None
    cv_scheme: str | None = None
    cv_metric: str | None = None
    selected: bool | None = None
    parent_id: str | None = None
    content_hash: str | None = None
    source_file: str | None = None
    source_line: int | None = None

    @property
    def name(self) -> str:
        """What the entrant called it: untrusted text, the identifier for want of it."""
        told = self.description or (None if self.title else self.file_name)
        title = self.title
        if title and told and not told.casefold().startswith(title.casefold()):
            return f"{title}: {told}"
        return told or self.title or self.submission_id

    def __post_init__(self) -> None:
        if self.submitted_at is not None and self.submitted_at.tzinfo is None:
            msg = (
                f"submitted_at of {self.submission_id} has no time zone: "
                f"{self.submitted_at!r}. Kaggle and Zindi export UTC: use "
                "value.replace(tzinfo=datetime.UTC)."
            )
            raise ValueError(msg)
        for name in ("public_score", "private_score", "cv_score"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                msg = f"{name} of {self.submission_id} must be finite or None: {value}."
                raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Competition(Result):
    """What is known about a competition; everything may be unknown.

    Attributes
    ----------
    slug : str or None
        The name in the competition's address.
    platform : str or None
        Where the history comes from: ``kaggle``, ``zindi``, or an agent or a tracker,
        such as ``loop``, ``aide`` or ``optuna``.
    metric : str or None
        Registered name of the metric, as ``lbsense.metrics.find_metric`` gives it, or
        the user's own name for a metric that is not registered.
    greater_is_better : bool or None
        Direction of the scores. None when nobody said: it is never guessed.
    cv_greater_is_better : bool or None
        Direction of the CV scores where it differs from that of the leaderboard.
    train_size, test_size : int or None
        Rows of the training set and of the whole test set.
    public_fraction : float or None
        Share of the test rows behind the public score, in (0, 1].
    nested : bool
        Whether the private score covers the public rows too (old Zindi rules).
    deadline : datetime or None
        End of the competition, UTC.
    display_decimals : int or None
        Decimals that the leaderboard shows.
    n_selections : int or None
        Submissions that an entrant may select for the final ranking.
    """

    slug: str | None = None
    platform: Platform | None = None
    metric: str | None = None
    greater_is_better: bool | None = None
    cv_greater_is_better: bool | None = None
    train_size: int | None = None
    test_size: int | None = None
    public_fraction: float | None = None
    nested: bool = False
    deadline: datetime | None = None
    display_decimals: int | None = None
    n_selections: int | None = None

    def __post_init__(self) -> None:
        for name in ("train_size", "test_size", "n_selections"):
            value = getattr(self, name)
            if value is not None:
                check_count(value, name=name)
        if self.public_fraction is not None:
            check_fraction(
                self.public_fraction, name="public_fraction", high_open=False
            )

    @property
    def n_public(self) -> int | None:
        """Test rows behind the public score, or None when a size is unknown."""
        if self.test_size is None or self.public_fraction is None:
            return None
        return max(1, round(self.test_size * self.public_fraction))

    @property
    def n_private(self) -> int | None:
        """Test rows behind the private score; all of them under nested rules.

        None when a size is unknown, or the public score leaves no row unseen.
        """
        if self.test_size is None or self.n_public is None:
            return self.test_size if self.nested else None
        if self.n_public >= self.test_size:
            return None
        return self.test_size if self.nested else self.test_size - self.n_public

    @property
    def better(self) -> str:
        """Which score is better, in words; empty when nobody said."""
        if self.greater_is_better is None:
            return ""
        return "higher is better" if self.greater_is_better else "lower is better"

    def direction(self) -> int:
        """Return 1 when a greater score is better and -1 when a smaller one is.

        Raises
        ------
        DirectionUnknownError
            If ``greater_is_better`` is None.
        """
        if self.greater_is_better is None:
            msg = (
                "The direction of the metric is not known. Name the metric "
                "(metric='roc_auc', --metric roc_auc), or say greater_is_better=True "
                "or False (--higher-is-better, --lower-is-better)."
            )
            raise DirectionUnknownError(msg)
        return 1 if self.greater_is_better else -1

    def cv_direction(self) -> int:
        """Return the direction of the CV scores, that of the metric unless told."""
        if self.cv_greater_is_better is None:
            return self.direction()
        return 1 if self.cv_greater_is_better else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile(Result):
    """A file and the digest of its bytes.

    Attributes
    ----------
    name : str
        Its name, without the folder.
    sha256 : str
        Digest of its bytes, in hexadecimal.
    n_bytes : int
        Its size.
    """

    name: str
    sha256: str
    n_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowIssue(Result):
    """Something in the input that was not understood, and what became of it.

    Attributes
    ----------
    source : str
        File or object that it was found in.
    line : int or None
        Line, the first being 1.
    column : str or None
        Column, where one cell is to blame.
    found : str
        What stood there.
    expected : str
        What would have been understood.
    action : str
        What was done: "row skipped", "cell taken as missing", ...
    """

    source: str
    line: int | None = None
    column: str | None = None
    found: str
    expected: str
    action: str

    def __str__(self) -> str:
        where = self.source if self.line is None else f"{self.source}:{self.line}"
        column = "" if self.column is None else f" {self.column} is"
        return clean_text(
            f"{where}:{column} {self.found!r}, expected {self.expected}; {self.action}."
        )
