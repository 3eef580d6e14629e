"""G.711 (ITU-T, 11/1988), µ-law and A-law, as tables: a frame or all frames of a tick are one look-up.

Samples are int16 at 8 kHz, codes are uint8.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.int16]
Codes: TypeAlias = NDArray[np.uint8]

RATE = 8000
MU, A = 0, 1  # the rows of the tables
_BIAS, _CLIP = 132, 32635


def _decoded_mu() -> Samples:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    size = (((code & 0x0F) << 3) + _BIAS << ((code & 0x70) >> 4)) - _BIAS
    return np.where(code & 0x80, -size, size).astype(np.int16)


def _decoded_a() -> Samples:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment, step = (code & 0x70) >> 4, (code & 0x0F) << 4
    size = np.where(segment == 0, step + 8, step + 0x108 << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.int16)


def _encoded_mu() -> Codes:
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    size = np.minimum(np.abs(sample), _CLIP) + _BIAS
    segment = np.log2(size).astype(np.int32) - 7
    code = np.where(sample < 0, 0x80, 0) | segment << 4 | (size >> segment + 3) & 0x0F
    found: Codes = (~code & 0xFF).astype(np.uint8)
    return found


def _encoded_a() -> Codes:
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32) >> 3
    size = np.where(sample < 0, ~sample, sample)
    segment = np.maximum(np.log2(np.maximum(size, 1)).astype(np.int32) - 4, 0)
    code = segment << 4 | (size >> np.maximum(segment, 1)) & 0x0F
    found: Codes = (code ^ np.where(sample < 0, 0x55, 0xD5)).astype(np.uint8)
    return found


DECODED: Samples = np.concatenate([_decoded_mu(), _decoded_a()])  # index: law * 256 + code
ENCODED: Codes = np.concatenate([_encoded_mu(), _encoded_a()])  # index: law * 65536 + the sample's 16 bits
SILENCE: Codes = np.array([0xFF, 0xD5], np.uint8)  # the code of nothing, by law


def decode(codes: Codes, law: int = MU) -> Samples:
    """The samples of codes, in their shape."""
    found: Samples = DECODED[law * 256 : law * 256 + 256].take(codes)
    return found


def encode(samples: Samples, law: int = MU) -> Codes:
    """The codes of samples, in their shape."""
    found: Codes = ENCODED[law * 65536 : law * 65536 + 65536].take(np.ascontiguousarray(samples).view(np.uint16))
    return found
