"""What can be read and how to get each export, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass

from lbsense._result import Result

__all__ = ["FORMATS", "FormatGuide"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatGuide(Result):
    """One kind of input: how to get it, what it holds and what it lacks.

    Attributes
    ----------
    name : str
        Short name.
    title : str
        What it is.
    how : str
        How to get it.
    columns : tuple of str
        Columns or keys that are read.
    caveats : tuple of str
        What to know before trusting it.
    """

    name: str
    title: str
    how: str
    columns: tuple[str, ...]
    caveats: tuple[str, ...] = ()


FORMATS: tuple[FormatGuide, ...] = (
    FormatGuide(
        name="kaggle-csv",
        title="Your submissions as the Kaggle client lists them, CSV",
        how="kaggle competitions submissions -c SLUG --csv --page-size 200 > mine.csv",
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
            "Without --page-size the client stops at 20 or 50 rows and does not say "
            "so; clients before 1.8 have no such option.",
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
            "kaggle.api.competition_submissions(SLUG, page_number=1, page_size=200), "
            "and further pages until one is empty; vars(), to_dict() and data frames "
            "of them too"
        ),
        columns=("as kaggle-csv", "error_description", "team_name"),
        caveats=("to_dict() leaves out the status of pending rows: read as pending.",),
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
        caveats=("Choose one team with team= or --team.", "There is no description."),
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
    FormatGuide(
        name="zindi-json",
        title="Your submissions as the Zindi site or package answers them",
        how=(
            "Save the answer of /v1/competitions/SLUG/submissions?per_page=1000, or "
            "use what submission_board() of the zindi package returns."
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
            "In competitions of 2018-19 the private score covers the public rows too: "
            "say nested=True or --nested.",
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
"""Every kind of input, in the order in which most people need it."""
