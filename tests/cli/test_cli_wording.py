"""Keyword arguments in messages become the options that a shell user has."""

from __future__ import annotations

import pytest

from lbsense.cli.wording import as_options


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Nothing to change.", "Nothing to change."),
        (
            "give greater_is_better=True or False.",
            "give --higher-is-better or --lower-is-better.",
        ),
        ("Name it: columns={'cv_score': 'oof'}.", "Name it: --columns cv_score=oof."),
        (
            "columns={'public_score': '<yours>'} (--columns public_score=NAME).",
            "--columns public_score=<yours>.",
        ),
        ("(metric='roc_auc'), or", "(--metric roc_auc), or"),
        ("with team=, by id", "with --team, by id"),
        ("nested=True (--nested) if so", "--nested if so"),
        ("a name of lbsense.metrics.METRICS, or", "a name of `lbsense metrics`, or"),
        (
            "The metric, test_size and public_fraction help; cv_log=..., too.",
            "The metric, --test-size and --public-fraction help; --cv-log, too.",
        ),
        ("use --test-size 10", "use --test-size 10"),
        ("my_test_size stays", "my_test_size stays"),
    ],
)
def test_advice_is_said_in_options(message: str, said: str) -> None:
    assert as_options(message) == said
