"""Prints what became of damaged kmodels at the end of a session."""

import pytest

from tests.conversion.kmodel import mutants


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The shares of mutants that the readers took for sound."""
    for line in mutants.report():
        terminalreporter.write_line(line)
