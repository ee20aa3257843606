"""Tables as people write them, spoilt at random: a history or one clear error."""

from __future__ import annotations

import random
import time
import tracemalloc

import pytest

from lbsense.analysis import analyze
from lbsense.checks import run_checks
from lbsense.errors import IngestError
from lbsense.ingest import read_submissions

SEEDS = (
    "| Run | CV MAE (Mean ± Std) | CV MAPE | LB |\n|---|---|---|---|\n"
    "| 001 | 17120.50 ± 1650.10 | 9.90% | 15010.20 |\n"
    "| 002 | 15230.70 ± 1400.30 | 8.80% | **13902.40** (-188 vs 001) |\n",
    "## A\n| v | score |\n|---|---|\n| v1 | 0.41 |\n\n"
    "## B\n| v | score |\n|---|---|\n| v9 | [0.55](x) |\n",
    "fileName,date,description,status,publicScore,privateScore\n"
    'a.csv,2026-03-02 10:00:00,"base, #1",complete,0.71,\n'
    "b.csv,2026-03-03 10:00:00,same as #1 w 0.3,complete,0.715,0.7\n",
    "#;제출 일시;LB;비고\n3;2026. 5. 9. 오후 3:20;0,81;c\n2;9 mai 2026;0,80;b\n",
    "exp\tDate\tTime\tPublic/Private\nx1\t2026-05-01\t10:00\t0.801/0.795\n",
    '[{"exp": "a", "cv": "0.8 → 0.81", "lb": 0.82}, {"exp": "b", "lb": "1,950"}]',
)
PIECES = (
    *("|", "\n", "---", ",", ";", "\t", '"', "#", "**", "[0.8](x)", "0.8/0.7", "±"),
    *(
        "2026-05-01",
        "오후",
        "年",
        "%",
        "→",
        "0,81",
        "1e9",
        "nan",
        "\x00",
        "\ufeff",
        "(" * 9,
    ),
    *("LB", "CV", "Date", "Time", "exp", "score", "Public/Private", "]" * 9, "9" * 30),
)
_SLOWEST, _LARGEST = 10.0, 1 << 30


def spoilt(text: str, rng: random.Random) -> str:
    for _ in range(rng.randint(1, 6)):
        at, to = sorted(rng.choices(range(len(text) + 1), k=2))
        match rng.randrange(5):
            case 0:
                text = text[:at] + rng.choice(PIECES) + text[at:]
            case 1:
                text = text[:at] + text[min(to, at + 9) :]
            case 2:
                text = text[:at] + text[at : at + 40] * rng.randint(2, 5) + text[at:]
            case 3:
                text = (
                    text[:at]
                    + chr(rng.choice([0, 34, 124, 0x5E74, 0x1F947]))
                    + text[at:]
                )
            case _:
                lines = text.split("\n")
                rng.shuffle(lines)
                text = "\n".join(lines)
    return text


def run(n: int, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(n):
        text = spoilt(rng.choice(SEEDS), rng) + "\n"
        start = time.process_time()
        try:
            history = read_submissions(text, metric="mae")
        except IngestError:
            history = None
        if history is not None:
            assert history.reading.n_submissions == len(history)
            run_checks(analyze(history))
        assert time.process_time() - start < _SLOWEST, text


def test_some_mutations() -> None:
    run(150, 1)


@pytest.mark.long
def test_ten_thousand_mutations_in_little_memory() -> None:
    tracemalloc.start()
    run(10_000, 2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < _LARGEST
