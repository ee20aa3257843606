"""Histories of agents that work in a loop, and of trackers of experiments."""

from __future__ import annotations

import json
import pickle
import random
import time

import pytest

import lbsense as lb
from lbsense.errors import IngestError
from lbsense.ingest import FORMATS, read_submissions
from lbsense.model import History

LOOP = """commit\tval_bpb\tmemory_gb\tstatus\tdescription
a1b2c3d\t1.012300\t41.0\tkeep\tbaseline
b2c3d4e\t1.008100\t41.2\tkeep\thigher rate
c3d4e5f\t1.019900\t41.0\tdiscard\tother activation
d4e5f6a\t0.000000\t0.0\tcrash\ttwice as wide (OOM)
e5f6a7b\t1.004400\t41.3\tkeep\tlonger warmup
f6a7b8c\t1.006600\t41.3\tdiscard\tno decay
"""
CAPITALS = """commit\tscore\tsharpe\tmax_dd\tstatus\thypothesis
exp0\t1.079\t1.079\t8.74\tBASELINE\tfirst
exp1\t0.680\t0.680\t4.39\tREVERT\taligned
exp2\t1.136\t1.136\t9.15\tKEEP\traised
exp3\t1.100\t1.100\t5.14\tREVERT\tscaled
"""
JOURNAL = "\n".join(
    json.dumps(record)
    for record in (
        {
            "version": "v1",
            "metrics": {"val_auc": 0.9412, "test_auc": 0.939},
            "status": "ok",
        },
        {
            "version": "v2",
            "metrics": {"val_auc": 0.9431, "test_auc": 0.94},
            "status": "ok",
        },
        {"version": "v3", "metrics": {"val_auc": 0.0}, "status": "failed"},
        {
            "version": "v4",
            "metrics": {"val_auc": 0.9425, "test_auc": 0.9397},
            "status": "ok",
        },
    )
)
FLAGS = "\n".join(
    json.dumps({"iteration": i, "holdout_rmse": h, "cv_rmse": v, "accepted": kept})
    for i, v, h, kept in (
        (1, 0.51, 0.52, True),
        (2, 0.5, 0.53, True),
        (3, 0.55, 0.5, False),
    )
)


def aide(**changes):
    nodes = [
        {"id": "aa", "step": 0, "plan": "Start with a forest.", "code": "x = 1",
         "metric": {"value": 0.81, "maximize": True}, "is_buggy": False,
         "ctime": 1767261600.5, "analysis": "fine"},
        {"id": "bb", "step": 1, "plan": "Boosted trees.", "code": "y", "ctime": 1767261700,
         "metric": {"value": None, "maximize": None}, "is_buggy": True, "analysis": "a bug"},
        {"id": "cc", "step": 2, "plan": "Repaired.", "code": "y", "ctime": 1767261800,
         "metric": {"value": 0.83, "maximize": True}, "is_buggy": False, "analysis": "ok"},
        {"id": "dd", "step": 3, "plan": "More trees.", "code": "z", "ctime": 1767261900,
         "metric": {"value": 0.84, "maximize": True}, "is_buggy": False, "analysis": "ok"},
    ]  # fmt: skip
    tree = {"nodes": nodes, "node2parent": {"cc": "bb", "dd": "aa"}, "__version": "2"}
    return json.dumps(tree | changes)


def graded(competition, score, *, lower=True, **changes):
    return {
        "competition_id": competition,
        "score": score,
        "gold_threshold": 0.1,
        "median_threshold": 0.4,
        "any_medal": False,
        "submission_exists": True,
        "valid_submission": score is not None,
        "is_lower_better": lower,
        "created_at": "2026-01-21T11:59:33.788201",
        "submission_path": "runs/a/submission.csv",
    } | changes


