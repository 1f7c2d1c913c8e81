"""An environment that is replaced or uninstalled while a program uses it."""

from __future__ import annotations

import os
import signal

import pytest
from metier import Runtime
from metier.environments.making import make_environment, remove_environment
from metier.paths import environments_folder
from metier_contracts import Classify, PluginUnavailableError, UnknownModelError

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="workers need descriptors to be handed over"),
    pytest.mark.usefixtures("versions"),
]


def install(version: str) -> str:
    return make_environment(f"acme=={version}", lambda _: None).folder.name


def answered(runtime: Runtime) -> tuple[str, str]:
    """Return the version that answers, and the one that the runtime says has answered."""
    answer = runtime.run(Classify(text="?", labels=["1.0", "2.0"]), model="acme/m")
    assert answer.provenance is not None
    return answer.label, answer.provenance.plugin_version


def folders() -> set[str]:
    return {path.name for path in environments_folder().iterdir() if path.is_dir()}


def test_a_runtime_that_uses_it_goes_on_and_the_next_takes_the_new_one() -> None:
    old = install("1.0")
    with Runtime() as before:
        before.load("acme/m")
        new = install("2.0")
        assert answered(before) == ("1.0", "1.0")  # imports a module that it had not
        (worker,) = before._workers._workers.values()
        process = worker.running()
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        assert answered(before) == ("1.0", "1.0")  # in a second process
        with Runtime() as after:
            assert answered(after) == ("2.0", "2.0")
        assert folders() == {old, new}
    newest = install("2.0")
    assert folders() == {newest}


def test_uninstalled_it_serves_who_uses_it_and_nobody_else() -> None:
    folder = install("1.0")
    with Runtime() as before:
        before.load("acme/m")
        assert remove_environment("acme")
        assert answered(before) == ("1.0", "1.0")
        with Runtime() as after, pytest.raises(UnknownModelError):
            answered(after)
        assert folders() == {folder}
    remove_environment("acme")
    assert folders() == set()


def test_a_runtime_that_has_not_used_it_yet_says_what_happened() -> None:
    old = install("1.0")
    with Runtime() as before:
        new = install("2.0")
        assert folders() == {new}
        with pytest.raises(PluginUnavailableError, match="was replaced or uninstalled") as caught:
            answered(before)
        assert str(caught.value.expected).endswith(old)
        assert "make a new Runtime" in str(caught.value.hint)


def test_one_that_is_removed_while_it_is_taken_is_not_had() -> None:
    from metier.environments.holding import discard, hold

    made = make_environment("acme==1.0", lambda _: None)
    first, second = hold(made), hold(made)
    first.close()
    discard(made.folder)
    assert made.python.exists()
    second.close()
    discard(made.folder)
    assert not made.folder.exists()
    with pytest.raises(PluginUnavailableError):
        hold(made)
