"""Split free text into numbers, words and marks, each with its place in the text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from lbsense.ingest.cv.words import CJK_WORDS, PHRASES, Role, role_of, split_compound

__all__ = ["Token", "tokenize"]

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]++(?!\.[0-9]))(?:[eE][+-]?[0-9]{1,3}(?![^\W_]))?)"
    r"|(?P<arrow>[-=~]{1,2}>|[→⇒➜➡⟶↦]|>>)"
    r"|(?P<spread>±|\+/-|\+-|-/\+)"
    rf"|(?P<cjk>{'|'.join(CJK_WORDS)}|[\u3005-\u30ff\u3400-\u9fff\uac00-\ud7a3])"
    r"|(?P<word>[^\W\d_\u3005-\u30ff\u3400-\u9fff\uac00-\ud7a3]+)"
    r"|(?P<newline>[^\S\n]*\n\s*)"
    r"|(?P<space>\s+)"
    r"|(?P<mark>.)"
)
_LOOKALIKES = str.maketrans(
    {"–": "—", "―": "—", "‐": "-", "‑": "-", "“": '"', "”": '"'}
    | {"‘": "'", "’": "'", "、": ",", "。": ";", "≃": "≈", "∼": "~", "・": " "}
)
_GROUP_SPACES = " \u00a0\u2009\u202f'"


@dataclass(slots=True)
class Token:
    """One piece of the text; ``kind`` is the name of its group in the pattern."""

    kind: str
    text: str
    start: int
    end: int
    value: float = 0.0
    decimals: int = 0
    grouped: bool = False

    @property
    def role(self) -> Role:
        """What the word says about the number beside it."""
        return role_of(self.text) if self.kind == "word" else Role.UNKNOWN


def tokenize(text: str) -> list[Token]:
    """Return the tokens of ``text``; places refer to the text as it was given."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(_fold(text)):
        kind, found = match.lastgroup or "mark", match.group()
        if kind == "word":
            start = match.start()
            for part in split_compound(found.lower()):
                end = min(start + len(part), match.end())
                tokens.append(Token("word", part, start, end))
                start = end
            tokens[-1].end = match.end()
        elif kind == "cjk":
            tokens.append(Token("word", found, *match.span()))
        elif kind == "number":
            tokens.append(_number(found, *match.span()))
        else:
            tokens.append(Token(kind, found, *match.span()))
    return _join_phrases(_join_numbers(tokens))


def _fold(text: str) -> str:
    """Return the text with its full-width forms made plain, character for character."""
    if text.isascii():
        return text
    folded = (unicodedata.normalize("NFKC", char) for char in text)
    plain = "".join(
        new if len(new) == 1 else old for old, new in zip(text, folded, strict=True)
    )
    return plain.translate(_LOOKALIKES)


def _number(text: str, start: int, end: int) -> Token:
    mantissa = text.lower().partition("e")[0]
    decimals = len(mantissa.partition(".")[2])
    return Token("number", text, start, end, float(text), decimals)


def _join_numbers(tokens: list[Token]) -> list[Token]:
    """Join "0,8123", "0p8123" and "98 440", and the digit of "f1" to its letter."""
    joined: list[Token] = []
    index = 0
    while index < len(tokens):
        token, size = tokens[index], 1
        if token.kind == "number" and token.decimals == 0:
            word = joined.pop() if joined and joined[-1].kind == "word" else None
            if word is not None:
                name = word.text + token.text
                if role_of(name) is Role.METRIC:
                    joined.append(Token("word", name, word.start, token.end))
                    index += 1
                    continue
                joined.append(word)
            found = _decimal_comma(tokens, index)
            if found is None and word is None:
                found = _thousands(tokens, index)
            token, size = found or (token, 1)
        joined.append(token)
        index += size
    return joined


def _decimal_comma(tokens: list[Token], index: int) -> tuple[Token, int] | None:
    """Return 0.8123 for "0,8123" and "0p8123", else None."""
    if index + 2 >= len(tokens):
        return None
    whole, mark, part = tokens[index : index + 3]
    if part.kind != "number" or not part.text.isdigit() or len(whole.text) > 2:
        return None
    comma = mark.text == "," and whole.text == "0" and len(part.text) >= 2
    letter = mark.kind == "word" and mark.text == "p"
    if not (comma or letter):
        return None
    return _number(f"{whole.text}.{part.text}", whole.start, part.end), 3


def _thousands(tokens: list[Token], index: int) -> tuple[Token, int] | None:
    """Join digits in groups of three, where two groups or a spread vouch for it."""
    first = tokens[index]
    digits, last = first.text, index
    if not first.text.isdigit() or len(digits) > 3:
        return None
    while last + 2 < len(tokens) and len(digits) < 15:
        gap, group = tokens[last + 1], tokens[last + 2]
        glue = gap.text in _GROUP_SPACES or gap.text == ","
        if len(gap.text) != 1 or not glue or group.kind != "number":
            break
        if not (group.text.isdigit() and len(group.text) == 3):
            break
        digits += group.text
        last += 2
    n_groups = (last - index) // 2
    after = next((t for t in tokens[last + 1 : last + 3] if t.kind != "space"), None)
    before = next(
        (t for t in tokens[max(0, index - 2) : index][::-1] if t.kind != "space"), None
    )
    vouched = any(t is not None and t.kind == "spread" for t in (after, before))
    if n_groups == 0 or not (vouched or n_groups > 1):
        return None
    token = Token("number", digits, first.start, tokens[last].end, float(digits))
    token.grouped = True
    return token, last - index + 1


def _join_phrases(tokens: list[Token]) -> list[Token]:
    """Make one token of "held-out", "out of fold" and their like."""
    heads = {phrase[0] for phrase in PHRASES}
    joined: list[Token] = []
    index = 0
    while index < len(tokens):
        token, size = tokens[index], 1
        if token.kind == "word" and token.text in heads:
            for phrase, name in PHRASES.items():
                piece = tokens[index : index + 2 * len(phrase) - 1]
                words = tuple(t.text for t in piece[::2])
                if words == phrase and all(t.text in " -_" for t in piece[1::2]):
                    token, size = (
                        Token("word", name, token.start, piece[-1].end),
                        len(piece),
                    )
        joined.append(token)
        index += size
    return joined
