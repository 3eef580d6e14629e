"""Logistic regression over several classes, by limited-memory BFGS (Nocedal, Wright: Numerical Optimization, 2006, chapter 7)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from everyline.selfservice.bot.features import Matrix

    Labels = np.ndarray[Any, np.dtype[np.int64]]

ROUNDS = 80
REMEMBERED = 8
ENOUGH = 2e-4  # of the gradient's largest number


def learned(rows: Matrix, labels: Labels, classes: int, strength: float) -> Matrix:
    """The weights (columns and a last row of biases, by classes) that make the labels likeliest; ``strength`` is how freely
    they may grow (the inverse of the regularisation, as C elsewhere)."""
    import numpy as np

    n, columns = rows.shape
    hold = np.float32(1 / (strength * n))
    wanted = np.zeros((n, classes), np.float32)
    wanted[np.arange(n), labels] = 1

    def loss_and_slope(flat: Matrix) -> tuple[float, Matrix]:
        weights = flat.reshape(columns + 1, classes)
        likely = likelihoods(rows, weights)
        loss = -float(np.log(likely[np.arange(n), labels] + 1e-12).mean())
        loss += 0.5 * float(hold) * float((weights[:-1] ** 2).sum(dtype=np.float64))
        apart = (likely - wanted) / np.float32(n)
        slope = np.vstack([rows.T @ apart + hold * weights[:-1], apart.sum(0, keepdims=True)])
        return loss, slope.ravel().astype(np.float32)

    at: Matrix = np.zeros((columns + 1) * classes, np.float32)
    loss, slope = loss_and_slope(at)
    past: deque[tuple[Matrix, Matrix, float]] = deque(maxlen=REMEMBERED)
    for _round in range(ROUNDS):
        if float(np.abs(slope).max()) * n**0.5 < ENOUGH:
            break
        way = -_curved(slope, past)
        down = float(way @ slope)
        if down >= 0:
            past.clear()
            way, down = -slope, -float(slope @ slope)
        step = 1.0 if past else min(1.0, 1.0 / float(np.abs(slope).sum()) * 10)
        for _try in range(20):
            new_loss, new_slope = loss_and_slope(at + np.float32(step) * way)
            if new_loss <= loss + 1e-4 * step * down:
                break
            step /= 2
        else:
            break
        moved, turned = np.float32(step) * way, new_slope - slope
        bent = float(moved @ turned)
        if bent > 1e-10:
            past.append((moved, turned, 1 / bent))
        at, loss, slope = at + moved, new_loss, new_slope
    found: Matrix = at.reshape(columns + 1, classes)
    return found


def _curved(slope: Matrix, past: deque[tuple[Matrix, Matrix, float]]) -> Matrix:
    """The slope, bent by what was seen of the curvature: the two-loop recursion."""
    bent = slope.copy()
    shares = []
    for moved, turned, inverse in reversed(past):
        share = inverse * float(moved @ bent)
        shares.append(share)
        bent -= share * turned
    if past:
        moved, turned, inverse = past[-1]
        bent *= 1 / (inverse * float(turned @ turned))
    for (moved, turned, inverse), share in zip(past, reversed(shares), strict=True):
        bent += (share - inverse * float(turned @ bent)) * moved
    return bent


def evidence(rows: Matrix, weights: Matrix) -> Matrix:
    """How much speaks for each class, before it is made a likelihood."""
    found: Matrix = rows @ weights[:-1] + weights[-1]
    return found


def likelihoods(rows: Matrix, weights: Matrix) -> Matrix:
    """How likely each class is, a row for each text."""
    return softmax(evidence(rows, weights))


def softmax(scores: Matrix) -> Matrix:
    """Scores as likelihoods."""
    import numpy as np

    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: Matrix = raised / raised.sum(axis=1, keepdims=True)
    return found
