"""Results as pictures: each function takes an analysis and returns the axes."""

from lbsense.plots.boards import (
    BOARD_SCENES,
    compare_scene,
    notebook_picture,
    plot_board_ladder,
    plot_board_places,
    plot_board_ranks,
    plot_comparison,
)
from lbsense.plots.history import (
    plot_cv_public,
    plot_differences,
    plot_outlook,
    plot_picks,
    plot_public_private,
    plot_resolution,
    plot_similarity,
    plot_steps,
    plot_timeline,
)
from lbsense.plots.scene import PALETTES, Plot, Scene, Theme, draw_plot
from lbsense.plots.svg import MOST_LINKS, SVG_STYLE, draw_svg, palette_css

__all__ = [
    "BOARD_SCENES",
    "MOST_LINKS",
    "PALETTES",
    "SVG_STYLE",
    "Plot",
    "Scene",
    "Theme",
    "compare_scene",
    "draw_plot",
    "draw_svg",
    "notebook_picture",
    "palette_css",
    "plot_board_ladder",
    "plot_board_places",
    "plot_board_ranks",
    "plot_comparison",
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
