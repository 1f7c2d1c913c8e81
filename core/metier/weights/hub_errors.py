"""What huggingface_hub and its HTTP client raise, as errors of ours."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from metier_contracts.card import ModelCard
from metier_contracts.errors import MetierError, OfflineError, WeightsError

from metier.weights.source import HubSource, blame
from metier.weights.storage import FULL, UNWRITABLE


@contextmanager
def hub_errors(card: ModelCard, source: HubSource) -> Iterator[None]:
    """Raise whatever the block raises as `WeightsError`, apart from what the disk says.

    Every exception is caught here, since the HTTP client behind huggingface_hub, and with it the tree of its errors,
    differs between its versions. What huggingface_hub logs of its retries is kept back: what fails is raised.
    """
    from huggingface_hub.utils import logging as hub_logging

    verbosity = hub_logging.get_verbosity()
    hub_logging.set_verbosity(logging.ERROR)
    try:
        yield
    except MetierError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL | UNWRITABLE:
            raise
        raise _translated(card, source, error) from error
    finally:
        hub_logging.set_verbosity(verbosity)


def _translated(card: ModelCard, source: HubSource, error: Exception) -> WeightsError:
    from huggingface_hub import errors

    where = f"{source.repository} at {source.revision[:12]}"
    if isinstance(error, errors.OfflineModeIsEnabled):
        return OfflineError(
            f"the weights of {card.id} are not on this machine, and HF_HUB_OFFLINE forbids fetching them",
            got=_first_lines(error),
            blame="the environment variable HF_HUB_OFFLINE",
            hint=f"unset it, or run `metier pull {card.id}` on a connected machine",
        )
    if isinstance(error, errors.GatedRepoError):
        hint = f"ask for access on the page of {source.repository}, then log in with `hf auth login`"
    elif isinstance(error, errors.RepositoryNotFoundError | errors.RevisionNotFoundError):
        hint = "correct `source` or `revision` on the card; for a private repository, log in with `hf auth login`"
    else:
        hint = f"see whether this machine reaches the Hub (HF_ENDPOINT, proxies), then `metier pull {card.id}` again"
    return WeightsError(
        f"the weights of {card.id} could not be fetched from the Hub",
        expected=f"the files of {where}",
        got=_first_lines(error),
        blame=f"the network, the Hub, or {blame(card)}",
        hint=hint,
    )


def _first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:3])}"
