"""Structure of the source tree."""

from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
EXCEPTIONS = ("__init__.py", "config.py")


def test_modules_have_no_import_cycle():
    graph = grimp.build_graph("facegan", "synthetic_heads", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError


def test_tests_mirror_sources():
    """``x/test_y.py`` or ``x/test_y_<topic>.py`` tests ``x/y.py`` or the package ``x``.

    Tests of ``stages`` are named by the behavior of training.
    """
    modules = {path.relative_to(ROOT / "src").with_suffix("") for path in (ROOT / "src").rglob("*.py")}

    def is_mirrored(test):
        subject = test.stem.removeprefix("test_")
        return subject == test.parent.name or any(
            module.parent == test.parent and f"{subject}_".startswith(f"{module.name}_") for module in modules
        )

    tests = [path.relative_to(ROOT / "tests") for path in (ROOT / "tests").glob("[fs]*/**/test_*.py")]
    training = Path("facegan/stages")
    assert [str(test) for test in tests if training not in test.parents and not is_mirrored(test)] == []


@pytest.mark.parametrize("package", ["facegan", "synthetic_heads"])
def test_file_names_are_unique(package):
    """Commands and training stages have the name of what they do, and packages have a ``config.py``."""
    paths = [
        path for path in (ROOT / "src" / package).rglob("*.py") if not {"cli", "stages"} & set(path.parts)
    ]
    counts = Counter(path.name for path in paths)
    assert [name for name, count in counts.items() if count > 1 and name not in EXCEPTIONS] == []
