"""What headings and words say of scores: which field, which kind of CV, which scheme.

In English and other languages.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from lbsense.ingest.cv.words import (
    KEYWORDS,
    KINDS,
    Role,
    Token,
    heading_words,
    tokenize,
)
from lbsense.ingest.platforms import PLATFORMS
from lbsense.metrics import Metric, find_metric
from lbsense.model import Submission

# What people call their columns, in order of preference; the names that platforms
# give them are in `PLATFORMS` and go before.
_OWN_NAMES = {
    "submission_id": "id reference referenceid submissionreference",
    "experiment_id": """
        experimentid expid experiment experimentname exp expname submissionrun
        submissionname version submissionversion runname runid run ver v submission
        sub mysubmission trial attempt iteration iter""",
    "order": "order submissionnumber submissionno number no counter nr index",
    "submitted_at": """
        submittedat submitted createdat created submissiontime timestamp datetime time
        starttime ts unixtime submissiondatetime submissiondate datetimeutc
        submittedutc when""",
    "file_name": """
        file submissionfile submissionfilename filepath submissionpath submissioncsv
        csv""",
    "description": """
        comment desc message model modelname name strategy title approach change
        changes notes note comments memo remarks remark method methods details detail
        idea summary features hypothesis config mlflowrunname mlflownotecontent""",
    "status": "state submissionstatus",
    "status_detail": "error",
    "public_score": "publiclb public lbscore lb leaderboard plb kagglescore kaggle",
    "private_score": "privatelb private",
    "score": "",
    "cv_score": """
        cvscore cv localcv localcvscore cvmean meancv cvavgscore oof oofscore cvoof
        loo valid validation val local""",
    "cv_std": "cvstd cvsd cvstdscore std cvstddev oofstd",
    "cv_fold_scores": "cvfoldscores foldscores",
    "cv_scheme": "cvscheme scheme validationscheme cvtype cvstrategy",
    "selected": "selected finalselection chosen isfinal final",
    "parent_id": "parentid parent parentsubmission basedon",
    "content_hash": "contenthash hash filehash sha256 md5",
    "team_id": "",
    "team_name": "team",
}
FIELDS = tuple(_OWN_NAMES)


def _ranked(field: str) -> list[str]:
    """Return the names of a field, the first one present being the column to read."""
    own = _OWN_NAMES[field].split()
    given = [n for platform in PLATFORMS for n in platform.columns.get(field, ())]
    return list(dict.fromkeys([*(n for n in given if n not in own), *own]))


_FIELD_OF = {
    name: (field, rank) for field in FIELDS for rank, name in enumerate(_ranked(field))
}
_BY_RULE = 100  # names that only a rule recognises come after every listed one

_SPREAD_SIGN = re.compile(r"±|\+/-")
_OF_A_BOARD = frozenset(("test", "team", "my", "our"))  # "test.public_auc"
_PUBLIC_WORDS = frozenset(("public", "lb", "leaderboard"))
_PLATFORM_WORDS = frozenset(platform.name for platform in PLATFORMS)
_SPREAD_WORDS = frozenset(("std", "sd", "stdev", "stddev"))
# Fields that a name of these words alone stands for, if one of the first is among them.
_OF_WORDS = {
    "file_name": ("file filename csv", "submission name path"),
    "submitted_at": (
        "date time datetime timestamp",
        "submission submitted created utc",
    ),
    "experiment_id": ("experiment exp version", "name title id number submission"),
    "description": (
        "model description note comment approach method change changes strategy",
        "name title submission experiment",
    ),
}
_SETS_OF_WORDS = [
    (field, frozenset(some.split()), frozenset(f"{some} {more}".split()))
    for field, (some, more) in _OF_WORDS.items()
]
_OF_A_TRACKER = re.compile(r"(?:metrics|extras|sys|summary|tags)[./]", re.IGNORECASE)


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
        listed = _FIELD_OF.get("".join(_words(candidate)))
        if _SPREAD_SIGN.search(candidate):  # "cv ± std" holds both
            listed = None
        found = listed or _field_by_words(candidate)
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
    if words & {"public", "private"}:
        board |= _OF_A_BOARD
    others = {word for word in words - board if not is_metric_word(word)}
    if "private" in words and others == {"private"} and "public" not in words:
        return "private_score", _BY_RULE
    if words & _PUBLIC_WORDS and not others:
        return "public_score", _BY_RULE
    for field, some, all_of in _SETS_OF_WORDS:
        if words & some and words <= all_of:
            return field, _BY_RULE
    return None


def _words(name: str) -> tuple[str, ...]:
    return heading_words(_OF_A_TRACKER.sub("", name))


def is_number(cell: str) -> bool:
    """Say whether the text of a cell is a bare number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


