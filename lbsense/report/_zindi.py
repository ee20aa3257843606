"""The documentation that Zindi asks of winners, as far as a history can fill it."""

from __future__ import annotations

from collections.abc import Sequence

from lbsense.analysis import Analysis
from lbsense.checks import Findings
from lbsense.model import InputFile
from lbsense.report._document import (
    agreement,
    competition,
    facts,
    fill_in,
    final_submissions,
    findings_told,
    gains,
    inputs,
    no_gains,
    noise,
    outcome,
)
from lbsense.report._markdown import markdown_text

__all__ = ["zindi_document"]


def zindi_document(
    analysis: Analysis,
    findings: Findings,
    *,
    sources: Sequence[InputFile],
    version: str,
) -> str:
    """Return the sections of Zindi's solution documentation.

    The sections are those of a published solution that follows
    https://zindi.africa/learn/documentation-guideline.
    What scores cannot tell is a marked place.
    """
    parts = [
        f"# Solution documentation: {competition(analysis)}",
        "Every place marked TO FILL IN is yours: scores cannot tell it. The rest comes "
        "from the submission history.",
        "## 1. Overview and objectives",
        fill_in("what the solution is for, and what it is expected to achieve."),
        facts(analysis),
        markdown_text(analysis.headline),
        "## 2. Architecture diagram",
        fill_in("a picture of the way from raw data to the submission file."),
        "## 3. ETL process",
        fill_in("where data comes from, how it is cleaned, transformed and stored."),
        "## 4. Data modelling",
        fill_in("features, models, ensembling, training, seeds."),
        f"Validation: {agreement(analysis)}",
        gains(analysis),
        no_gains(analysis),
        "## 5. Inference",
        fill_in("how the final file is made again, and how new data is scored."),
        final_submissions(analysis),
        "## 6. Run time",
        fill_in("time of every notebook or script, and the machine that it ran on."),
        "## 7. Performance metrics",
        fill_in("the scores of the final model on the metric, and any other measure."),
        noise(analysis),
        outcome(analysis),
        findings_told(findings),
        "## 8. Error handling and logging",
        fill_in("what can fail, how that is noticed and handled."),
        "## 9. Maintenance and monitoring",
        fill_in("how the solution is kept working, watched and scaled."),
        *inputs(sources, version),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
