"""Build the wheel of the plugin that is written for the current contract: `python tests/compatibility/make_wheel.py`.

A new minor gets a folder of its own, with the source of a plugin that uses what is new. A wheel that is there is
not built again: that what was built then still works is what the tests are for.
"""

import subprocess
import sys
from pathlib import Path

from metier_contracts import CONTRACT_VERSION

folder = Path(__file__).parent / CONTRACT_VERSION
if list(folder.glob("*.whl")):
    sys.exit(f"{folder} has its wheel already")
if not (folder / "source").is_dir():
    sys.exit(f"write a plugin for the contract {CONTRACT_VERSION} in {folder / 'source'}")
build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, folder / "source"]
sys.exit(subprocess.run(build, check=False).returncode)