# --- columns of CV scores -------------------------------------------------------------

_PREFIX = re.compile(r"(?:metrics|extras|sys|summary|eval|tags)[./]", re.IGNORECASE)
_PAIR = re.compile(r"±|\+/-|\+-|[(,/&]")  # "Mean ± Std", "CV mean (std)"
_BRACKETS = re.compile(r"\([^()]*+\)|\[[^\[\]]*+\]")
_LONGEST = 80
_SCORE_LIST = """
    score scores value result results skor puntaje nota wert スコア 分数 得分 成绩 값
    점수"""
_SCORE_WORDS = frozenset(_SCORE_LIST.split())
_QUALIFIED_LIST = "best final overall all full total whole our my own s the of on"
_QUALIFIED = frozenset(_QUALIFIED_LIST.split())
_OTHER_LIST = """
    size sizes num number count counts time times rank id ids strategy type scheme date
    name names file path link comment note notes params lr status"""
# Words that make another quantity of the number in the column.
_OTHER = frozenset(_OTHER_LIST.split())
_BESIDE = {Role.KEYWORD, Role.MEAN, Role.SCHEME}
_NEVER = {Role.BOARD, Role.SET, Role.DELTA, Role.EARLIER}
_NEVER |= {Role.EXTREME, Role.NEGATION, Role.UNIT, Role.FOREIGN}


class Surety(IntEnum):
    """How surely a heading names the CV score."""

    LITERAL = 0  # "CV", "Local CV", "cv_avg_score"
    CLEAR = 1  # "OOF", "valid_auc", "Mean ± Std"
    QUALIFIED = 2  # "All CV", "best CV"
    POSSIBLE = 3  # "Subset CV", "auc"


@dataclass(frozen=True, slots=True)
class CvHeading:
    """A heading that may be that of a CV score.

    Attributes
    ----------
    scheme : str
        Kind of validation: "cv", "oof", "loo", "holdout", "validation", ...
    metric : str or None
        The metric that it names, as it is written there.
    surety : Surety
        How surely it is the CV score of the row.
    """

    scheme: str
    metric: str | None
    surety: Surety

    @property
    def known_metric(self) -> Metric | None:
        """The registered metric that it names, if any."""
        return None if self.metric is None else metric_of_heading(self.metric)


@dataclass(frozen=True, slots=True)
class CvChoice:
    """The column of the CV score, and those passed over.

    ``rivals`` could be the CV as well, ``foreign`` are of another metric; without a
    chosen one, nothing tells the rivals apart.
    """

    chosen: int | None
    rivals: tuple[int, ...] = ()
    foreign: tuple[int, ...] = ()


def plain_heading(name: str) -> str:
    """Return a heading as separate words: "metrics.valAuc_mean" is "val Auc mean"."""
    text = _PREFIX.sub("", unicodedata.normalize("NFKC", name))
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    text = text.replace("교차 검증", "교차검증")
    return re.sub(r"[_.\s]+", " ", text).strip()


@functools.lru_cache(maxsize=4096)
def cv_heading(name: str) -> CvHeading | None:
    """Return what a heading says of a CV score, None where it is another quantity.

    Examples
    --------
    >>> cv_heading("CV MAE (Mean ± Std)")
    CvHeading(scheme='cv', metric='mae', surety=<Surety.CLEAR: 1>)
    >>> cv_heading("cv_gap") is None, cv_heading("n_folds") is None
    (True, True)
    """
    text = plain_heading(name)
    if not text or len(text) > _LONGEST:
        return None
    found = _read(text) or _read(" ".join(heading_words(text)))
    if found is not None and found.surety < Surety.POSSIBLE:
        return found
    outside, inside = _BRACKETS.sub(" ", text), " ".join(_BRACKETS.findall(text))
    words = [token for token in tokenize(inside) if token.kind == "word"]
    roles = {token.role for token in words}
    told = Role.UNKNOWN in roles or [token.text for token in words] == ["stddev"]
    if not told or roles & _NEVER:
        return found
    plain = _read(outside)  # "Local CV (Std Dev)": what stands in brackets explains
    if plain is None or plain.surety is Surety.POSSIBLE:
        return found
    return CvHeading(plain.scheme, plain.metric, Surety.QUALIFIED)