REPORT = json.dumps(
    {
        "total_runs": 3,
        "competition_reports": [
            graded("some-race", 0.31),
            graded("some-race", None),
            graded("some-race", 0.29),
        ],
    }
)
OPTUNA = """number,value,datetime_start,datetime_complete,duration,params_depth,params_lr,user_attrs_test_auc,state
0,0.81,2026-05-01 10:00:00,2026-05-01 10:05:00,0 days 00:05:00,4,0.1,0.805,COMPLETE
1,0.70,2026-05-01 10:05:00,2026-05-01 10:06:00,0 days 00:01:00,2,0.1,,PRUNED
2,0.83,2026-05-01 10:06:00,2026-05-01 10:11:00,0 days 00:05:00,6,0.05,0.82,COMPLETE
3,,2026-05-01 10:11:00,2026-05-01 10:12:00,0 days 00:01:00,9,0.05,,FAIL
"""
MLFLOW = """run_id,experiment_id,status,artifact_uri,start_time,end_time,metrics.val_auc,metrics.train_auc,metrics.test_auc,params.lr,tags.mlflow.runName
r3,1,FINISHED,file:x,2026-05-03 08:20:04.055+00:00,,0.83,0.99,0.82,0.1,swift-fox
r2,1,FAILED,file:x,2026-05-02 08:20:04.055+00:00,,,,,0.1,calm-owl
r1,1,FINISHED,file:x,2026-05-01 08:20:04.055+00:00,,0.81,0.97,0.80,0.1,old-elk
"""
WANDB = """Name,State,Created,Runtime,depth,val_rmse,train_rmse,test_rmse
late-wood-2,finished,2026-05-02T10:00:00.000Z,60,6,0.29,0.1,0.31
early-sun-1,finished,2026-05-01T10:00:00.000Z,60,4,0.31,0.1,0.33
odd-sea-3,crashed,2026-05-03T10:00:00.000Z,5,9,,,
"""


def test_keep_names_the_parent_of_what_follows():
    history = read_submissions(LOOP)
    assert history.competition.platform == "loop"
    assert history.competition.greater_is_better is False
    assert [item.public_score for item in history] == [
        1.0123,
        1.0081,
        1.0199,
        None,
        1.0044,
        1.0066,
    ]
    assert [item.status for item in history] == ["complete"] * 3 + ["error"] + [
        "complete"
    ] * 2
    names = [item.submission_id for item in history]
    assert names[:2] == ["a1b2c3d", "b2c3d4e"]
    assert [item.parent_id for item in history] == [
        None,
        *names[:1],
        *names[1:2] * 3,
        names[4],
    ]
    assert not history.dropped


def test_other_words_and_a_bare_score():
    history = read_submissions(CAPITALS, greater_is_better=True)
    assert [item.public_score for item in history] == [1.079, 0.68, 1.136, 1.1]
    assert [item.parent_id for item in history] == [None, "exp0", "exp0", "exp2"]
    assert [item.description for item in history] == [
        "first",
        "aligned",
        "raised",
        "scaled",
    ]
    assert "sharpe" in " ".join(str(issue) for issue in history.dropped)


def test_score_of_a_crash_is_said_where_it_is_no_zero():
    text = LOOP.replace("0.000000", "9.500000")
    history = read_submissions(text)
    assert history[3].public_score is None
    assert "no score beside 'crash'" in str(history.dropped[0])


def test_names_that_occur_twice_are_told_apart():
    history = read_submissions(LOOP.replace("c3d4e5f", "b2c3d4e"))
    names = [item.submission_id for item in history]
    assert names[1:3] == ["b2c3d4e", "b2c3d4e (2)"]
    assert history[3].parent_id == "b2c3d4e"


def test_journal_in_lines_with_a_test_score():
    history = read_submissions(JOURNAL, metric="roc_auc")
    assert [item.public_score for item in history] == [0.9412, 0.9431, None, 0.9425]
    assert [item.private_score for item in history] == [0.939, 0.94, None, 0.9397]
    assert [item.status for item in history][2] == "error"
    assert [item.submission_id for item in history] == ["v1", "v2", "v3", "v4"]
    assert all(item.cv_score is None for item in history)


def test_journal_that_flags_what_is_accepted():
    history = read_submissions(FLAGS, metric="rmse")
    assert [item.public_score for item in history] == [0.51, 0.5, 0.55]
    assert [item.private_score for item in history] == [0.52, 0.53, 0.5]
    assert [item.parent_id for item in history] == [None, "1", "2"]


