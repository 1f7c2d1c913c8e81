"""Folders of transformers: read without network, without noise, and without running code that lies in them."""

from __future__ import annotations

import os
import pickle  # for the name of the error alone
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers.utils import logging

from metier_contracts.errors import ModelLoadError, UnsafeWeightsError

LOADING = threading.RLock()
_LOADING_SWITCH = "HF_DEACTIVATE_ASYNC_LOAD"
_CODE_SETTING = "trust_remote_code"  # what transformers asks for where a checkpoint brings code


def read_pretrained(auto_class: Any, folder: Path, fresh: Callable[[Any, str], bool] | None, **settings: Any) -> Any:
    """See `metier_contracts.authoring.read_pretrained`."""
    try:
        with quiet_transformers():
            module, report = auto_class.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                weights_only=True,
                use_safetensors=any(folder.glob("model*.safetensors")),
                output_loading_info=True,
                **settings,
            )
    except pickle.UnpicklingError as error:
        raise UnsafeWeightsError(
            f"the checkpoint in {folder} needs a full unpickler, which this plugin never uses",
            expected="safetensors, or a torch checkpoint that holds tensors alone",
            got=str(error).partition("\n")[0],
            hint="convert it to safetensors where you trust it",
        ) from error
    except ValueError as error:
        if _CODE_SETTING not in str(error):
            raise
        raise UnsafeWeightsError(
            f"the checkpoint in {folder} needs code of its own, which is never run",
            expected="a checkpoint of an architecture that transformers itself has",
            got="auto_map in its config.json",
            hint="choose another model, or write a plugin that holds the code",
        ) from error
    missing = [name for name in sorted(report["missing_keys"]) if fresh is None or not fresh(module, name)]
    if missing:
        raise ModelLoadError(
            f"the checkpoint in {folder} lacks weights",
            expected=", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else ""),
            got="none of these",
            blame="the folder, or options.loader of the card",
        )
    return module.eval()


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """See `metier_contracts.authoring.quiet_transformers`."""
    with LOADING, _quiet():
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    before = os.environ.get(_LOADING_SWITCH)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    os.environ[_LOADING_SWITCH] = "1"
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
        if before is None:
            os.environ.pop(_LOADING_SWITCH, None)
        else:
            os.environ[_LOADING_SWITCH] = before
