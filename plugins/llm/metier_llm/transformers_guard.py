"""What keeps transformers' loading quiet and small."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from transformers.utils import logging as transformers_logging

_LOADING_SWITCH = "HF_DEACTIVATE_ASYNC_LOAD"


@contextmanager
def loading() -> Iterator[None]:
    """Load with no bars and reports on the caller's terminal (failures raise), and in this thread alone.

    In threads of its own, each with an arena of the allocator, ten loads leave behind more than the model weighs.
    """
    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    before = os.environ.get(_LOADING_SWITCH)
    os.environ[_LOADING_SWITCH] = "1"
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()
        if before is None:
            os.environ.pop(_LOADING_SWITCH, None)
        else:
            os.environ[_LOADING_SWITCH] = before
