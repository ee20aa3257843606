"""What is of the wrong type is refused with what was given and what is expected."""

from __future__ import annotations

import pytest

import lbsense as lb

ROWS = [{"ref": i, "publicScore": 0.7 + i / 100, "cv": 0.7 + i / 90} for i in range(6)]
HISTORY = lb.read_submissions(
    ROWS, metric="roc_auc", test_size=1000, public_fraction=0.3
)
ANALYSIS = lb.analyze(HISTORY)
CALLS = {
    "gate of a text": (lambda: lb.gate(ANALYSIS, "0.8"), "cv_score.*'0.8', a text"),
    "gate of a history": (lambda: lb.gate(HISTORY, 0.8), "an Analysis.*got History"),
    "checks of nothing": (lambda: lb.run_checks(None), "an Analysis.*got NoneType"),
    "predictions": (lambda: lb.analyze(HISTORY, 3), "Predictions, as.*got int 3"),
    "columns": (
        lambda: lb.read_submissions(ROWS, columns="x"),
        "columns must be a mapping.*got str 'x'",
    ),
    "columns of predictions": (
        lambda: lb.read_predictions("x", columns="x"),
        "columns must be a mapping",
    ),
    "slug": (lambda: lb.read_kaggle(ROWS, slug=3), "slug must be a text, got int 3"),
    "log of nothing": (lambda: lb.join_log(None, ROWS), "a History.*got NoneType"),
    "report of a history": (lambda: lb.render_report(HISTORY), "an Analysis"),
    "analysis of a number": (lambda: lb.analyze(3), "got int 3.*read_submissions"),
    "scores alone": (lambda: lb.analyze([0.7, 0.8]), "publicScore.*scores alone"),
    "path of a report": (
        lambda: lb.write_report(ANALYSIS, 3),
        "path must be a path, got int 3",
    ),
    "plot of a history": (
        lambda: lb.plots.plot_steps(HISTORY),
        "an Analysis, as analyze.*got History",
    ),
    "plot on a number": (
        lambda: lb.plots.plot_steps(ANALYSIS, ax=3),
        "ax must be axes of matplotlib.*got int 3",
    ),
    "plot of a board": (
        lambda: lb.plots.plot_board_ranks(ANALYSIS),
        "a BoardAnalysis.*got Analysis",
    ),
    "plot of no comparison": (
        lambda: lb.plots.plot_comparison(ANALYSIS),
        "a Comparison.*got Analysis",
    ),
    "board of nothing": (lambda: lb.analyze_board(3), "a Leaderboard.*got int 3"),
    "submissions of numbers": (
        lambda: lb.History(
            competition=lb.Competition(greater_is_better=True), submissions=(0.1,)
        ),
        "a Submission, as.*got float 0.1",
    ),
    "one source": (
        lambda: lb.render_report(ANALYSIS, sources="a.csv"),
        "sources must be a list of files",
    ),
    "code": (lambda: lb.explain(301), "code must be a text, got int 301"),
    "noise of a path": (
        lambda: lb.noise_of("oof/", "roc_auc"),
        "Predictions, as read_predictions.*got str 'oof/'",
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_wrong_type(call):
    function, message = CALLS[call]
    with pytest.raises((TypeError, lb.IngestError), match=message):
        function()


def test_what_is_an_attribute_of_an_analysis_is_no_function():
    with pytest.raises(AttributeError, match=r"analyze\(history\)\.picks"):
        lb.pick  # noqa: B018