def test_metric_of_the_user_decides_between_scores():
    text = LOOP.replace("val_bpb\tmemory_gb", "val_f1\tval_auc").replace(
        "\t1.0", "\t0.5"
    )
    text = text.replace("\t41.", "\t0.6")
    assert read_submissions(text, metric="roc_auc")[0].public_score == 0.60
    assert read_submissions(text, metric="f1")[0].public_score == 0.5123
    named = read_submissions(text, metric="f1", columns={"public_score": "val_auc"})
    assert named[0].public_score == 0.60
    assert named[3].status == "error"


def test_tree_with_its_parents():
    history = read_submissions(aide())
    assert history.competition.platform == "aide"
    assert history.competition.greater_is_better is True
    assert [item.public_score for item in history] == [0.81, None, 0.83, 0.84]
    assert [item.submission_id for item in history] == [f"node {i}" for i in range(4)]
    assert [item.parent_id for item in history] == [None, None, "node 1", "node 0"]
    assert [item.status for item in history][1] == "error"
    assert history[0].submitted_at.isoformat() == "2026-01-01T10:00:00+00:00"
    assert not history.dropped


def test_direction_of_the_user_wins_and_the_other_is_said():
    history = read_submissions(aide(), greater_is_better=False)
    assert history.competition.greater_is_better is False
    assert "higher is better, as the input states" in str(history.dropped)
    assert not read_submissions(aide(), greater_is_better=True).dropped


@pytest.mark.parametrize("outcome", ["council_keep", "KEEP ✅", "**keep**", "Kept"])
def test_words_for_kept(outcome):
    history = read_submissions(LOOP.replace("keep", outcome))
    assert history[2].parent_id == "b2c3d4e"
    assert [item.status for item in history].count("complete") == 5


def test_score_of_validation_before_the_whole_one():
    text = LOOP.replace("val_bpb\tmemory_gb", "score\tscore_val")
    assert read_submissions(text, greater_is_better=True)[0].public_score == 41.0


def test_tree_and_report_as_python_objects():
    assert len(read_submissions(json.loads(aide()))) == 4
    history = read_submissions(json.loads(REPORT))
    assert [item.private_score for item in history] == [0.31, None, 0.29]


def test_tree_with_scores_of_the_test_set():
    nodes = json.loads(aide())["nodes"]
    nodes[0]["test_metric"] = {"value": 0.79}
    history = read_submissions(aide(nodes=nodes))
    assert [item.private_score for item in history] == [0.79, None, None, None]


def test_tree_inside_another_object_and_a_metric_that_is_no_number():
    nodes = json.loads(aide())["nodes"]
    nodes[2]["metric"] = "good"
    text = json.dumps({"journal": {"nodes": [*nodes, 7], "node2parent": {}}})
    history = read_submissions(text)
    assert len(history) == 4
    shown = " ".join(str(issue) for issue in history.dropped)
    assert "good" in shown
    assert "a node with its fields" in shown


def test_grading_report():
    history = read_submissions(REPORT)
    assert history.competition.platform == "mle-bench"
    assert history.competition.greater_is_better is False
    assert [item.private_score for item in history] == [0.31, None, 0.29]
    assert all(item.public_score is None for item in history)
    assert [item.status for item in history][1] == "error"
    assert len(read_submissions(json.dumps(graded("some-race", 0.3)))) == 1


def test_answer_where_all_scores_are_private():
    answer = str(lb.analyze(read_submissions(REPORT)))
    assert (
        "None of 3 submissions has a public score to judge a step by; 2 with a private"
        in answer
    )


def test_grading_report_of_several_competitions():
    text = json.dumps([graded("one", 0.3), graded("two", 0.4), graded("one", 0.2)])
    with pytest.raises(IngestError, match=r"of 2 competitions.*--slug.*one \(2\), two"):
        read_submissions(text)
    history = read_submissions(text, slug="one")
    assert len(history) == 2
    assert "a report of two" in str(history.dropped)


