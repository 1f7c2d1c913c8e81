from importlib.metadata import version

import pytest
from metier.scaffold import names
from metier.scaffold.names import check_name
from metier_contracts import InputError


def refusal(name):
    with pytest.raises(InputError) as caught:
        check_name(name)
    return caught.value


def test_names_are_derived(plugins):
    good = check_name("acme-shout2")
    assert (good.distribution, good.module, good.variable) == ("acme-shout2", "acme_shout2", "ACME_SHOUT2_API_KEY")


@pytest.mark.parametrize("name", ["", "-a", "a-", "a--b", "2go", "Acme", "a_b", "a.b", "a b", "../a", "é", "a" * 41])
def test_what_is_no_name(plugins, name):
    error = refusal(name)
    assert "lower-case letters" in error.expected
    assert error.got == repr(name)


def test_a_name_that_can_be_mended_is(plugins):
    assert refusal("Acme_Shout").hint == "metier plugin new acme-shout"


@pytest.mark.parametrize("name", ["class", "json", "a" * 40 + "b", "sys"])
def test_names_of_python_and_long_ones(plugins, name):
    assert refusal(name).blame == "NAME"


def test_a_module_of_something_else_that_is_installed(plugins):
    assert refusal("yaml").got == "the module yaml of PyYAML"


@pytest.mark.parametrize("name", ["numpy", "pillow", "metier"])
def test_a_distribution_that_is_installed_and_is_no_such_plugin(plugins, name):
    assert refusal(name).got == f"{name} {version(name)}"


def test_a_plugin_that_is_installed(plugins):
    plugins.write("shout", package="elsewhere")
    assert refusal("shout").got == "a plugin of elsewhere 1.2.3"


def test_a_model_that_is_installed(plugins):
    plugins.write("acme", plugins.card("shout"), package="elsewhere")
    assert refusal("shout").got == "a model of elsewhere 1.2.3"


def test_the_name_of_the_same_distribution(plugins, monkeypatch):
    """One who has installed what was written may write it again."""
    plugins.write("acme-shout", plugins.card("acme-shout"), package="Acme.Shout")
    monkeypatch.setattr(names, "packages_distributions", lambda: {"acme_shout": ["acme_shout"]})
    assert check_name("acme-shout").module == "acme_shout"
