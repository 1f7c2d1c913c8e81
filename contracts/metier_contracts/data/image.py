"""`Image`: RGB pixels, however they were given."""

from __future__ import annotations

import base64
import hashlib
import io
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, PlainSerializer, PlainValidator, WithJsonSchema

from metier_contracts import beside
from metier_contracts.arrays import as_array
from metier_contracts.contract import Contract
from metier_contracts.errors import InputError
from metier_contracts.refusal import Refusal, shown, shown_error
from metier_contracts.semantics import Channels

if TYPE_CHECKING:
    import PIL.Image


_PATH = 300  # as much of a path as a message shows: its end matters most


def _pixels(value: Any) -> NDArray[np.uint8]:
    if isinstance(value, str):
        return _from_base64(value)
    if isinstance(value, dict) and (held := beside.take(value)) is not None:
        value = held
    array = as_array(value)
    if array.dtype != np.uint8:
        hint = "from floats in 0..1: (255 * a).round().astype('uint8')" if array.dtype.kind == "f" else None
        raise Refusal("pixels as RGB uint8 [H, W, 3] or grey uint8 [H, W]", f"dtype {array.dtype}", hint=hint)
    if array.ndim == 2:
        array = np.repeat(array[:, :, None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3:
        raise Refusal(
            "pixels as RGB uint8 [H, W, 3] or grey uint8 [H, W]", f"shape {list(array.shape)}", hint=_hint(array.shape)
        )
    if 0 in array.shape:
        raise Refusal("at least one pixel", f"shape {list(array.shape)}")
    return np.ascontiguousarray(array)


def _hint(shape: tuple[int, ...]) -> str | None:
    if len(shape) == 3 and shape[2] == 4:
        return "drop the alpha channel: pixels[:, :, :3]"
    if len(shape) == 3 and shape[0] == 3:
        return "put the channels last: np.moveaxis(pixels, 0, -1)"
    return None


def _from_base64(text: str) -> NDArray[np.uint8]:
    try:
        return _decode(base64.b64decode(text, validate=True))
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, struct.error, ...
        raise Refusal("a PNG file as base64", f"{shown(text, 20)}: {shown_error(error)}") from None


def _decode(data: bytes) -> NDArray[np.uint8]:
    import PIL.Image

    with PIL.Image.open(io.BytesIO(data)) as picture:
        return _rgb(picture)


def _rgb(picture: PIL.Image.Image) -> NDArray[np.uint8]:
    import PIL.ImageOps

    upright = PIL.ImageOps.exif_transpose(picture)
    # Straight to RGB, Pillow warns of a palette with transparency, and cuts 16-bit and float greys off at 255.
    if upright.mode == "P":
        upright = upright.convert("RGBA")
    elif upright.mode in ("I", "F") or upright.mode.startswith("I;"):
        raise Refusal(
            "a picture of 8 bits a channel",
            f"Pillow's mode {upright.mode}",
            hint="scale its range to 0..255, which depends on what it shows, and give a grey uint8 [H, W]",
        )
    return np.array(upright.convert("RGB"))


def _png(pixels: NDArray[np.uint8]) -> Any:
    """Return the wire form: a PNG file as base64, or the place of the pixels beside the JSON."""
    if (place := beside.put(pixels)) is not None:
        return place
    import PIL.Image

    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, format="png", compress_level=1)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


Pixels = Annotated[
    NDArray[np.uint8],
    PlainValidator(_pixels),
    PlainSerializer(_png, return_type=Any, when_used="json"),
    WithJsonSchema({"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"}),
]


class Image(Contract):
    """A picture.

    `pixels`: RGB uint8 [H, W, 3], origin at the top left. A grey [H, W] array is repeated into three channels.
    Files and bytes are turned upright by their EXIF orientation, and an alpha channel is dropped.
    """

    semantics: ClassVar = (Channels("RGB"),)

    pixels: Pixels

    @classmethod
    def of(cls, source: Image | str | PathLike[str] | bytes | PIL.Image.Image | NDArray[Any]) -> Image:
        """Return the image held in a path, encoded bytes, a PIL picture or an array."""
        if isinstance(source, Image):
            return source
        if isinstance(source, bytes | bytearray | memoryview):
            return cls.from_bytes(bytes(source))
        if isinstance(source, str | PathLike):
            return cls.from_path(source)
        given: Any = source
        if hasattr(given, "dtype"):
            return cls(pixels=given)
        if hasattr(given, "getexif"):
            return cls.from_pil(given)
        raise InputError(
            f"{type(source).__name__} is no image",
            expected="a path, the bytes of a picture file, a PIL picture or an array uint8 [H, W, 3]",
            got=shown(source),
            blame="the image given",
            hint="from nested lists: np.array(pixels, dtype='uint8')",
        )

    @classmethod
    def from_path(cls, path: str | PathLike[str]) -> Self:
        """Return the image in a file; `InputError` where it cannot be read."""
        try:
            data = Path(path).read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise InputError(
                f"the image {shown(fspath(path), _PATH)} cannot be read",
                expected="the path of a picture file",
                got=getattr(error, "strerror", None) or str(error),
                blame="the path of the image",
                hint="check the path; it is taken from the current folder unless it starts with /",
            ) from None
        return cls._from_encoded(data, f"the image {shown(fspath(path), _PATH)}")

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the image in an encoded file's bytes (PNG, JPEG, ...)."""
        return cls._from_encoded(data, f"a picture of {len(data)} bytes")

    @classmethod
    def _from_encoded(cls, data: bytes, origin: str) -> Self:
        try:
            return cls(pixels=_decode(data))
        except InputError:
            raise
        except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, struct.error, ...
            raise _undecodable(origin, error, data) from None

    @classmethod
    def from_pil(cls, picture: PIL.Image.Image) -> Self:
        """Return the image in a PIL picture, turned upright and converted to RGB."""
        try:
            return cls(pixels=_rgb(picture))
        except (OSError, ValueError) as error:  # Pillow decodes a file only now
            raise _undecodable(f"the picture of mode {picture.mode}", error, b"") from None

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


def _undecodable(origin: str, error: Exception, data: bytes) -> InputError:
    summary = f"{origin} cannot be taken as an image"
    if isinstance(error, Refusal):
        return InputError(summary, expected=error.expected, got=error.got, blame="the image given", hint=error.hint)
    unknown = "cannot identify" in str(error)
    return InputError(
        summary,
        expected="a whole file in a format that Pillow reads (PNG, JPEG, WebP, TIFF, ...)",
        got=f"bytes that start with {data[:8]!r}" if unknown else shown_error(error),
        blame="the image given",
        hint="open it in another program to see whether it is whole",
    )


def _as_image(value: Any) -> Any:
    return value if isinstance(value, dict) else Image.of(value)


ImageField = Annotated[Image, BeforeValidator(_as_image)]
"""A field that takes whatever `Image.of` takes."""
