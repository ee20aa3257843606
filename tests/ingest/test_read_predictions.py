"""Prediction files: rows are matched by identifier, and nothing is guessed."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense.errors import IngestError, LbsenseWarning
from lbsense.ingest import read_predictions
from lbsense.model import Competition, History, Submission

TRAIN = "id,feature,target\n11,0.5,0\n12,0.1,1\n13,0.9,1\n14,0.2,0\n"


@pytest.fixture
def folder(tmp_path):
    """The usual folder: two submissions, files in different orders."""
    files = {
        "train.csv": TRAIN,
        "sample_submission.csv": "id,target\n21,0\n22,0\n",
        "oof_lgb.csv": "id,target\n11,.1\n12,.2\n13,.3\n14,.4\n",
        "oof_cat.csv": "id,target\n14,.8\n13,.7\n12,.6\n11,.5\n",
        "submission_lgb.csv": "id,target\n21,.9\n22,.8\n",
        "submission_cat.csv": "id,target\n22,.6\n21,.7\n",
        "notes.txt": "tried many things\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_folder_is_matched_by_identifier(folder):
    predictions = read_predictions(folder, labels=folder / "train.csv")
    assert predictions.oof_names == ("cat", "lgb")
    assert predictions.test_names == ("cat", "lgb")
    assert predictions.row_ids.tolist() == [11, 12, 13, 14]
    np.testing.assert_allclose(predictions.oof[:, 0], [0.5, 0.6, 0.7, 0.8])
    np.testing.assert_allclose(predictions.oof[:, 1], [0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(predictions.test, [[0.6, 0.8], [0.7, 0.9]])
    assert predictions.test_ids.tolist() == [22, 21]
    # train.csv has a feature too: the test files tell that the target is "target".
    np.testing.assert_array_equal(predictions.labels, [0, 1, 1, 0])


@pytest.mark.parametrize("kind", ["oof", "submission"])
def test_a_folder_may_hold_one_kind_alone(folder, kind):
    for path in folder.glob(f"{kind}_*"):
        path.unlink()
    predictions = read_predictions(folder)
    assert (predictions.oof is None) == (kind == "oof")
    assert (predictions.test is None) == (kind == "submission")


def history(*file_names):
    return History(
        competition=Competition(),
        submissions=tuple(
            Submission(submission_id=f"s{i}", file_name=name)
            for i, name in enumerate(file_names)
        ),
    )


def test_files_take_the_names_of_the_submissions_that_sent_them(folder):
    sent = history("submission_lgb.csv", "other.csv")
    predictions = read_predictions(folder, labels=folder / "train.csv", history=sent)
    # "cat" was never sent and keeps its own name.
    assert predictions.oof_names == ("cat", "s0")
    assert predictions.test_names == ("cat", "s0")


def test_name_that_fits_several_submissions_is_tied_to_none(folder):
    sent = history("submission_lgb.csv", "submission_lgb.csv")
    with pytest.warns(LbsenseWarning, match="fits 2 submissions of the history"):
        predictions = read_predictions(
            oof=[folder / "oof_lgb.csv"], labels=folder / "train.csv", history=sent
        )
    assert predictions.oof_names == ("lgb",)


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "tsv", "parquet", "npz", "frame"])
def test_every_format_gives_the_same(tmp_path, suffix):
    frame = pd.DataFrame({"id": [13, 11, 14, 12], "pred": [0.3, 0.1, 0.4, 0.2]})
    data = tmp_path / f"oof_one.{suffix}"
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
        frame.to_parquet(data)
    elif suffix == "npz":
        np.savez(data, id=frame["id"].to_numpy(), oof=frame["pred"].to_numpy())
    elif suffix == "frame":
        data = frame
    else:
        frame.to_csv(data, index=False, sep="\t" if suffix == "tsv" else ",")
    predictions = read_predictions(
        labels=io.StringIO(TRAIN), oof={"one": data}, columns={"label": "target"}
    )
    np.testing.assert_allclose(predictions.oof[:, 0], [0.1, 0.2, 0.3, 0.4])


def test_arrays_need_the_identifiers_of_their_rows(tmp_path, folder):
    path = tmp_path / "oof_net.npy"
    np.save(path, np.array([0.1, 0.2, 0.3, 0.4]))
    with pytest.raises(IngestError, match="an array without identifiers"):
        read_predictions(
            labels=folder / "train.csv", oof=[path], columns={"label": "target"}
        )
    predictions = read_predictions(
        labels=folder / "train.csv",
        oof=[path],
        oof_ids=np.array([14, 13, 12, 11]),
        columns={"label": "target"},
    )
    assert predictions.oof_names == ("net",)
    np.testing.assert_allclose(predictions.oof[:, 0], [0.4, 0.3, 0.2, 0.1])
    by_file = read_predictions(
        oof={"net": np.array([0.1, 0.2, 0.3, 0.4])}, oof_ids=folder / "train.csv"
    )
    assert by_file.row_ids.tolist() == [11, 12, 13, 14]
    with pytest.raises(IngestError, match="4 rows, but oof_ids has 2"):
        read_predictions(oof=[path], oof_ids=[1, 2])


def frame(**columns):
    return pd.DataFrame(columns)


def test_one_table_may_hold_a_column_for_every_submission():
    table = frame(id=[1, 2], target=[0, 1], first=[0.1, 0.9], second=[0.2, 0.8])
    predictions = read_predictions(oof=table)
    assert predictions.oof_names == ("first", "second")
    np.testing.assert_array_equal(predictions.labels, [0, 1])


@given(st.permutations(range(6)), st.permutations(range(6)))
def test_row_order_never_counts(first, second):
    ids, values = np.array(list("abcdef")), np.arange(6) / 10
    one, two = (list(order) for order in (first, second))
    predictions = read_predictions(
        labels=frame(id=ids, y=np.arange(6) % 2),
        oof={
            "one": frame(id=ids[one], pred=values[one]),
            "two": frame(id=ids[two], pred=1 - values[two]),
        },
    )
    np.testing.assert_allclose(predictions.oof, np.column_stack([values, 1 - values]))


def test_numbers_as_identifiers_are_one_however_they_were_saved():
    predictions = read_predictions(
        labels=frame(id=[1, 2], y=[0, 1]),
        oof={
            "float": frame(id=[2.0, 1.0], pred=[0.2, 0.1]),
            "text": io.StringIO("id,pred\n2.0,0.2\n1,0.1\n"),
        },
    )
    np.testing.assert_allclose(predictions.oof, [[0.1, 0.1], [0.2, 0.2]])


def test_leading_zeros_and_the_text_na_are_identifiers():
    text = "id,pred\n007,0.1\nNA,0.2\n7,0.3\n"
    predictions = read_predictions(test={"a": io.StringIO(text)})
    assert predictions.test_ids.tolist() == ["007", "NA", "7"]


def test_text_labels_become_numbers_with_their_names_kept():
    predictions = read_predictions(
        labels=frame(id=[1, 2, 3], label=["cat", "dog", "cat"]),
        oof={"a": frame(id=[3, 2, 1], label=["ant", "dog", "cat"])},
    )
    assert predictions.classes == ("ant", "cat", "dog")
    np.testing.assert_array_equal(predictions.labels, [1, 2, 1])
    np.testing.assert_array_equal(predictions.oof[:, 0], [1, 2, 0])


def test_class_probabilities_follow_the_order_of_the_classes():
    first = frame(id=[1, 2], dog=[0.3, 0.9], cat=[0.7, 0.1])
    second = frame(id=[1, 2], cat=[0.5, 0.4], dog=[0.5, 0.6])
    predictions = read_predictions(
        labels=frame(id=[2, 1], label=["dog", "cat"]), oof={"a": first, "b": second}
    )
    assert predictions.classes == ("cat", "dog")
    np.testing.assert_allclose(predictions.oof[0], [[0.1, 0.9], [0.4, 0.6]])


def test_groups_times_and_weights_are_read_where_named():
    predictions = read_predictions(
        labels=frame(id=[1, 2], y=[0, 1], who=["p", "q"], day=[5, 6], w=[1.0, 2.0]),
        oof={"a": frame(id=[2, 1], pred=[0.2, 0.1])},
        columns={"label": "y", "group": "who", "time": "day", "weight": "w"},
    )
    assert predictions.groups.tolist() == ["p", "q"]
    assert predictions.times.tolist() == [5, 6]
    assert predictions.weights.tolist() == [1.0, 2.0]


def test_fold_and_saved_index_are_no_predictions():
    text = "Unnamed: 0,id,fold,target,oof\n0,1,0,1,0.4\n1,2,1,0,0.6\n"
    predictions = read_predictions(oof={"a": io.StringIO(text)})
    np.testing.assert_allclose(predictions.oof[:, 0], [0.4, 0.6])
    np.testing.assert_array_equal(predictions.labels, [1, 0])


@pytest.mark.parametrize(
    "text", ["id;pred\n1;0,25\n2;0,5\n", "id\tpred\n1\t0,25\n2\t0,5\n"]
)
def test_decimal_commas(text):
    predictions = read_predictions(test={"a": io.StringIO(text)})
    np.testing.assert_allclose(predictions.test[:, 0], [0.25, 0.5])


def test_rows_that_some_lack_are_kept_out_on_request_and_counted():
    labels = frame(id=[1, 2, 3], y=[0, 1, 1])
    oof = {"a": frame(id=[2, 3], pred=[0.2, 0.3]), "b": frame(id=[3, 2], pred=[1, 0])}
    with pytest.raises(IngestError, match="it lacks 1 \\('1'\\)"):
        read_predictions(labels=labels, oof=oof)
    with pytest.warns(LbsenseWarning, match="2 rows of up to 3 are in every file"):
        predictions = read_predictions(labels=labels, oof=oof, rows="common")
    assert predictions.row_ids.tolist() == [2, 3]
    np.testing.assert_array_equal(predictions.labels, [1, 1])


GOOD = frame(id=[1, 2], pred=[0.1, 0.2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "No predictions: give a folder"),
        (
            {"oof": {"a": GOOD, "b": frame(id=[1, 1], pred=[1, 2])}},
            "more than once: '1'",
        ),
        (
            {"oof": {"a": GOOD, "b": frame(id=[1, 9], pred=[1, 2])}},
            r"oof of b: .* it lacks 1 \('2'\) and has 1 of its own \('9'\)",
        ),
        (
            {"oof": {"a": frame(id=["u", "v"], pred=[0.1, np.nan])}},
            "pred must be finite numbers, but 1 row hold something else: 'v'",
        ),
        (
            {"oof": {"a": frame(id=["u", "v"], pred=[0.1, np.inf])}},
            "1 row hold something else: 'v'. The first holds 'inf'",
        ),
        (
            {"oof": {"a": io.StringIO("id,pred\nu,0.1\nv,n.d.\n")}},
            "hold something else: 'v'. The first holds 'n.d.'",
        ),
        ({"oof": {"a": io.StringIO("id,pred\nu,0.1\n,0.2\n")}}, "without identifier"),
        ({"oof": {"a": frame(x=[1, 2], pred=[1, 2])}}, "no column of identifiers"),
        ({"oof": {"a": frame(id=[1], f1=[2], f2=[3])}}, "predictions could be any of"),
        (
            {"oof": {"a": GOOD}, "columns": {"prediction": "p"}},
            "no column 'p' for the prediction. It has 'pred'",
        ),
        ({"oof": {"a": GOOD}, "columns": {"id": "ID"}}, "no column 'ID'"),
        (
            {"oof": {"a": GOOD}, "labels": frame(id=[1, 2], u=[0, 1], v=[1, 0])},
            "labels could be any of 'u', 'v'",
        ),
        (
            {"oof": {"a": GOOD}, "labels": frame(id=[1, 2], y=["no", None])},
            "no label in '2'",
        ),
        (
            {
                "labels": frame(id=[1, 2], y=[0, 1]),
                "oof": {"a": frame(id=[1, 2], pred=["cat", "dog"])},
            },
            "Labels are numbers, but predictions are text: 'cat', 'dog'",
        ),
        (
            {
                "oof": {
                    "a": frame(id=[1, 2], y=[0, 1], pred=[0.1, 0.2]),
                    "b": frame(id=[1, 2], y=[1, 1], pred=[0.1, 0.2]),
                }
            },
            "oof of b: labels of 1 row differ from those of oof of a: '1'",
        ),
        (
            {
                "test": {
                    "a": frame(id=[1], q=[0.4], x=[0.6]),
                    "b": frame(id=[1], q=[0.4], z=[0.6]),
                }
            },
            "test of b: predictions are in 'q', 'z', but test of a has them in 'q', 'x'",
        ),
        ({"oof": {"a": "no/such/file.csv"}}, "no such file"),
        ({"oof": {"a": np.zeros((2, 2, 2))}, "oof_ids": [1, 2]}, r"of shape \(n,\) or"),
        ({"oof": {"a": frame(id=[], pred=[])}}, "a heading and no row below it"),
    ],
)
def test_what_cannot_be_matched_is_an_error_that_names_it(options, message):
    with pytest.raises(IngestError, match=message):
        read_predictions(**options)


def test_folder_without_predictions_tells_what_it_holds(tmp_path):
    with pytest.raises(IngestError, match="no such folder"):
        read_predictions(tmp_path / "gone")
    (tmp_path / "model.csv").write_text("a\n1\n")
    with pytest.raises(IngestError, match=r"It holds 'model.csv'. Give the files with"):
        read_predictions(tmp_path)


def test_two_files_of_one_submission_are_an_error(folder):
    np.savez(folder / "oof_lgb.npz", id=np.arange(4), oof=np.zeros(4))
    with pytest.raises(IngestError, match="Several oof files are of submission 'lgb'"):
        read_predictions(folder)


@pytest.mark.parametrize(
    ("name", "message"),
    [("x.npy", "not an array"), ("x.parquet", "not a .parquet file")],
)
def test_damaged_files_are_named(tmp_path, name, message):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(IngestError, match=message):
        read_predictions(oof={"a": tmp_path / name})


def test_npz_with_several_arrays_is_not_guessed_at(tmp_path):
    np.savez(tmp_path / "x.npz", first=np.zeros(2), second=np.zeros(2))
    with pytest.raises(IngestError, match="holds the arrays 'first', 'second'"):
        read_predictions(oof={"a": tmp_path / "x.npz"})


def test_pickled_arrays_are_never_loaded(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(IngestError, match="not an array that can be read"):
        read_predictions(oof={"a": tmp_path / "x.npy"})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"columns": {"target": "y"}}, ValueError, r"not \['target'\]"),
        ({"rows": "some"}, ValueError, "rows must be 'all' or 'common'"),
        ({"oof": [GOOD]}, TypeError, "oof is a list with DataFrame in it"),
        ({"oof": {"a": 3}}, TypeError, "oof of a: expected a path"),
    ],
)
def test_options_that_make_no_sense(options, error, message):
    with pytest.raises(error, match=message):
        read_predictions(**options)


@pytest.mark.parametrize("folder", [b"x", 3, ["a"]])
def test_a_folder_of_a_wrong_type(folder):
    with pytest.raises(TypeError, match="folder must be a path, got "):
        read_predictions(folder)


def test_an_archive_of_no_arrays(tmp_path):
    with zipfile.ZipFile(tmp_path / "oof_a.npz", "w") as archive:
        archive.writestr("a.csv", "id,p\n1,0.5\n")
    with pytest.raises(IngestError, match=r"oof_a.npz: holds 'a.csv', expected arrays"):
        read_predictions(tmp_path)


def test_whole_numbers_without_end_are_no_classes(tmp_path):
    path = tmp_path / "oof_a.csv"
    path.write_text("id,pred\n" + "".join(f"{n},{'9' * 400}\n" for n in (1, 2)))
    with pytest.raises(IngestError, match=r"oof_a.*row 1 of 'pred'.*400 digits"):
        read_predictions(tmp_path)
