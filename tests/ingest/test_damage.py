"""One damaged line costs that line and no other: every layout, every kind of damage."""

from __future__ import annotations

import io
import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense.errors import IngestError
from lbsense.ingest import read_submissions

DAYS = range(12)
QUOTED = """ref,fileName,date,description,status,publicScore,privateScore
1,a.csv,2026-03-01 10:00:00,"first, with a comma",complete,0.801,0.7
2,b.csv,2026-03-02 10:00:00,"two
lines, with ""quotes""
and a third",complete,0.802,0.7
3,c.csv,2026-03-03 10:00:00,plain,complete,0.803,0.7
4,d.csv,2026-03-04 10:00:00,"5"" pipe",complete,0.804,0.7
5,e.csv,2026-03-05 10:00:00,,complete,0.805,0.7
6,f.csv,2026-03-06 10:00:00,"lr 0.1, 0.5
cv 0.81, lb 0.80",complete,0.806,0.7
7,g.csv,2026-03-07 10:00:00,plain,complete,0.807,0.7
8,h.csv,2026-03-08 10:00:00,"a
b",complete,0.808,
9,i.csv,2026-03-09 10:00:00,plain,complete,0.809,0.7
"""
BY_HAND = (
    "model,cv,LB\n"
    + "".join(f"model {i},0.7{i:02},0.8{i:02}\n" for i in DAYS)
    + '"x, y",0.75,0.899\n"two\nlines",0.76,0.898\n'
)
SEMICOLONS = "date;file;comment;score\n" + "".join(
    f"2026-03-{i + 1:02} 10:00;f{i}.csv;note {i};0,8{i:02}\n" for i in DAYS
)
MARKDOWN = "| model | cv | LB |\n|---|---|---|\n" + "".join(
    f"| model {i} | 0.7{i:02} | 0.8{i:02} |\n" for i in DAYS
)
RULED = (
    "fileName  date                 description  status    publicScore  privateScore\n"
    "--------  -------------------  -----------  --------  -----------  ------------\n"
    + "".join(
        f"f{i:02}.csv   2026-03-{i + 1:02} 10:00:00  note {i:02}      complete  "
        f"0.8{i:02}                    \n"
        for i in DAYS
    )
)
RECORDS = [
    {
        "ref": i,
        "fileName": f"f{i}.csv",
        "date": f"2026-03-{i + 1:02} 10:00:00",
        "publicScore": f"0.8{i:02}",
        "status": "complete",
    }
    for i in DAYS
]
LABELS = "".join(
    f"## Submission {i}\nName: model {i}\nCV: 0.7{i:02}\nPublic LB: 0.8{i:02}\n\n"
    for i in DAYS
)
CELLS = [(f"model {i:02}", f"0.7{i:02}", f"0.8{i:02}") for i in DAYS]
RULE = "+----------+-------+--------+\n"
BOXED = RULE + "| name     | cv    | public |\n"
LAYOUTS_OF_CELLS = {
    "bars": ("name|cv|public\n", "{}|{}|{}\n", ""),
    "org": ("| name | cv | public |\n|---+---+---|\n", "| {} | {} | {} |\n", ""),
    "psql": (" name | cv | public \n---+---+---\n", " {} | {} | {} \n", "(12 rows)\n"),
    "database": (BOXED + RULE, "| {} | {} | {}  |\n", RULE),
    "box": (
        "┌──────────┬───────┬────────┐\n│ name     │ cv    │ public │\n"
        "├──────────┼───────┼────────┤\n",
        "│ {} │ {} │ {}  │\n",
        "└──────────┴───────┴────────┘\n",
    ),
    "grid": (BOXED + RULE.replace("-", "="), "| {} | {} | {}  |\n" + RULE, ""),
    "simple": (
        "========  =====  ======\nname      cv     public\n========  =====  ======\n",
        "{}  {}  {}\n",
        "========  =====  ======\n",
    ),
    "LaTeX": (
        "\\begin{tabular}{lrr}\nname & cv & public \\\\\n",
        "{} & {} & {} \\\\\n",
        "\\end{tabular}\n",
    ),
    "HTML": (
        "<table>\n<tr><th>name</th><th>cv</th><th>public</th></tr>\n",
        "<tr>\n<td>{}</td><td>{}</td>\n<td>{}</td>\n</tr>\n",
        "</table>\n",
    ),
    "printed": ("name         cv  public\n", "{}  {}  {}\n", ""),
    "bullets": ("", "- {}: {} CV -> {} public\n", ""),
    "script": ("rows = [\n", "    {{'name': '{}', 'cv': {}, 'public': {}}},\n", "]\n"),
    "YAML": ("", "- name: {}\n  cv: {}\n  public: {}\n", ""),
    "copied page": (
        "Submission and Description\nPublic Score\n",
        "{}\nComplete · 1d ago · CV {}\n{}\n",
        "",
    ),
    "two lines": ("run,Validation,,LB\n,AUC,std,public\n", "{},{},,{}\n", ""),
}
#: Text, and the lines of its head, without which nobody knows what the rows are.
LAYOUTS = {
    "quoted": (QUOTED, 1),
    "by hand": (BY_HAND, 1),
    "tabs": (BY_HAND.replace(",", "\t"), 1),
    "semicolons": (SEMICOLONS, 1),
    "Markdown": (MARKDOWN, 2),
    "ruled": (RULED, 2),
    "labels": (LABELS, 0),
    "JSON lines": ("\n".join(map(json.dumps, RECORDS)) + "\n", 0),
    "JSON": (json.dumps(RECORDS, indent=1), 0),
    "JSON, a record a line": (
        "[" + ",\n".join(map(json.dumps, RECORDS)) + "]\n",
        0,
    ),
    "JSON, wrapped": (
        json.dumps({"data": [{**r, "extras": {"a": 1}} for r in RECORDS]}, indent=1),
        0,
    ),
}
LAYOUTS |= {
    name: (
        head + "".join(row.format(*cells) for cells in CELLS) + end,
        head.count("\n"),
    )
    for name, (head, row, end) in LAYOUTS_OF_CELLS.items()
}
# What says nothing of the line of a record that runs over several.
WIDE = (
    *("JSON", "JSON, a record a line", "JSON, wrapped", "HTML", "YAML"),
    "copied page",
)
MARKS = "\"',;|\t\\{}[]()#-=*.:<>%~ 09ex\x00\x1b\ufeff\u202e"


