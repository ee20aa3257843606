"""``lbsense formats``: what can be read, and how to get each export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from lbsense.cli.console import ScreenOptions, print_entries
from lbsense.cli.options import expand_options

if TYPE_CHECKING:
    from lbsense.ingest import FormatGuide


@expand_options
def formats(
    screen: ScreenOptions,
    name: Annotated[
        str | None,
        typer.Argument(
            help="Show one format in full, or all that begin so: kaggle, zindi."
        ),
    ] = None,
) -> None:
    """Explain what can be read and how to get each export.

    Examples
    --------
      lbsense formats
      lbsense formats kaggle-csv
      lbsense formats zindi
    """
    from lbsense.ingest import FORMATS

    console = screen.console()
    chosen = [guide for guide in FORMATS if _is_called(guide, name)]
    if not chosen:
        known = ", ".join(guide.name for guide in FORMATS)
        msg = f"There is no format {name!r}. Formats are {known}."
        raise ValueError(msg)
    for guide in chosen:
        console.print(Text.assemble((guide.name, "bold"), f"  {guide.title}"))
        lines = [("Get it", guide.how)]
        if name is not None:
            lines.append(("Read", ", ".join(guide.columns)))
        lines += [("Mind", caveat) for caveat in guide.caveats]
        print_entries(console, lines)
    console.print(
        Text("Any of them, also as .gz or .zip: lbsense analyze FILE --metric NAME")
    )


def _is_called(guide: FormatGuide, name: str | None) -> bool:
    return name is None or guide.name.startswith(name.strip().lower())
