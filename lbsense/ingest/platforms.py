"""What is known of each platform: a record of its exports, its words and its quirks.

Adding a platform is adding a record to `PLATFORMS`, and its tests.
"""

from __future__ import annotations

from lbsense.ingest.exports import AGENTS, Export, FormatGuide, Look, Platform


def _kaggle_listing(look: Look) -> bool:
    names = {name.lstrip("_") for name in look.columns}
    if {"filename", "date", "status"} <= look.keys:
        return True
    return bool(names & {"publicScore", "privateScore"}) or "_public_score" in (
        look.columns
    )


_KAGGLE_PAGES = {
    **dict.fromkeys(
        (20, 50),
        "`lbsense fetch kaggle SLUG` gets all; or export again with `--page-size 200` "
        "(client 1.8 or newer).",
    ),
    200: (
        "`lbsense fetch kaggle SLUG` gets all; or get the other pages in Python, "
        "competition_submissions(slug, "
        "page_number=2, page_size=200) and so on, and give all of them."
    ),
}
_KAGGLE = Platform(
    name="kaggle",
    title="Kaggle",
    exports=(
        Export(
            name="kaggle fetched",  # by us, and so with all pages
            recognises=lambda look: {"fetchedat", "ref"} <= look.keys,
            newest_first=True,
        ),
        Export(
            name="meta kaggle",
            recognises=lambda look: bool(
                {"publicscoreleaderboarddisplay", "publicscorefullprecision"}
                & look.keys
            ),
        ),
        Export(
            name="host",
            recognises=lambda look: (
                {"datesubmitted", "submissionid", "teamid"} <= look.keys
            ),
        ),
        Export(
            name="kaggle page",
            recognises=lambda look: look.shape == "copied page",
            newest_first=True,
            unknown_status="note",
        ),
        Export(
            name="kaggle",
            recognises=_kaggle_listing,
            pages=_KAGGLE_PAGES,
            newest_first=True,
        ),
    ),
    columns={
        "submission_id": ("ref", "submissionref", "submissionid", "id"),
        "submitted_at": ("date", "submissiondate", "datesubmitted"),
        "file_name": ("filename",),
        "description": ("description", "submissionanddescription"),
        "status": ("status",),
        "status_detail": ("errordescription",),
        "public_score": (
            "publicscorefullprecision",
            "publicscore",
            "publicscoreleaderboarddisplay",
        ),
        "private_score": (
            "privatescorefullprecision",
            "privatescore",
            "privatescoreleaderboarddisplay",
        ),
        "selected": ("isselected",),
        "team_id": ("teamid",),
        "team_name": ("teamname",),
    },
    statuses={
        "complete": "complete",
        "pending": "pending",
        "error": "error",
        "1": "complete",  # members of the client's enumeration
        "0": "pending",
        "2": "error",
    },
    printed=(
        "using competition:",
        "warning:",
        "next page token",
        "successfully submitted",
        "no submissions found",
        "looks like you're using",
        "[$>%!] ?kaggle ",
    ),
    is_leaderboard=lambda look: "teamid" in look.keys and look.has_bare_score,
    guides=(
        FormatGuide(
            name="kaggle-fetch",
            title="Your submissions, all pages, as lbsense fetches them",
            how="lbsense fetch kaggle SLUG -o submissions.csv",
            columns=("as kaggle-csv", "errorDescription", "submittedBy", "fetchedAt"),
            caveats=(
                "Needs Kaggle's client 1.8 or newer, which the extra kaggle installs.",
                "In .json the metric and the deadline stand beside the submissions.",
            ),
        ),
        FormatGuide(
            name="kaggle-csv",
            title="Your submissions as the Kaggle client lists them, CSV",
            how=(
                "kaggle competitions submissions -c SLUG --csv --page-size 200 "
                "> mine.csv"
            ),
            columns=(
                "ref",
                "fileName",
                "date",
                "description",
                "status",
                "publicScore",
                "privateScore",
            ),
            caveats=(
                "Without --page-size the client stops at 20 or 50 rows and does not "
                "say so; clients before 1.8 have no such option.",
                "Private scores appear after the close, and never in getting-started "
                "competitions.",
                "Dates are UTC; scores have the digits of the leaderboard.",
            ),
        ),
        FormatGuide(
            name="kaggle-table",
            title="The same listing as the client prints it, or a file of it",
            how="kaggle competitions submissions -c SLUG > mine.txt",
            columns=("as kaggle-csv",),
            caveats=("Keep the line of dashes: the columns are cut where it says.",),
        ),
        FormatGuide(
            name="kaggle-json",
            title="The same listing as JSON",
            how="kaggle competitions submissions -c SLUG --format json > mine.json",
            columns=("as kaggle-csv",),
            caveats=("Needs client 2.2.3 or newer.",),
        ),
        FormatGuide(
            name="kaggle-objects",
            title="What the Kaggle client returns in Python, or a dump of it",
            how=(
                "kaggle.api.competition_submissions(SLUG, page_number=1, "
                "page_size=200), and further pages until one is empty; vars(), "
                "to_dict() and data frames of them too"
            ),
            columns=("as kaggle-csv", "error_description", "team_name"),
            caveats=(
                "to_dict() leaves out the status of pending rows: read as pending.",
            ),
        ),
        FormatGuide(
            name="kaggle-host",
            title="The submissions of every team, from the host's page",
            how="On the page of a competition that you host: export the submissions.",
            columns=(
                "DateSubmitted",
                "SubmissionId",
                "TeamId",
                "TeamName",
                "IsSelected",
                "PublicScore",
                "PrivateScore",
            ),
            caveats=(
                "Choose one team with team= or --team.",
                "There is no description.",
            ),
        ),
        FormatGuide(
            name="kaggle-page",
            title="The page of your submissions, copied as text",
            how="Select the list on the page, copy it and save it as a text file.",
            columns=(
                "Submission and Description",
                "Public Score",
                "Private Score",
            ),
            caveats=(
                "In any language of the browser. Ages such as '2d ago' tell no date.",
                "The page shows some submissions only: scroll to its end before.",
            ),
        ),
        FormatGuide(
            name="meta-kaggle",
            title="Rows of Submissions.csv of Meta Kaggle",
            how="Cut the rows of one team out of kaggle/meta-kaggle, Submissions.csv.",
            columns=(
                "Id",
                "TeamId",
                "SubmissionDate",
                "IsSelected",
                "PublicScoreLeaderboardDisplay",
                "PublicScoreFullPrecision",
                "PrivateScoreLeaderboardDisplay",
                "PrivateScoreFullPrecision",
            ),
            caveats=(
                "Choose one team with team= or --team.",
                "There is no description and no file name.",
            ),
        ),
    ),
)

