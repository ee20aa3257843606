"""lbsense tells a machine-learning competitor what their leaderboard score means.

Each public name is loaded from its room on first use, so that `import lbsense` costs
nothing in a notebook that may never need half of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lbsense._painter import use_painter
from lbsense._version import __version__ as __version__

if TYPE_CHECKING:
    from lbsense.analysis import (
        Analysis,
        BoardAnalysis,
        Comparison,
        GateResult,
        HostAnalysis,
        NoiseScale,
        PlanResult,
        Retrospective,
        Step,
        analyze,
        analyze_board,
        analyze_host,
        bootstrap_of,
        compare,
        footing,
        gate,
        medal_picks,
        noise_of,
        plan,
        unlabelled_noise_of,
    )
    from lbsense.checks import (
        Explanation,
        Finding,
        Findings,
        explain,
        run_checks,
    )
    from lbsense.errors import (
        DirectionUnknownError,
        FetchError,
        IngestError,
        LbsenseError,
        LbsenseWarning,
    )
    from lbsense.ingest import (
        CvReading,
        fetch_kaggle,
        fetch_zindi,
        join_ledger,
        join_log,
        parse_cv,
        read_host,
        read_kaggle,
        read_leaderboard,
        read_leaderboards,
        read_ledger,
        read_predictions,
        read_submissions,
        read_table,
        read_zindi,
    )
    from lbsense.ledger import (
        experiment,
        log_experiment,
        log_scores,
    )
    from lbsense.metrics import (
        METRICS,
        Metric,
        find_metric,
    )
    from lbsense.model import (
        CANDIDATE,
        Competition,
        DataWarning,
        Experiment,
        History,
        HostExport,
        Leaderboard,
        Ledger,
        Predictions,
        RowIssue,
        Submission,
    )
    from lbsense.report import (
        render_report,
        write_report,
    )

#: Where each public name lives.
_HOMES = {
    name: room
    for room, names in {
        "analysis": (
            "Analysis BoardAnalysis Comparison GateResult HostAnalysis NoiseScale "
            "PlanResult Retrospective Step analyze analyze_board analyze_host "
            "bootstrap_of compare footing gate medal_picks noise_of plan "
            "unlabelled_noise_of"
        ),
        "checks": "Explanation Finding Findings explain run_checks",
        "errors": (
            "DirectionUnknownError FetchError IngestError LbsenseError LbsenseWarning"
        ),
        "ingest": (
            "CvReading fetch_kaggle fetch_zindi join_ledger join_log parse_cv "
            "read_host read_kaggle read_leaderboard read_leaderboards read_ledger "
            "read_predictions read_submissions read_table read_zindi"
        ),
        "ledger": "experiment log_experiment log_scores",
        "metrics": "METRICS Metric find_metric",
        "model": (
            "CANDIDATE Competition DataWarning Experiment History HostExport "
            "Leaderboard Ledger Predictions RowIssue Submission"
        ),
        "report": "render_report write_report",
    }.items()
    for name in names.split()
}

_ROOMS = (
    "analysis",
    "checks",
    "ingest",
    "metrics",
    "model",
    "plots",
    "report",
    "simulate",
    "stats",
)

__all__ = [
    "CANDIDATE",
    "METRICS",
    "Analysis",
    "BoardAnalysis",
    "Comparison",
    "Competition",
    "CvReading",
    "DataWarning",
    "DirectionUnknownError",
    "Experiment",
    "Explanation",
    "FetchError",
    "Finding",
    "Findings",
    "GateResult",
    "History",
    "HostAnalysis",
    "HostExport",
    "IngestError",
    "LbsenseError",
    "LbsenseWarning",
    "Leaderboard",
    "Ledger",
    "Metric",
    "NoiseScale",
    "PlanResult",
    "Predictions",
    "Retrospective",
    "RowIssue",
    "Step",
    "Submission",
    "analyze",
    "analyze_board",
    "analyze_host",
    "bootstrap_of",
    "compare",
    "experiment",
    "explain",
    "fetch_kaggle",
    "fetch_zindi",
    "find_metric",
    "footing",
    "gate",
    "join_ledger",
    "join_log",
    "log_experiment",
    "log_scores",
    "medal_picks",
    "noise_of",
    "parse_cv",
    "plan",
    "read_host",
    "read_kaggle",
    "read_leaderboard",
    "read_leaderboards",
    "read_ledger",
    "read_predictions",
    "read_submissions",
    "read_table",
    "read_zindi",
    "render_report",
    "run_checks",
    "unlabelled_noise_of",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Return a public name, loading the room where it lives; or a room itself."""
    if name in _ROOMS:
        return import_module(f"lbsense.{name}")
    if name not in _HOMES:
        part = {"pick": "picks"}.get(name, name)
        inside = ("answer", "levels", "luck", "outlook", "picks", "steps")
        where = f": see analyze(history).{part}" if part in inside else ""
        msg = f"module 'lbsense' has no attribute {name!r}{where}"
        raise AttributeError(msg)
    value = getattr(import_module(f"lbsense.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def _paint(result: Any) -> str:
    painted: str = import_module("lbsense.plots").notebook_picture(result)
    return painted


use_painter(_paint)


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return [*__all__, *_ROOMS, "__version__"]
