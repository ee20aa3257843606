"""Cards: what they hold, what they lack, crates that others read, and checks."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lbsense as lb
from lbsense.ledger import check_card, make_card
from lbsense.model import Environment, InputFile, Ledger
from lbsense.report import render_card, with_analysis, write_crate
from lbsense.report.documents import crate_metadata

SECRET = "Zq7hunter2swordfish99"
FILE = InputFile(name="in/train.csv", sha256="a" * 64, n_bytes=10)
SUB = InputFile(name="sub.csv", sha256="b" * 64, n_bytes=20)
PLACE = Environment(
    python="3.11.7",
    packages={"numpy": "1.26.0", "pandas": "2.2.0"},
    system="Linux",
    cpu="Some CPU",
    n_cpus=4,
    commit="c0ffee",
    dirty=False,
    repository="https://example.org/x.git",
)


def run(key: str, **fields) -> lb.Experiment:
    known = {
        "name": "exp012",
        "started_at": datetime(2026, 3, 1, tzinfo=UTC),
        "seconds": 61.5,
        "hypothesis": "weekly lags",
        "parent": "exp011",
        "cv_score": 0.81,
        "cv_fold_scores": (0.80, 0.82),
        "cv_metric": "roc_auc",
        "seeds": (42,),
        "command": "python train.py --seed 42",
        "environment": PLACE,
        "data": (FILE,),
        "predictions": (SUB,),
        "submission_id": "77",
        "public_score": 0.79,
    }
    return lb.Experiment(experiment_id=key, **{**known, **fields})


WHOLE = Ledger(
    experiments=(
        run("a"),
        run("b", cv_score=0.812, name="again", command="python train.py --seed 7"),
        run("c", cv_score=0.5, name="other", command="python train.py --deep"),
        run("d", cv_score=0.4, status="failed"),
    )
)


def test_a_whole_card_lacks_nothing() -> None:
    card = make_card(WHOLE, "EXP012", author="A. Name", license="MIT")
    assert card.lacks == ()
    assert card.reruns == (0.81, 0.812)  # the seed is all that differs
    # t interval for the next of two by hand: 0.811 +- 12.706 * 0.0014142 * sqrt(1.5)
    half = 12.7062 * 0.00141421 * 1.5**0.5
    assert card.next_low == pytest.approx(0.811 - half, abs=1e-5)
    text = render_card(card)
    for told in ("c0ffee", "--seed 42", "a" * 64, "numpy==1.26.0", "Some CPU", "0.79"):
        assert told in text
    assert "Nothing is missing that lbsense asks for." in text


@pytest.mark.parametrize("name", ["exp012", "a", "77", "sub.csv", "sub"])
def test_it_is_found_by_any_of_its_names(name: str) -> None:
    if name == "sub":
        with pytest.raises(ValueError, match="no experiment is called 'sub'"):
            make_card(WHOLE, name)
        return
    assert make_card(Ledger(experiments=WHOLE.experiments[:1]), name).experiment


def test_a_bare_card_says_all_that_is_missing() -> None:
    bare = Ledger(experiments=(lb.Experiment(experiment_id="x", name="x"),))
    card = make_card(bare, "x")
    assert set(card.lacks) == {
        *("commit", "repository", "command", "seeds", "packages", "data"),
        *("predictions", "cv", "reruns", "public", "seconds", "author", "license"),
    }
    text = render_card(card)
    assert text.count("Not recorded.") == 11
    assert "No seed is known" in text
    nought = run("z", cv_score=0.0, public_score=0.0, seconds=0.0)
    lacks = make_card(Ledger(experiments=(nought,)), "z").lacks
    assert not {"cv", "public", "seconds"} & {*lacks}
    dirty = run("y", environment=Environment(commit="c0ffee", dirty=True))
    assert "clean" in make_card(Ledger(experiments=(dirty,)), "y").lacks


@pytest.mark.parametrize(
    ("form", "first"),
    [
        ("markdown", "Score to expect"),
        ("kaggle", "Hardware"),
        ("zindi", "Order in which to run the code"),
    ],
)
def test_each_platform_has_its_order(form: str, first: str) -> None:
    text = render_card(make_card(WHOLE, "a"), format=form)
    assert re.findall(r"^## (.*)$", text, re.MULTILINE)[0] == first
    with pytest.raises(ValueError, match="format must be one of"):
        render_card(make_card(WHOLE, "a"), format="pdf")


def test_a_history_adds_scores_and_what_to_expect() -> None:
    data = Path(__file__).parents[2] / "data/honest_climber"
    history = lb.read_kaggle(
        data / "submissions_before_close.csv",
        metric="roc_auc",
        test_size=20_000,
        public_fraction=0.4,
    )
    sent = history[3].submission_id
    entry = run("a", submission_id=sent, public_score=None)
    analysis = lb.analyze(history, ledger=Ledger(experiments=(entry,)))
    card = with_analysis(make_card(Ledger(experiments=(entry,)), "a"), analysis)
    assert card.experiment.public_score == history[3].public_score
    assert "public" not in card.lacks
    assert card.private_low < card.private_mean < card.private_high
    assert "Private score to expect" in render_card(card)
    other = with_analysis(make_card(WHOLE, "a"), analysis)
    assert other.private_mean is None


# --- the crate ----------------------------------------------------------------------


def crate(folder: Path, card) -> dict:
    write_crate(card, folder)
    return json.loads((folder / "ro-crate-metadata.json").read_text("utf-8"))


def assert_is_process_run_crate(metadata: dict, folder: Path | None = None) -> None:
    """Hold a crate to what RO-Crate 1.1 and Process Run Crate 0.5 require.

    https://w3id.org/ro/crate/1.1, https://w3id.org/ro/wfrun/process/0.5 (Requirements).
    """
    graph = {item["@id"]: item for item in metadata["@graph"]}
    assert len(graph) == len(metadata["@graph"])
    head, root = graph["ro-crate-metadata.json"], graph["./"]
    assert head["conformsTo"]["@id"] == "https://w3id.org/ro/crate/1.1"
    assert head["about"]["@id"] == "./"
    assert root["@type"] == "Dataset"
    for name in ("name", "description", "datePublished", "license"):
        assert root[name]
    datetime.fromisoformat(root["datePublished"])
    # MUST reference a CreativeWork with the permalink of the profile.
    profile = graph[root["conformsTo"]["@id"]]
    assert profile["@id"] == "https://w3id.org/ro/wfrun/process/0.5"
    assert profile["@type"] == "CreativeWork"
    (action,) = (x for x in graph.values() if x["@type"] == "CreateAction")
    assert {"@id": action["@id"]} in root["mentions"]
    for name in ("name", "description", "endTime", "instrument", "agent", "result"):
        assert name in action
    tool = graph[action["instrument"]["@id"]]
    assert tool["@type"] == "SoftwareSourceCode"
    assert tool["name"]
    assert tool["version"]
    assert graph[action["agent"]["@id"]]["@type"] == "Person"
    failed = action["actionStatus"]["@id"].endswith("FailedActionStatus")
    assert ("error" in action) <= failed
    for item in root["hasPart"]:
        assert graph[item["@id"]]["@type"] == "File"
        assert folder is None or (folder / item["@id"]).is_file()

    def references(value):
        if isinstance(value, dict):
            if set(value) == {"@id"}:
                yield value["@id"]
            else:
                for inner in value.values():
                    yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    outside = {"https://w3id.org/ro/crate/1.1"}
    for item in graph.values():
        for name in references({k: v for k, v in item.items() if k != "@id"}):
            assert name in graph or name in outside or "ActionStatus" in name, name


def test_a_crate_is_what_its_profile_asks_for(tmp_path: Path) -> None:
    card = make_card(
        WHOLE, "a", author="A. Name", license="https://spdx.org/licenses/MIT"
    )
    metadata = crate(tmp_path, card)
    assert_is_process_run_crate(metadata, tmp_path)
    graph = {item["@id"]: item for item in metadata["@graph"]}
    assert graph["#data/in/train.csv"]["sha256"] == "a" * 64
    assert graph["#author"]["name"] == "A. Name"
    assert graph["./"]["license"] == {"@id": "https://spdx.org/licenses/MIT"}
    assert graph["#a"]["endTime"] == "2026-03-01T00:01:01.500000+00:00"
    (again,) = lb.read_ledger(tmp_path / "ledger.jsonl")
    assert again.seeds == (42,)
    assert "numpy==1.26.0\n" in (tmp_path / "requirements.txt").read_text()


def test_rocrate_reads_and_writes_it_again(tmp_path: Path) -> None:
    rocrate = pytest.importorskip("rocrate.rocrate")
    crate(tmp_path / "one", make_card(WHOLE, "a"))
    found = rocrate.ROCrate(tmp_path / "one")
    (action,) = found.get_by_type("CreateAction")
    assert action["instrument"].id == "https://example.org/x.git"
    assert [item["sha256"] for item in action["object"] if "sha256" in item] == [
        "a" * 64
    ]
    assert {item.id for item in found.data_entities} == {
        *("README.md", "ledger.jsonl", "requirements.txt"),
    }
    found.write(tmp_path / "two")
    again = json.loads((tmp_path / "two/ro-crate-metadata.json").read_text("utf-8"))
    assert {x["@id"] for x in again["@graph"]} == {e.id for e in found.get_entities()}


ANY = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30)


@settings(max_examples=50, deadline=None)
@given(
    name=ANY,
    key=ANY.filter(str.strip),
    why=ANY,
    command=ANY,
    file=ANY,
    package=ANY,
    failed=st.booleans(),
)
def test_any_text_makes_a_crate_and_an_inert_card(
    name, key, why, command, file, package, failed
) -> None:
    entry = run(
        key,
        name=name,
        hypothesis=why,
        command=command,
        data=(InputFile(name=file, sha256="a" * 64, n_bytes=1),),
        environment=Environment(packages={package: "1"}, commit=name),
        status="failed" if failed else "done",
        error=why if failed else None,
    )
    card = make_card(Ledger(experiments=(entry,)), key)
    assert_is_process_run_crate(crate_metadata(card))
    shown = render_card(card)
    bad = {c for c in shown if c != "\n" and unicodedata.category(c)[0] == "C"}
    assert not bad
    assert "<script" not in re.sub(r"\\.", "", shown)


def test_no_secret_gets_into_a_card_or_a_crate(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("UPLOAD_TOKEN", SECRET)
    book = tmp_path / "ledger.jsonl"
    lb.log_experiment(
        "exp1",
        f"because {SECRET}",
        command=[
            "python",
            "t.py",
            "--api-key",
            SECRET,
            "--url",
            f"https://u:{SECRET}@x.y",
        ],
        note=SECRET,
        error=f"401 {SECRET}",
        ledger=book,
    )
    card = make_card(lb.read_ledger(book), "exp1", author="me")
    write_crate(card, tmp_path / "crate")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert SECRET not in path.read_text("utf-8"), path
    for form in ("markdown", "kaggle", "zindi"):
        assert SECRET not in render_card(card, format=form)
    history = lb.read_table(
        "name,public\nexp1,0.7\nexp2,0.71\n", greater_is_better=True
    )
    analysis = lb.analyze(history, ledger=book)
    from lbsense.report import render_report

    for text in (
        render_report(analysis),
        json.dumps(analysis.to_dict()),
        str(analysis),
    ):
        assert SECRET not in text


# --- on this machine -----------------------------------------------------------------


def test_this_machine_is_compared(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.csv").write_text("1")
    (tmp_path / "sub.csv").write_text("2")
    entry = lb.log_experiment("a", data="train.csv", predictions="sub.csv")
    checks = check_card(entry, tmp_path)
    assert {item.status for item in checks} == {"same"}
    assert len(checks) > 20
    (tmp_path / "train.csv").write_text("changed")
    (tmp_path / "sub.csv").unlink()
    told = {item.what: item.status for item in check_card(entry)}
    assert told["data train.csv"] == "differs"
    assert told["predictions sub.csv"] == "absent"
    other = run(
        "x",
        data=(),
        predictions=(),
        environment=Environment(
            python="2.7",
            packages={"no-such-thing": "1", "numpy": "0.1"},
            commit="c0ffee",
        ),
    )
    told = {item.what: item.status for item in check_card(other, tmp_path)}
    assert told["python"] == "differs"
    assert told["package numpy"] == "differs"
    assert told["package no-such-thing"] == "absent"
    assert told["commit"] != "same"


def test_files_outside_of_the_folder_are_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("x")
    inside = tmp_path / "inside"
    inside.mkdir()
    for name in ("../secret.csv", str(tmp_path / "secret.csv")):
        entry = run(
            "x",
            environment=Environment(),
            predictions=(),
            data=(InputFile(name=name, sha256="a" * 64, n_bytes=1),),
        )
        (told,) = check_card(entry, inside)
        assert told.status == "absent"
