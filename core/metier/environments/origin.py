"""What installs a distribution as it is installed here."""

from __future__ import annotations

import json
from importlib.metadata import Distribution
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname


def requirement_of(distribution: Distribution, extras: str = "", *, editable: bool = False) -> str:
    """Return a requirement of a distribution from where it came, as far as that is still there, or of its version.

    Args:
        distribution: one that is installed.
        extras: those to ask for, in brackets.
        editable: ask for an editable checkout as one: what is changed in it holds on both sides.
    """
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    url = origin.get("url", "")
    place = urlsplit(url)
    if not url or (place.scheme == "file" and not Path(url2pathname(place.path)).exists()):
        return f"{distribution.name}{extras}=={distribution.version}"
    if editable and origin.get("dir_info", {}).get("editable"):
        return f"--editable={url2pathname(place.path)}{extras}"
    if vcs := origin.get("vcs_info"):
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    if subdirectory := origin.get("subdirectory"):
        url = f"{url}#subdirectory={subdirectory}"
    return f"{distribution.name}{extras} @ {url}"
