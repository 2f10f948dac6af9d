"""The import structure of both packages."""

import graphlib

import grimp
import pytest


@pytest.mark.parametrize("package", ["facegan", "synthetic_heads"])
def test_modules_import_each_other_in_no_circle(package):
    graph = grimp.build_graph(package)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    list(graphlib.TopologicalSorter(imports).static_order())


def test_synthetic_heads_know_nothing_of_facegan():
    graph = grimp.build_graph("synthetic_heads", include_external_packages=True)
    assert "facegan" not in graph.modules
