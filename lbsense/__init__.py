"""lbsense tells a machine-learning competitor what their leaderboard score means.

Each public name is loaded from its room on first use, so that `import lbsense` costs
nothing in a notebook that may never need half of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

_HOMES = {
    "HostAnalysis": "lbsense.analysis",
    "analyze_host": "lbsense.analysis",
    "HostExport": "lbsense.model",
    "read_host": "lbsense.ingest",
    "PlanResult": "lbsense.analysis",
    "plan": "lbsense.analysis",
    "BoardAnalysis": "lbsense.analysis",
    "analyze_board": "lbsense.analysis",
    "Comparison": "lbsense.analysis",
    "compare": "lbsense.analysis",
    "medal_picks": "lbsense.analysis",
    "Leaderboard": "lbsense.model",
    "read_leaderboard": "lbsense.ingest",
    "read_leaderboards": "lbsense.ingest",
    "CANDIDATE": "lbsense.model",
    "footing": "lbsense.analysis",
    "Analysis": "lbsense.analysis",
    "GateResult": "lbsense.analysis",
    "NoiseScale": "lbsense.analysis",
    "Retrospective": "lbsense.analysis",
    "Step": "lbsense.analysis",
    "analyze": "lbsense.analysis",
    "gate": "lbsense.analysis",
    "Explanation": "lbsense.checks",
    "Finding": "lbsense.checks",
    "Findings": "lbsense.checks",
    "explain": "lbsense.checks",
    "run_checks": "lbsense.checks",
    "DirectionUnknownError": "lbsense.errors",
    "FetchError": "lbsense.errors",
    "IngestError": "lbsense.errors",
    "LbsenseError": "lbsense.errors",
    "LbsenseWarning": "lbsense.errors",
    "CvReading": "lbsense.ingest",
    "fetch_kaggle": "lbsense.ingest",
    "fetch_zindi": "lbsense.ingest",
    "join_ledger": "lbsense.ingest",
    "join_log": "lbsense.ingest",
    "parse_cv": "lbsense.ingest",
    "read_kaggle": "lbsense.ingest",
    "read_ledger": "lbsense.ingest",
    "read_predictions": "lbsense.ingest",
    "read_submissions": "lbsense.ingest",
    "read_table": "lbsense.ingest",
    "read_zindi": "lbsense.ingest",
    "experiment": "lbsense.ledger",
    "log_experiment": "lbsense.ledger",
    "log_scores": "lbsense.ledger",
    "METRICS": "lbsense.metrics",
    "Metric": "lbsense.metrics",
    "find_metric": "lbsense.metrics",
    "Competition": "lbsense.model",
    "DataWarning": "lbsense.model",
    "Experiment": "lbsense.model",
    "History": "lbsense.model",
    "Ledger": "lbsense.model",
    "Predictions": "lbsense.model",
    "RowIssue": "lbsense.model",
    "Submission": "lbsense.model",
    "bootstrap_of": "lbsense.analysis",
    "noise_of": "lbsense.analysis",
    "unlabelled_noise_of": "lbsense.analysis",
    "render_report": "lbsense.report",
    "write_report": "lbsense.report",
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
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return [*__all__, *_ROOMS, "__version__"]
