"""Which intent is meant: learned of examples, by words alone or by words and meaning, whichever does better on examples that
were held out; and whether any is meant at all.

What nobody taught is seen by two signs that are compared with those of held-out examples: how sure the regression is, and how
near the nearest examples are.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from everyline.selfservice.bot.features import Vocabulary, beside, unit
from everyline.selfservice.bot.regression import evidence, learned, softmax

if TYPE_CHECKING:
    import numpy as np

    from everyline.selfservice.bot.features import Matrix

FORM = 1  # of what is packed
WORDS, MEANING, BOTH = "words", "meaning", "both"
STRENGTHS = (3.0, 10.0, 40.0)
USUAL = 10.0  # where trying several would take too long
MANY = 1500  # examples
FEW = 20  # examples in all; with fewer nothing can be held out
FALSE_ALARMS = 0.08  # share of what was taught that may be taken for something else
NEIGHBOURS = 3
OF_WORDS = 0.5  # weight of words beside meaning
SKETCHED = 256  # numbers in which rows of words are kept to find near ones (Achlioptas 2003)
_SEED = 20
HELD_OUT_MOST = 4000  # scores that are kept to compare with

Embed: TypeAlias = Callable[[Sequence[str]], "Matrix"]


@dataclass(frozen=True, slots=True)
class Guess:
    """An intent that may be meant, with its likelihood (0 to 1)."""

    label: str
    likely: float


@dataclass(frozen=True, slots=True)
class Guessed:
    """The likeliest intents. ``belongs``: how what was said compares with what was taught, 0 (unlike all of it) to 1;
    ``known``: whether that is enough."""

    guesses: tuple[Guess, ...]
    belongs: float
    known: bool


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of held-out examples. ``confused`` counts (taught, taken for)."""

    kind: str
    accuracy: float
    by_kind: dict[str, float] = field(default_factory=dict)
    confused: tuple[tuple[str, str, int], ...] = ()
    by_label: dict[str, tuple[int, int]] = field(default_factory=dict)  # right, of how many
    held_out: int = 0


@dataclass(frozen=True, slots=True)
class Classifier:
    """A model that is learned; ``of`` makes one, ``packed`` and ``unpacked`` keep it."""

    kind: str
    labels: tuple[str, ...]
    vocabulary: Vocabulary
    weights: Matrix
    temperature: float
    near: Matrix  # the examples, a row each
    sureness: Matrix  # of held-out examples, in order
    nearness: Matrix
    threshold: float

    @property
    def needs_meaning(self) -> bool:
        """Does it need the model of meanings?"""
        return self.kind != WORDS

    def guess(self, texts: Sequence[str], embed: Embed | None) -> list[Guessed]:
        """What is meant by each text. ``embed``: meanings of texts; needed when ``needs_meaning``."""
        import numpy as np

        rows, near = _rows(self.kind, self.vocabulary, texts, embed)
        likely = softmax(evidence(rows, self.weights) / np.float32(self.temperature))
        close = _closeness(near, self.near)
        found = []
        for at in range(len(texts)):
            order = np.argsort(-likely[at])[:5]
            belongs = float(_compared(likely[at].max(), close[at], self.sureness, self.nearness))
            guesses = tuple(Guess(self.labels[n], round(float(likely[at][n]), 4)) for n in order)
            nothing = not near[at].any()
            found.append(Guessed(guesses, round(belongs, 4), belongs >= self.threshold and not nothing))
        return found

    def packed(self) -> bytes:
        """As it is kept: arrays and a head as JSON (numpy's own format, nothing that runs)."""
        import numpy as np

        head = {
            "form": FORM,
            "kind": self.kind,
            "labels": self.labels,
            "temperature": self.temperature,
            "threshold": self.threshold,
            "pieces": list(self.vocabulary.places),
        }
        file = io.BytesIO()
        np.savez_compressed(
            file,
            head=np.frombuffer(json.dumps(head).encode(), np.uint8),
            rarity=np.array(self.vocabulary.rarity, np.float32),
            weights=self.weights.astype(np.float16),
            near=self.near.astype(np.float16),
            sureness=self.sureness,
            nearness=self.nearness,
        )
        return file.getvalue()

    @classmethod
    def unpacked(cls, kept: bytes) -> Classifier:
        """The model again. ValueError when it is of another form."""
        import numpy as np

        with np.load(io.BytesIO(kept), allow_pickle=False) as file:
            head = json.loads(file["head"].tobytes())
            if head.get("form") != FORM:
                raise ValueError(f"a model of form {head.get('form')}")
            vocabulary = Vocabulary({one: at for at, one in enumerate(head["pieces"])}, file["rarity"].tolist())
            return cls(
                head["kind"],
                tuple(head["labels"]),
                vocabulary,
                file["weights"].astype(np.float32),
                head["temperature"],
                file["near"].astype(np.float32),
                file["sureness"],
                file["nearness"],
                head["threshold"],
            )


