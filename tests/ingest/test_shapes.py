"""The shapes in which people hold tables: notebooks, pages, workbooks, scripts."""

from __future__ import annotations

import builtins
import io
import json
import random
import time
from datetime import datetime
from pathlib import Path

import pytest

from lbsense.errors import IngestError
from lbsense.ingest import read_submissions
from lbsense.ingest.tables.read import read_tables
from lbsense.model import History

FIELD = Path(__file__).parents[3] / "shared" / "data" / "field"

FRAME_HTML = """<div><table border="1" class="dataframe">
  <thead><tr style="text-align: right;"><th></th><th>model</th><th>cv</th>
    <th>public</th></tr></thead>
  <tbody><tr><th>0</th><td>base</td><td>0.801</td><td>0.799</td></tr>
    <tr><th>1</th><td>blend &amp; more</td><td>0.812</td><td><b>0.810</b></td></tr>
  </tbody></table></div>
"""
PAGE = "<!DOCTYPE html>\n<html><head><title>{}</title></head><body>{}</body></html>"
PRINTED = """Submission history:
    exp     cv public           model
exp_000 0.8010 0.7990            base
exp_001 0.8120 0.8100 blend with more
"""
LATEX = r"""
\begin{table}\centering
\begin{tabular}{l rr}
\toprule
Model & CV & Public LB \\ % comment & more
\midrule
base\_line & 0.8010 $\pm$ 0.0020 & 0.7990 \\[2pt]
\textbf{blend} & \textbf{0.8120} & 0.8100 \\ \hline
\end{tabular}
\end{table}
"""
SIMPLE = """
=======  ======  =========  ===========
Version  CV      Public LB  Note
=======  ======  =========  ===========
v1       0.8010  0.7990     base
v2       0.8120  0.8100     more
                            features
=======  ======  =========  ===========
"""
CSV_TABLE = """
.. csv-table:: History
   :header: "model", "cv", "public"

   "base, old", 0.801, 0.799
   "blend", 0.812, 0.81

Text.
"""
LIST_TABLE = """
.. list-table::
   :header-rows: 1

   * - model
     - cv
     - lb
   * - base
     - 0.801
     - 0.799
   * - blend
     - 0.812
     - 0.81
"""
SCRIPT = '''"""My runs."""
import pandas as pd
from datetime import datetime

RUNS = [
    {"name": "base", "cv": 0.801, "public": 0.799, "date": datetime(2026, 5, 1, 9)},
    {"name": "blend", "cv": 0.812, "public": 0.81, "date": datetime(2026, 5, 2)},
]
print(pd.DataFrame(RUNS))
'''
COLUMNS = "df = pd.DataFrame({'model': ['base', 'blend'], 'cv': [0.801, 0.812],\n 'lb': [0.799, 0.81]})"
ROWS = "df = pd.DataFrame([['base', .801, .799], ['blend', .812, .81]],\n columns=['model', 'cv', 'lb'])"
NESTED = json.dumps(
    {
        "competition": "demo",
        "runs": {
            "spring": [
                {"name": "base", "scores": {"cv": 0.801, "public": 0.799}},
                {"name": "blend", "scores": {"cv": 0.812, "public": 0.81}},
            ]
        },
    }
)
POLARS = """shape: (2, 4)
┌───────┬───────┬────────┬─────────┐
│ model ┆ cv    ┆ public ┆ private │
│ ---   ┆ ---   ┆ ---    ┆ ---     │
│ str   ┆ f64   ┆ f64    ┆ f64     │
╞═══════╪═══════╪════════╪═════════╡
│ base  ┆ 0.801 ┆ 0.799  ┆ 0.79    │
│ blend ┆ 0.812 ┆ 0.81   ┆ 0.8     │
└───────┴───────┴────────┴─────────┘
"""
RICH = """┏━━━━━━━┳━━━━━━━┳━━━━━━━━┓
┃ model ┃ cv    ┃ public ┃
┡━━━━━━━╇━━━━━━━╇━━━━━━━━┩
│ base  │ 0.801 │ 0.799  │
│ blend │ 0.812 │ 0.81   │
└───────┴───────┴────────┘
"""
GRID = """+---------+-------+----------+
| model   |    cv |   public |
+=========+=======+==========+
| base    | 0.801 |    0.799 |
+---------+-------+----------+
| blend   | 0.812 |    0.81  |
+---------+-------+----------+
"""
PSQL = """+---------+-------+----------+
| model   |    cv |   public |
|---------+-------+----------|
| base    | 0.801 |    0.799 |
| blend   | 0.812 |    0.81  |
+---------+-------+----------+
"""
MYSQL = """+---------+-------+----------+
| model   | cv    | public   |
+---------+-------+----------+
| base    | 0.801 |    0.799 |
| blend   | 0.812 |    0.81  |
+---------+-------+----------+
2 rows in set (0.00 sec)
"""
INDEXED = """       public     cv model
run
1       0.799  0.801  base
2       0.810  0.812 blend
"""
FENCED_SCRIPT = """# Log

Some text with LB and CV words in it, then a script:

```python
runs = [
    dict(name="base", cv=0.801, lb=0.799),
    dict(name="blend", cv=0.812, lb=0.81),
]
```
"""
FENCED_FRAME = """# Log
```
model   cv    public
base    0.801 0.799
blend   0.812 0.81
```
"""
FENCED_JSON = """# Log
Notes here.
```json
[{"name": "base", "cv": 0.801, "lb": 0.799},
 {"name": "blend", "cv": 0.812, "lb": 0.81}]
```
"""
NAMED = """results = {
    "base": {"cv": 0.801, "lb": 0.799},
    "blend": {"cv": 0.812, "lb": 0.81},
}
"""
APPENDED = """log = []
log.append({"name": "base", "cv": 0.801, "lb": 0.799})
log.append({"name": "blend", "cv": 0.812, "lb": 0.81})
runs = [Run("a", 0.8, 0.79), Run("b", 0.81, 0.8)]
"""
CALLS = """runs = [
    Run(name="base", cv=0.801, lb=0.799),
    Run(name="blend", cv=0.812, lb=0.81),
]
"""
COMMENTS = "# mine\n# model,cv,lb\nbase,0.801,0.799\n# half way\nblend,0.812,0.81\n"


