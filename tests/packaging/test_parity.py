"""Each folder of plugins/ stands in every list it belongs to, and nothing stands there without a folder."""

import re

from metier_contracts import read_manifest

NO_PLUGINS = {"all", "author", "dev", "ray"}  # extras that are not a plugin's


def modules(plugins):
    return {f"metier_{name}" for name in plugins}


def test_each_folder_is_whole(plugins, root):
    for name, folder in plugins.items():
        package = folder / f"metier_{name}"
        files = [folder / "README.md", *(package / file for file in ("__init__.py", "py.typed", "metier-plugin.toml"))]
        assert [file for file in files if not file.is_file()] == []
        assert (root / "tests/plugins" / name).is_dir()


def test_each_manifest_has_the_names_of_its_folder(plugins):
    for name, folder in plugins.items():
        manifest = read_manifest(folder / f"metier_{name}/metier-plugin.toml")
        assert (manifest.name, manifest.extra) == (name, name)


def test_the_wheel_holds_each_package(plugins, pyproject):
    packages = pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    own = {f"plugins/{name}/metier_{name}" for name in plugins}
    assert set(packages) == {"contracts/metier_contracts", "core/metier"} | own


def test_each_plugin_has_an_entry_point(plugins, pyproject):
    points = pyproject["project"]["entry-points"]["metier.plugins"]
    assert points == {name: f"metier_{name}.plugin" for name in plugins}


def test_each_plugin_has_an_extra(plugins, pyproject):
    assert pyproject["project"]["optional-dependencies"].keys() - NO_PLUGINS == plugins.keys()


def test_the_extra_all_holds_each_plugin(plugins, pyproject):
    [requirement] = pyproject["project"]["optional-dependencies"]["all"]
    extras = re.fullmatch(r"metier\[(.*)\]", requirement)[1]
    assert set(extras.split(",")) == plugins.keys()


def test_import_linter_watches_each_package(plugins, pyproject):
    linter = pyproject["tool"]["importlinter"]
    assert set(linter["root_packages"]) == {"metier", "metier_contracts"} | modules(plugins)
    forbidding = [rule for rule in linter["contracts"] if rule["type"] == "forbidden"]
    rules = {tuple(rule["source_modules"]): set(rule["forbidden_modules"]) for rule in forbidding}
    for sources, forbidden in rules.items():
        if sources in (("metier_contracts",), ("metier",)):
            assert modules(plugins) <= forbidden
    watched = [source for source, forbidden in rules.items() if "metier" in forbidden]
    assert modules(plugins) <= {module for sources in watched for module in sources}
    [apart] = [rule for rule in linter["contracts"] if rule["type"] == "independence"]
    assert set(apart["modules"]) == modules(plugins)


def test_each_plugin_has_a_page(plugins, root):
    navigation = (root / "mkdocs.yml").read_text(encoding="utf-8")
    index = (root / "docs/plugins/index.md").read_text(encoding="utf-8")
    for name in plugins:
        page = (root / "docs/plugins" / f"{name}.md").read_text(encoding="utf-8")
        assert f'"plugins/{name}/README.md"' in page
        assert f"plugins/{name}.md" in navigation
        assert f"]({name}.md)" in index
    pages = {page.stem for page in (root / "docs/plugins").glob("*.md")}
    assert pages - {"index"} == plugins.keys()
