"""Lines of .pth files that run are told from paths, with who brought the file."""

from __future__ import annotations

from importlib.metadata import PathDistribution
from pathlib import Path

from metier.doctor.startup import pth_files


def test_code_is_told_from_paths_and_each_has_its_package(tmp_path: Path) -> None:
    folder = tmp_path / "site-packages"
    info = folder / "hooked-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hooked\nVersion: 1.0\n")
    (info / "RECORD").write_text("hooked.py,,\nhooked.pth,sha256=x,10\n")
    (folder / "hooked.pth").write_text("# note\nimport hooked; hooked.go()\n/some/path\nimport\thooked\n")
    (folder / "paths.pth").write_text("/some/important/path\nimportant\n")
    paths = {"hooked": PathDistribution(info)}
    hooked, plain = pth_files(paths, [folder, tmp_path / "nowhere"])
    assert (hooked.package, hooked.code) == ("hooked", ("import hooked; hooked.go()", "import\thooked"))
    assert (plain.path, plain.package, plain.code) == (str(folder / "paths.pth"), None, ())
    assert "hooked.pth (hooked) runs at every start of Python: import hooked; hooked.go()" in str(hooked)


def test_by_default_the_environment_is_read() -> None:
    assert all(Path(file.path).suffix == ".pth" for file in pth_files({}))
