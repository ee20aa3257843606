"""What opens a door goes no further: keys, tokens and passwords taken out of texts."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping, Sequence

__all__ = ["HIDDEN", "without_secrets", "without_secrets_in"]

#: What stands in the place of a secret.
HIDDEN = "[hidden]"

_NAME = (
    r"[\w.-]{0,40}(?:token|secret|passw(?:or)?d|passwd|passphrase|api[_-]?key|"
    r"access[_-]?key|private[_-]?key|auth[_-]?key|license[_-]?key|credentials?|"
    r"authorization|kaggle[_-]?key|wandb[_-]?key|bearer)"
)
_BARE_OPTIONS = r"-{1,2}(?:pw|pass|pwd|key|auth)"
# "--token abc", "--api-key=abc", "WANDB_API_KEY=abc", '"key": "abc"', "password: abc".
_NAMED = re.compile(
    rf"(?P<name>(?<![\w.-])(?:{_NAME}|{_BARE_OPTIONS}|[\"']key(?=[\"']))[\"']?)"
    r"(?P<gap>\s{0,4}[=:]\s{0,4}|\s{1,4})(?P<scheme>(?:bearer|basic|token)\s{1,4})?"
    r"(?P<quote>[\"']?)(?P<value>[^\s\"']{1,4000})",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"(?P<start>\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@]{1,500}@", re.I)
_OF_KNOWN_FORM = re.compile(
    r"""
    (?<![A-Za-z0-9])(?:
        gh[pousr]_[A-Za-z0-9]{20,255} | github_pat_\w{20,255} | glpat-[\w-]{15,100}
        | hf_[A-Za-z0-9]{20,100} | sk-[\w-]{16,200} | xox[abprs]-[\w-]{10,200}
        | (?:AKIA|ASIA)[A-Z0-9]{16} | AIza[\w-]{30,60} | KGAT_\w{16,200}
        | pypi-[\w-]{20,300} | wandb_v\d_\w{16,200}
        | eyJ[\w-]{8,2000}\.[\w-]{4,2000}\.[\w-]{4,2000}
    )
    """,
    re.VERBOSE,
)
_OF_VARIABLES = re.compile(rf"(?:{_NAME}|.*_(?:key|pw|pat|auth))\Z", re.IGNORECASE)
_SHORTEST = 6  # characters of a variable's value that is looked for in texts
_WORDS = re.compile(r"(?:is|was|and|or|in|of|for|the|a|to|with|as|on|per|by)\b", re.I)


def without_secrets(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Return a text in which keys, tokens and passwords are hidden.

    Parameters
    ----------
    text : str
        A command, a note, an address, an error.
    environment : mapping of str to str, optional
        Variables whose values are hidden wherever they stand, if their names are those
        of secrets; those of the process by default. None of them is ever kept.

    Examples
    --------
    >>> without_secrets("train.py --wandb-api-key 0123abcd --lr 0.1", {})
    'train.py --wandb-api-key [hidden] --lr 0.1'
    >>> without_secrets("https://me:pw@example.org/x.git", {})
    'https://[hidden]@example.org/x.git'
    """
    known = os.environ if environment is None else environment
    values = {known.get(name, "").strip() for name in known if _is_secret(name)}
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _SHORTEST:
            text = text.replace(value, HIDDEN)
    text = _IN_ADDRESS.sub(rf"\g<start>{HIDDEN}@", text)
    text = _OF_KNOWN_FORM.sub(HIDDEN, text)
    return _NAMED.sub(_hide, text)


@functools.lru_cache(maxsize=4096)
def _is_secret(variable: str) -> bool:
    return _OF_VARIABLES.match(variable) is not None


def _hide(found: re.Match[str]) -> str:
    """Return a named secret hidden; prose such as "token length" stays."""
    assigned = found["gap"].strip() or found["name"].startswith("-")
    value = found["value"]
    telling = any(c.isdigit() for c in value) and len(value) >= 8
    # "--token --lr 0.1": an option follows, not its value.
    if value.startswith(HIDDEN) or (not found["gap"].strip() and value[0] == "-"):
        return found.group()
    if not assigned and not (telling and not _WORDS.match(value)):
        return found.group()
    kept = found["name"] + found["gap"] + (found["scheme"] or "") + found["quote"]
    return kept + HIDDEN


def without_secrets_in(
    words: Sequence[str], environment: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Return the words of a command, hiding what follows the name of a secret.

    Examples
    --------
    >>> without_secrets_in(["run", "--token", "two words", "--api-key=x y"], {})
    ('run', '--token', '[hidden]', '--api-key=[hidden]')
    """
    found: list[str] = []
    named = False
    for word in words:
        is_option = word.startswith("-")
        name, equals, _ = word.partition("=")
        secret = _OF_OPTION.fullmatch(name) is not None
        if named and not is_option:
            found.append(HIDDEN)
        elif secret and equals:
            found.append(f"{name}={HIDDEN}")
        else:
            found.append(without_secrets(word, environment))
        named = secret and is_option and not equals
    return tuple(found)


_OF_OPTION = re.compile(rf"(?:{_NAME}|{_BARE_OPTIONS})", re.IGNORECASE)
