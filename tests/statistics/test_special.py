"""The compiled functions are scipy's own, and come without the package around them."""

from __future__ import annotations

import subprocess
import sys

import pytest
import scipy.special

from monitor.statistics import special

ALONE = """
import sys
from monitor.statistics import special
assert special.chdtrc(3.0, 2.0) > 0.5
loaded = [name for name in sys.modules if name.startswith("scipy.")]
assert "scipy.special" not in loaded and "scipy.linalg" not in loaded, loaded
import scipy.special
assert scipy.special.chdtrc is special.chdtrc
import scipy.stats
assert scipy.stats.chi2.sf(2.0, 3) > 0.5
"""


@pytest.mark.parametrize(
    "name", ["rel_entr", "log_ndtr", "kolmogorov", "betainc", "gammaln", "chdtrc", "digamma"]
)
def test_they_are_scipys(name: str) -> None:
    assert getattr(special, name) is getattr(scipy.special, name)


def test_what_is_not_compiled_comes_from_the_package() -> None:
    assert special.roots_legendre is scipy.special.roots_legendre


def test_alone_they_leave_the_rest_of_scipy_unloaded() -> None:
    subprocess.run([sys.executable, "-c", ALONE], check=True, timeout=60)