@st.composite
def damages(draw, lines, n_head):
    """Draw the number of a line and what has become of it."""
    at = draw(st.integers(n_head, len(lines) - 1))
    line = lines[at]
    start = draw(st.integers(0, len(line)))
    end = draw(st.integers(start, len(line)))
    put = draw(
        st.one_of(
            st.just(""),
            st.sampled_from(MARKS),
            st.text(alphabet=MARKS, max_size=40),
            st.builds(lambda c, n: c * n, st.sampled_from(MARKS), st.integers(1, 200)),
            st.sampled_from(lines),
            st.builds(
                lambda one, n, mark, other, m: one[:n] + mark + other[m:],
                st.sampled_from(lines),
                st.integers(0, 80),
                st.sampled_from(("", *MARKS)),
                st.sampled_from(lines),
                st.integers(0, 80),
            ),
        )
    )
    return at, line[:start] + put + line[end:]


@pytest.mark.parametrize("layout", LAYOUTS)
@given(data=st.data())
def test_all_other_rows_are_still_there(layout, data):
    text, n_head = LAYOUTS[layout]
    lines = text.split("\n")
    whole = read_submissions(text)
    at, damaged = data.draw(damages(lines, n_head))
    lines[at] = damaged
    history = read_submissions("\n".join(lines))
    if any("merged" in issue.action for issue in history.dropped):
        return  # it claims to be another one, to the second
    found = [(item.public_score, item.file_name) for item in history]
    lost = [
        item.source_line
        for item in whole
        if (item.public_score, item.file_name) not in found
    ]
    assert len(lost) <= 1
    if lost and layout not in WIDE:
        assert lost == [max(i.source_line for i in whole if i.source_line <= at + 1)]


