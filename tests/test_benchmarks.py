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


def run_python(*words: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# In one process, since most of the time of a script is that of its imports.
SHOW_HELP = """
import runpy, sys
for script in sys.argv[1:]:
    print(script)
    sys.argv = [script, "--help"]
    sys.path.insert(0, script.rpartition("/")[0])
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        assert not end.code
"""


@pytest.mark.slow
def test_benchmark_scripts_show_help() -> None:
    printed = run_python("-c", SHOW_HELP, *SCRIPTS)
    assert printed.count("usage:") == len(SCRIPTS)


@pytest.mark.slow
def test_speed_benchmarks_are_collected() -> None:
    options = ("--collect-only", "-q", "-o", "python_files=bench_*.py", "-p", "no:cacheprovider")
    collected = run_python("-m", "pytest", "benchmarks/speed", *options)
    for file in (ROOT / "benchmarks/speed").glob("bench_*.py"):
        assert file.name in collected
