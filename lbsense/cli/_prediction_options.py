"""The options that name out-of-fold predictions, and the predictions they lead to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lbsense.cli._console import working

if TYPE_CHECKING:
    from lbsense.model import History, Predictions

__all__ = ["PredictionOptions"]

_PANEL = "Predictions"


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionOptions:
    """Where out-of-fold predictions are, and the labels that they were made for."""

    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder of oof_<name>.csv, named as the submission files: they tell "
            "the exact noise of every step.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Training labels by row id, if the prediction files do not hold them.",
            rich_help_panel=_PANEL,
        ),
    ] = None

    def read(self, history: History) -> Predictions | None:
        """Return the predictions of a history, None where no folder was given."""
        if self.predictions is None:
            if self.labels is not None:
                msg = "--labels needs --predictions, the folder of the predictions."
                raise typer.BadParameter(msg)
            return None
        with working("Reading predictions ..."):
            from lbsense.ingest import read_predictions

            return read_predictions(
                self.predictions, labels=self.labels, history=history
            )