_ZINDI_PAGES = dict.fromkeys(
    (20, 50, 200),
    "`lbsense fetch zindi SLUG` gets all; or ask again with a larger per_page, such as "
    "per_page=1000.",
)
_ZINDI = Platform(
    name="zindi",
    title="Zindi",
    exports=(
        Export(
            name="zindi fetched",  # by us, and so with all pages
            recognises=lambda look: {"fetchedat", "createdat"} <= look.keys,
            unknown_status="error",
        ),
        Export(
            name="zindi board",
            recognises=lambda look: look.shape == "board",
            pages=_ZINDI_PAGES,
            unknown_status="error",
            reason_as_comment=True,
        ),
        Export(
            name="zindi",
            recognises=lambda look: {"createdat", "filename"} <= look.keys,
            pages=_ZINDI_PAGES,
            unknown_status="error",
        ),
    ),
    columns={
        "submission_id": ("id",),
        "submitted_at": ("createdat", "date"),
        "file_name": ("filename",),
        "description": ("comment",),
        "status": ("status",),
        "status_detail": ("statusdescription",),
        "public_score": ("publicscore",),
        "private_score": ("privatescore",),
        "score": ("score",),
        "selected": ("chosen",),
    },
    statuses={
        "successful": "complete",
        "initial": "pending",
        "in processing": "pending",
        "failed": "error",
    },
    board=("status", "id", "date", "score", "filename", "comment"),
    is_leaderboard=lambda look: bool(
        look.keys & {"bestpublicscore", "bestprivatescore"}
    ),
    nested_doubt=(
        "On Zindi the private score of older competitions (2018-19) covers all test "
        "rows, the public ones too. Taken as separate here; look at the rules and say "
        "nested=True (--nested) if they are not."
    ),
    score_doubt=(
        "The only score is in a column called score, which Zindi fills with the public "
        "score before the close and with the private score after it. Read as public; "
        "if the competition has closed, pass columns={'private_score': 'score'} "
        "(--columns private_score=score)."
    ),
    guides=(
        FormatGuide(
            name="zindi-fetch",
            title="Your submissions, all pages, as lbsense fetches them",
            how="lbsense fetch zindi SLUG -o submissions.csv",
            columns=("as zindi-json", "fetchedAt"),
            caveats=("Needs your auth_token, in ZINDI_TOKEN or asked for.",),
        ),
        FormatGuide(
            name="zindi-json",
            title="Your submissions as the Zindi site or package answers them",
            how=(
                "Save the answer of /v1/competitions/SLUG/submissions?per_page=1000, "
                "or use what submission_board() of the zindi package returns."
            ),
            columns=(
                "id",
                "status",
                "filename",
                "created_at",
                "public_score",
                "private_score",
                "comment",
                "status_description",
                "chosen",
            ),
            caveats=(
                "zindi 0.0.3 and 0.0.4 ask for 50 rows only.",
                "In competitions of 2018-19 the private score covers the public rows "
                "too: say nested=True or --nested.",
            ),
        ),
        FormatGuide(
            name="zindi-board",
            title="The board that zindi 0.0.2 and 0.0.3 print",
            how="Copy the output of submission_board() into a file.",
            columns=("status", "id", "date", "score", "filename", "comment"),
            caveats=(
                "score is public before the close and private after it: read as public "
                "unless columns says otherwise.",
                "File names are cut to 30 characters, comments to 40, scores to 14.",
            ),
        ),
    ),
)