def _rows(kind: str, vocabulary: Vocabulary, texts: Sequence[str], embed: Embed | None) -> tuple[Matrix, Matrix]:
    """What is learned of, and what likeness is measured by."""
    counted = vocabulary.matrix(texts) if kind != MEANING else None
    meant = embed(texts) if embed is not None and kind != WORDS else None
    if counted is None:
        assert meant is not None
        return meant, meant
    if meant is None:
        return counted, unit(counted @ _sketch(counted.shape[1]))
    return beside([(1.0, meant), (OF_WORDS, counted)]), meant


def _sketch(columns: int) -> Matrix:
    import numpy as np

    chance = np.random.default_rng(_SEED)
    signs = chance.choice(np.array([-1, 1], np.float32), (columns, SKETCHED))
    found: Matrix = (signs / SKETCHED**0.5).astype(np.float32)
    return found


def _closeness(rows: Matrix, examples: Matrix) -> Matrix:
    """How near the nearest examples are (cosine), a number for each row."""
    import numpy as np

    likeness = rows @ examples.T
    n = min(NEIGHBOURS, likeness.shape[1])
    found: Matrix = np.partition(likeness, -n, axis=1)[:, -n:].mean(axis=1)
    return found


def _compared(sure: Any, near: Any, sureness: Matrix, nearness: Matrix) -> Any:
    """Where two signs stand among those of held-out examples, 0 to 1."""
    import numpy as np

    n = max(len(sureness), 1)
    return (np.searchsorted(sureness, sure, "right") + np.searchsorted(nearness, near, "right")) / (2 * n)


