"""The folders that metier reads and writes. Each can be moved by an environment variable, read at the call."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

CONFIG_NAME = "metier.toml"


def user_config_file() -> Path:
    """Return the user's own settings file ($METIER_CONFIG_HOME/metier.toml)."""
    return _folder("METIER_CONFIG_HOME", platformdirs.user_config_dir("metier")) / CONFIG_NAME


def project_config_file(start: Path | None = None) -> Path | None:
    """Return the nearest metier.toml in `start` (the working directory) or a folder above it, or None."""
    here = (start or Path.cwd()).resolve()
    return next((found for folder in (here, *here.parents) if (found := folder / CONFIG_NAME).is_file()), None)


def fitted_folder() -> Path:
    """Return the folder that holds fitted models ($METIER_DATA/fitted)."""
    return _data_folder() / "fitted"


def profiles_file() -> Path:
    """Return the file that holds what `metier calibrate` measured ($METIER_DATA/profiles.sqlite)."""
    return _data_folder() / "profiles.sqlite"


def environments_folder() -> Path:
    """Return the folder that holds the environments of isolated plugins ($METIER_DATA/environments)."""
    return _data_folder() / "environments"


def answers_file() -> Path:
    """Return the file that holds the answers which `cache` keeps on disk ($METIER_CACHE/answers.sqlite)."""
    return _folder("METIER_CACHE", platformdirs.user_cache_dir("metier")) / "answers.sqlite"


def _data_folder() -> Path:
    return _folder("METIER_DATA", platformdirs.user_data_dir("metier"))


def _folder(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or default).expanduser().absolute()
