"""One file over HTTP from the Hugging Face Hub, by range from where an interrupted transfer stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from metier_contracts.errors import WeightsError

from metier.weights.source import HubSource


def transfer(source: HubSource, name: str, path: Path, size: int, report: Callable[[int], None]) -> None:
    """Bring `path` to the `size` bytes of the file `name`; `report` gets the bytes so far.

    A connection that breaks after it has brought something is taken up again, one that brought nothing is not.
    Raises what huggingface_hub and its HTTP client raise.
    """
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # exported lazily

    url = hf_hub_url(source.repository, name, revision=source.revision)
    # Compressed bytes could not be counted, nor gone on from.
    headers = {**build_hf_headers(library_name="metier"), "Accept-Encoding": "identity"}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    while (have := path.stat().st_size) < size:
        _append(url, headers, path, have, report)
        if (got := path.stat().st_size) <= have:
            raise _wrong_size(name, size, got)
    if have > size:
        path.unlink()
        raise _wrong_size(name, size, have)


def _append(url: str, headers: Mapping[str, str], path: Path, have: int, report: Callable[[int], None]) -> None:
    from huggingface_hub import constants, hf_raise_for_status
    from huggingface_hub.utils import http_stream_backoff  # type: ignore[attr-defined]  # exported lazily

    ranged = {**headers, "Range": f"bytes={have}-"} if have else headers
    timeout = constants.HF_HUB_DOWNLOAD_TIMEOUT
    with http_stream_backoff("GET", url, headers=ranged, timeout=timeout, max_retries=1) as response:
        hf_raise_for_status(response)
        # A server that knows no ranges answers 200 with the whole file.
        resumed = response.status_code == 206
        done = have if resumed else 0
        with path.open("ab" if resumed else "wb") as file:
            for chunk in _until_it_breaks(response.iter_bytes()):
                file.write(chunk)
                file.flush()  # so that a kill loses nothing that has come
                done += len(chunk)
                report(done)


def _until_it_breaks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks; where the connection breaks after the first of them, end."""
    brought = False
    try:
        for chunk in chunks:
            yield chunk
            brought = True
    except Exception:
        if not brought:
            raise


def _wrong_size(name: str, size: int, got: int) -> WeightsError:
    return WeightsError(
        f"the Hub sent another {name} than it lists",
        expected=f"{size:,} bytes",
        got=f"{got:,} bytes",
        blame="the Hub, or a proxy before it",
        hint="pull again",
    )
