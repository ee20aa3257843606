"""Three competitions with a story each: the ones in the folder ``data``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from lbsense._result import Result
from lbsense.simulate._competition import SimulatedCompetition
from lbsense.simulate._exports import write_exports
from lbsense.simulate._scenario import Scenario
from lbsense.simulate._simulate import play

__all__ = ["PRESETS", "Preset", "write_presets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset(Result):
    """A named competition that is always the same.

    Attributes
    ----------
    name : str
        Name of its folder.
    story : str
        What happens in it, in one sentence.
    scenario : Scenario
        Its options.
    seed : int
        Its seed.
    """

    name: str
    story: str
    scenario: Scenario
    seed: int

    def simulate(self, *, keep_rows: bool = False) -> SimulatedCompetition:
        """Return the competition."""
        return play(self.scenario, keep_rows=keep_rows, rng=self.seed)


_ALL = (
    Preset(
        name="honest_climber",
        story=(
            "Builds on the best of CV and public together, gains slowly, and keeps "
            "what it gained."
        ),
        scenario=Scenario(
            metric="roc_auc",
            n_submissions=36,
            n_public=8000,
            n_private=12_000,
            n_train=20_000,
            policy="both",
            null_fraction=0.45,
            gain_fraction=0.6,
            parents="described",
            repeat_fraction=0.03,
            failed_fraction=0.04,
        ),
        seed=4,
    ),
    Preset(
        name="leaderboard_chaser",
        story=(
            "Builds on the best public score, mostly by bursts of tweaks, and climbs "
            "on noise that the private rows do not share."
        ),
        scenario=Scenario(
            metric="roc_auc",
            n_submissions=72,
            n_public=1500,
            n_private=6000,
            n_train=8000,
            policy="public",
            null_fraction=0.9,
            burst_fraction=0.4,
            novelty=0.5,
            parents="withheld",
            rerun_fraction=0.03,
        ),
        seed=2,
    ),
    Preset(
        name="leaking_validation",
        story=(
            "Builds on the best CV score, which a leak improves step by step while "
            "the leaderboard stands still."
        ),
        scenario=Scenario(
            metric="rmse",
            n_submissions=40,
            n_public=4000,
            n_private=8000,
            n_train=10_000,
            policy="cv",
            null_fraction=0.7,
            cv_leak=0.03,
            parents="described",
            broken_fraction=0.03,
        ),
        seed=4,
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({item.name: item for item in _ALL})


def write_presets(directory: str | os.PathLike[str]) -> list[Path]:
    """Write every preset into a folder of its own, and return the folders.

    Parameters
    ----------
    directory : path
        Folder to write into; made if need be.

    Returns
    -------
    list of Path
        The folder of each preset.
    """
    folders = []
    for preset in PRESETS.values():
        folder = Path(directory) / preset.name
        folder.mkdir(parents=True, exist_ok=True)
        write_exports(preset.simulate(), folder)
        folders.append(folder)
    return folders
