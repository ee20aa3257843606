"""What is no submission history: one clear message, and what to do instead."""

from __future__ import annotations

import gzip
import io
import zipfile

import pandas as pd
import pytest

from lbsense.errors import IngestError
from lbsense.ingest import read_submissions

CSV = "fileName,date,description,status,publicScore,privateScore\na,2026-01-01,,complete,0.5,\n"
LEADERBOARDS = {
    "2011": "TeamId, TeamName, SubmissionDate, Score\n1, a, 9/17/2011 5:33:33 AM, 0.5\n",
    "2019": 'TeamId,TeamName,SubmissionDate,Score\n1,"a",2019-07-10 16:16:00,0.5\n',
    "now": "\ufeffRank,TeamId,TeamName,LastSubmissionDate,Score,SubmissionCount,"
    'TeamMemberUserNames\n1,7,"a",2026-07-18 09:03:33,0.5,9,"x,y"\n',
    "shown": "Next Page Token = abc\nteamId,teamName,submissionDate,score\n"
    "7,a,2026-07-18 09:03:33.600000,0.5\n",
    "rank and score": "rank,score\n1,0.5\n2,0.4\n",
    "attributes": "_team_id,_submission_date,_score\n7,2026-07-18,0.5\n",
    "zindi": "public_rank,best_public_score,submission_count\n1,0.5,9\n",
}
LOGS = {
    "mlflow cli": "run_id,experiment_id,status,artifact_uri,start_time,end_time,"
    "metrics.train_rmse\nr1,1,FINISHED,file:x,2025-09-02 08:20:04,,0.5\n",
    "mlflow page": "Start Time,Duration,Run ID,Name,Source Type,Source Name,User,Status,"
    "lr\n2025-09-02 08:20:04,1s,r1,x,LOCAL,a.py,me,FINISHED,0.1\n",
    "wandb": "Name,State,Created,Runtime,lr\nx,finished,2025-09-02,9,1\n",
    "neptune": "sys/id,sys/creation_time,metrics/rmse\nA-1,2025-09-02 08:20:04,0.5\n",
}


@pytest.mark.parametrize("text", LEADERBOARDS.values(), ids=LEADERBOARDS)
def test_leaderboard(text):
    with pytest.raises(IngestError, match="a leaderboard.*kaggle competitions subm"):
        read_submissions(text)


def test_leaderboard_of_many_improvements_even_with_a_team():
    with pytest.raises(IngestError, match="a leaderboard"):
        read_submissions(LEADERBOARDS["2019"], team="a")


@pytest.mark.parametrize("text", LOGS.values(), ids=LOGS)
def test_experiment_log_without_public_score(text):
    with pytest.raises(IngestError, match="experiment runs without a public.*--cv-log"):
        read_submissions(text)


@pytest.mark.parametrize(
    "columns", ["run-1 - val_loss", "run-1 - a,run-1 - a__MIN,run-1 - a__MAX"]
)
def test_chart_export(columns):
    cells = ",".join(["0.5"] * len(columns.split(",")))
    text = f"Step,{columns}\n1,{cells}\n2,{cells}\n"
    with pytest.raises(IngestError, match="a chart export"):
        read_submissions(text)


def test_web_page():
    page = "<!DOCTYPE html>\n<html><head><title>Sign In | Kaggle</title></head></html>"
    with pytest.raises(IngestError, match="a web page titled 'Sign In | Kaggle'"):
        read_submissions(page)


def test_no_submissions_found():
    with pytest.raises(IngestError, match="'No submissions found'.*name of the comp"):
        read_submissions("Using competition: titanic\nNo submissions found\n")


@pytest.mark.parametrize(
    "text",
    [
        "403 - Forbidden - You must accept this competition's rules\n",
        "401 - Unauthorized\n",
        "403 Client Error: Forbidden for url: https://www.kaggle.com/api\n",
    ],
)
def test_refused_request(text):
    with pytest.raises(
        IngestError, match=r"refused request, .40[13].*accept the rules"
    ):
        read_submissions(text)


def test_file_of_predictions():
    with pytest.raises(IngestError, match="Found: PassengerId, Survived.*predictions"):
        read_submissions("PassengerId,Survived\n892,0\n893,1\n")


def test_heading_without_rows():
    with pytest.raises(IngestError, match=r"a heading \(fileName, date.*no row below"):
        read_submissions(CSV.split("\n")[0] + "\n")


def test_heading_with_only_broken_rows_lists_them():
    with pytest.raises(IngestError, match=r"<text>:2: '1 cell: x'.*row skipped"):
        read_submissions(CSV.split("\n")[0] + "\nx\n")


