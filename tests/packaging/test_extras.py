"""What an extra installs is enough for the models of its plugin: one for each loader, in a clean environment."""

import json

import pytest
from metier.plugins import discover
from metier.weights import WeightStore

from tests.packaging.conftest import run
from tests.support.environments import clean_environment

PLUGINS = [record.name for record in discover() if record.package == "metier"]
# A model is asked what the conformance kit would ask it first.
ASK = """
import json, sys
from metier import Runtime
from metier.testing.requests import requests_for

with Runtime() as runtime:
    for name in sys.argv[1:]:
        request, *_ = requests_for(runtime.model(name).card)
        print(json.dumps([name, runtime.run(request, model=name).provenance.model]))
"""


def models_of(plugin):
    """Return the card of one model for each loader of a plugin, of those whose weights can be had."""
    [record] = [record for record in discover() if record.name == plugin and record.package == "metier"]
    cards = [card for card in record.manifest.models if card.verified == "here" and not card.remote]
    return list({card.options.get("loader"): card for card in cards}.values())


@pytest.fixture
def cache(tmp_path):
    """A function that makes a cache with the weights of cards and nothing that was made of them."""

    def make(cards):
        (folder := tmp_path / "cache").mkdir()
        store = WeightStore()
        for path in filter(None, map(store.ensure, cards)):
            name = path.relative_to(store.root).parts[0]
            if not (folder / name).exists():  # two cards may share their weights
                (folder / name).symlink_to(store.root / name)
        return folder

    return make


@pytest.mark.parametrize("plugin", PLUGINS)
def test_an_extra_is_enough_for_its_plugin(plugin, wheel, cache, tmp_path):
    cards = models_of(plugin)
    assert cards
    python = clean_environment(tmp_path / "venv", [f"metier[{plugin}]"], [wheel])
    homes = {"METIER_CACHE": str(cache(cards)), "METIER_DATA": str(tmp_path), "METIER_CONFIG_HOME": str(tmp_path)}
    done = run(python, "-c", ASK, *[card.id for card in cards], cwd=tmp_path, **homes)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == [[card.id, card.id] for card in cards]
