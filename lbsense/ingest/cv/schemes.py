"""Under which scheme each CV score of a history was made, as far as words tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from lbsense.ingest.cv.heading import metric_of_heading
from lbsense.model import Submission

# Two names for scores that people compare freely, and rightly: one family.
_FAMILY = {"local": "cv", "fold": "cv", "pattern": "cv", "oof": "cv"}
_SPLITTER = re.compile(
    r"(stratified[ _-]?group|stratified|group|time[ _-]?series|purged|repeated)"
    r"[ _-]?(?:k[ _-]?fold|split)|(s?gkf|skf)(?![a-z])|(?<![a-z])(k-?fold)",
    re.IGNORECASE,
)
_N_FOLDS = re.compile(
    r"(?<![a-z0-9.])(\d{1,2})[ _-]?folds?(?![a-z])|k-?fold[-(](\d{1,2})(?![\d.])",
    re.IGNORECASE,
)
_NO_GAPS = str.maketrans("", "", " _-")
_PLAIN = "k-fold"
_SPLITTERS = {
    "kfold": _PLAIN,
    "k-fold": _PLAIN,
    **dict.fromkeys(("gkf", "group"), "group k-fold"),
    **dict.fromkeys(("skf", "stratified"), "stratified k-fold"),
    **dict.fromkeys(("sgkf", "stratifiedgroup"), "stratified group k-fold"),
    "timeseries": "time series split",
    "purged": "purged k-fold",
    "repeated": "repeated k-fold",
}


class CvScheme(NamedTuple):
    """How a CV score was made; empty where no word tells."""

    kind: str = ""
    splitter: str = ""
    n_folds: str = ""
    metric: str = ""

    def __str__(self) -> str:
        """Return it in words, empty where nothing is known but that it is CV."""
        kind = "" if self.kind == "cv" else self.kind
        folds = self.n_folds and f"{self.n_folds} folds"
        return ", ".join(filter(None, (kind, self.splitter, folds, self.metric)))


#: What may change about a scheme, and what messages call it.
PARTS_OF_SCHEME = {
    "kind": "kind of validation",
    "splitter": "way of splitting",
    "n_folds": "number of folds",
    "metric": "metric of the CV",
}


def cv_schemes(submissions: Sequence[Submission]) -> list[CvScheme | None]:
    """Return the scheme of the CV score of every submission, None where it has none.

    Parameters
    ----------
    submissions : sequence of Submission
        In time order.

    Notes
    -----
    What a submission does not say is as it was last said, before the first word as it
    is said there. A number of folds alone is a plain k-fold unless another way of
    splitting was named before.

    Examples
    --------
    >>> texts = ("lgbm 5fold cv 0.81", "more trees cv 0.82", "group kfold cv 0.78")
    >>> history = [
    ...     Submission(submission_id=text, description=text, cv_score=0.8)
    ...     for text in texts
    ... ]
    >>> [str(scheme) for scheme in cv_schemes(history)]
    ['k-fold, 5 folds', 'k-fold, 5 folds', 'group k-fold, 5 folds']
    """
    found: list[CvScheme | None] = []
    last = CvScheme()
    for item in submissions:
        if item.cv_score is None:
            found.append(None)
            continue
        said = _stated(item)
        if said.n_folds and not (said.splitter or last.splitter):
            said = said._replace(splitter=_PLAIN)
        last = CvScheme(*(new or old for new, old in zip(said, last, strict=True)))
        found.append(last)
    known = [scheme for scheme in found if scheme is not None]
    first = CvScheme(
        *(next(filter(None, words), "") for words in zip(*known, strict=True))
    )
    return [
        scheme
        and CvScheme(*(own or told for own, told in zip(scheme, first, strict=True)))
        for scheme in found
    ]


def _stated(item: Submission) -> CvScheme:
    """Return what a submission itself says of its CV."""
    kind = (item.cv_scheme or "").strip().lower()
    splitter = folds = ""
    for text in (item.file_name, item.description, item.cv_scheme):
        for match in _SPLITTER.finditer(text or ""):
            splitter = next(filter(None, match.groups())).translate(_NO_GAPS).lower()
        for match in _N_FOLDS.finditer(text or ""):
            folds = str(int(match[1] or match[2]))
    if _SPLITTER.search(kind) or _N_FOLDS.search(kind):
        kind = "cv"
    metric = re.sub(r"[\W_]+", "", item.cv_metric or "").lower()
    registered = metric_of_heading(item.cv_metric or "") if metric else None
    return CvScheme(
        _FAMILY.get(kind, kind),
        _SPLITTERS.get(splitter, splitter),
        folds,
        metric if registered is None else registered.name,
    )
