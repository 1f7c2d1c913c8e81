"""Wheels made in a moment, without a build backend."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType


def build_wheel(
    folder: Path,
    name: str,
    members: Mapping[str, bytes],
    *,
    version: str = "1.0",
    requires: Sequence[str] = (),
    licence: str = "",
) -> Path:
    """Write NAME-VERSION-py3-none-any.whl with these members and what metadata it needs; return its path."""
    info = f"{name}-{version}.dist-info"
    metadata = [
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        *(f"Requires-Dist: {r}\n" for r in requires),
        f"License-Expression: {licence}\n" if licence else "",
    ]
    content = {
        **members,
        f"{info}/METADATA": "".join(metadata).encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in content.items()]
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in content.items():
            archive.writestr(member, data)
        archive.writestr(f"{info}/RECORD", "\n".join([*lines, f"{info}/RECORD,,"]) + "\n")
    return path


def build_plugin_wheel(
    folder: Path,
    name: str,
    manifest: str,
    code: str,
    *,
    version: str = "1.0",
    requires: Sequence[str] = (),
    modules: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """Write the wheel of a distribution NAME with one plugin NAME, in a package `metier_NAME`.

    `modules`: what else lies in that package.
    """
    package = f"metier_{name}"
    members = {
        f"{package}/__init__.py": b"",
        f"{package}/plugin.py": code.encode(),
        f"{package}/metier-plugin.toml": manifest.encode(),
        **{f"{package}/{file}": text.encode() for file, text in modules.items()},
        f"{name}-{version}.dist-info/entry_points.txt": f"[metier.plugins]\n{name} = {package}.plugin\n".encode(),
    }
    return build_wheel(folder, name, members, version=version, requires=requires)


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
