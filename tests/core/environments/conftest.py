"""One environment with numpy 1 and transformers 4, made by pip; others are made in a moment by what stands for pip."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from metier.environments import Environment
from metier.environments.making import make_environment
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit

from tests.support.wheels import build_plugin_wheel

MANIFEST = """
contract = "1.0"
name = "{name}"
requires = [{requires}]

[[models]]
id = "{name}-threshold"
architecture = "rule"
licence = "MIT"

[models.tasks.segment]
modalities = ["image"]
prompts = ["points", "mask", "everything"]
"""
CODE = """
import os

import numpy as np
from metier_contracts import Entity, Extraction, Segmentation, hookimpl


class Threshold:
    def infer(self, requests, context):
        return [self.segment(request) for request in requests]

    def segment(self, request):
        if request.points is not None:
            os._exit(9)
        bright = {bright}
        mask = bright if request.mask is None else bright & request.mask
        rows, columns = np.nonzero(mask)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return Segmentation(
            masks=mask[None], scores=np.ones(1, np.float32), boxes=np.array([box], np.float32)
        )

    def resident_bytes(self):
        return 0

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Threshold()
"""
# `np.float_` went with numpy 2.0; `np.unstack` came with 2.1.
OLD = CODE.format(bright="request.image.pixels.mean(axis=2, dtype=np.float_) > 100")
NEW = CODE.format(bright="np.unstack(request.image.pixels, axis=2)[0] > 100")

# What the environment "old" has beside the threshold: a tokenizer, and the version of transformers in what it answers.
WORDS_CARD = """
[[models]]
id = "old-words"
architecture = "classic"
licence = "MIT"

[models.tasks.extract]
labels = ["transformers 4", "transformers 5"]
"""
# `encode_plus` went with transformers 5.
WORDS = """

class Words:
    def __init__(self):
        import transformers

        file = os.path.join(os.path.dirname(__file__), "tokenizer.json")
        self.encode = transformers.PreTrainedTokenizerFast(tokenizer_file=file, unk_token="[UNK]").encode_plus
        self.label = "transformers " + transformers.__version__.partition(".")[0]

    def infer(self, requests, context):
        return [Extraction(entities=tuple(self.words(request.text))) for request in requests]

    def words(self, text):
        for start, end in self.encode(text, return_offsets_mapping=True)["offset_mapping"]:
            yield Entity(text=text[start:end], label=self.label, start=start, end=end)

    def resident_bytes(self):
        return 0

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Words() if card.id == "old-words" else Threshold()
"""


def manifest(name: str, *requires: str) -> str:
    return MANIFEST.format(name=name, requires=", ".join(f'"{module}"' for module in requires))


@pytest.fixture(scope="session")
def words() -> Tokenizer:
    """Splits at spaces and knows some words."""
    known = ("[PAD]", "[UNK]", "[MASK]", "the", "parcel", "arrived", "late", "whole", "today")
    splitting = Tokenizer(WordLevel({word: number for number, word in enumerate(known)}, unk_token="[UNK]"))
    splitting.pre_tokenizer = WhitespaceSplit()
    return splitting


# What stands for pip: takes the plugin from a wheel in the working directory, and all else from this environment.
PIP = """
import os, signal, sys, zipfile
from pathlib import Path

(site,) = Path(sys.argv[2]).parent.parent.glob("lib/python*/site-packages")
site.joinpath("borrowed.pth").write_text("\\n".join(sys.path[1:]))
if (mark := os.environ.get("PIP_IS_REACHED")) is not None:
    Path(mark).write_text(str(os.getpid()))
    os.kill(os.getppid(), signal.SIGKILL)
    while True:
        signal.pause()
name, version = sys.argv[-1].split("==")
zipfile.ZipFile(f"{name}-{version}-py3-none-any.whl").extractall(site)
"""
TELLS_VERSION = """
from metier_contracts import Classification, hookimpl


class Model:
    def infer(self, requests, context):
        from metier_acme.version import VERSION

        return [Classification(label=VERSION, scores={one: float(one == VERSION) for one in request.labels})
                for request in requests]

    def resident_bytes(self):
        return 0

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Model()
"""
TELLING = """
contract = "1.0"
name = "acme"

[[models]]
id = "acme/m"
architecture = "rule"
licence = "MIT"

[models.tasks.classify]
labels = "open"
"""


@pytest.fixture
def quick_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installs NAME==VERSION from a wheel in the working directory."""
    standing = tmp_path / "path" / "pip"
    standing.mkdir(parents=True)
    standing.joinpath("__init__.py").touch()
    standing.joinpath("__main__.py").write_text(PIP)
    monkeypatch.setenv("PYTHONPATH", str(standing.parent))


@pytest.fixture
def versions(quick_pip: None) -> None:
    """The distribution "acme" in two versions: its model answers with the version, which it looks up at each call."""
    for version in ("1.0", "2.0"):
        late = {"version.py": f'VERSION = "{version}"'}
        build_plugin_wheel(Path.cwd(), "acme", TELLING, TELLS_VERSION, version=version, modules=late)


@pytest.fixture(scope="session")
def _old(tmp_path_factory: pytest.TempPathFactory, words: Tokenizer) -> Iterator[tuple[Path, Environment, list[str]]]:
    folder = tmp_path_factory.mktemp("old")
    wheel = build_plugin_wheel(
        folder,
        "old",
        manifest("old", "numpy", "transformers") + WORDS_CARD,
        OLD + WORDS,
        requires=["numpy<2", "transformers<5"],
        modules={"tokenizer.json": words.to_str()},
    )
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METIER_DATA", str(folder / "data"))
        yield folder / "data", make_environment(str(wheel), lines.append), lines


@pytest.fixture
def old(_old: tuple[Path, Environment, list[str]], monkeypatch: pytest.MonkeyPatch) -> Environment:
    """The environment of the plugin "old", which requires numpy 1 and transformers 4; METIER_DATA has it."""
    monkeypatch.setenv("METIER_DATA", str(_old[0]))
    return _old[1]
