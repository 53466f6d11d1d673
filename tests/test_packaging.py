"""The installed package: one pure Python wheel, with the declarations parsed at build and no compiler involved."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import pyczmq

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def distribution() -> importlib.metadata.Distribution:
    return importlib.metadata.distribution("pyczmq")


def names(distribution: importlib.metadata.Distribution) -> set[str]:
    return {file.as_posix() for file in distribution.files or []}


def test_the_tests_see_the_installed_package_and_not_the_checkout(distribution):
    assert Path(pyczmq.__file__).samefile(Path(distribution.locate_file("pyczmq/__init__.py")))
    assert not Path(pyczmq.__file__).is_relative_to(ROOT / "pyczmq")


def test_so_does_a_child(distribution):
    child = [sys.executable, "-c", "import pyczmq; print(pyczmq.__file__)"]
    assert Path(subprocess.check_output(child, text=True).strip()).samefile(pyczmq.__file__)


def test_version_has_one_source(distribution):
    assert distribution.version == pyczmq.__version__


def test_wheel_fits_every_python(distribution):
    wheel = (distribution.read_text("WHEEL") or "").splitlines()
    assert "Root-Is-Purelib: true" in wheel
    assert [line for line in wheel if line.startswith("Tag:")] == ["Tag: py3-none-any"]
    assert not [name for name in names(distribution) if name.endswith((".so", ".pyd", ".dylib", ".c"))]


def test_declarations_were_parsed_at_build(distribution):
    assert "pyczmq/_abi.py" in names(distribution)
    source = Path(distribution.locate_file("pyczmq/_abi.py")).read_text(encoding="utf-8")
    assert "_cffi_backend.FFI('pyczmq._abi'" in source


def test_wheel_has_the_package_data(distribution):
    package = ROOT / "pyczmq"
    data = [*package.glob("_cdef/*.h"), *package.rglob("*.pyi"), package / "py.typed"]
    missing = {path.relative_to(ROOT).as_posix() for path in data} - names(distribution)
    assert not missing


def test_cffi_is_not_asked_of_pypy(distribution):
    (cffi,) = [requirement for requirement in distribution.requires or [] if requirement.startswith("cffi")]
    assert cffi.replace('"', "'").endswith("platform_python_implementation != 'PyPy'")


@pytest.mark.timeout(180, method="thread")
def test_sdist_builds_a_whole_wheel_with_no_compiler_there(tmp_path, distribution):
    """Checkout to sdist to wheel, with nothing on the PATH: whatever would run a compiler fails."""
    checkout, unpacked, built, nothing = (tmp_path / name for name in ("checkout", "unpacked", "built", "nothing"))
    built.mkdir()
    nothing.mkdir()
    ignore = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "_abi.py")
    shutil.copytree(ROOT, checkout, ignore=ignore)

    def build(kind: str, folder: Path) -> Path:
        program = f"from setuptools.build_meta import build_{kind} as build; print(build({str(built)!r}))"
        environment = {**os.environ, "PATH": str(nothing)}
        environment.pop("CC", None)
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return built / done.stdout.splitlines()[-1]

    sdist = build("sdist", checkout)
    with tarfile.open(sdist) as archive:
        contents = {name.partition("/")[2] for name in archive.getnames()}
        archive.extractall(unpacked)
    assert "pyczmq/_abi.py" not in contents
    assert {"LICENSE", "README.md", "pyproject.toml", "scripts/test", "tests/conftest.py"} <= contents

    wheel = build("wheel", next(unpacked.iterdir()))
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = {name for name in archive.namelist() if name.startswith("pyczmq/")}
    installed = {name for name in names(distribution) if name.startswith("pyczmq/") and not name.endswith(".pyc")}
    assert in_wheel == installed