def notebook(*cells, version=4):
    made = []
    for kind, source, *outputs in cells:
        cell = {"cell_type": kind, "metadata": {}, "source": source}
        if kind == "code":
            cell |= {"outputs": outputs, "execution_count": 1}
        made.append(cell)
    if version == 3:
        return json.dumps({"worksheets": [{"cells": made}], "nbformat": 3})
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4})


def shown(**data):
    kinds = {name.replace("_", "/"): text for name, text in data.items()}
    return {"output_type": "execute_result", "data": kinds, "metadata": {}}


def stream(*lines):
    return {"output_type": "stream", "name": "stdout", "text": list(lines)}


NOTEBOOKS = {
    "markdown": notebook(
        ("markdown", ["| model | cv | lb |\n", "|--|--|--|\n", "| base | 0.801 | 0.799 |\n"]
         + ["| blend | 0.812 | 0.81 |"]),
    ),
    "html output": notebook(("code", "df", shown(text_html=FRAME_HTML, text_plain="x"))),
    "plain output": notebook(("code", "df", shown(text_plain=PRINTED))),
    "stream": notebook(("code", "print(df)", stream(*PRINTED.splitlines(True)))),
    "version 3": notebook(
        ("code", "df", {"output_type": "pyout", "html": [FRAME_HTML], "text": ["x"]}),
        version=3,
    ),
    "source alone": notebook(("code", SCRIPT)),
}  # fmt: skip
TEXTS = {
    "html": FRAME_HTML,
    "html in markdown": f"# Results\n\n{FRAME_HTML}\n",
    "page": PAGE.format("Notes", FRAME_HTML),
    "page of text": PAGE.format("Notes", f"<pre>{PRINTED}</pre>"),
    "printed": PRINTED,
    "latex": LATEX,
    "simple": SIMPLE,
    "csv-table": CSV_TABLE,
    "list-table": LIST_TABLE,
    "script": SCRIPT,
    "columns": COLUMNS,
    "rows": ROWS,
    "nested": NESTED,
    "comments": COMMENTS,
    "polars": POLARS,
    "rich": RICH,
    "grid": GRID,
    "psql": PSQL,
    "mysql": MYSQL,
    "indexed": INDEXED,
    "fenced script": FENCED_SCRIPT,
    "fenced frame": FENCED_FRAME,
    "fenced json": FENCED_JSON,
    "named": NAMED,
    "appended": APPENDED,
    "calls": CALLS,
    **{f"notebook, {name}": text for name, text in NOTEBOOKS.items()},
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_shape_says_the_same(text):
    history = read_submissions(text, greater_is_better=True)
    assert [item.public_score for item in history] == [0.799, 0.81]
    assert [item.cv_score for item in history] == [0.801, 0.812]
    assert ["bas" in str(item) for item in history] == [True, False]


def test_spread_in_latex():
    history = read_submissions(LATEX, greater_is_better=True)
    assert history[0].cv_std == 0.002


def test_time_of_a_script_and_line_of_its_row():
    history = read_submissions(SCRIPT, greater_is_better=True)
    assert history[0].submitted_at.isoformat() == "2026-05-01T09:00:00+00:00"
    assert [item.source_line for item in history] == [6, 7]


def test_script_of_which_a_part_would_be_json():
    text = '[{"name": "base", "cv": None, "lb": 0.8}, {"name": "net", "lb": 0.81}]'
    assert len(read_submissions(text, greater_is_better=True)) == 2
    assert len(read_submissions(f"x = {text}\n", greater_is_better=True)) == 2


def test_spans_and_tables_inside_tables():
    page = """<table><tr><th rowspan=2>model</th><th colspan=2>score</th></tr>
    <tr><th>public</th><th>private</th></tr>
    <tr><td>a<table><tr><td>x</td></tr><tr><td>y</td></tr></table></td>
    <td>0.8<td>0.7</tr><tr><td>b</td><td colspan=2>0.9</td></tr></table>"""
    table = read_tables(page)[-1]
    assert table.columns == ("model", "score public", "score private")
    assert [row.cells[1:] for row in table.rows] == [["0.8", "0.7"], ["0.9", "0.9"]]


def test_frame_printed_in_parts_and_shortened():
    text = """
        name     date  \\
0       base  2026-05-01
1      blend  2026-05-02
..       ...         ...
9        net  2026-05-09

    cv  public
0  0.8    0.79
1  0.9    0.81
..  ..     ...
9  0.7    0.69

[10 rows x 4 columns]
"""
    history = read_submissions(text, greater_is_better=True)
    assert [item.public_score for item in history] == [0.79, 0.81, 0.69]
    assert [item.submitted_at.day for item in history] == [1, 2, 9]
    assert "the rows that the print left out" in str(history.dropped)


def test_notebook_without_a_table():
    with pytest.raises(
        IngestError, match="a Jupyter notebook of 1 cell, without.*to_csv"
    ):
        read_submissions(notebook(("code", "1 + 1", stream("2"))))


@pytest.mark.parametrize("title", ["Login | Kaggle", "Sign in", "로그인"])
def test_page_to_sign_in_at(title):
    with pytest.raises(IngestError, match="web page titled.*without signing in"):
        read_submissions(PAGE.format(title, "<p>Welcome</p>"))


def test_page_of_a_competition():
    link = '<a href="https://www.kaggle.com/competitions/some-race/submissions">x</a>'
    page = PAGE.format("Some race | Kaggle", f"<div>0.8123</div>{link}")
    with pytest.raises(
        IngestError,
        match="saved from the browser of the competition some-race.*-c some-race",
    ):
        read_submissions(page)


def workbook(*sheets):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


LOG = [
    ["My log"],
    [],
    ["Date", "Model", "CV", "Public LB", "Private LB"],
    [datetime(2026, 5, 1, 9), "base", 0.801, 0.799],
    [datetime(2026, 5, 2, 9), "blend", 0.812, 0.81],
]


def test_every_sheet_of_a_workbook_is_a_table(tmp_path):
    path = tmp_path / "log.xlsx"
    path.write_bytes(workbook(("Log", LOG), ("Params", [["name", "value"], ["lr", 1]])))
    tables = read_tables(path)
    assert [table.source for table in tables] == [
        f"{path}, sheet Log",
        f"{path}, sheet Params",
    ]
    history = read_submissions(path, greater_is_better=True)
    assert [item.cv_score for item in history] == [0.801, 0.812]
    assert [item.source_line for item in history] == [4, 5]
    assert history[0].submitted_at.hour == 9


def test_workbook_that_is_empty_or_damaged():
    with pytest.raises(IngestError, match="2 sheets, none with a line of column names"):
        read_tables(workbook(("a", []), ("b", [["x"]])))
    content = bytearray(workbook(("Log", LOG)))
    content[400:500] = bytes(100)
    with pytest.raises(IngestError, match="cannot be read"):
        read_tables(bytes(content))


def test_workbook_without_openpyxl_names_the_extra(monkeypatch):
    content = workbook(("Log", LOG))
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "openpyxl":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(IngestError, match=r"pip install 'lbsense\[excel\]'.*CSV UTF-8"):
        read_tables(content)


@pytest.mark.parametrize(
    ("name", "n"),
    [
        ("16a-html-table-in-readme.md", 2),
        ("16b-html-table.html", 2),
        ("16c-printed-frame.txt", 3),
        ("16d-notebook.ipynb", 2),
    ],
)
def test_histories_as_they_are_held(name, n):
    if not FIELD.is_dir():
        pytest.skip("shapes from the field are kept beside the project, not here")
    history = read_submissions(FIELD / name, metric="rmsle")
    assert len(history) == n
    assert not history.dropped
    assert all(item.public_score for item in history)


# --- whatever comes in ---------------------------------------------------------------


def mutated(text, rng):
    at, end = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    piece = text[at:end]
    change = rng.randrange(6)
    if change == 0:
        return text[:at] + text[end:]
    if change == 1:
        return text[:at] + piece * 2 + text[end:]
    if change == 2:
        return text[:at] + rng.choice("<>&\"'\\{}[]()|=+-:.,# \n\t\x00é") + text[at:]
    if change == 3:
        return text[:end]
    if change == 4:
        return text[:at] + piece[::-1] + text[end:]
    other = rng.choice(list(TEXTS.values()))
    return text[:at] + other[: end - at] + text[end:]


@pytest.mark.parametrize("seed", range(10))
def test_mutations_are_read_or_refused(seed):
    rng = random.Random(seed)
    start = time.process_time()
    for _ in range(60):
        text = rng.choice(list(TEXTS.values()))
        for _ in range(rng.randrange(1, 5)):
            text = mutated(text, rng)
        try:
            history = read_submissions(text.encode(), greater_is_better=True)
        except IngestError as error:
            history = None if str(error).strip() else error
        assert history is None or isinstance(history, History)
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE html>" + "<!--" * 50_000,
        "<table>" + "<!--" * 50_000,
        "<table>" + "<td <td " * 25_000,
        "<table>" + "<a '\"" * 37_500,
        "<table>" * 25_000,
        "<table><td><table></table>" * 12_500,
        "<table><td>a</table><tr>" * 12_500,
        "<table><tr>" + "<td rowspan=999 colspan=999>x" * 5_000 + "<tr>" * 1_250,
        "<html>" + "<pre>" * 25_000,
        "<html>" + "<pre>a</pre>\n" * 5_000,
        "\\begin{tabular}" * 12_500,
        "\\begin{tabular}" * 12_500 + "\\end{tabular}",
        "==  ==\n" * 12_500,
        "+--+--+\n" * 12_500,
        "x = [" + "{'a': [" * 5_000,
        "x = '" + "-" * 50_000,
        "x = " + "-" * 25_000 + "'1'[",
        '{"cells": ' + "[" * 25_000,
        "cv public\n" * 12_500,
        "cv public\n0.1 x\n\n" * 2_500,
        "cv,public\n" + "\n" * 12_500 + "cv,LB\n" * 12_500,
        "\\begin{tabular}a\\\\\n\\end{tabular}\n" * 12_500,
        "cv public" + " x" * 900 + "\n0.1 0.2\n" * 5_000,
    ],
    ids=range(23),
)
def test_nothing_takes_long(text):
    start = time.process_time()
    with pytest.raises(IngestError):
        read_submissions(text, greater_is_better=True)
    assert time.process_time() - start < 2


