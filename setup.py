"""Build pyczmq: the metadata is in pyproject.toml; here is the one step that setuptools does not know.

``pyczmq/_build.py`` parses the C declarations of ``pyczmq/_cdef/*.h`` and writes them down as ``pyczmq/_abi.py``, a
module in pure Python (cffi's out-of-line ABI mode). No compiler runs, and the wheel fits every Python.

The step is a command of its own and not cffi's ``cffi_modules`` keyword: where a PyPy ships cffi without its entry
points, setuptools would drop the keyword with no more than a warning. Here a missing cffi stops the build.
"""

from __future__ import annotations

import runpy
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent


class BuildWithDeclarations(build_py):
    """Copy the package, then write ``pyczmq/_abi.py`` next to the copy."""

    @property
    def _abi(self) -> str:
        return str(Path(self.build_lib, "pyczmq", "_abi.py"))

    def run(self) -> None:
        """Build as usual, then generate; an editable install has no copy and parses the headers at import."""
        super().run()
        if not self.editable_mode:
            runpy.run_path(str(ROOT / "pyczmq" / "_build.py"))["emit"](self._abi)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Name the generated module among the outputs, so that records of the installation have it."""
        outputs = super().get_outputs(include_bytecode)
        if not self.editable_mode and self._abi not in outputs:
            outputs.append(self._abi)
        return outputs


setup(cmdclass={"build_py": BuildWithDeclarations})
