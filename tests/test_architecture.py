"""Structure of the source tree."""

from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]


def test_modules_have_no_import_cycle():
    graph = grimp.build_graph("facegan", "synthetic_heads", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError


def test_tests_mirror_sources():
    sources = {path.relative_to(ROOT / "src").with_suffix("") for path in (ROOT / "src").rglob("*.py")}
    tests = {path.relative_to(ROOT / "tests") for path in (ROOT / "tests").glob("*/**/test_*.py")}
    orphans = {str(path) for path in tests if path.with_name(path.stem.removeprefix("test_")) not in sources}
    print(sorted(o for o in orphans if "stages" not in o))
    assert orphans == set()


@pytest.mark.parametrize("package", ["facegan", "synthetic_heads"])
def test_file_names_are_unique_but_for_commands(package):
    """A command has the name of the library module that does its work, in ``cli``."""
    files = [path for path in (ROOT / "src" / package).rglob("*.py") if "cli" not in path.parts]
    counts = Counter(path.name for path in files if path.name != "__init__.py")
    assert [name for name, count in counts.items() if count > 1] == []