@given(data=st.data())
def test_a_row_that_is_lost_is_listed(data):
    lines = QUOTED.split("\n")
    whole = read_submissions(QUOTED)
    at, lines[at] = data.draw(damages(lines, 1))
    history = read_submissions("\n".join(lines))
    kept = {item.source_line for item in history}
    listed = {issue.line for issue in history.dropped}
    gone = {item.source_line for item in whole} - kept - listed
    assert not gone or lines[at].strip(MARKS) == ""


AS_HEADING = {
    "a heading and a row": ("semicolons", 2, "date;file;comment;score;f1.csv;1;0,801"),
    "half a heading": ("semicolons", 8, "202date;file;comment;score7"),
    "a heading behind a name": ("tabs", 4, "model 3\tmodel\tcv\tLB"),
    "a ruler in Markdown": ("Markdown", 6, "|---|---|---|"),
    "a second ruler": ("Markdown", 2, "|---|---|---|"),
    "a ruler": ("ruled", 7, RULED.split("\n")[1]),
    "half a ruler": ("ruled", 3, "--------  ----"),
    "an empty object": ("by hand", 3, "{} # 1"),
    "the last label": ("labels", 58, "Public|#|0|LB: 0.811"),
    "one name": ("labels", 13, "Public" + "," * 40),
}


@pytest.mark.parametrize("case", AS_HEADING)
def test_a_damaged_line_begins_no_table(case):
    layout, at, line = AS_HEADING[case]
    lines = LAYOUTS[layout][0].split("\n")
    whole = read_submissions("\n".join(lines))
    lines[at] = line
    assert len(read_submissions("\n".join(lines))) >= len(whole) - 1


STRAY = {
    "opens and closes far below": 'b.csv,2026-03-02,",0.802',
    "opens and never closes": '"b.csv,2026-03-02,x,0.802',
}


@pytest.mark.parametrize("line", STRAY.values(), ids=STRAY)
def test_stray_quotation_mark(line):
    rows = [f"f{i}.csv,2026-03-{i + 1:02},note,0.8{i:02}" for i in range(10)]
    rows[1], rows[8] = line, 'i.csv,2026-03-09,late CV 0.7",0.808'
    history = read_submissions(
        "\n".join(["fileName,date,description,publicScore", *rows])
    )
    assert len(history) == 10
    assert "closing quotation mark" in str(history.dropped[0])


def test_a_cell_over_several_lines_may_hold_commas_and_numbers():
    history = read_submissions(QUOTED)
    assert history["6"].description == "lr 0.1, 0.5\ncv 0.81, lb 0.80"
    assert not history.dropped


def test_a_heading_swallows_no_rows():
    text = 'model,"LB\na,0.5\nb,0.6\n"c",0.7\n'
    assert len(read_submissions(text)) == 3


def test_a_damaged_record_of_json_is_named():
    text = json.dumps(RECORDS, indent=1).replace('"publicScore": "0.803"', '"publicSc')
    history = read_submissions(text)
    assert len(history) == len(RECORDS) - 1
    assert history.dropped[0].line == 23
    assert "a JSON record" in str(history.dropped[0])


WIDER = str.maketrans("0123456789.", "０１２３４５６７８９．")


