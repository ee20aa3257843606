"""``lbsense metrics``: the metrics whose direction and noise lbsense knows."""

from __future__ import annotations

from lbsense.cli.console import ScreenOptions
from lbsense.cli.options import expand_options

_MOST_ALIASES = 3


@expand_options
def metrics(screen: ScreenOptions) -> None:
    """List the metrics that --metric knows: name, direction, other names.

    Examples
    --------
      lbsense metrics
      lbsense metrics | grep -i auc
    """
    from rich.table import Table

    from lbsense.metrics import METRICS

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for header in ("name", "better", "what it is", "also called (among others)"):
        table.add_column(header, overflow="fold")
    for metric in METRICS.values():
        table.add_row(
            metric.name,
            "higher" if metric.greater_is_better else "lower",
            metric.title,
            ", ".join(sorted(metric.aliases, key=len)[:_MOST_ALIASES]),
        )
    screen.console().print(table)
