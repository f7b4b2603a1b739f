"""Runs msal's end-to-end tests as they are and turns each into a check. They want their laboratory's identities
(`seeds/msal-e2e.yaml`) on IMDS at the well-known address."""

import sys
from pathlib import Path

import pytest
from checks import Checks

TESTS = Path(sys.argv[1]) / "source/tests/test_mi_e2e.py"
NEEDS_ARC = "Runs only on an Azure Arc-enabled machine"
EXPECTED = 4
checks = Checks()


class Outcomes:
    """Takes note of each test's end."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.others: dict[str, str] = {}

    def pytest_runtest_logreport(self, report) -> None:
        """Called by pytest for each phase of each test."""
        name = report.nodeid.split("::")[-1]
        if report.when == "call" and report.passed:
            self.passed.append(name)
        elif not report.passed and NEEDS_ARC not in report.longreprtext and NEEDS_ARC not in str(report.longrepr):
            self.others[name] = str(report.longrepr)


outcomes = Outcomes()
pytest.main(["-p", "no:cacheprovider", "--quiet", "--rootdir", str(TESTS.parent), str(TESTS)], plugins=[outcomes])
for test in outcomes.passed:
    with checks.check(test):
        pass
for test, why in outcomes.others.items():
    with checks.check(test):
        raise AssertionError(why)
with checks.check("all of them ran"):
    assert len(outcomes.passed) == EXPECTED, outcomes.passed
checks.done()
