"""What `pyml.config` sets for everything: default dtype, epsilon, layout of images, limits of `fit`, what is printed.

The numbers live at the bottom of the house, because ops, layers and losses all read them; users call `pyml.config`.
"""

from __future__ import annotations

import logging
import os
import sys
from contextvars import ContextVar
from typing import Any

from .errors import DtypeError

_LOG = logging.getLogger("pyml")
_FLOATS = ("float16", "bfloat16", "float32", "float64")
_PLAIN = str.maketrans("━─┃│┏┳┓┡╇┩├┼┤└┴┘…", "=-||++++++++++++.")
_values: dict[str, Any] = {
    "floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last", "interactive_logging": True,
    "traceback_filtering": True, "flash_attention": None, "unsafe_deserialization": None,
}  # fmt: skip
_policy: Any = None  # of `pyml.dtype_policies`; None is that of floatx
halved = False  # whether floatx has 16 bits: ops and layers ask that first, and mostly nothing else
_wide: ContextVar[bool] = ContextVar("computing_in_32_bits", default=False)
wide = _wide.get  # within an op or a layer, which computes in 32 bits from its first to its last step: its own numbers are float32
enter_wide = _wide.set  # gives what `leave_wide` takes
leave_wide = _wide.reset


def floatx() -> str:
    """The dtype of numbers where nobody names one, `"float32"` unless it was set.

    Example:
        >>> pyml.config.floatx()
        'float32'
    """
    return _values["floatx"]


def default_float() -> str:
    """The dtype of floats that are made here and now where nobody names one: floatx, but float32 within an op or a layer."""
    return _values["floatx"] if halved and not _wide.get() else "float32"


def host_floatx() -> str:
    """`floatx` as numpy has it: float32 in the place of bfloat16."""
    return "float32" if _values["floatx"] == "bfloat16" else _values["floatx"]


def set_floatx(value: str) -> None:
    """Sets the dtype of numbers where nobody names one: of what ops make of sizes, Python's floats and integers, of random numbers
    and `Input`s, of Variables, and of layers, losses, metrics and optimizers that are made from now on.

    On every device float16 and bfloat16 are computed in 32 bits and rounded where a result is kept, so they are neither faster nor
    smaller; models train in them as far as their numbers reach. A policy that was set (`set_dtype_policy`) comes first, and
    `"mixed_float16"` keeps weights in float32. Python's integers stay int32.

    Args:
        value: `"float32"`, `"float16"` or `"bfloat16"`.

    Raises:
        ValueError: It names no float.
        DtypeError: It is `"float64"`: devices compute in 32 bits.

    Source: `keras.config.set_floatx`.

    Example:
        >>> pyml.config.set_floatx("float16")
        >>> pyml.ops.zeros((2,)).dtype, pyml.layers.Dense(1).dtype
        ('float16', 'float16')
        >>> pyml.config.set_floatx("float32")
    """
    global halved
    if value not in _FLOATS:
        raise ValueError(f"set_floatx: value must be one of {', '.join(map(repr, _FLOATS))}. Received: value={value!r}")
    if value == "float64":
        raise DtypeError(
            "set_floatx: devices compute in 32 bits (WebGPU has no 64-bit floats), so the default dtype cannot be 'float64'; leave "
            "'float32', and compute on the host with numpy what needs more."
        )
    _values["floatx"], halved = value, value != "float32"


def epsilon() -> float:
    """The small number that keeps losses, metrics and constraints from dividing by 0, 1e-7.

    Example:
        >>> pyml.config.epsilon()
        1e-07
    """
    return _values["epsilon"]


def set_epsilon(value: float) -> None:
    """Sets `epsilon`, for what is computed (and for programs that are traced) from now on.

    Args:
        value: A positive number; 1e-7 is set at first.

    Raises:
        ValueError: It is not a positive number.

    Example:
        >>> pyml.config.set_epsilon(1e-7)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        raise ValueError(f"set_epsilon: value must be a positive number. Received: value={value!r}")
    _values["epsilon"] = value


def image_data_format() -> str:
    """Where the channels of images are unless a layer or op says it: `"channels_last"` or `"channels_first"`.

    Example:
        >>> pyml.config.image_data_format()
        'channels_last'
    """
    return _values["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Sets the layout that layers and ops take when `data_format` is None.

    Raises:
        ValueError: It is neither `"channels_last"` nor `"channels_first"`.

    Example:
        >>> pyml.config.set_image_data_format("channels_last")
    """
    _values["image_data_format"] = standardize_data_format(data_format, "set_image_data_format")


def standardize_data_format(data_format: Any, what: str) -> str:
    """`data_format`, or the default where it is None.

    Raises:
        ValueError: It is neither `"channels_last"` nor `"channels_first"`.
    """
    if data_format is None:
        return _values["image_data_format"]
    text = str(data_format).lower()
    if text not in ("channels_last", "channels_first"):
        raise ValueError(f"{what}: data_format must be 'channels_last' or 'channels_first'. Received: data_format={data_format!r}")
    return text