def _read(text: str) -> CvHeading | None:
    tokens = tokenize(text)
    words = [token for token in tokens if token.kind == "word"]
    numbers = [token for token in tokens if token.kind == "number"]
    rest = " ".join(token.text for token in words if token.role not in _BESIDE)
    named = metric_of_heading(rest) if rest else None
    if named is not None and len(rest.split()) > 1:  # "CV linear kappa"
        words = [token for token in words if token.role in _BESIDE]
    roles = {token.role for token in words}
    if roles & _NEVER or any(token.text in _OTHER for token in words):
        return None
    if not _folds_fit(words, numbers):
        return None
    pair = Role.MEAN in roles and _PAIR.search(text) is not None
    signs = any(token.kind == "spread" for token in tokens)  # "CV RMSE (±std)"
    pair &= Role.SPREAD in roles or signs
    pair |= signs and any(token.text in KEYWORDS for token in words)
    if Role.SPREAD in roles and not pair:
        return None
    kinds = [KEYWORDS[token.text] for token in words if token.text in KEYWORDS]
    folded = Role.SCHEME in roles and Role.MEAN in roles
    if "grid search" in kinds:
        return None
    metric = " ".join(t.text for t in words if t.role is Role.METRIC) or None
    metric = metric if named is None else rest
    if not (kinds or folded or pair):
        possible = metric is not None and metric_of_heading(metric) is not None
        if not possible or not all(_belongs(token) for token in words):
            return None
        return CvHeading("cv", metric, Surety.POSSIBLE)
    scheme = min(kinds or ["fold" if folded else "cv"], key=KINDS.index)
    scheme = "cv" if set(kinds) == {"local", "cv"} else scheme
    surety = _surety(words, set(kinds))
    if metric is not None and surety is Surety.LITERAL:
        surety = Surety.CLEAR
    return CvHeading(scheme, metric, surety)


def _folds_fit(words: list[Token], numbers: list[Token]) -> bool:
    """Say whether numbers and words such as "fold" only tell how the CV was made."""
    folds = any(token.role is Role.SCHEME for token in words)
    mean = any(token.role is Role.MEAN for token in words)
    counted = all(token.decimals == 0 and len(token.text) <= 3 for token in numbers)
    if folds:
        return (mean or bool(numbers)) and counted and len(numbers) <= 1
    return counted and len(numbers) <= 1


def _belongs(token: Token) -> bool:
    """Say whether a word only says "score of a validation"."""
    known = (Role.KEYWORD, Role.METRIC, Role.MEAN, Role.SCHEME, Role.SPREAD)
    return token.role in known or token.text in _SCORE_WORDS


def _surety(words: list[Token], kinds: set[str]) -> Surety:
    others = [token.text for token in words if not _belongs(token)]
    if any(word not in _QUALIFIED for word in others):
        return Surety.POSSIBLE
    if others:
        return Surety.QUALIFIED
    plain = not any(token.role in (Role.METRIC, Role.SPREAD) for token in words)
    literal = "cv" in kinds and kinds <= {"cv", "local"} and plain
    return Surety.LITERAL if literal else Surety.CLEAR


def is_metric_word(word: str) -> bool:
    """Say whether a word of a heading belongs to the name of a metric."""
    token = Token("word", word, 0, 0)
    return token.role in (Role.METRIC, Role.MEAN) or word in _SCORE_WORDS


@functools.lru_cache(maxsize=1024)
def metric_of_heading(words: str) -> Metric | None:
    """Return the registered metric that the words of a heading name, or None."""
    try:
        return find_metric(words)
    except ValueError:
        return None


