"""What models and files are told apart by."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

ModelId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", max_length=128)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
