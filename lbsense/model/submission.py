"""One submission as the platform recorded it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from lbsense._result import Result
from lbsense._typing import CvSource, Status


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
