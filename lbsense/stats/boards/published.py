"""Rank correlations of finished competitions, as somebody else has published them.

Quantiles of one minus Spearman's correlation of public and private ranks over Kaggle's
featured, research, recruitment and playground competitions that ended after July 2022,
by the share of public rows and by whether only notebooks could be submitted (whose
private board is often another, hidden test). Computed from Meta Kaggle of 2026-07-12
and published under the MIT license by Tushar S. as shakeup-radar 0.2.0,
github.com/tusharhsharma/shakeup-radar, shakeup_radar/artifact.json; facts, not code.
"""

from __future__ import annotations

from collections.abc import Mapping

PUBLISHED_BY = "shakeup-radar 0.2.0 (T. S., Meta Kaggle of 12 July 2026)"

# Public share below 15%, below 35%, and above; any, notebooks only, files. Number of
# competitions, then the quantiles.
_QUARTILES = (0.25, 0.5, 0.75, 0.9)
_TABLE: Mapping[tuple[str, bool | None], tuple[float, ...]] = {
    ("tiny", None): (21, 0.169864, 0.97593, 1.148419),
    ("tiny", True): (16, 0.938275, 1.038607, 1.252386),
    ("small", None): (109, 0.006848, 0.021944, 0.066809, 0.193987),
    ("small", True): (36, 0.018953, 0.047056, 0.084954, 0.169848),
    ("small", False): (73, 0.004831, 0.012667, 0.049417, 0.217973),
    ("large", None): (51, 0.019619, 0.041166, 0.15589, 0.25361),
    ("large", True): (37, 0.01839, 0.038689, 0.160229, 0.284616),
    ("large", False): (14, 0.022916, 0.061285, 0.128883),
    ("any", None): (181, 0.008539, 0.032804, 0.151551, 0.432479),
}


def published_quantiles(
    public_fraction: float | None = None, *, notebooks_only: bool | None = None
) -> tuple[dict[float, float], int]:
    """Return quantiles of one minus Spearman's correlation, and of how many they are.

    Parameters
    ----------
    public_fraction : float, optional
        Share of the test rows behind the public score.
    notebooks_only : bool, optional
        Whether only notebooks can be submitted.

    Examples
    --------
    >>> published_quantiles(0.3, notebooks_only=False)
    ({0.25: 0.004831, 0.5: 0.012667, 0.75: 0.049417, 0.9: 0.217973}, 73)
    """
    kind = "any"
    if public_fraction is not None:
        kind = "tiny" if public_fraction < 0.15 else "small"
        kind = "large" if public_fraction >= 0.35 else kind
    row = _TABLE.get((kind, notebooks_only)) or _TABLE[kind, None]
    return dict(zip(_QUARTILES, row[1:], strict=False)), int(row[0])
