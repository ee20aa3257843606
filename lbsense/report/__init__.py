"""Reports: one page, its Markdown, and the documents that competitions ask for."""

from lbsense.report.documents import CardFormat, render_card, with_analysis, write_crate
from lbsense.report.render import ReportFormat, render_report, write_report

__all__ = [
    "CardFormat",
    "ReportFormat",
    "render_card",
    "render_report",
    "with_analysis",
    "write_crate",
    "write_report",
]
