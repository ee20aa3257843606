"""Display and export that every result shares."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from lbsense._result import Result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example(Result):
    """A result with one field of each kind."""

    name: str = "<b>bold</b>"
    value: float = math.nan
    values: np.ndarray | None = None
    when: datetime | None = None


def test_dictionary_holds_what_json_can():
    example = Example(
        values=np.array([1.0, np.nan]), when=datetime(2026, 1, 2, tzinfo=UTC)
    )
    assert json.loads(json.dumps(example.to_dict(), allow_nan=False)) == {
        "name": "<b>bold</b>",
        "value": None,
        "values": [1.0, None],
        "when": "2026-01-02T00:00:00+00:00",
    }


def test_frame_has_one_row():
    assert Example(value=2.0).to_frame()["value"].tolist() == [2.0]


def test_text_names_every_field():
    text = str(Example(value=0.25))
    assert text.splitlines()[0] == "Example"
    assert "0.25" in text


def test_html_is_escaped():
    assert "<b>" not in Example()._repr_html_()
    assert "&lt;b&gt;" in Example()._repr_html_()
