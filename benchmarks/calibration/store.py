"""One line of JSON for every history that was made."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.calibration.cells import Cell

__all__ = ["Store"]


class Store:
    """A folder with one file per cell; adding to it loses nothing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._records: dict[tuple[str, int], dict[str, Any]] = {}
        for path in sorted(folder.glob("*.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                record = json.loads(line)
                self._records[record["cell"], record["seed"]] = record

    def has(self, name: str, seed: int) -> bool:
        """Return whether this history was made before."""
        return (name, seed) in self._records

    def add(self, record: dict[str, Any]) -> None:
        """Keep one history."""
        self._records[record["cell"], record["seed"]] = record
        path = self._folder / f"{record['cell'].replace(' ', '_')}.jsonl"
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def read(
        self, cells: Iterable[Cell], seeds: Iterable[int]
    ) -> dict[Cell, list[dict[str, Any]]]:
        """Return the histories of these cells and seeds that are there."""
        seeds = list(seeds)
        return {
            cell: [
                self._records[cell.name, seed]
                for seed in seeds
                if self.has(cell.name, seed)
            ]
            for cell in cells
        }
