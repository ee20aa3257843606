"""Results as pictures: each function takes an analysis and returns the axes."""

from lbsense.plots.canvas import PALETTES, Theme
from lbsense.plots.choice import plot_differences, plot_outlook, plot_picks
from lbsense.plots.course import plot_steps, plot_timeline
from lbsense.plots.noise import plot_resolution, plot_similarity
from lbsense.plots.scatter import plot_cv_public, plot_public_private

__all__ = [
    "PALETTES",
    "Theme",
    "plot_cv_public",
    "plot_differences",
    "plot_outlook",
    "plot_picks",
    "plot_public_private",
    "plot_resolution",
    "plot_similarity",
    "plot_steps",
    "plot_timeline",
]
