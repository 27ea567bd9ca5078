"""Arguments and names that came to Keras after 3.0, which its older versions do not read: files have them only where they say something."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pyml.tracebacks import is_ours

LATER = frozenset({
    "adam_weight_decay", "antialias", "axis", "bounding_box_format", "dtype", "fill_mode", "fill_value", "flash_attention",
    "from_sorted_ids", "gptq_unpacked_column_size", "ignore_class", "input_axes", "lora_alpha", "lora_rank", "oov_method", "optional",
    "output_axes", "pad_to_aspect_ratio", "quantization_config", "ragged", "renorm", "renorm_clipping", "renorm_momentum", "rms_rate",
    "salt", "seed", "sliding_window", "sparse", "use_cudnn", "use_gate", "value_range",
})  # fmt: skip
_NAMES = {"Orthogonal": "OrthogonalInitializer"}       # 3.0 to 3.6 know the second alone, Keras 2 the first, 3.15 both
_leaving_out: ContextVar[bool] = ContextVar("arguments left out", default=False)
_renaming: ContextVar[bool] = ContextVar("names of all of Keras 3", default=False)


@contextmanager
def left_out(only_3: bool = True) -> Iterator[None]:
    """Inside, configs do without later arguments that have their defaults; `only_3`: and with the names that all of Keras 3 knows."""
    tokens = _leaving_out.set(True), _renaming.set(only_3)
    try:
        yield
    finally:
        _leaving_out.reset(tokens[0])
        _renaming.reset(tokens[1])


def name_of(cls: type) -> str:
    """The name of a class in configs."""
    return _NAMES.get(cls.__name__, cls.__name__) if _renaming.get() and is_ours(cls) else cls.__name__


def without(cls: type, config: dict[str, Any]) -> dict[str, Any]:
    """The config of an object of a class, without what another version of Keras may not know and what it means anyhow."""
    if not _leaving_out.get() or LATER.isdisjoint(config):
        return config
    return {key: value for key, value in config.items() if key not in LATER or not _is_default(cls, key, value, config)}


def _is_default(cls: type, key: str, value: Any, config: dict[str, Any]) -> bool:
    """Whether a built-in class, of which no class of the user takes the argument over, has this value where none is given."""
    if not is_ours(getattr(cls, "from_config", cls)):  # a user's may read any of its config
        return False
    if key == "lora_alpha" and value is not None and value == config.get("lora_rank"):
        return True
    for base in (base for base in cls.__mro__ if "__init__" in vars(base)):
        found = inspect.signature(vars(base)["__init__"]).parameters.get(key)
        if found is not None:
            return is_ours(base) and type(found.default) is type(value) and bool(found.default == value)
        code = getattr(inspect.unwrap(vars(base)["__init__"]), "__code__", None)
        if not is_ours(base) and repr(key) in repr(code and code.co_consts):  # kwargs.setdefault("axis", 1)
            return False
    return False
