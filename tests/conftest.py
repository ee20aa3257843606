"""Builders that several tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

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


REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "real"


@pytest.fixture
def real_data() -> Path:
    """Return the folder of real histories, or skip where it is not there."""
    if not REAL_DATA.is_dir():
        pytest.skip("real histories are kept beside the project and are not here")
    return REAL_DATA