def test_trials():
    history = read_submissions(OPTUNA, metric="roc_auc")
    assert history.competition.platform == "optuna"
    assert [item.public_score for item in history] == [0.81, None, 0.83, None]
    assert [item.private_score for item in history] == [0.805, None, 0.82, None]
    assert [item.status for item in history] == [
        "complete",
        "error",
        "complete",
        "error",
    ]
    assert history[0].description == "depth=4, lr=0.1"
    assert "beside 'PRUNED'" in str(history.dropped)


def test_trials_of_two_objectives():
    text = OPTUNA.replace("value,", "values_0,").replace("duration", "values_1")
    with pytest.raises(IngestError, match="2 objectives.*public_score=values_0"):
        read_submissions(text)
    history = read_submissions(text, columns={"public_score": "values_0"})
    assert history[0].public_score == 0.81


@pytest.mark.parametrize(("text", "platform"), [(MLFLOW, "mlflow"), (WANDB, "wandb")])
def test_runs_of_trackers(text, platform):
    history = read_submissions(text, greater_is_better=True)
    assert history.competition.platform == platform
    scored = [item for item in history if item.public_score is not None]
    assert len(scored) == 2
    assert len(history) == 3
    assert scored[0].submitted_at < scored[1].submitted_at
    assert all(item.private_score is not None for item in scored)
    assert [item.status for item in history if item not in scored] == ["error"]
    assert {"early-sun-1", "old-elk"} & {item.submission_id for item in history}


def test_runs_as_the_page_of_mlflow_gives_them():
    text = (
        "Start Time,Duration,Run ID,Name,Source Type,Source Name,User,Status,lr,r2\n"
        "2025-09-02 08:20:04,1s,r1,base,LOCAL,a.py,me,FINISHED,0.1,'-0.53\n"
    )
    history = read_submissions(text, metric="r2")
    assert (history[0].submission_id, history[0].public_score) == ("base", -0.53)


def test_runs_with_several_scores():
    text = MLFLOW.replace("metrics.train_auc", "metrics.val_f1")
    with pytest.raises(IngestError, match="2 scores: 'metrics.val_auc'.*--columns"):
        read_submissions(text)
    assert read_submissions(text, metric="roc_auc")[0].public_score == 0.81
    assert read_submissions(text, metric="f1")[0].public_score == 0.97


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(raw)
    return folder


@pytest.fixture
def multirun(tmp_path):
    folder = tmp_path / "multirun" / "2026-05-01" / "10-00-00"
    files = {"multirun.yaml": "hydra: {}\n"}
    for i, (score, extra) in enumerate(
        (
            (0.81, ""),
            (0.83, ""),
            (None, "Traceback (most recent call last):\n"),
            (0.82, ""),
        )
    ):
        log = f"[2026-05-01 10:0{i}:00,123][__main__][INFO] - start\n{extra}"
        files[f"{i}/.hydra/overrides.yaml"] = f"- lr=0.{i + 1}\n- model=net\n"
        files[f"{i}/train.log"] = log
        if score is not None:
            files[f"{i}/metrics.json"] = json.dumps(
                {"val_auc": score, "test": {"auc": 0.8}, "train_auc": 0.99}
            )
    return write(folder, files)


def test_folder_of_a_multirun(multirun):
    history = read_submissions(multirun, metric="roc_auc")
    assert history.competition.platform == "hydra"
    assert [item.public_score for item in history] == [0.81, 0.83, None, 0.82]
    assert history[1].private_score == 0.8
    assert history[0].description == "lr=0.1, model=net"
    assert [item.status for item in history][2] == "error"
    assert "no score in its log" in str(history.dropped)


def test_scores_of_jobs_from_their_logs(multirun):
    for i in range(4):
        (multirun / str(i) / "metrics.json").unlink(missing_ok=True)
    with pytest.raises(
        IngestError, match="a multirun of Hydra, with 4 jobs and no score"
    ):
        read_submissions(multirun)
    for i in (0, 1):
        log = multirun / str(i) / "train.log"
        log.write_text(
            f"{log.read_text()}epoch 1 val_auc: 0.5\nepoch 2 val_auc: 0.8{i}\n"
        )
    history = read_submissions(multirun, metric="roc_auc")
    assert [item.public_score for item in history] == [0.80, 0.81, None, None]


