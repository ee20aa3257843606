"""What opens a door is hidden, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense._format import HIDDEN, without_secrets, without_secrets_in


@pytest.mark.parametrize(
    "text",
    [
        "--token S3",
        "--api-key=S3",
        "export WANDB_API_KEY=S3 && x",
        "KAGGLE_KEY=S3",
        '{"username": "a", "key": "S3"}',
        "Authorization: Bearer S3",
        "password: S3",
        "https://user:S3@host.org/x",
        "-pw S3",
        "AWS_SECRET_ACCESS_KEY='S3'",
        "ghp_S3S3S3S3S3S3S3S3S3S3S3S3S3S3S3S3S3",
        "sk-S3S3S3S3S3S3S3S3S3",
        "hf_S3S3S3S3S3S3S3S3S3S3S3S3",
        "eyJhbGciOiJIUzS3.eyJzdWIiOiIxS3.SflKxwS3",
    ],
)
def test_secrets_are_hidden(text: str) -> None:
    shown = without_secrets(text, {})
    assert "S3" not in shown
    assert HIDDEN in shown


@pytest.mark.parametrize(
    "text",
    [
        "token length 512",
        "the secret is in the features",
        "use token embeddings, max_tokens=512",
        "python train.py --lr 0.1 --fold 3 --key-columns id,day",
        "https://github.com/a/b.git",
        "git@github.com:a/b.git",
        "key: value",
        "a" * 40,
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert without_secrets(text, {}) == text


def test_values_of_variables_are_hidden_wherever_they_stand() -> None:
    known = {"X_TOKEN": "abcdef", "HOME": "/home/abc", "PIN_KEY": "abcdefgh"}
    assert without_secrets("at abcdefgh and abcdef in /home/abc", known) == (
        f"at {HIDDEN} and {HIDDEN} in /home/abc"
    )


def test_words_of_a_command() -> None:
    words = ["run", "--token", "two words", "--api-key=x y", "--seed", "1"]
    assert without_secrets_in(words, {}) == (
        *("run", "--token", HIDDEN, f"--api-key={HIDDEN}", "--seed", "1"),
    )
    assert without_secrets_in(["--token", "--seed", "1"], {})[1:] == ("--seed", "1")


@given(st.text(max_size=200))
def test_hiding_again_changes_nothing(text: str) -> None:
    once = without_secrets(text, {})
    assert without_secrets(once, {}) == once


@given(st.text("abcdefgh01234", min_size=8), st.text(max_size=50), st.text(max_size=50))
def test_a_known_value_never_gets_through(value: str, before: str, after: str) -> None:
    shown = without_secrets(f"{before}{value}{after}", {"MY_TOKEN": value})
    assert value not in shown.replace(HIDDEN, "")