def of(texts: Sequence[str], labels: Sequence[str], embed: Embed | None) -> tuple[Classifier, Tested]:
    """Learn of examples. ``embed``: meanings of texts, where they can be had; then what does better is taken. ValueError with
    fewer than two intents."""
    import numpy as np

    names = tuple(sorted(set(labels)))
    if len(names) < 2:
        raise ValueError("two intents are needed")
    wanted = np.array([names.index(one) for one in labels], np.int64)
    meant = embed(texts) if embed is not None else None
    kinds = (WORDS,) if meant is None else (WORDS, MEANING, BOTH)
    parts = _parts(wanted, len(names))
    tried = [
        (kind, strength)
        for kind in (kinds if parts else kinds[-1:])
        for strength in (STRENGTHS if parts and (len(texts) <= MANY or kind == MEANING) else (USUAL,))
    ]
    came = _held_out(tried, texts, meant, wanted, len(names), parts)
    rights = {one: float((scores.argmax(1) == wanted).mean()) if parts else 0.0 for one, (scores, _c) in came.items()}
    kind, strength = max(tried, key=lambda one: rights[one])
    accuracy, (scores, close) = rights[kind, strength], came[kind, strength]
    by_kind = {one: max(right for (of_, _s), right in rights.items() if of_ == one) for one, _strength in tried}
    temperature = _temperature(scores, wanted) if parts else 1.0
    sure = softmax(scores / np.float32(temperature)).max(axis=1)
    sureness, nearness = np.sort(sure), np.sort(close)
    belongs = _compared(sure, close, sureness, nearness)
    threshold = float(np.quantile(belongs, FALSE_ALARMS)) if parts else 0.0
    vocabulary = Vocabulary.of(texts)
    rows, near = _rows(kind, vocabulary, texts, (lambda _texts: meant) if meant is not None else None)
    weights = learned(rows, wanted, len(names), strength)
    step = max(1, len(sureness) // HELD_OUT_MOST)
    made = Classifier(
        kind, names, vocabulary, weights, temperature, near, sureness[::step], nearness[::step], threshold
    )
    return made, _tested(kind, accuracy, by_kind, scores.argmax(1), wanted, names, held_out=bool(parts))


def _parts(wanted: np.ndarray[Any, Any], classes: int) -> list[Any]:
    """Examples in parts, each of which is held out once; every intent is in all of them as far as it goes."""
    import numpy as np

    if len(wanted) < FEW or np.bincount(wanted, minlength=classes).min() < 2:
        return []
    chance = np.random.default_rng(_SEED)
    n = 5 if len(wanted) <= MANY else 3
    part = np.zeros(len(wanted), np.int64)
    for label in range(classes):
        mine = chance.permutation(np.flatnonzero(wanted == label))
        part[mine] = np.arange(len(mine)) % n
    return [np.flatnonzero(part == one) for one in range(n)]


def _held_out(
    tried: Sequence[tuple[str, float]],
    texts: Sequence[str],
    meant: Matrix | None,
    wanted: np.ndarray[Any, Any],
    classes: int,
    parts: list[Any],
) -> dict[tuple[str, float], tuple[Matrix, Matrix]]:
    """Scores and closeness of each example, by what was learned of the others, of each kind and strength."""
    import numpy as np

    n = len(texts)
    found = {one: (np.zeros((n, classes), np.float32), np.zeros(n, np.float32)) for one in tried}
    for held in parts:
        others = np.setdiff1d(np.arange(n), held)
        vocabulary = Vocabulary.of([texts[at] for at in others])
        for kind in dict.fromkeys(kind for kind, _strength in tried):
            rows, near = _part(kind, vocabulary, texts, meant, others)
            held_rows, held_near = _part(kind, vocabulary, texts, meant, held)
            closeness = _closeness(held_near, near)
            for strength in [strength for of_, strength in tried if of_ == kind]:
                scores, close = found[kind, strength]
                scores[held] = evidence(held_rows, learned(rows, wanted[others], classes, strength))
                close[held] = closeness
    return found


def _part(
    kind: str, vocabulary: Vocabulary, texts: Sequence[str], meant: Matrix | None, which: Any
) -> tuple[Matrix, Matrix]:
    some = None if meant is None else meant[which]
    return _rows(kind, vocabulary, [texts[at] for at in which], (lambda _texts: some) if some is not None else None)


def _temperature(scores: Matrix, wanted: np.ndarray[Any, Any]) -> float:
    """What makes likelihoods honest (Guo et al. 2017)."""
    import numpy as np

    def loss(one: float) -> float:
        likely = softmax(scores / np.float32(one))
        return -float(np.log(likely[np.arange(len(wanted)), wanted] + 1e-9).mean())

    return min((0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0), key=loss)


def _tested(
    kind: str,
    accuracy: float,
    by_kind: dict[str, float],
    taken: Any,
    wanted: Any,
    names: tuple[str, ...],
    *,
    held_out: bool,
) -> Tested:
    if not held_out:
        return Tested(kind, 0.0)
    counts: dict[tuple[str, str], int] = {}
    by_label: dict[str, tuple[int, int]] = {}
    for want, took in zip(wanted, taken, strict=True):
        right, of_ = by_label.get(names[want], (0, 0))
        by_label[names[want]] = (right + int(want == took), of_ + 1)
        if want != took:
            counts[names[want], names[took]] = counts.get((names[want], names[took]), 0) + 1
    confused = sorted(((*pair, n) for pair, n in counts.items()), key=lambda one: (-one[2], one[0], one[1]))
    return Tested(kind, accuracy, by_kind, tuple(confused), by_label, len(wanted))