# ---- what is printed
def enable_interactive_logging() -> None:
    """Progress is printed, as it is from the start.

    Example:
        >>> pyml.config.enable_interactive_logging()
    """
    _values["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Progress goes to Python's logging, to the logger "pyml" at the level INFO, instead of being printed.

    Example:
        >>> pyml.config.disable_interactive_logging()
        >>> pyml.config.enable_interactive_logging()
    """
    _values["interactive_logging"] = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress is printed.

    Example:
        >>> pyml.config.is_interactive_logging_enabled()
        True
    """
    return _values["interactive_logging"]


def print_msg(text: str, line_break: bool = True) -> None:
    """Prints, or logs where interactive logging is off."""
    if not _values["interactive_logging"]:
        if text.strip():
            _LOG.info(text.strip())
        return
    text = f"{text}\n" if line_break else text
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:  # lines of tables and bars, which the encoding of a pipe or an older console lacks
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.translate(_PLAIN).encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()


def enable_traceback_filtering() -> None:
    """Errors of layers and models show the lines of your code only, as they do from the start.

    Example:
        >>> pyml.config.enable_traceback_filtering()
    """
    _values["traceback_filtering"] = True


def disable_traceback_filtering() -> None:
    """Errors show every line they came through, pyml's own too.

    Example:
        >>> pyml.config.disable_traceback_filtering()
        >>> pyml.config.enable_traceback_filtering()
    """
    _values["traceback_filtering"] = False


def is_traceback_filtering_enabled() -> bool:
    """Whether errors leave out pyml's own lines.

    Example:
        >>> pyml.config.is_traceback_filtering_enabled()
        True
    """
    return _values["traceback_filtering"]


# ---- limits of fit, evaluate and predict
def _limit(name: str) -> int | None:
    if name not in _values:
        told = os.environ.get(f"PYML_{name.upper()}") or os.environ.get(f"KERAS_{name.upper()}")
        _values[name] = int(told) if told else None
    return _values[name]


def _set_limit(name: str, value: int | None) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ValueError(f"set_{name}: value must be a positive integer or None. Received: {value!r}")
    _values[name] = value


def max_epochs() -> int | None:
    """The most epochs that any `fit` runs, None for no limit; `PYML_MAX_EPOCHS` (or Keras' name of it) sets it from outside.

    Example:
        >>> pyml.config.max_epochs() is None
        True
    """
    return _limit("max_epochs")


def set_max_epochs(max_epochs: int | None) -> None:
    """Limits the epochs of every `fit`, for quick trials of long scripts.

    Args:
        max_epochs: A positive integer, or None for no limit.

    Raises:
        ValueError: It is not a positive integer.

    Example:
        >>> pyml.config.set_max_epochs(None)
    """
    _set_limit("max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """The most steps of an epoch of `fit`, and of `evaluate` and `predict`, None for no limit; `PYML_MAX_STEPS_PER_EPOCH` sets it.

    Example:
        >>> pyml.config.max_steps_per_epoch() is None
        True
    """
    return _limit("max_steps_per_epoch")


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limits the steps of every epoch of `fit`, and of every `evaluate` and `predict`.

    Args:
        max_steps_per_epoch: A positive integer, or None for no limit.

    Raises:
        ValueError: It is not a positive integer.

    Example:
        >>> pyml.config.set_max_steps_per_epoch(None)
    """
    _set_limit("max_steps_per_epoch", max_steps_per_epoch)


# ---- attention, configs
def enable_flash_attention() -> None:
    """Attention never holds all its scores at once, whatever the length; without this call only long sequences are cut so.

    Example:
        >>> pyml.config.enable_flash_attention()
    """
    _values["flash_attention"] = True


def disable_flash_attention() -> None:
    """Attention holds all its scores at once, also those of long sequences.

    Example:
        >>> pyml.config.disable_flash_attention()
        >>> pyml.config.enable_flash_attention()
    """
    _values["flash_attention"] = False


def is_flash_attention_enabled() -> bool | None:
    """True or False once it was chosen, else None: by the length of the sequences.

    Example:
        >>> pyml.config.is_flash_attention_enabled() in (True, False, None)
        True
    """
    return _values["flash_attention"]


def enable_unsafe_deserialization() -> None:
    """Turns `safe_mode=False` on for everything that loads models: lambdas in files become functions again.

    Their bytecode can do whatever your program can; call this only for files that you made yourself.

    Source: `keras.config.enable_unsafe_deserialization`.

    Example:
        >>> pyml.config.enable_unsafe_deserialization()    # doctest: +SKIP
    """
    _values["unsafe_deserialization"] = True


def unsafe_deserialization() -> bool:
    """Whether `enable_unsafe_deserialization` was called."""
    return bool(_values["unsafe_deserialization"])


# ---- policies
def policy() -> Any:
    """The policy that was set, or None."""
    return _policy


def set_policy(value: Any) -> None:
    """Keeps a policy for layers that name none."""
    global _policy
    _policy = value
