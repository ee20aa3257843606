"""Host exports: every submission of every team, as columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lbsense.errors import IngestError
from lbsense.ingest.boards.read import competition_of, numbers_of
from lbsense.ingest.boards.sheets import read_sheets, times_of
from lbsense.model import HostExport, RowIssue


def read_host(
    data: Any,
    *,
    metric: str | None = None,
    greater_is_better: bool | None = None,
    test_size: int | None = None,
    public_fraction: float | None = None,
    nested: bool | None = None,
    slug: str | None = None,
) -> HostExport:
    r"""Return every submission of every team in the export of a host.

    Parameters
    ----------
    data : path, list of paths, file-like, text or DataFrame
        ``DateSubmitted,SubmissionId,TeamId,UserName,TeamName,IsSelected,PublicScore,
        PrivateScore``, in any order; several files are parts of one export.
    metric, greater_is_better, test_size, public_fraction, nested, slug : optional
        What is known of the competition.

    Returns
    -------
    HostExport

    Raises
    ------
    IngestError
        If teams or scores are missing.

    Examples
    --------
    >>> export = read_host(
    ...     "TeamId,TeamName,IsSelected,PublicScore,PrivateScore\n"
    ...     "1,a,False,0.7,0.6\n2,b,True,0.8,0.7\n1,a,True,0.9,0.8\n",
    ...     metric="roc_auc",
    ... )
    >>> export.team.tolist(), export.board().private.tolist()
    ([0, 0, 1], [0.8, 0.7])
    """
    sheets = read_sheets(data)
    issues: list[RowIssue] = [issue for sheet in sheets for issue in sheet.issues]
    frame = pd.concat([sheet.frame for sheet in sheets], ignore_index=True).fillna("")
    source = sheets[0].source
    by = "team_id" if "team_id" in frame else "team_name"
    if by not in frame or "public_score" not in frame:
        shown = ", ".join(map(str, frame.columns))
        msg = (
            f"{source}: a host export has a row for every submission, with TeamId and "
            f"PublicScore. Found {shown}."
        )
        raise IngestError(msg)
    code, keys = pd.factorize(frame[by])
    times = times_of(frame)
    order = np.lexsort((np.arange(len(frame)), times, code))
    options: dict[str, Any] = {
        "metric": metric,
        "greater_is_better": greater_is_better,
        "test_size": test_size,
        "public_fraction": public_fraction,
        "nested": nested,
        "slug": slug,
    }
    names = frame.get("team_name", frame[by])
    first = pd.Series(code).drop_duplicates().index
    selected = frame.get("selected", pd.Series("", index=frame.index))
    return HostExport(
        competition=competition_of(options, [source]),
        team_ids=tuple(map(str, keys)) if by == "team_id" else ("",) * len(keys),
        team_names=tuple(names.iloc[first]),
        team=code[order].astype(np.int64),
        public=numbers_of(frame, "public_score", source, issues)[order],
        private=numbers_of(frame, "private_score", source, issues)[order],
        selected=selected.str.lower().isin(("true", "1", "yes")).to_numpy()[order],
        submitted_at=times[order],
        issues=tuple(issues),
    )
