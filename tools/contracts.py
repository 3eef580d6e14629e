"""A kind of import-linter contract for a tree that grows: ``layers``, for those containers that are there."""

from __future__ import annotations

from typing import Any, cast

from grimp import ImportGraph
from importlinter import ContractCheck
from importlinter.contracts.layers import LayersContract


class LayersWherePresent(LayersContract):
    """Checks the same layers in each container, and leaves out containers whose folder does not exist yet."""

    type_name = "layers_where_present"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Check the containers that are in the graph."""
        named = cast("list[Any]", self.containers)
        present = [container for container in named if container.expression in graph.modules]
        if not present:
            return ContractCheck(kept=True)
        self.containers = cast("Any", present)
        return super().check(graph, verbose)
