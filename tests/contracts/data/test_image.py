"""Image: RGB pixels, however they were given."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from metier_contracts import Classify, Image, InputError

PIXELS = np.arange(3 * 2 * 3, dtype=np.uint8).reshape(3, 2, 3) * 10
PICTURE = PIL.Image.fromarray(PIXELS)


def _encoded(picture: PIL.Image.Image, kind: str = "png", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=kind, **options)
    return buffer.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "bild ü.png"
    file.write_bytes(_encoded(PICTURE))
    return file


@pytest.mark.parametrize(
    "source",
    [
        _encoded(PICTURE),
        bytearray(_encoded(PICTURE)),
        memoryview(_encoded(PICTURE)),
        _encoded(PICTURE, "tiff"),
        _encoded(PICTURE, "webp", lossless=True),
        PICTURE,
        PICTURE.convert("RGBA"),
        PIXELS,
        np.asfortranarray(PIXELS),
        torch.from_numpy(PIXELS),
        Image(pixels=PIXELS),
    ],
    ids=["png", "bytearray", "memoryview", "tiff", "webp", "PIL", "PIL RGBA", "array", "columns", "tensor", "Image"],
)
def test_an_image_of_many_sources(source: Any) -> None:
    image = Image.of(source)
    assert image.pixels.tolist() == PIXELS.tolist()
    assert image.pixels.dtype == np.uint8
    assert image.pixels.flags.c_contiguous
    assert (image.height, image.width) == (3, 2)


@pytest.mark.parametrize("kind", [str, Path])
def test_an_image_of_a_path(path: Path, kind: type) -> None:
    assert Image.of(kind(path)).pixels.tolist() == PIXELS.tolist()
    assert Image.from_path(kind(path)) == Image.of(PIXELS)


def test_a_request_takes_what_an_image_takes(path: Path) -> None:
    expected = Classify(image=Image(pixels=PIXELS))
    for source in (path, str(path), path.read_bytes(), PICTURE, PIXELS):
        assert Classify(image=source) == expected


def test_grey_is_repeated_into_three_channels() -> None:
    grey = np.array([[0, 255], [7, 9]], dtype=np.uint8)
    for source in (grey, PIL.Image.fromarray(grey)):
        assert Image.of(source).pixels[:, :, 1].tolist() == grey.tolist()
        assert (Image.of(source).pixels == grey[:, :, None]).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB"])
def test_every_mode_of_8_bits_becomes_rgb(mode: str) -> None:
    assert Image.from_pil(PIL.Image.new(mode, (2, 3))).pixels.shape == (3, 2, 3)


def test_alpha_is_dropped() -> None:
    picture = PIL.Image.new("RGBA", (1, 1), (10, 20, 30, 0))
    assert Image.of(picture).pixels.tolist() == [[[10, 20, 30]]]
    assert Image.of(_encoded(picture)).pixels.tolist() == [[[10, 20, 30]]]


def test_a_palette_with_transparency_becomes_rgb() -> None:
    picture = PIL.Image.new("P", (2, 1))
    picture.putpalette([1, 2, 3, 4, 5, 6])
    picture.putpixel((1, 0), 1)
    picture.info["transparency"] = b"\x00\xff"
    assert Image.of(picture).pixels.tolist() == [[[1, 2, 3], [4, 5, 6]]]
    assert Image.of(_encoded(picture)).pixels.tolist() == [[[1, 2, 3], [4, 5, 6]]]


def test_exif_orientation_is_applied() -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    sideways = _encoded(PICTURE, "png", exif=exif)
    assert PIL.Image.open(io.BytesIO(sideways)).size == (2, 3)
    upright = np.rot90(PIXELS, k=-1).tolist()
    assert Image.of(sideways).pixels.tolist() == upright
    with PIL.Image.open(io.BytesIO(sideways)) as picture:
        assert Image.of(picture).pixels.tolist() == upright


@pytest.mark.parametrize(
    "picture", [PIL.Image.new("I;16", (2, 2), 30000), PIL.Image.new("F", (2, 2)), PIL.Image.new("I", (2, 2))]
)
def test_more_than_8_bits_a_channel_is_refused(picture: PIL.Image.Image) -> None:
    with pytest.raises(InputError, match="8 bits") as caught:
        Image.of(picture)
    assert picture.mode in caught.value.got
    assert "0..255" in caught.value.hint


def test_a_16_bit_file_is_refused() -> None:
    with pytest.raises(InputError, match="8 bits"):
        Image.of(_encoded(PIL.Image.new("I;16", (2, 2), 30000)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        _encoded(PICTURE)[:20],
        _encoded(PIL.Image.new("RGB", (64, 64)))[:-40],
        _encoded(PICTURE, "gif")[:14],
    ],
    ids=["empty", "nonsense", "a head", "cut off", "a gif's head"],
)
def test_a_broken_file_is_refused(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "broken.png"
    file.write_bytes(data)
    for source in (data, file, str(file)):
        with pytest.raises(InputError, match="cannot be taken as an image") as caught:
            Image.of(source)
        assert caught.value.hint
    with pytest.raises(InputError, match=r"Classify\.image is not valid: the image .*broken\.png"):
        Classify(image=file)


@pytest.mark.parametrize("source", ["absent.png", "a\0b.png", "."])
def test_a_path_that_cannot_be_read_is_named(source: str) -> None:
    with pytest.raises(InputError, match="cannot be read") as caught:
        Image.from_path(source)
    assert repr(source) in caught.value.summary


@pytest.mark.parametrize(
    "source", [None, 5, [[1, 2]], object(), {"pixels": 1}], ids=["None", "int", "list", "object", "dict"]
)
def test_what_is_no_image_is_refused(source: Any) -> None:
    with pytest.raises(InputError, match="is no image"):
        Image.of(source)


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "uint16"])
def test_another_dtype_is_refused(dtype: str) -> None:
    with pytest.raises(InputError, match=dtype):
        Image.of(PIXELS.astype(dtype))


@pytest.mark.parametrize(
    "shape", [(4,), (2, 2, 1), (2, 2, 4), (3, 9, 9), (1, 2, 2, 3), (), (0, 2, 3), (2, 0), (2, 0, 3)]
)
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"shape \["):
        Image.of(np.zeros(shape, dtype=np.uint8))


def test_to_pil_and_back() -> None:
    assert Image.of(Image.of(PIXELS).to_pil()) == Image.of(PIXELS)


def test_the_wire_is_a_png_without_loss() -> None:
    noise = Image(pixels=np.random.default_rng(0).integers(0, 256, (31, 17, 3), dtype=np.uint8))
    again = Image.from_json(noise.to_json())
    assert again.pixels.tobytes() == noise.pixels.tobytes()
    assert again.pixels.flags.writeable


def test_the_digest_tells_pixels_and_size() -> None:
    digest = Image(pixels=PIXELS).digest()
    assert digest == Image(pixels=PIXELS.copy()).digest()
    assert digest != Image(pixels=PIXELS.reshape(2, 3, 3)).digest()
    assert digest != Image(pixels=PIXELS + 1).digest()
    assert len(digest) == 64