def test_prose():
    with pytest.raises(IngestError, match="<text>:1: no table. It begins 'Dear diary'"):
        read_submissions("Dear diary\ntoday nothing happened\n")


def test_json_that_was_cut_off():
    with pytest.raises(IngestError, match="JSON that cannot be read.*line 1, column"):
        read_submissions('[{"publicScore": "0.5", "ref":')


@pytest.mark.parametrize("text", ["[]", "[1, 2]", "{}", '{"data": []}', '["a"]'])
def test_json_without_records(text):
    with pytest.raises(IngestError, match="no submissions in it|no table"):
        read_submissions(text)


@pytest.mark.parametrize("data", [[], (), {}, [[]], pd.DataFrame()])
def test_nothing_at_all(data):
    with pytest.raises(IngestError, match="no submissions in it|empty, with 0 rows"):
        read_submissions(data)


def test_missing_file_names_the_close_one(tmp_path):
    (tmp_path / "submissions.csv").write_text(CSV)
    with pytest.raises(IngestError, match="no such file. Close to it: submissions.csv"):
        read_submissions(tmp_path / "submision.csv")
    with pytest.raises(IngestError, match=r"The folder .* does not exist either"):
        read_submissions(tmp_path / "nowhere" / "x.csv")


def test_folder_lists_its_tables(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "b.png").write_bytes(b"x")
    with pytest.raises(
        IngestError, match=r"a folder, expected a file. It holds a.csv\."
    ):
        read_submissions(tmp_path)


def test_names_that_are_no_files():
    for name in ("", " ", "a\x00b", "x" * 5000, "~nobody-of-that-name/x.csv"):
        with pytest.raises(IngestError, match=r"file|cannot be opened|too long"):
            read_submissions(name)
    with pytest.raises(IngestError, match="a web address. Download"):
        read_submissions("https://www.kaggle.com/c/titanic/submissions")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty \\(0 bytes\\)"),
        (b" \r\n\t ", "only blanks"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"PAR1\x15\x04", "a parquet file"),
        (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
        (b"\xff\xd8\xff\xe0", "a JPEG image"),
        (bytes(range(256)) * 8, "binary data"),
        (b"\x80\x04\x95" + bytes(range(32)) * 20, "binary data"),
        (b"\x1f\x8b\x08damaged", "a damaged gzip archive"),
        (gzip.compress(CSV.encode(), mtime=0)[:-9], "a damaged gzip archive"),
        (gzip.compress(b"", mtime=0), "empty \\(0 bytes\\)"),
        (b"PK\x03\x04damaged", "a zip archive that cannot be read"),
    ],
)
def test_files_that_hold_no_text(tmp_path, content, message):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(IngestError, match=message):
        read_submissions(path)
    with pytest.raises(IngestError, match=message):
        read_submissions(io.BytesIO(content))


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return stream.getvalue()


def test_zip_archives():
    with pytest.raises(IngestError, match=r"an archive of 2 tables \(a.csv, b.csv\)"):
        read_submissions(zipped(a__csv=CSV, b__csv=CSV))
    with pytest.raises(IngestError, match="an archive without a table. It holds a.png"):
        read_submissions(zipped(a__png=b"x"))
    with pytest.raises(IngestError, match="without a table. It holds nothing"):
        read_submissions(zipped())
    with pytest.raises(IngestError, match=r"a.csv: the file is empty \(0 bytes\)"):
        read_submissions(zipped(a__csv=b""))
    with pytest.raises(IngestError, match="an office document. Save its table as CSV"):
        read_submissions(zipped(**{"[Content_Types].xml": "x", "word/a.xml": "x"}))
    name = "some-publicleaderboard-2026-09-30T17_41_44__csv"
    with pytest.raises(IngestError, match=f"<bytes>/{name[:20]}.*a leaderboard"):
        read_submissions(zipped(**{name: LEADERBOARDS["now"]}))


def test_too_many_rows_for_one_entrant():
    row = "a.csv,2026-01-01 10:00:00,x,complete,0.5,\n"
    text = CSV.split("\n")[0] + "\n" + row * 100_001
    with pytest.raises(
        IngestError, match=r"100,001 rows, but a history is that of one"
    ):
        read_submissions(text)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"table": 1.5}, "table must be a number, a heading"),
        ({"greater_is_better": "yes"}, "greater_is_better must be True, False or None"),
    ],
)
def test_options_of_a_wrong_type(options, match):
    with pytest.raises(TypeError, match=match):
        read_submissions("name,public\na,0.5\n", **options)


@pytest.mark.parametrize("data", [None, 3, 2.5, True])
def test_data_of_a_wrong_type(data):
    with pytest.raises(TypeError, match="data must be a path, text, a file"):
        read_submissions(data)
