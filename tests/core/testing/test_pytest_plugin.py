"""The kit under pytest: one test a check, in a test file and from the command line."""

import subprocess
import sys
from pathlib import Path

import pytest
from metier.testing import CHECKS

from tests.core.testing.faulty import FAULTS, PACKAGE, PLUGIN, SOUND, write

FAULTY = next(fault for fault in FAULTS if fault.name == "reversed")


def run_pytest(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path.insert(0, {str(site)!r}); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "-v", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=site.parent, timeout=300, check=False)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


def test_a_file_has_one_test_a_check(site: Path) -> None:
    write(site, FAULTY)
    file = site.parent / "test_it.py"
    file.write_text(f"from metier.testing import plugin_checks\n\ntest_kit = plugin_checks({PACKAGE!r})\n")
    done = run_pytest(site, str(file))
    outcomes = [line for line in done.stdout.splitlines() if "test_it.py::test_kit[" in line and "%]" in line]
    assert len(outcomes) == len(CHECKS)
    [failed] = [line for line in outcomes if "FAILED" in line]
    assert "[order]" in failed
    assert "mend:  Where the model sorts by length" in done.stdout
    assert done.returncode == 1


def test_the_command_line_needs_no_file(site: Path) -> None:
    write(site, SOUND)
    done = run_pytest(site, "--metier-plugin", PLUGIN)
    assert f"{len(CHECKS)} passed" in done.stdout
    assert done.returncode == 0