PLATFORMS: tuple[Platform, ...] = (_KAGGLE, _ZINDI, *AGENTS)
"""Every platform whose exports are read."""

OWN_TABLE = Export(
    name="table",
    recognises=lambda _look: True,
    unknown_status="note",
    hand_made=True,
)
"""Any other table of submissions."""

_OWN_GUIDES = (
    FormatGuide(
        name="table",
        title="Your own log: CSV, TSV, semicolons, Markdown, Label: value",
        how=(
            "Any table with a column of public scores; in a spreadsheet, save the "
            "sheet as CSV UTF-8."
        ),
        columns=(
            "public, lb, public_lb, score",
            "private, private_lb",
            "cv, oof, valid, local_cv",
            "cv_std",
            "fold1, fold2, ...",
            "date",
            "model, name, description, notes",
            "id, experiment",
            "parent",
            "selected",
            "hash",
        ),
        caveats=(
            "Other names: columns={'public_score': 'my name'} or --columns.",
            "Without dates the rows are taken in their order, the first as the oldest.",
            "Day and month are told apart by the whole column; write 2026-07-28.",
        ),
    ),
    FormatGuide(
        name="notebook",
        title="A Jupyter notebook, or its export as HTML",
        how="Save the notebook after the cell that shows the table was run.",
        columns=("as table: in outputs, in Markdown cells, else in the code",),
        caveats=(
            "Every table is looked at; the code only where no cell shows one.",
            "A frame that was printed in part names the rows that are left out.",
        ),
    ),
    FormatGuide(
        name="page",
        title="Tables of HTML: in a page, or inside Markdown",
        how="Save the page from the browser as HTML.",
        columns=("as table",),
        caveats=(
            "Pages that draw their lists by script hold no table when they are saved: "
            "use the export instead.",
        ),
    ),
    FormatGuide(
        name="workbook",
        title="An Excel workbook (.xlsx)",
        how="Give the file; needs pip install 'lbsense[excel]'.",
        columns=("as table, every sheet",),
        caveats=(
            "Formulas count as the office last computed them.",
            "Old workbooks (.xls) and those of other offices: save as .xlsx or CSV.",
        ),
    ),
    FormatGuide(
        name="text",
        title="Tables in texts: printed frames, LaTeX, reStructuredText, scripts, JSON",
        how=(
            "Give the text: print(frame), a tabular, a simple, grid, csv or list "
            "table, a Python script with a list of dictionaries, or nested JSON."
        ),
        columns=("as table",),
        caveats=("Of a script only what is written down is read: nothing is run.",),
    ),
    FormatGuide(
        name="log",
        title="An experiment log to take CV scores from, beside a history",
        how=(
            "mlflow experiments csv -x ID -o runs.csv, the runs table of MLflow or "
            "W&B, or your own CSV; pass it as cv_log= or --cv-log."
        ),
        columns=("ref or experiment id or file name", "cv, metrics.cv_*, oof, ..."),
        caveats=(
            "Joined by reference, then by experiment id in the description, then by "
            "file name; what could not be joined is listed.",
            "A chart export, one row per step, is no table of runs.",
        ),
    ),
)

FORMATS: tuple[FormatGuide, ...] = (
    *(guide for platform in PLATFORMS for guide in platform.guides),
    *_OWN_GUIDES,
)
"""Every kind of input, in the order in which most people need it."""


def platform_named(name: str | None) -> Platform | None:
    """Return the record of a platform."""
    return next((item for item in PLATFORMS if item.name == name), None)


def recognise(look: Look) -> Export:
    """Return what kind of listing a table is; of the later platforms first.

    Kaggle's marks are the commonest words, so it is asked last.
    """
    exports = (item for platform in reversed(PLATFORMS) for item in platform.exports)
    return next((item for item in exports if item.recognises(look)), OWN_TABLE)
