"""Is it a score, and whose? Rules over a number, what follows it, and its phrase."""

from __future__ import annotations

import math
import re

from lbsense.ingest.cv.labels import NO_DELTAS, WEAK, Label, is_fold_word
from lbsense.ingest.cv.words import (
    BOUNDED_METRICS,
    KEYWORDS,
    REACH,
    UNBOUNDED_METRICS,
    Line,
    Role,
    Token,
)

# --- the characters of the number ----------------------------------------------------


def shape_problem(line: Line, index: int) -> str:
    """Return why the number cannot be a score, from its own characters; else empty."""
    token, before, after = line.tokens[index], line.at(index - 1), line.at(index + 1)
    next_token = line.at(line.skip(index + 1))
    if not math.isfinite(token.value):
        return "too large for a score"
    if token.value == 0:
        return "zero stands for a missing score"
    if before is not None and before.text == "@":
        return "a parameter after '@'"
    if line.is_count(index):
        return "a count, of folds or seeds"
    if sign_of(line, index) == "+":
        return "a signed difference"
    if next_token is not None and next_token.text in ("%", "percent", "pct"):
        return "a percentage"
    if _is_version(line, index):
        return "part of a version or a date"
    if after is None:
        return ""
    if after.kind == "word" and not _may_touch(after):
        return f"it runs into {after.text!r}"
    if token.decimals == 0 and after.text == "," and _is_number(line, index + 2):
        return "its comma may be a decimal comma or not"
    if _is_product(line, index):
        return "a weight"
    return _unit_problem(line, index)


def _is_number(line: Line, index: int) -> bool:
    """Return whether there is a number at ``index``."""
    token = line.at(index)
    return token is not None and token.kind == "number"


def _may_touch(after: Token) -> bool:
    """Return whether a word may follow a number without a space, as in "0.81cv"."""
    return after.text in KEYWORDS or after.role is Role.BOARD or after.text >= "\u3000"


def _is_version(line: Line, index: int) -> bool:
    """Return whether the number is part of 1.2.3, 2024-09-25 or 10:56."""
    token, before, after = line.tokens[index], line.at(index - 1), line.at(index + 1)
    if after is not None and after.kind == "number":
        return True
    if before is not None and before.kind == "number":
        return True
    whole = token.decimals == 0
    for mark, place in ((before, index - 2), (after, index + 2)):
        if (
            whole
            and mark is not None
            and mark.text in ":-."
            and _is_number(line, place)
        ):
            return True
    return False


def _is_product(line: Line, index: int) -> bool:
    """Return whether the number multiplies something or shares a sum of one."""
    after = line.at(index + 1)
    beyond = line.at(line.skip(index + 2, ""))
    if after is not None and after.text == "*" and beyond is not None:
        return beyond.kind in ("word", "number")
    return _sums_to_one(line, index)


