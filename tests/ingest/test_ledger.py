"""Ledgers as they are read: broken lines, newer versions, trackers, and the join."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lbsense as lb
from lbsense.errors import IngestError
from lbsense.ingest import LEDGER_SCHEMA
from lbsense.model import Competition, InputFile, Ledger, Submission


def line(key: str, **fields: object) -> str:
    head = {"schema": 1, "kind": "experiment", "experiment_id": key, "name": key}
    return json.dumps(head | fields)


def history(*submissions: dict[str, object]) -> lb.History:
    return lb.History(
        competition=Competition(metric="roc_auc", greater_is_better=True),
        submissions=tuple(
            Submission(**{"submission_id": str(100 + i), **fields})  # type: ignore[arg-type]
            for i, fields in enumerate(submissions)
        ),
    )


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        ('{"schema": 1, "kind": "exper', "one whole line of JSON"),
        ("\x00\x01\x02", "one whole line of JSON"),
        ("[1, 2]", 'an object with "schema" and "kind"'),
        ('{"schema": 1, "kind": "experiment"}', "and an experiment_id"),
        (line("a", schema=LEDGER_SCHEMA + 1), "not 2 of a newer lbsense"),
        (line("b", cv_score="high"), "another value of cv_score"),
        (line("b", cv_score=float("nan")), "another value of cv_score"),
        (line("b", seeds=5), "another value of seeds"),
        (line("b", expected={"gain": 1, "low": 2, "high": 3}), "value of expected"),
        (line("b", data=[{"name": "x"}]), "another value of data"),
        (line("b", name=["x"]), "another value of name"),
        (line("b", kind="scores"), "scores of an experiment on a line before"),
        (line("a"), "an experiment_id that no line before has"),
        ("[" * 100_000, "one whole line of JSON"),
    ],
)
def test_a_broken_line_is_reported_and_the_rest_kept(
    tmp_path: Path, broken: str, expected: str
) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text("\n".join([line("a"), "", broken, line("c")]) + "\n")
    before = path.read_bytes()
    ledger = lb.read_ledger(path)
    assert [item.name for item in ledger] == ["a", "c"]
    (issue,) = ledger.issues
    assert issue.line == 3
    assert expected in issue.expected
    assert path.read_bytes() == before


def test_a_ledger_of_a_newer_version_says_so(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text(line("a", schema=7) + "\n")
    with pytest.raises(IngestError, match="newer lbsense; line left out; update"):
        lb.read_ledger(path)


def test_fields_of_later_versions_are_no_fault() -> None:
    (entry,) = lb.read_ledger(line("a", colour="red", environment={"moon": "full"}))
    assert entry.name == "a"


def test_a_ledger_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.jsonl"
    with pytest.raises(IngestError, match="no such ledger. `lbsense log` begins one"):
        lb.read_ledger(path)
    assert len(lb.read_ledger(path, missing_ok=True)) == 0
    path.write_text("\n")
    assert len(lb.read_ledger(path)) == 0


@settings(max_examples=150, deadline=None)
@given(cut=st.integers(0, 400), junk=st.binary(max_size=40))
def test_no_cut_and_no_junk_takes_a_whole_line_away(
    tmp_path_factory, cut, junk
) -> None:
    path = tmp_path_factory.mktemp("cut") / "ledger.jsonl"
    torn = line("torn", hypothesis="äé" * 40).encode()[:cut]
    path.write_bytes(
        line("a").encode()
        + b"\n"
        + torn
        + junk.replace(b"\n", b"")
        + b"\n"
        + line("c").encode()
    )
    names = [item.name for item in lb.read_ledger(path)]
    assert (names[0], names[-1]) == ("a", "c")


def test_runs_of_trackers_are_a_ledger() -> None:
    mlflow = pd.DataFrame(
        {
            "run_id": ["a" * 32, "b" * 32],
            "tags.mlflow.runName": ["exp1", "exp2"],
            "tags.mlflow.note.content": [None, "lags help"],
            "tags.mlflow.parentRunId": [None, "a" * 32],
            "tags.mlflow.source.git.commit": ["c0ffee", "c0ffee"],
            "params.seed": ["1", "2"],
            "start_time": ["2026-03-01 10:00:00", "2026-03-01 11:00:00"],
            "end_time": ["2026-03-01 10:10:00", "2026-03-01 11:10:00"],
            "status": ["FINISHED", "FAILED"],
            "metrics.cv_auc": [0.80, 0.81],
        }
    )
    one, two = lb.read_ledger(mlflow)
    assert (one.name, one.cv_score, one.seconds) == ("exp1", 0.80, 600)
    assert (two.hypothesis, two.parent, two.seeds) == ("lags help", "a" * 32, (2,))
    assert (two.status, two.environment.commit) == ("failed", "c0ffee")
    wandb = "Name,Notes,Runtime,cv_auc\nexp1,,60,0.80\nexp2,more trees,70,0.81\n"
    one, two = lb.read_ledger(wandb)
    assert (one.hypothesis, two.hypothesis) == (None, "more trees")
    assert two.seconds == 70
    joined = lb.join_ledger(history({}, {"description": "exp2 trees"}), wandb)
    assert joined[1].cv_score == 0.81


def entry(name: str, **fields: object) -> lb.Experiment:
    return lb.Experiment(experiment_id=f"id-{name}", name=name, **fields)


def file(name: str, digest: str) -> InputFile:
    return InputFile(name=name, sha256=digest * 64, n_bytes=1)


def test_it_joins_by_digest_reference_name_and_file() -> None:
    sent = history(
        {"content_hash": "A" * 64, "file_name": "submission.csv"},
        {"file_name": "submission.csv"},
        {"description": "exp003: trees", "file_name": "submission.csv"},
        {"file_name": "sub_d.csv"},
    )
    ledger = Ledger(
        experiments=(
            entry("exp001", predictions=(file("out/submission.csv", "a"),)),
            entry("exp002", submission_id="101"),
            entry("exp003"),
            entry(
                "exp004", predictions=(file("oof_d.csv", "e"), file("sub_d.csv", "f"))
            ),
            entry("exp005"),
        )
    )
    joined = lb.join_ledger(sent, ledger)
    found = {item.name: item.submission_id for item in joined.ledger}
    assert found == {
        "exp001": "100",
        "exp002": "101",
        "exp003": "102",
        "exp004": "103",
        "exp005": None,
    }
    assert joined[3].content_hash == "f" * 64  # repeats of it are known now
    assert joined[0].title == "exp001"
    assert joined[2].title is None
    assert joined.warnings == ()


def test_a_name_that_several_have_says_nothing_and_the_last_that_was_done_counts():
    sent = history({"file_name": "submission.csv"}, {"description": "exp2 a"})
    ledger = Ledger(
        experiments=(
            entry("exp1", predictions=(file("submission.csv", "a"),)),
            lb.Experiment(experiment_id="x", name="exp2", cv_score=0.7),
            lb.Experiment(experiment_id="y", name="exp2", cv_score=0.8),
            lb.Experiment(experiment_id="z", name="exp2", status="failed"),
            entry("exp3", predictions=(file("submission.csv", "b"),)),
        )
    )
    joined = lb.join_ledger(sent, ledger)
    assert [item.experiment_id for item in joined.ledger if item.submission_id] == ["y"]
    assert [item.experiment_id for item in joined.ledger.find("101")] == ["y"]
    assert joined[1].cv_score == 0.8


def test_its_parents_and_folds_count_before_prose() -> None:
    sent = history(
        {"description": "exp1"},
        {"description": "exp2", "public_score": 0.7},
        {"description": "exp4 from exp2", "parent_id": "101", "cv_score": 0.8},
        {"description": "exp5", "cv_score": 0.81, "cv_source": "column"},
    )
    ledger = Ledger(
        experiments=(
            entry("exp1", cv_score=0.75, cv_fold_scores=(0.7, 0.8)),
            entry("exp2", parent="nowhere"),
            entry("exp3", parent="EXP1"),  # never submitted
            entry("exp4", parent="exp3", cv_score=0.79),
            entry("exp5", parent="exp4", cv_score=0.9),
        )
    )
    joined = lb.join_ledger(sent, ledger)
    parents = [item.parent_id for item in joined]
    assert parents == [None, None, "100", "102"]
    assert joined[0].cv_fold_scores == (0.7, 0.8)
    assert (joined[2].cv_score, joined[2].cv_source) == (0.79, "log")
    assert joined[3].cv_score == 0.81  # the history's own column stands nearer
    told = [issue.action for issue in joined.dropped]
    assert told == ["parent taken as unknown", "the column's score kept"]


def test_parents_that_go_round_end() -> None:
    sent = history({"description": "exp9"})
    ledger = Ledger(
        experiments=(
            entry("exp7", parent="exp8"),
            entry("exp8", parent="exp7"),
            entry("exp9", parent="exp8"),
        )
    )
    assert lb.join_ledger(sent, ledger)[0].parent_id is None


def test_scores_that_the_export_lacks_come_from_it() -> None:
    sent = history({"description": "exp1", "status": "pending"}, {"public_score": 0.7})
    ledger = Ledger(experiments=(entry("exp1", public_score=0.71, private_score=0.6),))
    first = lb.join_ledger(sent, ledger)[0]
    assert (first.public_score, first.private_score) == (0.71, 0.6)
    assert first.status == "complete"


def test_a_ledger_that_joins_nothing_says_what_to_do() -> None:
    sent = history({"file_name": "submission.csv"})
    joined = lb.join_ledger(sent, Ledger(experiments=(entry("exp1"),)))
    (warning,) = joined.warnings
    assert warning.code == "LBS125"
    assert "write the name of the experiment into the description" in warning.message
    text = line("a") + "\nbroken\n"
    (warning,) = lb.join_ledger(history({"description": "a"}), text).warnings
    assert "1 line of the ledger cannot be read (line 2)" in warning.message