def metric_in(heading: str) -> str | None:
    """Return the name of the registered metric in a heading: "rmse" of "LB RMSE"."""
    words = [t.text for t in tokenize(plain_heading(heading)) if t.role is Role.METRIC]
    metric = metric_of_heading(" ".join(words)) if words else None
    return None if metric is None else metric.name


def choose_cv(
    headings: Mapping[int, CvHeading],
    metric: str | None,
    *,
    literal: bool = True,
) -> CvChoice:
    """Return which of several columns of numbers is the CV score, if that is certain.

    The one that names the metric of the competition is; those of another metric are
    not. Else it is the only one whose heading is sure; ``literal`` is whether one that
    is called CV goes before one that is called OOF or holdout.

    Examples
    --------
    >>> names = ("CV (AUC)", "CV (logloss)")
    >>> found = {place: cv_heading(name) for place, name in enumerate(names)}
    >>> choose_cv(found, "log_loss")
    CvChoice(chosen=1, rivals=(), foreign=(0,))
    """
    ours = None if metric is None else metric_of_heading(metric)
    known = {at: heading.known_metric for at, heading in headings.items()}
    foreign = tuple(
        at
        for at, found in known.items()
        if ours is not None
        and found is not None
        and (found.family, found.parameter) != (ours.family, ours.parameter)
    )
    left = {at: head for at, head in headings.items() if at not in foreign}
    sure = {at: head for at, head in left.items() if head.surety < Surety.POSSIBLE}
    of_metric = [at for at in sure if ours is not None and known[at] is not None]
    named = [at for at, head in sure.items() if head.surety is Surety.LITERAL]
    if len(of_metric) == 1:
        chosen = of_metric[0]
    elif literal and len(named) == 1 and not of_metric:
        chosen = named[0]
    elif len(sure) == 1:
        (chosen,) = sure
        doubtful = sure[chosen].surety is Surety.QUALIFIED
        scheme = sure[chosen].scheme  # of which another may speak in words of its own
        if doubtful and sum(head.scheme == scheme for head in left.values()) > 1:
            return CvChoice(None, tuple(left), foreign)
    else:
        return CvChoice(None, tuple(left), foreign)
    return CvChoice(chosen, tuple(at for at in left if at != chosen), foreign)


def with_others(choice: CvChoice, names: Sequence[str]) -> tuple[CvChoice, list[int]]:
    """Return the choice of the CV score, and columns that are surely CV as well.

    Those are sure by their headings and of one metric, as far as these name one; where
    nothing else tells the first of them, it is the leftmost.
    """
    heads = {at: cv_heading(names[at]) for at in choice.rivals}
    sure = {at: x for at, x in heads.items() if x and x.surety < Surety.QUALIFIED}
    first = None if choice.chosen is None else cv_heading(names[choice.chosen])
    named = {x.metric for x in (*sure.values(), first) if x is not None and x.metric}
    others = sorted(sure)
    if len(named) > 1 or (choice.chosen is None and len(others) < 2):
        return choice, []
    chosen = others.pop(0) if choice.chosen is None else choice.chosen
    left = tuple(at for at in choice.rivals if at not in (*others, chosen))
    return CvChoice(chosen, left, choice.foreign), others


def is_of_another(named: str, ours: Metric) -> bool:
    """Return whether the words beside a score name another metric than ours.

    Averages and variants of one measure are ours ("AUC" for a column-wise AUC, "RMSE"
    for RMSLE: of the logarithm it is the same).

    Examples
    --------
    >>> from lbsense.metrics import find_metric
    >>> is_of_another("AUC", find_metric("log_loss"))
    True
    >>> is_of_another("macro F1", find_metric("f1"))
    False
    """
    found = metric_of_heading(named)
    if found is None:
        return ours.greater_is_better and named.lower() in ("loss", "error")
    if found.greater_is_better is not ours.greater_is_better:
        return True
    names = {found.family or found.name, ours.family or ours.name}
    if len(names) == 1 or all("rms" in name for name in names):
        return False
    one, other = ({*name.split("_")} for name in names)
    return not one & other - {"error", "rate", "loss", "mean", "at", "k"}


# --- under which scheme a CV score was made -------------------------------------------

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
