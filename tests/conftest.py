"""Builders that several tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import lbsense as lb

# The matrices here are small: threads of the linear algebra only wait for each other,
# and where several tests run at once they take most of the time.
if "numpy" not in sys.modules:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")

# A busy machine is slow, not wrong.
settings.register_profile("lbsense", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=25)


def pytest_configure(config: pytest.Config) -> None:
    """Draw fewer examples where the slow tests are left out."""
    fast = "not slow" in config.getoption("markexpr")
    settings.load_profile("fast" if fast else "lbsense")


ROOT = Path(__file__).resolve().parents[1]
REAL_DATA = ROOT.parent / "shared" / "data" / "real"


@pytest.fixture(scope="session")
def climber() -> Any:
    """Return the analysis of the honest climber with all that is known of it."""
    return lb.analyze(
        lb.read_kaggle(
            ROOT / "data/honest_climber/submissions.csv", metric="roc_auc",
            test_size=20_000, train_size=20_000, public_fraction=0.4,
        )
    )  # fmt: skip


@pytest.fixture
def real_data() -> Path:
    """Return the folder of real histories, or skip where it is not there."""
    if not REAL_DATA.is_dir():
        pytest.skip("real histories are kept beside the project and are not here")
    return REAL_DATA
