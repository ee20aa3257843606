"""Every generation of what the Kaggle client gives (CSV, table, JSON, objects)."""

from __future__ import annotations

import enum
import gzip
import io
import json
import types
import zipfile
from datetime import UTC, datetime

import pandas as pd
import pytest

from lbsense.ingest import read_kaggle, read_submissions

OLD = "fileName,date,description,status,publicScore,privateScore"
NEW = f"ref,{OLD}"
GEN_A = f"""{OLD}
blend.csv,2020-04-27 10:56:14,second try,complete,0.77511,None
first.csv,2020-04-26 09:00:00,baseline,complete,0.76555,None
broken.csv,2020-04-25 08:00:00,,error,None,None
"""
GEN_B = f"""{OLD}
submission.csv,2026-07-28 15:17:26.513000,tuned,SubmissionStatus.COMPLETE,9.662,
submission.csv,2026-02-24 19:38:04,"said ""hello"", twice",SubmissionStatus.ERROR,,
submission.csv,2026-02-23 19:38:04,,SubmissionStatus.PENDING,,
"""
GEN_C = f"""{NEW}
301,submission.csv,2026-07-28 15:17:26.513000,tuned,SubmissionStatus.COMPLETE,9.662,
300,submission.csv,2026-07-27 15:17:26,first,SubmissionStatus.COMPLETE,9.700,9.910
"""