def put(text):
    """Return what puts a text into the middle of a line."""
    return lambda line: line[: len(line) // 2] + text + line[len(line) // 2 :]


ONE_LINE = {
    "a separator of its own": put("\x1c"),
    "an end of another system": put("\r"),
    "a line that is no line": put("\u2028"),
    "full width": lambda line: line.translate(WIDER),
    "read in another encoding": lambda line: line.encode().decode("latin-1") + "Â·",
    "an entity": put("&#124;"),
    "a mark of a merge": lambda _: "<<<<<<< HEAD",
    "a fence": lambda _: "```",
    "a row of means": lambda _: "mean 0.8",
    "backwards": lambda line: line[::-1],
    "cut and turned": lambda line: line[len(line) // 2 :] + line[: len(line) // 2],
    "a hundred thousand": put("1" * 100_000),
    "blanks": put(" " * 100_000),
    "half a pair": lambda line: line + "\ud83d",
}


@pytest.mark.parametrize("kind", ONE_LINE)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_kinds_of_damage_to_one_line(layout, kind):
    text, n_head = LAYOUTS[layout]
    lines = text.split("\n")
    whole = read_submissions(text)
    for at in range(n_head, len(lines) - 1, 5):
        spoilt = list(lines)
        spoilt[at] = ONE_LINE[kind](lines[at])
        start = time.process_time()
        history = read_submissions("\n".join(spoilt))
        assert time.process_time() - start < 5
        found = {(item.public_score, item.file_name) for item in history}
        lost = [i for i in whole if (i.public_score, i.file_name) not in found]
        assert len(lost) <= 1, spoilt[at][:200]


@pytest.mark.parametrize("layout", ["box", "by hand", "Markdown", "copied page"])
@pytest.mark.parametrize("byte", [b"\xff", b"\x80", b"\xc3", b"\xed\xa0\x80"])
def test_bytes_that_are_no_text_cost_one_line(layout, byte):
    text, n_head = LAYOUTS[layout]
    lines = [line.encode() for line in text.split("\n")]
    whole = read_submissions(text)
    middle = len(lines) // 2
    lines[middle] = lines[middle][:3] + byte + lines[middle][3:]
    lines[n_head] += " é".encode() * (layout == "by hand")
    history = read_submissions(io.BytesIO(b"\n".join(lines)))
    assert len(history) >= len(whole) - 1
    assert history.dropped


OLD = {
    "cp932": "提出日時,提出ファイル,CV,公開スコア,備考\n2024-05-03 10:00,a.csv,0.81,0.80,特徴量",
    "gb18030": "提交时间,提交文件,线下得分,线上得分,备注\n2024-05-03,a.csv,0.81,0.80,融合",
    "big5": "日期,檔案,驗證,公開分數,備註\n2024-05-03,a.csv,0.81,0.80,融合",
    "cp949": "제출 일시,제출 파일,검증 점수,공개 점수,비고\n2024-05-03,a.csv,0.81,0.80,혼합",
    "cp1251": "Дата;Файл;Валидация;Паблик;Описание\n03.05.2024;a.csv;0,81;0,80;блендинг",
    "cp1252": "Datum;Datei;Lokal;Öffentlich;Notiz\n03.05.2024;a.csv;0,81;0,80;Bäume größer",
}


@pytest.mark.parametrize("encoding", OLD)
def test_encodings_from_before_unicode(encoding):
    history = read_submissions(io.BytesIO(OLD[encoding].encode(encoding)))
    (item,) = history
    assert (item.file_name, item.cv_score, item.public_score) == ("a.csv", 0.81, 0.8)
    assert item.description == re.split("[,;]", OLD[encoding])[-1]
    assert "file read as" in history.dropped[0].action


def test_a_whole_number_of_hundreds_of_digits():
    damaged = f'{{"ref": 1, "publicScore": 0.5, "date": {"9" * 400}}}'
    with pytest.raises(IngestError, match=r":1: a whole number of 400 digits"):
        read_submissions(f"[{damaged}, {damaged}]")
    sound = [f'{{"ref": {n}, "publicScore": 0.5}}' for n in range(2, 6)]
    history = read_submissions(f"[{', '.join([damaged, *sound])}]")
    assert len(history) == 5
    assert len(history.dropped) == 1


def test_what_was_not_understood_is_said_where_the_metric_does_not_fit():
    text = 'name,LB\na,7.1\n",7.2\nb,7.3\nc\nd,7.4,7\n'
    with pytest.raises(IngestError, match=r"(?s)above 1.*another metric.*Besides.*:6:"):
        read_submissions(text, metric="roc_auc")


def test_a_hidden_character_in_a_number_is_shown():
    rows = "a,0.81\nb,0.8\x183\nc,0.82\n"
    history = read_submissions(f"name,LB\n{rows}", greater_is_better=True)
    assert [item.public_score for item in history] == [0.81, None, 0.82]
    [issue] = history.dropped
    assert issue.found == "0.8\ufffd3"
