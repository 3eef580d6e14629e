"""A kind of import-linter contract for a tree that grows: ``layers``, for those containers that are there."""

from __future__ import annotations

from grimp import ImportGraph
from importlinter import ContractCheck
from importlinter.contracts.layers import LayersContract


class LayersWherePresent(LayersContract):
    """Checks the same layers in each container, and leaves out containers whose folder does not exist yet."""

    type_name = "layers_where_present"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001 -- import-linter's signature
        """Check the containers that are in the graph."""
        self.containers = [c for c in self.containers if c.expression in graph.modules]
        if not self.containers:
            return ContractCheck(kept=True)
        return super().check(graph, verbose)
