"""Whose score is it? Rules over the phrase around a number that has its label."""

from __future__ import annotations

import re

from lbsense.ingest.cv.labels import NO_DELTAS, WEAK, Label, is_fold_word
from lbsense.ingest.cv.shapes import (
    is_negative_score,
    series_after,
    shape_problem,
    sign_of,
)
from lbsense.ingest.cv.words import REACH, Line, Role

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
        stated = label.metrics or is_negative_score(line, index, near)
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
    before = _text_before(line, label)
    if label.folds and before.endswith("single "):
        return ""
    if any(owner.search(before) for owner in _OWNERS_BEFORE):
        return "the score of another submission, named before it"
    if not label.risen_to and _CHANGE_IN.search(before):
        return "a difference"
    return ""


def _text_before(line: Line, label: Label) -> str:
    """Return the text before a label, in lower case, within reach."""
    start = max(0, label.first - REACH)
    return line.folded[line.tokens[start].start : line.tokens[label.first].start]


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
