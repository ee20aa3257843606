"""Advice that was written for Python, said in options of the command line."""

from __future__ import annotations

import re

__all__ = ["as_options"]

_SIZES = "test_size|train_size|public_fraction|cv_log|cv_pattern"
_RULES = tuple(
    (re.compile(pattern), option)
    for pattern, option in (
        (r" \(--[^)]*\)", ""),  # the option in brackets, which the next rules give
        (r"greater_is_better=True or False", "--higher-is-better or --lower-is-better"),
        (r"\bcolumns=\{'(\w+)': '?([^'}]*)'?\}", r"--columns \1=\2"),
        (r"\b(metric|team|slug)='([^']*)'", r"--\1 \2"),
        (r"\b(team|nested)=(?:True)?(?!\w)", r"--\1"),
        (r"\blbsense\.metrics\.METRICS\b", "`lbsense metrics`"),
        (rf"(?<![\w-])({_SIZES})\b=?(?:\.\.\.)?", r"--\1"),
    )
)


def as_options(message: str) -> str:
    """Return a message of lbsense with its keyword arguments as options."""
    for pattern, option in _RULES:
        message = pattern.sub(option, message)
    return re.sub(r"--[a-z_]+", lambda match: match.group().replace("_", "-"), message)
