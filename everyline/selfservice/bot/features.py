"""Words as numbers: which words and pieces of words a text has, weighed by how rare they are (TF-IDF), and what it means.

numpy is imported when something is counted: no process begins with it.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from everyline.ground.spoken import plain

if TYPE_CHECKING:
    import numpy as np

    Matrix: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

# read when numpy is first imported: matrices are small here, and threads that wait for each other on busy cores take ten times
# as long as one that does the work
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

LONGEST = 400  # characters of a text that are looked at
MOST_PIECES = 12_000
MOST_CELLS = 24_000_000  # of a matrix of texts by pieces: 96 MB
PIECES = (3, 4)  # characters of pieces of words
_NUMBER = re.compile(r"\d+")


def pieces(text: str) -> Iterator[str]:
    """The words of a text, pairs of them, and pieces of each; every number is the same one."""
    said = _NUMBER.sub("0", plain(text[:LONGEST])).split()
    yield from (f"w {word}" for word in said)
    yield from (f"p {one} {other}" for one, other in pairwise(said))
    for word in said:
        framed = f" {word} "
        for size in PIECES:
            yield from (framed[at : at + size] for at in range(len(framed) - size + 1))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The pieces that are counted, and how rare each is."""

    places: Mapping[str, int]
    rarity: Sequence[float]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Vocabulary:
        """Those of some texts; of many texts only what is in two of them."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(list(dict.fromkeys(pieces(text))))  # in their order: the same is learned every time
        least = 2 if len(texts) > 300 else 1
        most = min(MOST_PIECES, max(200, MOST_CELLS // max(len(texts), 1)))
        kept = [one for one, n in counts.most_common(most) if n >= least]
        rarity = [math.log((1 + len(texts)) / (1 + counts[one])) + 1 for one in kept]
        return cls({one: at for at, one in enumerate(kept)}, rarity)

    def matrix(self, texts: Sequence[str]) -> Matrix:
        """One row of length 1 for each text, or of nothing when none of its pieces is known."""
        import numpy as np

        found = np.zeros((len(texts), len(self.places)), np.float32)
        for row, text in enumerate(texts):
            for one, n in Counter(pieces(text)).items():
                at = self.places.get(one)
                if at is not None:
                    found[row, at] = (1 + math.log(n)) * self.rarity[at]
        return unit(found)


def unit(matrix: Matrix) -> Matrix:
    """Rows of length 1."""
    import numpy as np

    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    found: Matrix = (matrix / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return found


def beside(blocks: Iterable[tuple[float, Matrix]]) -> Matrix:
    """Several matrices of the same texts as one, each with its weight."""
    import numpy as np

    found: Matrix = np.hstack([np.float32(weight) * block for weight, block in blocks])
    return found
