"""Reports: one page, its Markdown, and the documents that competitions ask for."""

from lbsense.report.render import ReportFormat, render_report, write_report

__all__ = ["ReportFormat", "render_report", "write_report"]