NAMES, CV, LB = ("base", "xgb", "stack"), (0.791, 0.795, 0.799), (0.801, 0.803, 0.807)
ROWS = tuple(zip(NAMES, CV, LB, strict=True))
TUPLES = "".join(f'    ("{name}", {cv}, {lb}),\n' for name, cv, lb in ROWS)
WRITTEN = {
    "items of a list": "".join(f"- {n}: CV {c}, LB {p}\n" for n, c, p in ROWS),
    "a numbered list": "".join(
        f"{i}. **{n}** - CV: {c} | LB: **{p}**\n" for i, (n, c, p) in enumerate(ROWS, 1)
    ),
    "full-width marks": "".join(f"{n}：cv：{c}，lb：{p}\n" for n, c, p in ROWS),
    "lines of a comment": "# log\n"
    + "".join(f"# {n}: cv={c} lb={p}\n" for n, c, p in ROWS)
    + "import numpy\n",
    "tuples below a comment": f"# (name, cv, lb)\nruns = [\n{TUPLES}]\n",
    "tuples in a loop": f"runs = [\n{TUPLES}]\nfor name, cv, lb in runs:\n    print(name)\n",
    "tuples in a data frame": f"names = ['name', 'cv', 'lb']\nrows = [\n{TUPLES}]\n"
    "frame = pd.DataFrame(rows, columns=names)\n",
    "rows below their names": "runs = [['name', 'cv', 'lb'],\n"
    + TUPLES.replace("(", "[").replace(")", "]")
    + "]\n",
    "named tuples": "Run = namedtuple('Run', 'name cv lb')\nruns = [\n"
    + TUPLES.replace("(", "Run(")
    + "]\n",
    "a data class": "class Run:\n    name: str\n    cv: float\n    lb: float\nruns = [\n"
    + TUPLES.replace("(", "Run(")
    + "]\n",
    "tuples by name": "# name: (cv, lb)\nruns = {\n"
    + "".join(f"    '{n}': ({c}, {p}),\n" for n, c, p in ROWS)
    + "}\n",
    "JSON split in columns and rows": json.dumps(
        {"columns": ["name", "cv", "lb"], "index": [0, 1, 2], "data": ROWS}
    ),
    "JSON with a header": json.dumps({"header": ["name", "cv", "lb"], "rows": ROWS}),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_scores_as_people_write_them_down(case):
    history = read_submissions(WRITTEN[case], greater_is_better=True)
    assert [item.cv_score for item in history] == list(CV)
    assert [item.public_score for item in history] == list(LB)
    names = [f"{item.title} {item.description}" for item in history]
    assert all(name in shown for name, shown in zip(NAMES, names, strict=True))


def test_prose_with_scores_is_no_table():
    text = "I had CV 0.81 and LB 0.80 at first.\nThen CV 0.82, LB 0.81.\n"
    with pytest.raises(IngestError, match="no table|no column"):
        read_submissions(text)
