"""CV scores read from text: measured on labelled strings, and rule by rule."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lbsense.ingest import (
    TRAILING_NUMBER,
    CvReading,
    cv_candidates,
    parse_cv,
    read_table,
)
from lbsense.metrics import METRICS, Metric

AGENTS = Path(__file__).parents[1] / "data" / "ingest" / "cv_agents.jsonl"
STRINGS = Path(__file__).parents[1] / "data" / "ingest" / "cv_strings.jsonl"

Reader = Callable[[str], CvReading | None]


def measure(
    labelled: Iterable[tuple[str, list[float]]], read: Reader
) -> tuple[float, float, list[str]]:
    """Return precision, recall and the texts read wrongly; no label means no CV."""
    right = stated = given = 0
    wrong = []
    for text, accepted in labelled:
        reading = read(text)
        given += reading is not None
        stated += bool(accepted)
        if reading is not None and any(
            math.isclose(reading.value, value) for value in accepted
        ):
            right += 1
        elif reading is not None:
            wrong.append(text)
    return right / given, right / stated, wrong


def own_strings() -> list[dict[str, object]]:
    return [json.loads(line) for line in STRINGS.read_text("utf-8").splitlines()]


def real_strings(folder: Path) -> list[tuple[str, list[float], bool]]:
    """Return text, accepted values, and whether a bare number ends the file name.

    A label that is a difference, or an example of what a template would give, is no
    score.
    """
    lines = (folder / "descriptions.jsonl").read_text("utf-8").splitlines()
    found = []
    for row in map(json.loads, lines):
        label = row["cv_label"] or ""
        stated = "" if label.startswith(("+", "e.g.")) else label.partition("(")[0]
        values = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", stated)]
        found.append((row["desc"], values, "trailing" in row["trap"]))
    return found


# --- measured ------------------------------------------------------------------------


def test_own_strings_are_many_and_of_both_sorts() -> None:
    rows = own_strings()
    assert len({row["text"] for row in rows}) == len(rows) >= 250
    assert sum(row["cv"] is not None for row in rows) >= 100
    assert sum(row["cv"] is None for row in rows) >= 100


def test_precision_and_recall_on_own_strings() -> None:
    labelled = [(row["text"], row["cv"] or []) for row in own_strings()]
    precision, recall, wrong = measure(labelled, parse_cv)
    assert precision >= 0.98, wrong
    assert recall >= 0.85


def test_the_own_cv_among_others_in_long_descriptions() -> None:
    rows = [json.loads(line) for line in AGENTS.read_text("utf-8").splitlines()]
    labelled = [(row["text"], row["cv"]) for row in rows]
    assert len(labelled) >= 100
    precision, recall, wrong = measure(labelled, parse_cv)
    assert precision >= 0.98, wrong
    assert recall >= 0.7


def test_reports_of_agents_and_people() -> None:
    """Sentences that were written in four lists, each measured before it was used."""
    lines = AGENTS.with_name("cv_reports.jsonl").read_text("utf-8").splitlines()
    labelled = [(row["text"], row["cv"]) for row in map(json.loads, lines)]
    assert len(labelled) >= 290
    precision, recall, wrong = measure(labelled, parse_cv)
    assert precision >= 0.98, wrong
    assert recall >= 0.8


def test_descriptions_of_entrants_in_many_languages() -> None:
    """Short notes and file names, with the metric and the public score they stand by."""
    lines = AGENTS.with_name("cv_entrants.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len({row["text"] for row in rows}) == len(rows) >= 1400
    options = {
        row["text"]: {"metric": row.get("metric"), "public_score": row.get("public")}
        for row in rows
    }

    def read(text: str) -> CvReading | None:
        return parse_cv(text, **options[text])

    precision, recall, wrong = measure(
        [
            (row["text"], row["cv"])
            for row in rows
            if not (row.get("or_none") and read(row["text"]) is None)
        ],
        read,
    )
    assert precision >= 0.99, wrong
    assert recall >= 0.95


def test_every_submission_of_the_examples_has_its_cv() -> None:
    path = Path(__file__).parents[2] / "data" / "honest_climber" / "submissions.csv"
    with path.open(newline="", encoding="utf-8") as file:
        texts = [row["description"] for row in csv.DictReader(file)]
    assert all(parse_cv(text) is not None for text in texts)


@pytest.mark.parametrize(
    ("text", "metric", "value"),
    [
        ("CV: logloss=0.2456 auc=0.9123 acc=0.87", "roc_auc", 0.9123),
        ("CV: logloss=0.2456 auc=0.9123 acc=0.87", "log_loss", 0.2456),
        ("cv auc 0.9123", "log_loss", None),
        ("cv auc 0.9123", "mean_columnwise_auc", 0.9123),
        ("cv rmse 0.1312", "rmsle", 0.1312),  # of the logarithm it is the same
        ("cv f1 0.71", "f1_macro", 0.71),
        ("val_loss=0.45", "f1", None),
        ("cv 0.45", "my own score", 0.45),
    ],
)
def test_the_cv_of_another_metric_is_not_taken(
    text: str, metric: str | None, value: float | None
) -> None:
    reading = parse_cv(text, metric=metric)
    assert (reading and reading.value) == value


def test_a_history_says_which_cv_scores_it_left() -> None:
    rows = (
        "publicScore,description\n0.31,cv auc 0.91\n0.30,cv 0.305\n0.29,oof auc 0.92\n"
    )
    history = read_table(rows, metric="log_loss")
    assert [item.cv_score for item in history] == [None, 0.305, None]
    (issue,) = history.dropped
    assert "'cv auc 0.91' and 1 more" in str(issue)
    assert "CV of another metric not taken" in str(issue)
    free = read_table(rows, greater_is_better=False)
    assert [item.cv_score for item in free] == [0.91, 0.305, 0.92]


def test_the_public_score_gives_the_lost_point_in_a_history() -> None:
    rows = "publicScore,description\n0.8034,cv 8123\n0.8050,cv 81.51\n"
    history = read_table(rows, metric="accuracy")
    assert [item.cv_score for item in history] == [0.8123, 0.8151]


def test_spreads_of_own_strings() -> None:
    rows = [row for row in own_strings() if "std" in row]
    assert len(rows) > 15
    for row in rows:
        reading = parse_cv(row["text"])
        assert reading is not None
        assert reading.std == row["std"], row["text"]


def test_precision_and_recall_on_real_strings(real_data: Path) -> None:
    rows = real_strings(real_data)
    precision, recall, wrong = measure(
        [(text, values) for text, values, _ in rows], parse_cv
    )
    assert precision >= 0.98, wrong
    assert recall >= 0.85


def test_recall_does_not_rest_on_one_naming_habit(real_data: Path) -> None:
    rows = real_strings(real_data)
    labelled = [(text, values) for text, values, bare in rows if not bare]
    precision, recall, wrong = measure(labelled, parse_cv)
    assert precision >= 0.98, wrong
    assert recall >= 0.85


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sub_lgb_1104_2217_0.83127.gz", 0.83127),
        ("xgb_freq_0229_0000_7.84284.csv", 7.84284),
        ("nn_1231_2359_0.0893.csv.gz", 0.0893),
    ],
)
def test_a_stamped_file_name_carries_the_score_of_its_making(
    text: str, value: float
) -> None:
    reading = parse_cv(text)
    assert reading is not None
    assert (reading.value, reading.kind) == (value, "stamped")


@pytest.mark.parametrize(
    "text",
    [
        "sub_0.83127.csv",
        "sub_1304_2217_0.83127.csv",  # no 13th month
        "sub_1104_2460_0.83127.csv",  # no such minute
        "sub_1104_2217_0.83.csv",
        "sub_1104_2217_83127.csv",
        "sub_1104_2217_0.83127_final.csv",
        "blend_1104_2217_0.83127 was better",
    ],
)
def test_other_bare_numbers_are_not_read(text: str) -> None:
    assert parse_cv(text) is None


# --- rule by rule --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value", "kind", "metric", "span"),
    [
        ("lgb CV 0.8137, LB 0.82", 0.8137, "cv", None, "CV 0.8137"),
        ("oof_f1:0.8137|seed:3", 0.8137, "oof", "f1", "oof_f1:0.8137"),
        ("v2 (LOO blend 7.41)", 7.41, "loo", None, "LOO blend 7.41"),
        ("LOO-CV: 7.41", 7.41, "loo", None, "LOO-CV: 7.41"),
        ("held-out RMSE ~55", 55.0, "holdout", "RMSE", "held-out RMSE ~55"),
        ("val log loss 0.431", 0.431, "validation", "log loss", "val log loss 0.431"),
        ("0.431 log loss oof", 0.431, "oof", "log loss", "0.431 log loss oof"),
        ("local: 0.8137", 0.8137, "local", None, "local: 0.8137"),
        ("5-fold mean 0.8137", 0.8137, "fold", None, "5-fold mean 0.8137"),
        ("0.7645 CV → 0.868 Public", 0.7645, "cv", None, "0.7645 CV"),
        ("CV 9.402 -> 9.211 (-0.2)", 9.211, "cv", None, "CV 9.402 -> 9.211"),
        ("tip-cv 29.1", 29.1, "cv", None, "tip-cv 29.1"),
        ("x_gs_0.9311_f0.csv", 0.9311, "grid search", None, "gs_0.9311"),
        ("ｃｖ：０．８１ lb", 0.81, "cv", None, "ｃｖ：０．８１"),
    ],
)
def test_reading_says_what_it_was_read_from(
    text: str, value: float, kind: str, metric: str | None, span: str
) -> None:
    reading = parse_cv(text)
    assert reading is not None
    assert (reading.value, reading.kind, reading.metric) == (value, kind, metric)
    assert reading.text == span == text[reading.start : reading.end]
    assert 0 < reading.confidence <= 1
    assert reading.reason == ""


@pytest.mark.parametrize(
    ("text", "std", "folds"),
    [
        ("CV=0.8121±0.0042", 0.0042, ()),
        ("CV 0.8121 (std 0.0042)", 0.0042, ()),
        ("CV 0.8121 (0.0042)", 0.0042, ()),
        ("CV 0.8121 (0.8090)", None, ()),
        ("CV 0.8121 (-0.0042)", None, ()),
        ("CV5 98 440 ± 1 210", 1210.0, ()),
        ("CV 0.812 [0.811, 0.813]", None, (0.811, 0.813)),
        ("fold0 0.811, fold1 0.813, CV 0.812", None, (0.811, 0.813)),
    ],
)
def test_spread_and_folds(
    text: str, std: float | None, folds: tuple[float, ...]
) -> None:
    reading = parse_cv(text)
    assert reading is not None
    assert reading.std == std
    assert reading.fold_scores == folds


def test_mean_of_listed_folds_is_the_score() -> None:
    reading = parse_cv("CV [0.810, 0.820, 0.815]")
    assert reading is not None
    assert reading.value == pytest.approx(0.815, rel=1e-12)  # by hand
    assert reading.fold_scores == (0.81, 0.82, 0.815)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tip-cv +0.70", "a signed difference"),
        ("CV 6.5%", "a percentage"),
        ("T=0.135", "belongs to 't'"),
        ("LB 0.8137", "leaderboard"),
        ("CV 0.8 vs 0.8137", "compare"),
        ("their CV 0.8137", "somebody else"),
        ("cv 8317", "without its point"),
        ("CV 0", "missing"),
        ("CV1 0.81", "count"),
        ("0.6*lgb", "weight"),
        ("v1.2.3", "version"),
        ("Notebook lgb CV 0.8137 | Version 3", "title"),
        ("coefficient of variation: CV 0.12", "coefficient"),
    ],
)
def test_rejected_number_has_a_reason(text: str, reason: str) -> None:
    rejected = [item for item in cv_candidates(text) if item.confidence == 0]
    assert any(reason in item.reason for item in rejected)
    assert all(item.kind == "" and item.reason for item in rejected)


@pytest.mark.parametrize(
    "text",
    [
        "lgb cv 0.811, xgb cv 0.809",
        "CV RMSE 0.45, CV MAE 0.33",
        "CV 0.81 0.82 0.83 0.84",
        "oof lgb 0.811 xgb 0.809",
        "0.81 cv -> 0.87",
    ],
)
def test_ambiguous_text_gives_none(text: str) -> None:
    assert parse_cv(text) is None


def test_values_that_agree_are_one() -> None:
    reading = parse_cv("CV=0.8471, OOF=0.84713, CV 0.8471±0.004")
    assert reading is not None
    assert (reading.value, reading.std) == (0.8471, 0.004)


def test_whole_number_takes_its_point_from_metric_or_public_score() -> None:
    assert parse_cv("cv 8317") is None
    scaled = parse_cv("cv 8317", public_score=0.8264)
    assert scaled is not None
    assert scaled.value == 0.8317
    unscaled = parse_cv("cv 8317", public_score=8264.1)
    assert unscaled is not None
    assert unscaled.value == 8317.0
    assert parse_cv("cv 8317", public_score=3.0) is None
    of_metric = parse_cv("CV AUC 8317")
    assert of_metric is not None
    assert of_metric.value == 0.8317


# --- the user's own expression -------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "text", "value"),
    [
        (r"score (?P<value>\d+\.\d+)", "n 3, score 0.8137", 0.8137),
        (r"(\d+\.\d+)q", "0.5 0.8137q", 0.8137),
        (r"\d\.\d{4}", "v0.2 0.8137", 0.8137),
        (TRAILING_NUMBER, "lgb_1104_2217_0.83127.gz", 0.83127),
        (TRAILING_NUMBER, "lgb_0.83127.csv.gz", 0.83127),
        (TRAILING_NUMBER, "lgb-0.83127", 0.83127),
    ],
)
def test_pattern_replaces_the_rules(pattern: str, text: str, value: float) -> None:
    reading = parse_cv(text, pattern=pattern)
    assert reading is not None
    assert (reading.value, reading.kind) == (value, "pattern")
    assert reading.text == text[reading.start : reading.end]


def test_the_metric_of_a_cv_score_is_kept() -> None:
    table = "description,LB\nCV bleu 31.25,30.1\nlgb cv 31.5,30.2\nplain,30.0\n"
    for pattern in (None, r"CV \w+ ([0-9.]+)"):
        history = read_table(io.StringIO(table), cv_pattern=pattern)
        assert [item.cv_metric for item in history] == ["bleu", None, None]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"score (\d+)", "CV 0.8137"),
        (r"score (\w+)", "score unknown"),
        (r"score(\d+)?", "score"),
        (r"(\d+e\d+)", "1e999"),
        (TRAILING_NUMBER, "lgb_v0.2.csv"),
        (TRAILING_NUMBER, "lgb_0921_2239.csv"),
    ],
)
def test_pattern_without_a_number_gives_none(pattern: str, text: str) -> None:
    assert parse_cv(text, pattern=pattern) is None


def test_pattern_must_be_an_expression() -> None:
    with pytest.raises(ValueError, match=r"pattern must be a regular expression"):
        parse_cv("CV 0.8", pattern="(")


# --- any text ------------------------------------------------------------------------


@pytest.mark.parametrize("text", [None, "", " ", "\n", "cv", "0.8137", "??", "±"])
def test_nothing_to_read(text: str | None) -> None:
    assert parse_cv(text) is None


def test_text_must_be_text() -> None:
    with pytest.raises(TypeError, match=r"text must be a str or None, got float"):
        parse_cv(0.8137)  # type: ignore[arg-type]


WORDS = """
    cv oof LOO val hold-out local lb public train 0.8137 0.81 9.4 8317 5 1e5 1e999 fold
    folds mean std rmse f1 auc seed -> → ± +/- ( ) [ ] / , ; : = _ - . % @ * ** ~ + −
    vs was now from to by their kernel gap better no ??? TBD ｃｖ ０．８ スコア 線下 の
    から 98 440 0p8 0,81 x v0.2 Notebook |"""
PIECES = ["\n", *WORDS.split()]


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from([*PIECES, " "]), max_size=14).map("".join),
        st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join),
    )
)
@example("9" * 5000)
@example("cv 0." + "9" * 5000)
@example("cv\x00 0.8 \ud800 İ")
def test_every_candidate_is_a_part_of_the_text(text: str) -> None:
    candidates = cv_candidates(text)
    for item in candidates:
        assert item.text == text[item.start : item.end]
        assert (item.confidence > 0) == (item.reason == "") == (item.kind != "")
        assert item.confidence == 0 or math.isfinite(item.value)
    reading = parse_cv(text)
    assert reading is None or reading in candidates


KEYWORDS = ["cv", "CV", "OOF", "LOO", "local CV", "val", "5-fold CV", "holdout"]
PREFIXES = [
    "",
    "exp012 ",
    "v3: ",
    "lgb, ",
    "T=0.135, lam=0.4; ",
    "seed 42 | ",
    "0.7/0.3 ",
]
SUFFIXES = [
    "",
    ", LB 0.8391",
    " (LB 0.8391)",
    " vs 0.9",
    ".csv",
    " (-0.002)",
    "; seed 7",
]


@given(
    st.sampled_from(PREFIXES),
    st.sampled_from(KEYWORDS),
    st.sampled_from([" ", "=", ": ", "_", "：", " is "]),
    st.integers(1001, 99999).map(lambda n: f"{n / 1000:.3f}"),
    st.sampled_from(SUFFIXES),
)
def test_score_is_found_whatever_stands_around_it(
    before: str, keyword: str, separator: str, value: str, after: str
) -> None:
    reading = parse_cv(f"{before}{keyword}{separator}{value}{after}")
    assert reading is not None
    assert reading.value == float(value)


# Names that mean something else in a text, or that no text could spell.
NOT_IN_TEXT = {"gap", "l1", "l2", "l2 root", "quantile", "0 1 loss"}


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_every_name_of_a_registered_metric_is_read(metric: Metric) -> None:
    value = 31.25 if metric.contains(31.25) else 0.3125
    names = {metric.name, *metric.aliases} - NOT_IN_TEXT
    for name in sorted(name for name in names if "[" not in name):
        for text in (
            f"cv {name} {value}",
            f"lgb, CV {name.upper()}: {value}, LB {value}",
        ):
            reading = parse_cv(text)
            assert reading is not None, text
            assert (reading.value, reading.kind) == (value, "cv"), text
            assert reading.metric is not None, text


@pytest.mark.parametrize(
    ("text", "metric"),
    [
        ("cv bleu 31.25", "bleu"),
        ("CV root mean squared error: 12.25", "root mean squared error"),
        ("oof map_at_5 0.412", "map_at_5"),
        ("top 3 accuracy CV 0.911", "top 3 accuracy"),
    ],
)
def test_the_metric_is_named_as_it_was_written(text: str, metric: str) -> None:
    reading = parse_cv(text)
    assert reading is not None
    assert reading.metric == metric


@given(
    st.sampled_from(["LB", "lb", "public", "train", "T", "lr", "w", "v", "seed", "vs"]),
    st.sampled_from([" ", "=", ": ", "_"]),
    st.integers(1, 99999).map(lambda n: f"{n / 1000:.3f}"),
)
def test_number_of_another_word_is_never_a_cv(
    word: str, separator: str, value: str
) -> None:
    assert parse_cv(f"cv ???, {word}{separator}{value}") is None


UNITS = """
    cv 0.8 ( ) () 1 0.9-> cv_0.9-> cv_ 0.81, cv/lb/ - * 線下 held-out- 1e5 0p8123 (cv0.8
    0.8(0.1 a ａ cv[0.8,"""


@pytest.mark.parametrize(
    "unit",
    [
        *UNITS.split(),
        "cv ",
        "cv 0.8 ",
        "0.8 cv ",
        "1 234 ",
        "98 440 ",
        "fold0 0.8 ",
        "\n",
    ],
)
def test_long_texts_take_no_longer_than_their_length(unit: str) -> None:
    text = "cv " + unit * (5_000 // len(unit))
    start = time.process_time()
    parse_cv(text)
    assert time.process_time() - start < 1.5  # 0.05 s; quadratic takes minutes


# --- within a history ----------------------------------------------------------------


def scheme_warnings(*rows: tuple[str, float]) -> list[str]:
    data = [
        {
            "date": f"2026-03-{day:02d} 10:00:00",
            "description": description,
            "public_score": public,
        }
        for day, (description, public) in enumerate(rows, 1)
    ]
    history = read_table(data, greater_is_better=False)
    return [item.message for item in history.warnings if item.code == "LBS108"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [("CV 0.51", 0.52), ("LOO 0.50", 0.51), ("LOO 0.49", 0.50)],
            "kind of validation changes from 'cv' to 'loo'",
        ),
        (
            [("KFold, cv 0.51", 0.52), ("GroupKFold, cv 0.53", 0.51)],
            "way of splitting changes from 'k-fold' to 'group k-fold'",
        ),
        (
            [("CV RMSE 0.51", 0.52), ("CV MAE 0.40", 0.51)],
            "metric of the CV changes from 'rmse' to 'mae'",
        ),
        (
            [("cv 0.512", 0.519), ("cv 0.508", 0.517), ("cv 0.601", 0.516)],
            "jumps from 0.508 to 0.601",
        ),
    ],
)
def test_change_of_scheme_is_noticed(rows: list[tuple[str, float]], said: str) -> None:
    (message,) = scheme_warnings(*rows)
    assert said in message
    assert "comparable only within one scheme" in message


@pytest.mark.parametrize(
    "rows",
    [
        [("CV 0.51", 0.52), ("OOF 0.50", 0.51), ("local 0.49", 0.50)],
        [("CV RMSE 0.51", 0.52), ("cv 0.50", 0.51)],
        [("cv 0.61", 0.62), ("cv 0.51", 0.52)],  # CV and public move together
        [("cv 0.512", 0.519), ("cv 0.508", 0.517), ("cv 0.501", 0.516)],
        [("no score here", 0.5), ("none here either", 0.6)],
    ],
)
def test_one_scheme_gives_no_warning(rows: list[tuple[str, float]]) -> None:
    assert scheme_warnings(*rows) == []
