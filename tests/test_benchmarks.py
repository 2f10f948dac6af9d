"""Benchmarks run rarely: their imports exist, they are collected, and their scripts start."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "benchmarks").rglob("*.py"))]
SCRIPTS = [name for name in FILES if "argparse" in (ROOT / name).read_text(encoding="utf-8")]


@pytest.mark.parametrize("file", FILES)
def test_benchmark_imports_exist(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    for node in imports:
        if node.module and node.module.partition(".")[0] in ("facegan", "synthetic_heads", "benchmarks"):
            module = import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name) or import_module(f"{node.module}.{alias.name}")


# In one process, since most of the time is that of the imports.
START = """
import runpy, sys
import pytest
for script in sys.argv[1:]:
    sys.argv = [script, "--help"]
    sys.path.insert(0, script.rpartition("/")[0])
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        assert not end.code
    del sys.path[0]
options = ["--collect-only", "-q", "-o", "python_files=bench_*.py", "-p", "no:cacheprovider"]
sys.exit(pytest.main(["benchmarks/speed", *options]))
"""


@pytest.mark.slow
def test_benchmarks_start() -> None:
    """Scripts display their help, and the speed benchmarks are collected."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", START, *SCRIPTS]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("usage:") == len(SCRIPTS)
    for file in (ROOT / "benchmarks/speed").glob("bench_*.py"):
        assert file.name in done.stdout