def test_folder_of_rd_agent(tmp_path):
    grade = json.dumps(graded("some-race", 0.31))
    scores = ",rmse\nnet,0.4\nensemble,0.35\n"
    stamp = "2026-01-21_11-59-33-788201"
    files = {
        "__session__/0/0_direct_exp_gen": b"x",
        f"Loop_0/running/mle_score/77/{stamp}.pkl": pickle.dumps(f"noise {grade} more"),
        "Loop_0/running/scores.csv": scores,
        f"Loop_0/feedback/77/{stamp}.pkl": pickle.dumps(
            {"decision": True, "reason": "x"}
        ),
        f"Loop_1/running/{stamp}.pkl": pickle.dumps([1, 2]),
        "Loop_2/running/scores.csv": scores.replace("0.35", "0.33"),
        "Loop_10/mle_score.txt": json.dumps(graded("some-race", None)),
    }
    folder = write(tmp_path / "run", files)
    history = read_submissions(folder)
    assert history.competition.platform == "rd-agent"
    assert history.competition.greater_is_better is False
    names = {item.submission_id: item for item in history}
    assert list(names) == ["loop 0", "loop 1", "loop 2", "loop 10"]
    assert names["loop 0"].public_score == 0.35
    assert names["loop 0"].private_score == 0.31
    assert names["loop 2"].parent_id == "loop 0"
    assert names["loop 10"].status == "error"
    assert "no scores.csv and no mle_score" in str(history.dropped)


def test_pickles_are_not_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (exec, ("raise SystemExit('loaded')",))

    files = {"Loop_0/feedback/1/2026-01-21_11-59-33-788201.pkl": pickle.dumps(Bomb())}
    files["Loop_0/mle_score/1/x.pkl"] = pickle.dumps(Bomb())
    folder = write(tmp_path / "run", files)
    with pytest.raises(
        IngestError, match="run of RD-Agent, with 1 loop.*are not loaded"
    ):
        read_submissions(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("journal.json", aide()),
        ("results.tsv", LOOP),
        ("x_grading_report.json", REPORT),
    ],
)
def test_folder_with_a_journal(tmp_path, name, content):
    write(tmp_path, {name: content, "other.csv": "a,b\n1,2\n"})
    assert len(read_submissions(tmp_path)) in (3, 4, 6)


def test_every_kind_has_its_page():
    names = {guide.name for guide in FORMATS}
    assert names >= {
        "loop-results",
        "loop-journal",
        "aide-journal",
        "mle-bench-report",
        "rd-agent-folder",
        "optuna-trials",
        "mlflow-runs",
        "wandb-runs",
        "hydra-multirun",
    }


TEXTS = (LOOP, CAPITALS, JOURNAL, FLAGS, aide(), REPORT, OPTUNA, MLFLOW, WANDB)


@pytest.mark.parametrize("seed", range(10))
def test_mutations_are_read_or_refused(seed):
    rng = random.Random(seed)
    start = time.process_time()
    for _ in range(60):
        text = rng.choice(TEXTS)
        for _ in range(rng.randrange(1, 6)):
            at, end = sorted(rng.randrange(len(text) + 1) for _ in range(2))
            end = min(end, at + 40)
            insert = rng.choice(
                [
                    "",
                    text[at:end] * 2,
                    "null",
                    "[",
                    "{}",
                    "\t",
                    "\n",
                    "-1e999",
                    "true",
                    '"',
                    "keep",
                    "crash",
                    "é",
                ]
            )
            text = text[:at] + insert + text[end:]
        try:
            history = read_submissions(text.encode(), greater_is_better=True)
        except IngestError as error:
            history = None if str(error).strip() else error
        assert history is None or isinstance(history, History)
    assert time.process_time() - start < 20


def test_the_line_of_the_reading_names_the_parents():
    history = read_submissions(
        "commit\tscore\tstatus\tdescription\na1\t0.8\tkeep\tx\nb2\t0.7\tdiscard\ty\n",
        greater_is_better=True,
    )
    assert "parents from 'the last one kept'" in str(history.reading)
