"""Rounding and escaping: the two things that only `_format` does."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense._format import (
    clean_text,
    format_gain,
    format_number,
    format_probability,
    plural,
    shorten,
    spreadsheet_safe,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (math.nan, "-"),
        (0.0, "0"),
        (0.00123, "+0.0012"),
        (-0.0996, "-0.10"),
        (12.3456, "+12"),
        (123.4, "+123"),
        (-3e-12, "-3.0e-12"),
    ],
)
def test_gains_have_a_sign_and_two_digits(value, text):
    assert format_gain(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "<1%"), (0.004, "<1%"), (0.5, "50%"), (0.9999, ">99%"), (1.0, ">99%")],
)
def test_probabilities_never_claim_certainty(value, text):
    assert format_probability(value) == text


def test_numbers_and_counts():
    assert format_number(0.8123456) == "0.81235"
    assert format_number(None) == "-"
    assert plural(1, "step") == "1 step"
    assert plural(2, "guess", "guesses") == "2 guesses"


@given(st.text())
def test_cleaned_text_is_one_printable_line(text):
    clean = clean_text(text)
    assert clean.isprintable() or clean == ""
    assert clean == clean.strip()


def test_escape_sequences_and_overrides_lose_their_power():
    assert clean_text("a\x1b[31mred\u202egnp.exe\r\nb") == "a [31mred gnp.exe b"


@given(st.text(min_size=0, max_size=60), st.integers(2, 40))
def test_shortened_text_fits(text, width):
    assert len(shorten(text, width)) <= width


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@x", "\tx"])
def test_formulas_become_text(text):
    assert spreadsheet_safe(text) == "'" + text


def test_plain_text_stays():
    assert spreadsheet_safe("lgbm v3") == "lgbm v3"
