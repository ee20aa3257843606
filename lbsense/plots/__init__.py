"""Results as pictures: each function takes an analysis and returns the axes."""

from lbsense.plots._style import PALETTES, Theme
from lbsense.plots.outlook import plot_outlook
from lbsense.plots.picks import plot_picks
from lbsense.plots.resolution import plot_resolution
from lbsense.plots.scatter import plot_cv_public, plot_public_private
from lbsense.plots.similarity import plot_similarity
from lbsense.plots.steps import plot_steps
from lbsense.plots.timeline import plot_timeline

__all__ = [
    "PALETTES",
    "Theme",
    "plot_cv_public",
    "plot_outlook",
    "plot_picks",
    "plot_public_private",
    "plot_resolution",
    "plot_similarity",
    "plot_steps",
    "plot_timeline",
]
