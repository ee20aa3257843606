"""Names that columns go by, and which column holds which field."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from lbsense.ingest.cv.heading import Surety, cv_heading, heading_words, is_metric_word
from lbsense.ingest.cv.words import KEYWORDS
from lbsense.ingest.platforms import PLATFORMS

# What people call their columns, in order of preference; the names that platforms
# give them are in `PLATFORMS` and go before.
_OWN_NAMES: dict[str, tuple[str, ...]] = {
    "submission_id": ("id", "reference", "referenceid", "submissionreference"),
    "experiment_id": (
        "experimentid",
        "expid",
        "experiment",
        "experimentname",
        "exp",
        "expname",
        "submissionrun",
        "submissionname",
        "version",
        "submissionversion",
        "runname",
        "runid",
        "run",
        "ver",
        "v",
        "submission",
        "sub",
        "trial",
        "attempt",
        "iteration",
        "iter",
    ),
    "order": (
        "order",
        "submissionnumber",
        "submissionno",
        "number",
        "no",
        "counter",
    ),
    "submitted_at": (
        "submittedat",
        "submitted",
        "createdat",
        "created",
        "submissiontime",
        "timestamp",
        "datetime",
        "time",
        "starttime",
        "ts",
        "unixtime",
        "submissiondatetime",
        "submissiondate",
        "datetimeutc",
        "submittedutc",
    ),
    "file_name": (
        "file",
        "submissionfile",
        "submissionfilename",
        "filepath",
        "submissionpath",
        "submissioncsv",
        "csv",
    ),
    "description": (
        "comment",
        "desc",
        "message",
        "model",
        "modelname",
        "name",
        "strategy",
        "title",
        "approach",
        "change",
        "changes",
        "notes",
        "note",
        "comments",
        "memo",
        "remarks",
        "remark",
        "method",
        "methods",
        "details",
        "detail",
        "idea",
        "summary",
        "features",
        "hypothesis",
        "config",
        "mlflowrunname",
        "mlflownotecontent",
    ),
    "status": ("state", "submissionstatus"),
    "status_detail": ("error",),
    "public_score": (
        "publiclb",
        "public",
        "lbscore",
        "lb",
        "leaderboard",
        "plb",
        "kagglescore",
        "kaggle",
    ),
    "private_score": (
        "privatelb",
        "private",
    ),
    "score": (),
    "cv_score": (
        "cvscore",
        "cv",
        "localcv",
        "localcvscore",
        "cvmean",
        "meancv",
        "cvavgscore",
        "oof",
        "oofscore",
        "cvoof",
        "loo",
        "valid",
        "validation",
        "val",
        "local",
    ),
    "cv_std": ("cvstd", "cvsd", "cvstdscore", "std", "cvstddev", "oofstd"),
    "cv_fold_scores": ("cvfoldscores", "foldscores"),
    "cv_scheme": ("cvscheme", "scheme", "validationscheme", "cvtype", "cvstrategy"),
    "selected": (
        "selected",
        "finalselection",
        "chosen",
        "isfinal",
        "final",
    ),
    "parent_id": ("parentid", "parent", "parentsubmission", "basedon"),
    "content_hash": ("contenthash", "hash", "filehash", "sha256", "md5"),
    "team_id": (),
    "team_name": ("team",),
}
FIELDS = tuple(_OWN_NAMES)


def _ranked(field: str) -> list[str]:
    """Return the names of a field, the first one present being the column to read."""
    own = _OWN_NAMES[field]
    given = [n for platform in PLATFORMS for n in platform.columns.get(field, ())]
    return list(dict.fromkeys([*(n for n in given if n not in own), *own]))


_FIELD_OF = {
    name: (field, rank) for field in FIELDS for rank, name in enumerate(_ranked(field))
}
_BY_RULE = 100  # names that only a rule recognises come after every listed one

_PUBLIC_WORDS = frozenset(("public", "lb", "leaderboard"))
_PLATFORM_WORDS = frozenset(platform.name for platform in PLATFORMS)
_SPREAD_WORDS = frozenset(("std", "sd", "stdev", "stddev"))
# Fields that a name of these words alone stands for, if one of the first is among them.
_OF_WORDS = (
    ("file_name", "file filename csv", "submission name path"),
    (
        "submitted_at",
        "date time datetime timestamp",
        "submission submitted created utc",
    ),
    ("experiment_id", "experiment exp version", "name title id number submission"),
    (
        "description",
        "model description note comment approach method change changes strategy",
        "name title submission experiment",
    ),
)
_OF_WORDS_SETS = tuple(
    (field, frozenset(some.split()), frozenset(f"{some} {more}".split()))
    for field, some, more in _OF_WORDS
)
_PREFIX = re.compile(r"(?:metrics|extras|sys|summary|tags)[./]", re.IGNORECASE)


def name_key(name: str) -> str:
    """Return the letters and digits of a column name, in lower case.

    Examples
    --------
    >>> name_key("_public_score"), name_key("Public Score"), name_key("publicScore")
    ('publicscore', 'publicscore', 'publicscore')
    """
    return "".join(_words(name))


@functools.lru_cache(maxsize=4096)
def field_of(name: str) -> tuple[str, int] | None:
    """Return the field that a column name stands for and its rank there, or None.

    Examples
    --------
    >>> field_of("Public LB")
    ('public_score', 3)
    >>> field_of("lb_delta") is None
    True
    """
    plain = re.sub(r"\([^()]*+\)|\[[^\[\]]*+\]", " ", name)
    for candidate in dict.fromkeys((name, plain)):
        words = _words(candidate)
        found = _FIELD_OF.get("".join(words)) or _field_by_words(candidate)
        if found is not None:
            return found
    return ("order", _BY_RULE) if name.strip() in ("#", "№") else None


def fold_number(name: str) -> int | None:
    """Return the fold whose score a column holds, or None.

    Examples
    --------
    >>> fold_number("cv_rmse_fold3"), fold_number("Fold 1"), fold_number("n_folds")
    (3, 1, None)
    """
    words = _words(name)
    joined = "".join(words)
    found = re.search(r"fold(\d{1,3})(score)?$", joined)
    if found is None:
        return None
    before = _words(re.sub(r"(?i)fold.*$", "", name))
    allowed = all(word in KEYWORDS or is_metric_word(word) for word in before)
    return int(found.group(1)) if allowed else None


def known_fields(names: Iterable[str]) -> set[str]:
    """Return the fields that any of the names stands for."""
    known = (field_of(name) for name in names if name.strip() and len(name) <= 60)
    return {found[0] for found in known if found is not None}


def is_heading(cells: list[str]) -> bool:
    """Say whether the cells of a line read as column names of a history.

    Two known names and no number make a heading; so does the one name of a score
    where nothing else is there.
    """
    if any(is_number(cell) for cell in cells):
        return False
    fields = known_fields(cells)
    if len(cells) == 1:
        alone = cells[0].strip().isidentifier()  # "Private Score:" is a label
        return alone and bool(fields & {"public_score", "private_score"})
    return len(fields) >= 2


def _field_by_words(name: str) -> tuple[str, int] | None:
    """Recognise names such as ``CV F1``, ``cv_rmse_std`` or ``Public LB score``."""
    words = frozenset(_words(name))
    rest = words - _SPREAD_WORDS - {"fold", "folds"}
    validation = cv_heading(name)
    if validation is not None and validation.surety < Surety.POSSIBLE:
        return "cv_score", _BY_RULE + (validation.surety is Surety.QUALIFIED)
    if words & _SPREAD_WORDS and all(w in KEYWORDS or is_metric_word(w) for w in rest):
        return "cv_std", _BY_RULE
    board = _PUBLIC_WORDS | _PLATFORM_WORDS | {"best"}
    others = {word for word in words - board if not is_metric_word(word)}
    if "private" in words and others == {"private"} and "public" not in words:
        return "private_score", _BY_RULE
    if words & _PUBLIC_WORDS and not others:
        return "public_score", _BY_RULE
    for field, some, all_of in _OF_WORDS_SETS:
        if words & some and words <= all_of:
            return field, _BY_RULE
    return None


def _words(name: str) -> tuple[str, ...]:
    return heading_words(_PREFIX.sub("", name))


def is_number(cell: str) -> bool:
    """Say whether the text of a cell is a bare number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