def ruled(names, rows, *, indent=""):
    """Print a table as the client does: two spaces between columns, and a ruler."""
    cells = [names, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(names))]
    lines = [names, ["-" * width for width in widths], *rows]
    return "".join(
        indent
        + "".join(
            (cell.rjust(width) if i == 0 else cell.ljust(width)) + "  "
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        + "\n"
        for line in lines
    )


ROWS = [
    ["302", "b.csv", "2026-07-29 10:00:00.125000", "with  gaps"]
    + ["SubmissionStatus.COMPLETE", "0.81230", ""],
    ["17", "a.csv", "2026-07-28 10:00:00", "first\nhalf"]
    + ["SubmissionStatus.COMPLETE", "0.80110", "0.79990"],
    ["16", "", "2026-07-27 10:00:00", "", "SubmissionStatus.ERROR", "", ""],
]
RULED = ruled(NEW.split(","), ROWS)


def public(data, **options):
    return [item.public_score for item in read_submissions(data, **options)]


class SubmissionStatus(enum.Enum):
    """The shape of the enumeration of the client."""

    PENDING = 0
    COMPLETE = 1
    ERROR = 2


def test_generation_a_is_read_and_put_in_time_order():
    history = read_kaggle(GEN_A)
    assert [item.file_name for item in history] == [
        "broken.csv",
        "first.csv",
        "blend.csv",
    ]
    assert [item.status for item in history] == ["error", "complete", "complete"]
    assert [item.public_score for item in history] == [None, 0.76555, 0.77511]
    assert [item.private_score for item in history] == [None, None, None]
    assert history[0].description is None
    assert history[0].submitted_at == datetime(2020, 4, 25, 8, tzinfo=UTC)
    assert history.dropped == ()
    assert history.competition.platform == "kaggle"


@pytest.mark.parametrize("blank", ["None", ""])
def test_blank_scores_of_generation_a(blank):
    text = f"{OLD}\na.csv,2020-04-27 10:56:14,x,complete,0.5,{blank}"
    assert read_kaggle(text)[0].private_score is None


def test_generation_b_mixes_dates_with_and_without_fraction():
    history = read_kaggle(GEN_B)
    assert [item.submitted_at.microsecond for item in history] == [0, 0, 513_000]
    assert [item.status for item in history] == ["pending", "error", "complete"]
    assert history[1].description == 'said "hello", twice'
    assert not any(warning.code == "LBS109" for warning in history.warnings)


def test_generation_c_is_identified_by_reference():
    history = read_kaggle(GEN_C)
    assert [item.submission_id for item in history] == ["300", "301"]
    assert history["300"].private_score == 9.91
    assert history["301"].source_line == 2


@pytest.mark.parametrize(
    "header",
    [
        "REF,filename,DATE,Description,Status,PUBLICSCORE,PrivateScore",
        "ref,fileName,date,description,status,publicScore,privateScore,url",
    ],
)
def test_header_is_read_by_name_whatever_its_case(header):
    row = "7,a.csv,2026-07-28 15:17:26,x,complete,0.5,0.6,"
    cells = row if header.endswith("url") else row.removesuffix(",")
    item = read_kaggle(f"{header}\n{cells}")["7"]
    assert (item.public_score, item.private_score, item.status) == (
        0.5,
        0.6,
        "complete",
    )


def test_projection_gives_any_subset_in_any_order():
    history = read_submissions("publicScore,ref\n0.81,9\n0.80,8\n")
    assert [item.submission_id for item in history] == ["8", "9"]  # newest first
    assert history.competition.platform == "kaggle"


def test_projection_of_one_column():
    assert public('publicScore\n0.81\n""\n0.80\n') == [0.80, None, 0.81]


def test_json_of_the_client_holds_text_and_no_zone():
    rows = [
        {
            "ref": 301,
            "fileName": "a.csv",
            "date": "2026-07-28T15:17:26.513000",
            "description": "x",
            "status": "SubmissionStatus.COMPLETE",
            "publicScore": "0.81230",
            "privateScore": "",
        },
        {
            "ref": 300,
            "fileName": "a.csv",
            "date": "2026-07-28T15:17:26",
            "description": "",
            "status": "SubmissionStatus.PENDING",
            "publicScore": "",
            "privateScore": "",
        },
    ]
    history = read_submissions(json.dumps(rows))
    assert [item.submission_id for item in history] == ["300", "301"]
    assert history["301"].submitted_at == datetime(
        2026, 7, 28, 15, 17, 26, 513_000, tzinfo=UTC
    )
    assert history["300"].status == "pending"
    assert history.competition.display_decimals == 5


def test_table_is_cut_at_its_ruler():
    history = read_submissions(RULED)
    assert [item.submission_id for item in history] == ["16", "17", "302"]
    assert history["302"].description == "with  gaps"
    assert history["302"].private_score is None
    assert history["17"].description == "first\nhalf"
    assert (history["17"].public_score, history["17"].private_score) == (0.8011, 0.7999)
    assert (history["16"].file_name, history["16"].status) == (None, "error")
    assert history.dropped == ()


def test_table_indented_and_without_trailing_spaces():
    text = ruled(NEW.split(","), [ROWS[0], ROWS[2]], indent="    ")
    history = read_submissions("\n".join(map(str.rstrip, text.split("\n"))))
    assert [item.submission_id for item in history] == ["16", "302"]


def test_table_with_a_line_that_is_no_row_says_so():
    history = read_submissions(RULED + "Saved by hand on Monday\n")
    assert len(history) == 3
    assert [issue.action for issue in history.dropped] == ["line skipped"]
    assert history.dropped[0].found == "Saved by hand on Monday"


def test_label_block_of_one_submission():
    text = (
        "Submission Ref:    301\nStatus:            SubmissionStatus.COMPLETE\n"
        "Public Score:      0.8123\nPrivate Score:     \nDescription:       tuned\n"
        "Submission Date:   2026-07-28 15:17:26\n"
    )
    item = read_submissions(text)["301"]
    assert (item.public_score, item.private_score) == (0.8123, None)
    assert (item.status, item.description) == ("complete", "tuned")


def test_description_that_is_itself_a_time_stays_text():
    text = f"{OLD}\na.csv,2020-04-27 10:56:14,2020-01-01 00:00:00,complete,0.5,"
    item = read_kaggle(text)[0]
    assert item.description == "2020-01-01 00:00:00"
    assert item.submitted_at == datetime(2020, 4, 27, 10, 56, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("shown", "decimals"),
    [("0.76555", 5), ("9.662", 3), ("535.5", 1), ("91.86000", 5), ("12", 0)],
)
def test_display_decimals_are_those_of_the_text(shown, decimals):
    text = f"{OLD}\na.csv,2020-04-27 10:56:14,x,complete,{shown},"
    assert read_kaggle(text).competition.display_decimals == decimals


def test_twins_of_the_old_api_are_one_score():
    row = {
        "ref": 1,
        "fileName": "a.csv",
        "fileNameNullable": "a.csv",
        "hasFileName": True,
        "date": "2021-03-04T05:06:07.89Z",
        "status": "complete",
        "publicScore": "0.5",
        "publicScoreNullable": "0.5",
        "hasPublicScore": True,
        "privateScore": "",
        "privateScoreNullable": None,
        "hasPrivateScore": False,
        "errorDescription": None,
        "errorDescriptionNullable": None,
        "hasErrorDescription": False,
        "totalBytes": 12,
    }
    history = read_kaggle([row])
    assert (history["1"].public_score, history["1"].private_score) == (0.5, None)
    assert history.dropped == ()


def test_late_submissions_show_both_scores():
    text = f"{NEW}\n5,a.csv,2026-07-28 15:17:26,x,SubmissionStatus.COMPLETE,0.5,0.6"
    item = read_kaggle(text)["5"]
    assert (item.public_score, item.private_score) == (0.5, 0.6)


def test_pages_in_one_file_repeat_the_header_and_overlap():
    text = (
        GEN_C + f"{NEW}\n300," + GEN_C.split("300,")[1] + "299,a.csv,2026-07-01 00:00"
    )
    text += ":00,start,SubmissionStatus.COMPLETE,9.8,\n"
    history = read_submissions(text)
    assert [item.submission_id for item in history] == ["299", "300", "301"]
    assert [issue.line for issue in history.dropped] == [5]
    assert "merged with line 3" in history.dropped[0].action


def test_overlap_without_reference_is_found_by_time_file_and_description(tmp_path):
    first, second = tmp_path / "page1.csv", tmp_path / "page2.csv"
    first.write_text(GEN_A)
    lines = GEN_A.splitlines()
    second.write_text("\n".join([lines[0], lines[3], lines[2].replace("26", "24")]))
    history = read_submissions([first, second])
    assert len(history) == 4
    assert [issue.source for issue in history.dropped] == [str(second)]


def test_overlap_keeps_the_row_that_says_more():
    pending = f"{NEW}\n9,a.csv,2026-07-28 15:17:26,x,SubmissionStatus.PENDING,,\n"
    scored = f"{NEW}\n9,a.csv,2026-07-28 15:17:26,x,SubmissionStatus.COMPLETE,0.7,\n"
    for text in (pending + scored, scored + pending):
        history = read_submissions(text)
        assert [item.public_score for item in history] == [0.7]
        assert history["9"].status == "complete"


def test_references_that_a_spreadsheet_rounded_are_not_one_submission():
    text = f"""{NEW}
5.49E+07,a.csv,2026-07-28 15:17,x,SubmissionStatus.COMPLETE,0.7,
5.49E+07,a.csv,2026-07-27 15:17,y,SubmissionStatus.COMPLETE,0.6,
"""
    history = read_submissions(text)
    assert [item.public_score for item in history] == [0.6, 0.7]
    assert [item.submission_id for item in history] == ["row3", "row2"]


def test_pages_of_one_generation_without_dates_overlap_too():
    text = "ref,publicScore\n9,0.6\n8,0.5\nref,publicScore\n8,0.5\n7,0.4\n"
    assert public(text) == [0.4, 0.5, 0.6]


def test_repeats_are_kept():
    text = f"""{NEW}
66,submission.csv,2026-07-28 15:17:26,Registry v2,SubmissionStatus.COMPLETE,7.760,
65,submission.csv,2026-07-28 15:17:14,Registry v2,SubmissionStatus.COMPLETE,7.781,
"""
    assert public(text) == [7.781, 7.760]


def test_pages_of_two_generations_are_one_history(tmp_path):
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text(GEN_A)
    new.write_text(GEN_C)
    history = read_submissions([new, old])
    assert len(history) == 5
    assert len({item.submission_id for item in history}) == 5
    text = GEN_C + GEN_A
    assert len(read_submissions(text)) == 5


JUNK = [
    "Using competition: some-competition",
    "Warning: Your Kaggle API key is readable by other users on this system! To fix "
    "this, you can run 'chmod 600 /home/me/.kaggle/kaggle.json'",
    "Warning: Looks like you're using an outdated API Version, please consider "
    "updating (server 1.5.6 / client 1.5.4)",
    "Looks like you're using an outdated `kaggle`` version (installed: "
    "{self.__version__}, please consider upgrading to the latest version ({version})",
    "Warning: Looks like you're using an outdated `kaggle` version (installed: 2.0.0), "
    "please consider upgrading to the latest version (2.2.5)",
    "Next Page Token = CfDJ8Gxyz,abc,def",
    "$ kaggle competitions submissions -c titanic --csv",
    "100%|##########| 188k/188k [00:01<00:00, 120kB/s]",
    "Successfully submitted to Some Competition",
    "\x1b[33mWarning:\x1b[0m coloured, by the terminal",
]


@pytest.mark.parametrize("junk", JUNK)
def test_known_noise_before_the_header_is_no_issue(junk):
    history = read_submissions(f"{junk}\n\n{GEN_C}")
    assert len(history) == 2
    assert history.dropped == ()


def test_unknown_lines_before_the_header_are_listed():
    history = read_submissions(f"downloaded on Monday, by me\n{GEN_C}")
    assert [(issue.line, issue.action) for issue in history.dropped] == [
        (1, "line skipped")
    ]


def test_noise_after_the_rows():
    history = read_submissions(f"{GEN_C}tail: write error: Broken pipe\n")
    assert (len(history), history.dropped) == (2, ())


def test_noise_before_json():
    rows = '[{"ref": 1, "publicScore": "0.5", "date": "2026-07-28T15:17:26"}]'
    history = read_submissions(f"Using competition: titanic\n{rows}\n")
    assert (len(history), history.dropped) == (1, ())


def test_lines_with_a_wrong_number_of_cells():
    text = f"""{NEW}
4,a.csv,2026-07-28 15:17:26,first, then second, third,SubmissionStatus.COMPLETE,0.5,
3,a.csv,2026-07-27 15:17:26,x,SubmissionStatus.COMPLETE,0.4
2,a.csv
1,a.csv,2026-07-26 15:17:26,x,SubmissionStatus.COMPLETE,0.3,,,
"""
    history = read_submissions(text)
    assert [item.submission_id for item in history] == ["1", "3", "4"]
    assert history["4"].description == "first, then second, third"
    assert history["4"].public_score == 0.5
    assert [(issue.line, issue.action) for issue in history.dropped] == [
        (2, "surplus cells joined to the description"),
        (3, "absent cells taken as missing"),
        (4, "row skipped"),
    ]


def test_unquoted_description_broken_over_two_lines():
    text = f"{NEW}\n4,a.csv,2026-07-28 15:17:26,one\ntwo,complete,0.5,\n" + (
        "3,a.csv,2026-07-27 15:17:26,x,complete,0.4,\n"
    )
    history = read_submissions(text)
    assert history["4"].description == "one\ntwo"
    assert [item.public_score for item in history] == [0.4, 0.5]


def test_quoted_newlines_carriage_returns_and_blank_lines():
    text = GEN_C.replace("tuned", '"one\n\ntwo, ""three"""').replace("\n", "\r\n")
    history = read_submissions(text)
    assert history["301"].description == 'one\n\ntwo, "three"'
    assert history["300"].source_line == 5


def test_quote_that_never_closes_is_a_character_and_is_said():
    history = read_submissions(GEN_C.replace("tuned", '"tuned'))
    assert [item.public_score for item in history] == [9.7, 9.662]
    assert history["301"].description == '"tuned'
    assert [(i.line, i.expected) for i in history.dropped] == [
        (2, "a closing quotation mark")
    ]


def test_quote_inside_a_word_is_a_character():
    text = GEN_C.replace("tuned", 'a 5" crop')
    assert read_submissions(text)["301"].description == 'a 5" crop'


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_encodings_of_windows_with_blank_lines_between_records(tmp_path, encoding):
    path = tmp_path / "my-submissions.csv"
    text = GEN_C.replace("tuned", "tuned é").replace("\n", "\r\r\n")
    path.write_bytes(text.encode(encoding))
    history = read_submissions(path)
    assert [item.public_score for item in history] == [9.7, 9.662]
    assert history["301"].description == "tuned é"
    assert history.dropped == ()


def test_western_encoding_is_read_and_said(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_bytes(GEN_C.replace("tuned", "réglé").encode("cp1252"))
    history = read_submissions(path)
    assert history["301"].description == "réglé"
    assert [(i.line, i.action) for i in history.dropped] == [
        (2, "file read as Windows-1252 text")
    ]


def test_table_as_utf16_text(tmp_path):
    path = tmp_path / "table.txt"
    path.write_bytes(RULED.replace("\n", "\r\n").encode("utf-16"))
    assert len(read_submissions(path)) == 3


def test_semicolons_of_a_spreadsheet():
    text = GEN_C.replace(",", ";").replace("9.662", "9,662").replace("9.700", "9,700")
    text = text.replace("9.910", "9,910")
    assert public(text) == [9.7, 9.662]


def test_gzip_and_zip(tmp_path):
    packed = tmp_path / "mine.csv.gz"
    packed.write_bytes(gzip.compress(GEN_C.encode()))
    assert public(packed) == [9.7, 9.662]
    archive = tmp_path / "mine.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("folder/", "")
        content.writestr("__MACOSX/._mine.csv", "junk")
        content.writestr("folder/mine.csv", GEN_C)
    history = read_submissions(archive)
    assert history[0].source_file == f"{archive}/folder/mine.csv"


def test_streams_bytes_and_text_are_the_same():
    expected = public(GEN_C)
    assert public(io.StringIO(GEN_C)) == expected
    assert public(io.BytesIO(GEN_C.encode())) == expected
    assert public(GEN_C.encode()) == expected


def attributes(**fields):
    return types.SimpleNamespace(**fields)


def test_objects_of_generation_a():
    rows = [
        attributes(
            ref=2,
            totalBytes=10,
            date=datetime(2020, 4, 27, 10, 56, 14),
            description="x",
            errorDescription=None,
            fileName="a.csv",
            publicScore="0.77",
            privateScore=None,
            status="complete",
            teamName="us",
            url="https://example.org",
            size="10B",
        )
    ]
    item = read_kaggle(rows)["2"]
    assert (item.public_score, item.status, item.file_name) == (
        0.77,
        "complete",
        "a.csv",
    )
    assert item.submitted_at == datetime(2020, 4, 27, 10, 56, 14, tzinfo=UTC)


class ApiSubmission:
    """The shape of the objects of kagglesdk: properties over private attributes."""

    def __init__(self, ref, status, public, *, error=""):
        self._ref = ref
        self._total_bytes = 12
        self._date = datetime(2026, 7, 28, 15, 17, ref % 60, 513_000)
        self._description = "x"
        self._error_description = error
        self._file_name = "submission.csv"
        self._public_score = public
        self._private_score = ""
        self._status = status
        self._submitted_by = "me"
        self._submitted_by_ref = "me"
        self._team_name = "us"
        self._url = ""
        self._is_frozen = False


SDK = [
    ApiSubmission(303, SubmissionStatus.ERROR, "", error="Submission Scoring Error"),
    ApiSubmission(302, SubmissionStatus.COMPLETE, "0.81"),
    ApiSubmission(301, SubmissionStatus.PENDING, ""),
]


@pytest.mark.parametrize(
    "rows",
    [
        SDK,
        tuple(SDK),
        [vars(item) for item in SDK],
        pd.DataFrame([vars(item) for item in SDK]),
        pd.DataFrame([vars(item) for item in SDK]).set_index("_ref"),
        pd.DataFrame([vars(item) for item in SDK]).to_csv(),
        pd.DataFrame([vars(item) for item in SDK]).to_csv(index=False),
        pd.DataFrame([vars(item) for item in SDK]).to_json(
            date_format="iso", default_handler=str
        ),
        [SDK[:2], SDK[2:]],
        types.SimpleNamespace(submissions=SDK, next_page_token="abc"),
        iter(SDK),
    ],
    ids=[
        "list",
        "tuple",
        "vars",
        "frame",
        "indexed",
        "csv-index",
        "csv",
        "json",
        "pages",
        "answer",
        "iterator",
    ],
)
def test_objects_of_the_sdk_and_their_dumps(rows):
    history = read_kaggle(rows)
    assert [item.submission_id for item in history] == ["301", "302", "303"]
    assert [item.status for item in history] == ["pending", "complete", "error"]
    assert history["302"].public_score == 0.81
    assert history["303"].status_detail == "Submission Scoring Error"
    assert history["301"].submitted_at == datetime(
        2026, 7, 28, 15, 17, 1, 513_000, tzinfo=UTC
    )


def test_to_dict_leaves_out_the_status_of_a_pending_row():
    rows = [
        {
            "ref": 302,
            "totalBytes": 12,
            "date": "2026-07-28T15:17:26.513Z",
            "description": "x",
            "fileName": "submission.csv",
            "publicScore": "0.81",
            "status": "COMPLETE",
        },
        {"ref": 303, "date": "2026-07-28T15:18:26.513Z", "fileName": "submission.csv"},
    ]
    history = read_kaggle(rows)
    assert [item.status for item in history] == ["complete", "pending"]
    assert [item.public_score for item in history] == [0.81, None]


def test_dictionaries_made_by_hand():
    rows = [
        {"public_score": 0.5, "status": "complete", "date": datetime(2026, 1, 1)},
        {"public_score": None, "status": "error", "date": datetime(2026, 1, 2)},
    ]
    assert public(rows) == [0.5, None]


def test_input_objects_are_not_changed():
    rows = [dict(vars(item)) for item in SDK]
    frame = pd.DataFrame(rows)
    before = frame.copy(deep=True)
    read_kaggle(rows)
    read_kaggle(frame)
    assert rows == [vars(item) for item in SDK]
    pd.testing.assert_frame_equal(frame, before)


def test_automatic_description_of_a_notebook_gives_no_score():
    title = "Notebook Public Score 0.95 | cv 0.91 | Version 2"
    text = f"{OLD}\nsubmission.csv,2026-07-28 15:17:26,{title},complete,0.5,\n"
    item = read_kaggle(text)[0]
    assert (item.description, item.cv_score) == (title, None)


def test_one_file_name_on_every_row():
    text = f"{OLD}\n" + "".join(
        f"submission.csv,2026-07-{day:02} 10:00:00,,complete,0.{day},\n"
        for day in range(28, 10, -1)
    )
    history = read_kaggle(text)
    assert len(history) == 18
    assert history.dropped == ()


def test_platform_is_the_one_named():
    assert read_kaggle("model,LB\na,0.5\n").competition.platform == "kaggle"


def test_options_describe_the_competition():
    history = read_kaggle(
        GEN_C,
        metric="rmse",
        train_size=1000,
        test_size=500,
        public_fraction=0.3,
        slug="some-wells",
        deadline="2026-08-05 23:59",
    )
    competition = history.competition
    assert (competition.metric, competition.greater_is_better) == ("rmse", False)
    assert (competition.train_size, competition.test_size) == (1000, 500)
    assert (competition.public_fraction, competition.slug) == (0.3, "some-wells")
    assert competition.deadline == datetime(2026, 8, 5, 23, 59, tzinfo=UTC)


def test_unknown_metric_needs_a_direction():
    with pytest.raises(ValueError, match="house special"):
        read_kaggle(GEN_C, metric="house special")
    competition = read_kaggle(
        GEN_C, metric="house special", greater_is_better=False
    ).competition
    assert (competition.metric, competition.greater_is_better) == (
        "house special",
        False,
    )


def test_deadline_must_be_a_time():
    with pytest.raises(ValueError, match="deadline must be a time"):
        read_kaggle(GEN_C, deadline="soon")
