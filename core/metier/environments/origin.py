"""Where a distribution that is installed here came from, and what installs it so again."""

from __future__ import annotations

import json
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname


def checkout_of(distribution: Distribution) -> Path | None:
    """Return the folder that a distribution runs from, where it was installed in place (`pip install -e`), or None."""
    try:
        origin = _origin(distribution)
        return Path(url2pathname(urlsplit(origin["url"]).path)) if origin["dir_info"]["editable"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def requirement_of(distribution: Distribution, extras: str = "", *, editable: bool = False) -> str:
    """Return a requirement of a distribution from where it came, as far as that is still there, or of its version.

    Args:
        distribution: one that is installed.
        extras: those to ask for, in brackets.
        editable: ask for an editable checkout as one: what is changed in it holds on both sides.
    """
    origin = _origin(distribution)
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


def _origin(distribution: Distribution) -> Any:
    """Return what the installer noted of it; nothing where it came from an index."""
    return json.loads(distribution.read_text("direct_url.json") or "{}")
