"""What a runtime is given, and where each setting takes effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from metier import Runtime
from metier.config import Config
from metier_contracts import (
    Classify,
    ConfigError,
    DeviceError,
    NoCapableModelError,
    PluginUnavailableError,
    UnknownTaskError,
    UnsafeWeightsError,
)

REQUEST = Classify(text="good good bad", labels=["good", "bad"])


def of(text: str) -> Classify:
    return Classify(text=text, labels=["good", "bad"])


def test_every_source_in_its_place(
    settings_file: Any, plugins: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings_file({"memory": 1, "privacy": "any", "offline": True})
    settings_file({"memory": 2}, project=True)
    assert Runtime().config == Config(memory=2, privacy="any", offline=True)
    monkeypatch.setenv("METIER_MEMORY", "3")
    assert Runtime().budget_bytes == 3
    assert Runtime(memory=4, offline=False).config == Config(memory=4, privacy="any", offline=False)
    other = settings_file({"strict": True}, folder=tmp_path / "other")
    for config in (other, str(other), {"strict": True}, Config(strict=True)):
        assert Runtime(config=config).config == Config(memory=3, strict=True)


@pytest.mark.parametrize(
    ("arguments", "blame"),
    [
        ({"memory": "lots"}, "Runtime(memory=...)"),
        ({"privacy": "secret"}, "Runtime(privacy=...)"),
        ({"config": {"offline": "perhaps"}}, "Runtime(config=...)"),
        ({"cards": ["acme/k"]}, "Runtime(cards=...)"),
    ],
)
def test_a_bad_setting_names_its_origin(arguments: Any, blame: str, plugins: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        Runtime(**arguments)
    assert caught.value.blame == blame


def test_a_bad_device_names_its_origin(plugins: Any, settings_file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceError) as caught:
        Runtime("gpu")
    assert caught.value.blame == "Runtime(device=...)"
    path = settings_file({"device": "gpu"})
    with pytest.raises(DeviceError) as caught:
        Runtime()
    assert caught.value.blame == str(path)
    monkeypatch.setenv("METIER_DEVICE", "gpu")
    with pytest.raises(DeviceError) as caught:
        Runtime()
    assert caught.value.blame == "METIER_DEVICE"


def test_a_card_of_the_users_is_used_by_its_id(plugins: Any, settings_file: Any, probes: Any) -> None:
    plugins.write("acme")
    table = {"tasks": {"classify": {"labels": ["good", "bad"]}}}
    settings_file({"cards": [{"plugin": "acme", **plugins.card("mine/config", **table)}]})
    with Runtime(cards=[plugins.model_card("mine/runtime")]) as rt:
        assert [(info.card.id, info.origin) for info in rt.models()] == [
            ("mine/config", "config"),
            ("mine/runtime", "runtime"),
        ]
        for model in ("mine/config", "mine/runtime"):
            assert rt.run(REQUEST, model=model).provenance.model == model  # type: ignore[union-attr]


def test_a_card_of_the_users_stands_over_a_plugins(plugins: Any, probes: Any) -> None:
    plugins.write("acme", plugins.card("acme/k", tasks={"classify": {"labels": ["a", "b"]}}))
    card = plugins.model_card("acme/k", tasks={"classify": {"labels": ["good", "bad"]}})
    with Runtime(cards=[card]) as rt:
        assert rt.run(REQUEST).label == "good"
        assert [info.origin for info in rt.models()] == ["runtime"]


def test_a_card_twice_or_of_no_task_or_plugin(plugins: Any) -> None:
    plugins.write("acme")
    card = plugins.model_card("mine/a")
    with pytest.raises(ConfigError, match="two cards have the id 'mine/a'"):
        Runtime(cards=[card, card])
    with pytest.raises(UnknownTaskError, match="'clasify'"):
        Runtime(cards=[plugins.model_card("mine/a", tasks={"clasify": {}})])
    with Runtime(cards=[plugins.model_card("mine/a", plugin="gone")]) as rt:
        assert [(info.state, info.fix) for info in rt.models()] == [("available", "")]
        with pytest.raises(PluginUnavailableError, match="no plugin 'gone'"):
            rt.run(REQUEST, model="mine/a")


def test_the_users_default(plugins: Any, settings_file: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"), plugins.card("acme/b", parameters=10**9))
    settings_file({"defaults": {"classify": "acme/b"}})
    with Runtime() as rt:
        assert rt.run(REQUEST).provenance.model == "acme/b"  # type: ignore[union-attr]


def test_a_grant_reaches_its_model_alone(plugins: Any, probes: Any, tmp_path: Path) -> None:
    (tmp_path / "weights.pkl").write_bytes(b"\x80\x04N.")
    source = f"path:{tmp_path / 'weights.pkl'}"
    plugins.write("acme", *(plugins.card(f"acme/{name}", source=source) for name in "ab"))
    with Runtime(config={"grants": ["acme/a"]}) as rt:
        rt.run(REQUEST, model="acme/a")
        with pytest.raises(UnsafeWeightsError) as caught:
            rt.run(REQUEST, model="acme/b")
    assert 'grants = ["acme/b"]' in str(caught.value.hint)
    assert probes["acme/a"].placements[0].allow_pickle
    assert probes["acme/b"].loads == 0


def test_where_a_model_is_put(plugins: Any, probes: Any) -> None:
    class Machine:
        def cuda_count(self) -> int:
            return 2

        def mps_available(self) -> bool:
            return False

    plugins.write("acme", plugins.card("acme/k", devices=["cpu", "cuda"]))
    for device, expected in (("auto", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu")):
        with Runtime(device, devices=Machine()) as rt:
            assert rt.run(REQUEST).provenance.device == expected  # type: ignore[union-attr]
    with Runtime("cuda:2", devices=Machine()) as rt, pytest.raises(DeviceError, match="no device cuda:2"):
        rt.run(REQUEST)
    assert [placement.device for placement in probes["acme/k"].placements] == ["cuda:0", "cuda:1", "cpu"]


@pytest.mark.parametrize(("dtypes", "expected"), [(["float32"], "float32"), (["float32", "bfloat16"], None)])
def test_a_card_of_one_dtype_leaves_no_choice(
    dtypes: list[str], expected: str | None, plugins: Any, probes: Any
) -> None:
    plugins.write("acme", plugins.card("acme/k", dtypes=dtypes))
    with Runtime() as rt:
        rt.run(REQUEST)
    assert [placement.dtype for placement in probes["acme/k"].placements] == [expected]


def test_offline_and_local_choose_nothing_remote(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/far", source="https://example.org/v1"))
    for settings in ({}, {"privacy": "any", "offline": True}):
        with Runtime(**settings) as rt:  # type: ignore[arg-type]
            with pytest.raises(NoCapableModelError, match="remote"):
                rt.run(REQUEST, model="acme/far")
            with pytest.raises(NoCapableModelError, match="remote"):
                rt.load("acme/far")
            with pytest.raises(NoCapableModelError):
                rt.run(REQUEST)
    with Runtime(privacy="any") as rt:
        found = rt.run(REQUEST)
        assert found.label == "good"
        assert found.provenance is not None
        assert found.provenance.device == "remote"