def _sums_to_one(line: Line, index: int) -> bool:
    """Return whether the number is one of weights such as 0.95/0.05."""
    values = [line.tokens[index].value]
    for step in (-2, 2):
        place = index + step
        while len(values) < 8 and _is_number(line, place):
            gap = line.at(place - step // 2)
            if gap is None or gap.text not in "/:":
                break
            values.append(line.tokens[place].value)
            place += step
    return len(values) > 1 and math.isclose(sum(values), 1.0, abs_tol=1e-9)


def _unit_problem(line: Line, index: int) -> str:
    place = line.skip(index + 1, "_-")
    token = line.at(place)
    if token is None or token.role is not Role.UNIT or line.tokens[index].decimals > 2:
        return ""
    following = line.at(line.skip(place + 1, ""))
    if following is not None and (following.kind == "number" or following.text in ":="):
        return ""
    return f"a number of {token.text!r}"


def sign_of(line: Line, index: int) -> str:
    """Return "+" or "-" if the number is signed; a joining hyphen is no sign."""
    mark = line.at(index - 1)
    if mark is None or mark.text not in ("+", "-", "\u2212"):
        return ""
    if mark.text != "-":
        return "+" if mark.text == "+" else "-"
    before = line.at(index - 2)
    joins = before is not None and (
        before.kind in ("word", "number") or before.text in "_)]"
    )
    return "" if joins else "-"


def _is_negative_score(line: Line, index: int, near: float | None) -> bool:
    """Return whether a minus is that of a score, not of a difference.

    "CV: -6.83" states a score: a difference is rarely written behind a colon, and is
    small. A public score below zero vouches for any.
    """
    if near is not None and near < 0:
        return True
    place = line.skip(index - 1, "")
    _, before = next(line.backward(place, "*`\"'"), (0, None))
    value = line.tokens[index].value
    stated = before is not None and before.text in (":", "=", "score", "is", "of")
    stated &= value >= 0.1
    following = line.at(line.skip(index + 1))
    return stated and (following is None or following.text not in ("vs", "versus"))


def whole_number(
    token: Token, metric: str | None, std: float | None, near: float | None
) -> tuple[float, str]:
    """Return what a number without a decimal point means, or why that is not clear.

    "8317" may be 8317, or 0.8317 or 83.17 without its point. The metric beside it, a
    spread, or a score of the same scale settles it.
    """
    words = set((metric or "").lower().replace("_", " ").split())
    if token.grouped or std is not None or words & UNBOUNDED_METRICS:
        return token.value, ""
    if len(token.text) >= 4 and words & BOUNDED_METRICS:
        return float(f"0.{token.text}"), ""
    if near and len(token.text) >= 4:
        for shift in range(len(token.text) + 1):
            value = float(f"{token.text}e-{shift}")
            if abs(value - near) < abs(near) / 5:
                return value, ""
    return token.value, "a whole number: a count, or a score without its point"


# --- what may stand behind a score: folds, a mean, other models ----------------------


def folds_after(line: Line, index: int) -> tuple[tuple[float, ...], int]:
    """Return the scores of folds in a bracket after a number, and its end."""
    place = line.skip(index + 1, "*,:=")
    close = line.closing.get(place)
    if close is None:
        return (), index
    first = place + 1
    while (token := line.at(first)) is not None and (
        token.kind == "space" or token.text == ":" or token.role is Role.SCHEME
    ):
        first += 1
    if not _is_number(line, first):
        return (), index
    places = series_after(line, first)
    if len(places) < 2 or line.skip(places[-1] + 1) != close:
        return (), index
    return tuple(line.tokens[p].value for p in places), close


def series_after(line: Line, index: int) -> list[int]:
    """Return the indices of a list of alike decimals that begins at ``index``."""
    places = [index]
    size = line.tokens[index].value
    while len(places) < 100:
        place = line.skip(places[-1] + 1, ",;/|")
        token = line.at(place)
        if place == places[-1] + 1 or token is None or token.kind != "number":
            break
        if token.decimals == 0 or not size / 3 <= token.value <= size * 3:
            break
        places.append(place)
    return places


def lists_models(line: Line, index: int) -> bool:
    """Return whether another model and its number follow: "oof lgb 0.81 xgb 0.80"."""
    place = line.skip(index + 1, ",;/")
    token = line.at(place)
    if token is None or token.role is not Role.MODEL:
        return False
    target = line.at(line.skip(place + 1, ":=_"))
    return target is not None and target.kind == "number" and target.decimals > 1


def mean_after(line: Line, index: int) -> int | None:
    """Return the index of the number that a list of folds is summed up with."""
    place = line.skip(index + 1, ",;/|)]:=-—_(")
    named = False
    while (token := line.at(place)) is not None and token.role in (
        Role.MEAN,
        Role.KEYWORD,
        Role.METRIC,
    ):
        named |= token.role is Role.MEAN
        place = line.skip(place + 1, ":=_(*-")
    return place if named and _is_number(line, place) else None


# --- the phrase around it -------------------------------------------------------------

_DENIALS = {Role.BOARD, Role.NEGATION, Role.EXTREME, Role.SPREAD}
_CHANGES = {"gap", "delta", "diff", "difference", "drop", "gain", "change", "差"}
# Verbs and nouns between the owner of a score and the score.
_CARRIERS = {"reports", "report", "says", "states", "had", "has", "submission", "run"}
_GONE_BY = ({"previous", "prev", "former", "earlier", "last"}, {"submission", "run"})
_PAST = (("last", "time"), ("last", "run"), ("so", "far"), ("to", "beat"))
# "than exp9 (CV", "exp9 had CV", "public notebook, CV"
_OWNERS_BEFORE = (
    re.compile(
        r"\b(?:against|of|from|than|over|vs\.?|versus|like|unlike|as|replac\w+|beats?"
        r"|to|with|on|after|for|by|remains|stays|still|keeps?)"
        r"\s+(?:(?:subs?|submissions?|exps?|experiments?|runs?|version|attempt|node|iter|trial|step)\s*#?\s*\d+\w*|#\d+"
        r"|[`'\"]?(?=[\w.-]*\d)(?=[\w.-]*[^\W\d_])[\w.-]+[`'\"]?)\s*[(\[]\s*$"
    ),
    re.compile(
        r"(?<![\w.-])(?=[\w.-]*\d)(?=[\w.-]*[^\W\d_])[\w.-]++\s+had\s+(?:an?\s+)?$"
    ),
    re.compile(r"\b(?:notebook|kernel|paper|discussion|writeup),\s+$"),
    re.compile(
        r"\b(?:notebook|kernel|nb|paper|discussion|writeup|topic|post)s?\s+(?:with|w/|of)"
        r"\s+(?:[^.;|]|\.\d){0,30}$"
    ),
    re.compile(
        r"(?:\band|[,+&])\s++(?:(?:subs?|submissions?|exps?)\s*+)?+#?\d\w*+\s*[(\[]\s*$"
    ),
    re.compile(
        r"\b(?:sub|submission|exp|experiment|run|version)\s*+#?\d\w*+\s++"
        r"(?:had|has|got|gave|scored|reached|was|is)\s+(?:an?\s+)?$"
    ),
    re.compile(r"\b(?:notebook|kernel|nb|paper|writeup)s?\b[^.;:|(\[]{0,30}[(\[]\s*$"),
    re.compile(
        r"\b(?:if\s+(?:we|i|you|it|cv|this)|hop\w+|aim\w*|wish\w*)\b[^.,;:|(]{0,30}$"
    ),
    re.compile(r"\b(?:according\s+to|host's|organi[sz]ers?'?)\b[^.;|]{0,40}$"),
    re.compile(
        r"\b(?:which|that)\s+(?:one\s+)?(?:had|has|got|gave|scored|was)\s+(?:an?\s+)?$"
    ),
    re.compile(r"\b(?:version|file|submission|run|one)\s+with\s+(?:an?\s+)?$"),
    re.compile(r"(?:'s\s*[(\[]|[(\[]\s*its)\s*$"),
    re.compile(
        r"\S\s*[(\[]\s*(?:sub|submission|exp|experiment|run|version|model|v)[ _#-]?"
        r"\d+\w*\s+$"
    ),
    re.compile(
        r"\b(?:previous|earlier|last|current|old|former|standing|reigning)\s+"
        r"(?:best|champion|one|leader|sub\w*)\s*[(\[]\s*$"
    ),
    re.compile(
        r"\b(?:margin|lead|edge|advantage|gap|difference|offset|distance)\b"
        r"[^.,;:|(]{0,40}$"
    ),
    re.compile(
        r"\b(?:noise|floor|corr|correlations?|variance|slope|ratio|spread|drift|bias"
        r"|optimism|regret|residuals?|uncertainty|sim|similarity|cosine)\s+"
        r"(?:of|between|in|on|for|to)\s+(?:the\s+|my\s+|our\s+)?$"
    ),
    re.compile(
        r"\b(?:parent|champion|incumbent|leader|predecessor|sibling|twin|teacher"
        r"|teammate)\b[^.,;:|(]{0,20}[(\[]?\s*$"
    ),
    re.compile(
        r"(?<![\w.-])[\w.-]{0,20}\d\s+(?:lowered|raised|hurt|dropped|pushed)\s+(?:the\s+)?$"
    ),
    re.compile(r"\badv(?:ersarial|\.)?\s*$"),
    re.compile(
        r"\b(?:weights?|coef\w*|thresholds?|cutoffs?|ci|interval|band|quantiles?"
        r"|confidence|share|fraction|proportion|entropy|prior|positives?|pred\w*"
        r"|probabilit\w+)\s+(?:\w+\s+)?(?:on|in|from|by|via|of|for)\s+(?:the\s+|my\s+|our\s+)?$"
    ),
    re.compile(
        r"\b(?:base|baseline|parent|champion|original|reference|old)(?:\s+(?:model|run|one"
        r"|sub|submission|version))?\s+(?:had|has|was|got|gave|with|at|scored)\s+"
        r"(?:an?\s+)?(?:\w+\s+)?$"
    ),
    re.compile(
        r"\b(?:each|every|both|all|individual(?:ly)?|singles?|members?|others?|another"
        r"|rest|either)(?:\s+(?:with|has|have|had|at|of\s+(?:them|which)|\w+'s|model|run"
        r"|member|solo))*+\s*+[:(]?\s*+(?:an?\s++)?$"
    ),
    re.compile(
        r"\b(?:tuned|optimi[sz]ed|chosen|selected|fitted|fit|searched|calibrated|picked"
        r"|set|learned|learnt|weighted)\s+(?:on|by|with|using|from|via|to)\s+"
        r"(?:the\s+|my\s+|our\s+)?$"
    ),
)
_OF_A_NOTEBOOK = re.compile(
    r"[)\]]\s*[\"'”]?\s*(?:public |shared )?(?:kernel|notebook|nb)\b"
)
_NAMES_ANOTHER = re.compile(
    r"[(\[](?:sub|submission|exp|experiment|run|ver|version|model|trial|v)[ _#-]?\d+\w*"
    r"[)\]]"
)
_IS_WRONG = re.compile(
    r"[*`)\]]*\s+(?:is|was|looks?|seems?)\s+(?:\w+\s+)?(?:suspicious|leak\w*|wrong"
    r"|invalid|broken|overfit\w*|inflated|optimistic|buggy|misleading|not\s+comparable"
    r"|too\s+(?:good|high|low))"
)
_WAS_ANOTHER = re.compile(
    r"(?:[^.;)\]]|\.\d){0,40}[)\]]\s+(?:was|is|were)\s+(?:sub|submission|exp|experiment|run|version)"
    r"\s*#?\d"
)
# "the OOF predictions of the 0.7412 model"
_NAMES_A_MODEL = re.compile(
    r"\s+(?:model|version|one|run|solution|file|teacher|checkpoint|kernel|notebook)s?\b"
)
_OF = re.compile(r"\b(?:of|from|with|than|by)\s+(?:the\s+)?$")
_OF_ROWS = re.compile(
    r"\s+of\s+(?:the\s+|all\s+)?(?:train\w*|data|rows|samples|labels|dataset)\b"
)
_SITS = re.compile(
    r"\b(?:is|was|are|sits|lies|lands|ends|came|comes|stays)\s+(?:\w+\s+)?$"
)
_OFF = re.compile(
    r"\s+(?:below|above|under|over|worse|better|lower|higher|behind|short|off|ahead"
    r"|away|more|less)\b"
)
_CHANGE_IN = re.compile(
    r"\b(?:improvement|gain|increase|decrease|drop|change|difference|rise|fall)s?\s+"
    r"(?:in|of|for|on|over)\s+(?:the\s+|my\s+|our\s+)?$"
)
_NO_CV = re.compile(
    r"\b(?:no|without)\s+(?:an?\s+|its\s+|my\s+|our\s+)?(?:own\s+)?(?:local\s+)?(?:cv|oof|validation)(?:\s+score)?"
    r"(?:\s+(?:of\s+its\s+own|of\s+(?:my|our|their)\s+own|yet|here|done|run|available))?"
    r"\s*(?:[,;.|)]|$)"
)
_TOLD_AFTER = 60  # characters behind a number that tell what it is
_SHARES = {0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.33, 0.35, 0.4, 0.5}


def context_problem(
    line: Line,
    label: Label,
    index: int,
    final: int,
    *,
    prefix: bool,
    near: float | None = None,
) -> str:
    """Return why the phrase is not about this entrant's own score; else empty."""
    if final < 0:
        return "what it changed to is not written"
    if final != index:
        reason = shape_problem(line, final)
        if reason:
            return reason
    if "coefficient of variation" in line.folded:
        return "a coefficient of variation"
    if _NO_CV.search(line.folded):
        return "the text says that there is no CV"
    if prefix:
        reason = _owner_problem(line, label, changed=final != index)
        if reason:
            return reason
    token = line.tokens[final]
    after = line.folded[token.end : token.end + _TOLD_AFTER]
    if _IS_WRONG.match(after):
        return "the text says that it is wrong"
    if _NAMES_A_MODEL.match(after) and _OF.search(line.folded[: token.start][-9:]):
        return "the score of another submission, named behind it"
    if _OF_ROWS.match(after):
        return "a share of the rows"
    if _WAS_ANOTHER.match(after):
        return "the score of another submission, named behind it"
    if prefix:
        named = line.folded[line.tokens[label.first].start : token.start]
        if _NAMES_ANOTHER.search(named):
            return "the score of another submission, named before it"
        if _SITS.search(named) and _OFF.match(after):
            return "a difference"
    if _is_foreign_after(line, max(final, label.last)):
        return "somebody else's score"
    if label.kind == "grid search" and token.decimals < 3:
        return "a parameter of a grid search"
    share = label.kind in ("validation", "holdout", "local", "fold")
    if share and token.value in _SHARES and not label.metrics:
        return "it may be the share of the rows held out"
    if _opens_range(line, final):
        return "a range"
    if _opens_list(line, final):
        return "several numbers, and not said which one counts"
    if sign_of(line, index) == "-":
        stated = label.metrics or _is_negative_score(line, index, near)
        if not (prefix and stated):
            return "a signed difference"
    if final == index and _is_followed_by_delta(line, final):
        return "a difference"
    return ""


def _owner_problem(line: Line, label: Label, *, changed: bool) -> str:
    """Return whose score it is, if a word before the label says it is not ours."""
    near, heading, after = True, False, ""
    if _is_best_fold(line, label):
        return "the score of one fold"
    for place, token in line.backward(label.first, "-_'\"`*"):
        role = token.role
        if token.text == "." and line.tokens[place - 1].text in ("prev", "vs", "adv"):
            continue
        if token.text in ";,.|()[]" or token.kind in ("arrow", "number"):
            break
        earlier = role is Role.EARLIER and not changed
        if role is Role.FOREIGN or (near and (role is Role.COPIED or earlier)):
            return "somebody else's score, or an earlier one"
        if near and (role in _DENIALS or token.text in _CHANGES):
            return f"{token.text!r} before it makes it another quantity"
        if near and token.text == "s" and line.tokens[place - 1].text == "'":
            return "somebody else's score, or an earlier one"
        if heading and after in _GONE_BY[1] and token.text in _GONE_BY[0]:
            return "somebody else's score, or an earlier one"
        heading |= token.text == ":"
        passes = token.text in ("/", "&", ":") or token.text in _CARRIERS
        passes |= near and role in WEAK
        near = passes and not (heading and token.kind == "word")
        after = token.text
    start = line.tokens[max(0, label.first - REACH)].start
    before = line.folded[start : line.tokens[label.first].start]
    if label.folds and before.endswith("single "):
        return ""
    if any(owner.search(before) for owner in _OWNERS_BEFORE):
        return "the score of another submission, named before it"
    if not label.risen_to and _CHANGE_IN.search(before):
        return "a difference"
    return ""


def _is_best_fold(line: Line, label: Label) -> bool:
    """Return whether a label speaks of one fold among others: "best fold CV"."""
    texts = [token.text for token in line.tokens[label.first : label.last]]
    before = [token.text for _, token in line.backward(label.first)][:1]
    extreme = {"best", "worst"} & {*texts, *before}
    return bool(extreme) and any(map(is_fold_word, texts)) and not label.mean


def _is_foreign_after(line: Line, index: int) -> bool:
    if _OF_A_NOTEBOOK.match(line.folded, line.tokens[index].end):
        return True
    place = line.skip(index + 1, "(,")
    token = line.at(place)
    if token is None:
        return False
    following = line.at(line.skip(place + 1))
    pair = (token.text, "" if following is None else following.text)
    owns_next = following is not None and following.kind == "number"
    return (token.role is Role.FOREIGN and not owns_next) or pair in _PAST


def _opens_range(line: Line, index: int) -> bool:
    """Return whether a number is the lower end of "0.84-0.85"."""
    mark, upper = line.at(index + 1), line.at(index + 2)
    if mark is None or upper is None or mark.text not in ("-", "—", "~"):
        return False
    if upper.kind != "number" or upper.decimals < 2:
        return False
    low, high = line.tokens[index].value, upper.value
    owner = line.at(line.skip(index + 3, "_-*("))
    owned = owner is not None and owner.role in (Role.KEYWORD, Role.BOARD, Role.SET)
    return low < high < 2 * low and not owned


def _opens_list(line: Line, index: int) -> bool:
    """Return whether a number is the first of "0.81, 0.82 and 0.83"."""
    places = series_after(line, index)
    place = line.skip(places[-1] + 1)
    link, last = line.at(place), line.at(line.skip(place + 1))
    listed = len(places) > 1 and link is not None and link.text in ("and", "&")
    return listed and last is not None and last.kind == "number"


def _is_followed_by_delta(line: Line, index: int) -> bool:
    """Return whether the next word makes the number a difference: "0.003 better"."""
    place = line.skip(index + 1, "*")
    token = line.at(place)
    if token is None or token.role is not Role.DELTA or token.text in NO_DELTAS:
        return False
    following = line.at(line.skip(place + 1, ""))
    if following is None:
        return True
    return following.text not in ("from", ":", "=") and following.kind != "number"
