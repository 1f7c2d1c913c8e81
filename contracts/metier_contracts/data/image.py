"""`Image`: RGB pixels, however they were given."""

from __future__ import annotations

import base64
import hashlib
import io
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, PlainSerializer, PlainValidator, WithJsonSchema

from metier_contracts.contract import Contract
from metier_contracts.errors import InputError

if TYPE_CHECKING:
    import PIL.Image


def _pixels(value: Any) -> NDArray[np.uint8]:
    if isinstance(value, str):
        return _decode(base64.b64decode(value, validate=True))
    array = np.asarray(value)
    if array.dtype != np.uint8:
        raise ValueError(
            f"RGB uint8 [H, W, 3], got dtype {array.dtype}; for floats in 0..1 pass (255 * a).round().astype('uint8')"
        )
    if array.ndim == 2:
        array = np.repeat(array[:, :, None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3:
        raise ValueError(f"RGB uint8 [H, W, 3] (or grey [H, W]), got shape {list(array.shape)}")
    if 0 in array.shape:
        raise ValueError(f"at least one pixel, got shape {list(array.shape)}")
    return np.ascontiguousarray(array)


def _decode(data: bytes) -> NDArray[np.uint8]:
    import PIL.Image
    import PIL.ImageOps

    with PIL.Image.open(io.BytesIO(data)) as picture:
        return np.array(PIL.ImageOps.exif_transpose(picture).convert("RGB"))


def _png(pixels: NDArray[np.uint8]) -> str:
    import PIL.Image

    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, format="png", compress_level=1)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


Pixels = Annotated[
    NDArray[np.uint8],
    PlainValidator(_pixels),
    PlainSerializer(_png, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"}),
]


class Image(Contract):
    """A picture.

    `pixels`: RGB uint8 [H, W, 3], origin at the top left. A grey [H, W] array is repeated into three channels.
    Files and bytes are turned upright by their EXIF orientation, and an alpha channel is dropped.
    """

    pixels: Pixels

    @classmethod
    def of(cls, source: Image | str | PathLike[str] | bytes | PIL.Image.Image | NDArray[Any]) -> Image:
        """Return the image held in a path, encoded bytes, a PIL picture or an array."""
        if isinstance(source, Image):
            return source
        if isinstance(source, bytes):
            return cls.from_bytes(source)
        if isinstance(source, str | PathLike):
            return cls.from_path(source)
        if isinstance(source, np.ndarray):
            return cls(pixels=source)
        return cls.from_pil(source) if hasattr(source, "getexif") else cls(pixels=np.asarray(source))

    @classmethod
    def from_path(cls, path: str | PathLike[str]) -> Self:
        """Return the image in a file; `InputError` where it cannot be read."""
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise InputError(
                f"the image {fspath(path)!r} cannot be read",
                got=str(error.strerror or error),
                blame="the path of the image",
                hint="check the path",
            ) from None
        return cls._from_encoded(data, repr(fspath(path)))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the image in an encoded file's bytes (PNG, JPEG, ...)."""
        return cls._from_encoded(data, f"{len(data)} bytes")

    @classmethod
    def _from_encoded(cls, data: bytes, origin: str) -> Self:
        try:
            return cls(pixels=_decode(data))
        except InputError:
            raise
        except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, struct.error, ...
            raise InputError(
                f"{origin} does not decode as an image",
                expected="a picture in a format that Pillow reads (PNG, JPEG, WebP, TIFF, ...)",
                got=f"{type(error).__name__}: {error}",
                blame="the image given",
                hint="open it in another program to see whether it is whole",
            ) from None

    @classmethod
    def from_pil(cls, picture: PIL.Image.Image) -> Self:
        """Return the image in a PIL picture, turned upright and converted to RGB."""
        import PIL.ImageOps

        return cls(pixels=np.array(PIL.ImageOps.exif_transpose(picture).convert("RGB")))

    def to_pil(self) -> PIL.Image.Image:
        """Return the image as a PIL picture."""
        import PIL.Image

        return PIL.Image.fromarray(self.pixels)

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.pixels.shape[1])

    def digest(self) -> str:
        """Return the sha256 of the size and the pixels, in hexadecimal."""
        return hashlib.sha256(f"{self.height}x{self.width}:".encode() + self.pixels.tobytes()).hexdigest()


def _as_image(value: Any) -> Any:
    return value if isinstance(value, dict) else Image.of(value)


ImageField = Annotated[Image, BeforeValidator(_as_image)]
"""A field that takes whatever `Image.of` takes."""
