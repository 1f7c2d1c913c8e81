"""The built distribution: what it holds, and what it does in an environment with nothing else."""

import tarfile
import zipfile
from email.parser import Parser
from pathlib import PurePosixPath

import pytest

STRAY = {"tests", "docs", "examples", "benchmarks", "__pycache__"}


@pytest.fixture(scope="session")
def files(wheel):
    """The names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


class TestContents:
    def test_packages_and_nothing_else(self, files, plugins):
        tops = {PurePosixPath(name).parts[0] for name in files}
        own = {"metier", "metier_contracts", *(f"metier_{name}" for name in plugins)}
        assert {top for top in tops if not top.endswith(".dist-info")} == own
        ours = [
            name for name in files if not name.startswith("metier/scaffold/templates/")
        ]  # they hold tests of theirs
        assert [name for name in ours if STRAY & set(PurePosixPath(name).parts) or name.endswith(".pyc")] == []

    def test_every_template_is_in(self, files, root):
        templates = root / "core/metier/scaffold/templates"
        names = {path.relative_to(root / "core").as_posix() for path in templates.rglob("*") if path.is_file()}
        assert names
        assert names <= set(files)

    def test_every_source_file_is_in(self, files, root, plugins):
        for source in (root / "contracts", root / "core", *plugins.values()):
            names = {path.relative_to(source).as_posix() for path in source.glob("metier*/**/*.py")}
            assert names <= set(files)

    def test_each_package_is_typed(self, files, plugins):
        for package in ("metier", "metier_contracts", *(f"metier_{name}" for name in plugins)):
            assert f"{package}/py.typed" in files

    def test_manifests_and_licence_are_in(self, files, plugins):
        assert {f"metier_{name}/metier-plugin.toml" for name in plugins} <= set(files)
        assert any(name.endswith(".dist-info/licenses/LICENSE") for name in files)

    def test_no_heavy_library_without_an_extra(self, wheel):
        with zipfile.ZipFile(wheel) as archive:
            [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
            metadata = Parser().parsestr(archive.read(name).decode())
        required = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
        assert [line for line in required if line.startswith(("torch", "transformers", "scikit", "spacy"))] == []

    def test_the_sdist_holds_what_a_build_needs_alone(self, built):
        [path] = built.glob("*.tar.gz")
        with tarfile.open(path) as archive:
            tops = {PurePosixPath(name).parts[1] for name in archive.getnames()}
        sources = {"contracts", "core", "plugins", "pyproject.toml", "README.md", "LICENSE"}
        assert tops - {"PKG-INFO", ".gitignore"} == sources


class TestCleanEnvironment:
    def test_dependencies_agree_and_torch_is_not_among_them(self, clean):
        assert clean("pip", "check").returncode == 0
        assert clean("python", "-c", "import torch").returncode == 1

    def test_imports(self, clean):
        done = clean("python", "-W", "error", "-c", "import metier; print(metier.Runtime.__name__)")
        assert (done.stdout, done.stderr) == ("Runtime\n", "")

    def test_help(self, clean):
        done = clean("metier", "--help")
        assert done.returncode == 0
        assert "doctor" in done.stdout

    def test_doctor_says_how_to_install_each_plugin_and_finds_no_fault(self, clean, plugins):
        done = clean("metier", "doctor")
        assert done.returncode == 0, done.stdout + done.stderr
        for name in plugins:
            assert f'pip install "metier[{name}]"' in done.stdout

    def test_models_are_listed_and_say_what_they_need(self, clean):
        done = clean("metier", "models")
        assert done.returncode == 0, done.stderr
        assert 'available: pip install "metier[mlm]"' in done.stdout
