"""`revision_of`: one digest of all on a card that decides what its model answers."""

from __future__ import annotations

import hashlib
import json

from metier_contracts import ModelCard

_DECIDES = {"plugin", "source", "revision", "sha256", "options", "dtypes", "cascade"}


def revision_of(card: ModelCard) -> str:
    """Return a sha256 in hexadecimal: where it differs, what was measured or answered before does not count.

    Where weights of known digests lie on this machine is not of it, since their folder may be moved.
    """
    held = card.model_dump(mode="json", include=_DECIDES)
    if card.sha256 is not None and card.source is not None and card.source.startswith("path:"):
        del held["source"]
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()
