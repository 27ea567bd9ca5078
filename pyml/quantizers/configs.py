"""How a layer is quantized: the mode, and the quantizers of weights and activations."""

from __future__ import annotations

from typing import Any, Self

from pyml.dtype_policies.policy import QUANTIZATION_MODES
from pyml.objects.configured import Configured
from pyml.objects.registry import QUANTIZERS
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object
from pyml.quantizers.absmax import AbsMaxQuantizer


class QuantizationConfig(Configured, kind=QUANTIZERS):
    """Base: a subclass says its `mode`.

    Args:
        weight_quantizer: Quantizer of weights; by default the one of the layer.
        activation_quantizer: Quantizer of what comes in, or None to leave it in floats.

    Example:
        >>> pyml.quantizers.QuantizationConfig().weight_quantizer is None
        True
    """

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = None) -> None:
        self.weight_quantizer = weight_quantizer
        self.activation_quantizer = activation_quantizer

    @property
    def mode(self) -> str:
        """One of `"int8"`, `"int4"`, `"float8"`, `"gptq"`, `"awq"`."""
        raise NotImplementedError(f"{type(self).__name__} has no mode; use Int8QuantizationConfig or Int4QuantizationConfig.")

    def get_config(self) -> dict[str, Any]:
        return {name: serialize_keras_object(getattr(self, name)) for name in ("weight_quantizer", "activation_quantizer")}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        return cls(**{name: deserialize_keras_object(value, custom_objects) for name, value in config.items()})

    @staticmethod
    def weight_quantizer_or_default(config: QuantizationConfig | None, default: Any) -> Any:
        """The quantizer of weights that a config names, else `default`."""
        return default if config is None or config.weight_quantizer is None else config.weight_quantizer

    @staticmethod
    def activation_quantizer_or_default(config: QuantizationConfig | None, default: Any) -> Any:
        """The quantizer of activations of a config, None where it has none; without a config `default`."""
        return default if config is None else config.activation_quantizer


def _holds_int8(config: QuantizationConfig) -> None:
    made = config.weight_quantizer
    if made is not None and made.output_dtype != "int8":
        raise ValueError(f"{type(config).__name__}: weight_quantizer needs output_dtype='int8'. Received: {made.output_dtype!r}")


class Int8QuantizationConfig(QuantizationConfig):
    """Weights of 8 bits, and activations rounded to 8 bits as they come in.

    Args:
        weight_quantizer: By default one scale for each output.
        activation_quantizer: By default `AbsMaxQuantizer`, with a scale for each sample; None leaves activations in floats.

    Raises:
        ValueError: `weight_quantizer` makes no int8.

    Example:
        >>> pyml.quantizers.Int8QuantizationConfig().mode
        'int8'
    """

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = "default") -> None:
        super().__init__(weight_quantizer, AbsMaxQuantizer() if activation_quantizer == "default" else activation_quantizer)
        _holds_int8(self)

    @property
    def mode(self) -> str:
        return "int8"


class Int4QuantizationConfig(QuantizationConfig):
    """Weights of 4 bits, activations in floats.

    Args:
        weight_quantizer: For one scale an output only; by default that of the layer.
        activation_quantizer: Likewise; by default none.
        block_size: How many inputs share a scale and a zero point; None or -1 is one scale for each output.

    Raises:
        ValueError: `block_size` is no such number, or it comes with quantizers; `weight_quantizer` makes other numbers.

    Example:
        >>> pyml.quantizers.Int4QuantizationConfig(block_size=64).block_size
        64
    """

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = "default", block_size: int | None = 128) -> None:
        super().__init__(weight_quantizer, None if activation_quantizer == "default" else activation_quantizer)
        if block_size is not None and block_size != -1 and block_size <= 0:
            raise ValueError(f"Int4QuantizationConfig: block_size must be None, -1 or a positive integer. Received: {block_size}")
        self.block_size = block_size
        own = self.weight_quantizer is not None or self.activation_quantizer is not None
        if own and block_size is not None and block_size > 0:
            raise ValueError(f"Int4QuantizationConfig: blocks have no quantizers of your own; give block_size=None with them, or leave "
                             f"them out. Received: block_size={block_size}")  # fmt: skip
        if self.weight_quantizer is not None and tuple(self.weight_quantizer.value_range) != (-8, 7):
            raise ValueError(f"Int4QuantizationConfig: weight_quantizer needs value_range=(-8, 7). Received: "
                             f"{self.weight_quantizer.value_range}")  # fmt: skip
        _holds_int8(self)

    @property
    def mode(self) -> str:
        return "int4"

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "block_size": self.block_size}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        # files from before blocks have no block_size: one scale an output
        return super().from_config({"block_size": None, **config}, custom_objects)


class Float8QuantizationConfig(QuantizationConfig):
    """Training in floats of 8 bits. Layers refuse it: devices compute in 32 bits, so nothing would be smaller or faster.

    Example:
        >>> pyml.quantizers.Float8QuantizationConfig().mode
        'float8'
    """

    def __init__(self) -> None:
        super().__init__(None, None)

    @property
    def mode(self) -> str:
        return "float8"

    def get_config(self) -> dict[str, Any]:
        return {}


def _calibration(owner: str, num_samples: int, sequence_length: int, group_size: int) -> None:
    """What both ways of calibrating check."""
    for name, value in (("num_samples", num_samples), ("sequence_length", sequence_length)):
        if value <= 0:
            raise ValueError(f"{owner}: {name} must be a positive integer. Received: {name}={value}")
    if group_size < -1 or group_size == 0:
        raise ValueError(f"{owner}: group_size must be -1, for one group, or a positive integer. Received: group_size={group_size}")


class GPTQConfig(QuantizationConfig):
    """GPTQ: weights are rounded one after another, and what rounding one changed is made good by those after it.

    A config to read, write and hand over; `quantize` refuses the mode.

    Args:
        dataset: Samples to calibrate with.
        tokenizer: Makes numbers of text.
        weight_bits: 2, 3, 4 or 8.
        num_samples, sequence_length: How many samples, of how many tokens.
        per_channel: A scale for each output.
        hessian_damping: Added to the diagonal of the Hessian, from 0 to 1 of its mean.
        group_size: Inputs that share a scale; -1 is one group.
        symmetric: The zero point is the middle.
        activation_order: Inputs with large activations first.
        quantization_layer_structure: Which layers stand before the blocks, and the blocks.

    Raises:
        ValueError: A number is out of its range.

    Source: Frantar et al. 2022, "GPTQ".

    Example:
        >>> pyml.quantizers.GPTQConfig(dataset=None, tokenizer=None, group_size=64).dtype_policy_string()
        'gptq/4/64'
    """

    def __init__(self, dataset: Any, tokenizer: Any, *, weight_bits: int = 4, num_samples: int = 128, per_channel: bool = True,
                 sequence_length: int = 512, hessian_damping: float = 0.01, group_size: int = 128, symmetric: bool = False,
                 activation_order: bool = False, quantization_layer_structure: dict[str, Any] | None = None) -> None:  # fmt: skip
        super().__init__()
        if weight_bits not in (2, 3, 4, 8):
            raise ValueError(f"GPTQConfig: weight_bits must be 2, 3, 4 or 8. Received: weight_bits={weight_bits}")
        _calibration("GPTQConfig", num_samples, sequence_length, group_size)
        if not 0 <= hessian_damping <= 1:
            raise ValueError(f"GPTQConfig: hessian_damping must be from 0 to 1. Received: hessian_damping={hessian_damping}")
        self.dataset, self.tokenizer = dataset, tokenizer
        self.num_samples, self.sequence_length = num_samples, sequence_length
        self.weight_bits, self.group_size = weight_bits, group_size
        self.per_channel, self.symmetric, self.activation_order = per_channel, symmetric, activation_order
        self.hessian_damping = hessian_damping
        self.quantization_layer_structure = quantization_layer_structure

    @property
    def mode(self) -> str:
        return "gptq"

    def dtype_policy_string(self) -> str:
        """The mode as the names of policies have it."""
        return f"gptq/{self.weight_bits}/{self.group_size}"

    def get_config(self) -> dict[str, Any]:
        names = ("weight_bits", "num_samples", "per_channel", "sequence_length", "hessian_damping", "group_size", "symmetric",
                 "activation_order", "quantization_layer_structure")  # fmt: skip
        # data and tokenizer are needed once, and are no part of a file
        return {"dataset": None, "tokenizer": None, **{name: getattr(self, name) for name in names}}


class AWQConfig(QuantizationConfig):
    """AWQ: inputs with large activations are scaled up before their weights are rounded to 4 bits.

    A config to read, write and hand over; `quantize` refuses the mode.

    Args:
        dataset: Samples to calibrate with.
        tokenizer: Makes numbers of text.
        weight_bits: 4.
        num_samples, sequence_length: How many samples, of how many tokens.
        group_size: Inputs that share a scale; -1 is one group.
        num_grid_points: How many scales are tried.
        quantization_layer_structure: Which layers stand before the blocks, and the blocks.

    Raises:
        ValueError: A number is out of its range.

    Source: Lin et al. 2023, "AWQ".

    Example:
        >>> pyml.quantizers.AWQConfig(dataset=None, tokenizer=None).dtype_policy_string()
        'awq/4/128'
    """

    def __init__(self, dataset: Any, tokenizer: Any, *, weight_bits: int = 4, num_samples: int = 128, sequence_length: int = 512,
                 group_size: int = 128, num_grid_points: int = 20,
                 quantization_layer_structure: dict[str, Any] | None = None) -> None:  # fmt: skip
        super().__init__()
        if weight_bits != 4:
            raise ValueError(f"AWQConfig: weight_bits must be 4. Received: weight_bits={weight_bits}")
        _calibration("AWQConfig", num_samples, sequence_length, group_size)
        if num_grid_points <= 0:
            raise ValueError(f"AWQConfig: num_grid_points must be a positive integer. Received: num_grid_points={num_grid_points}")
        self.dataset, self.tokenizer = dataset, tokenizer
        self.weight_bits, self.num_samples, self.sequence_length = weight_bits, num_samples, sequence_length
        self.group_size, self.num_grid_points = group_size, num_grid_points
        self.quantization_layer_structure = quantization_layer_structure

    @property
    def mode(self) -> str:
        return "awq"

    def dtype_policy_string(self) -> str:
        """The mode as the names of policies have it."""
        return f"awq/{self.weight_bits}/{self.group_size}"

    def get_config(self) -> dict[str, Any]:
        names = ("weight_bits", "num_samples", "sequence_length", "group_size", "num_grid_points", "quantization_layer_structure")
        return {"dataset": None, "tokenizer": None, **{name: getattr(self, name) for name in names}}


_DEFAULTS = {"int8": Int8QuantizationConfig, "int4": Int4QuantizationConfig, "float8": Float8QuantizationConfig}


def resolved(mode: str | None, config: Any) -> QuantizationConfig:
    """The config that `quantize(mode, config)` means.

    Raises:
        ValueError: There is no such mode, the two contradict each other, or neither is given.
    """
    if isinstance(config, str):
        mode, config = config, None
    if mode is not None and mode not in QUANTIZATION_MODES:
        raise ValueError(f"Invalid quantization mode. Expected one of {QUANTIZATION_MODES}. Received: mode={mode}")
    if config is None:
        if mode is None:
            raise ValueError("quantize: give a mode such as 'int8', or a config. Received neither.")
        if mode not in _DEFAULTS:
            name = {"gptq": "GPTQConfig", "awq": "AWQConfig"}[mode]
            raise ValueError(f"quantize: mode={mode!r} needs a `{name}` as `config`.")
        return _DEFAULTS[mode]()
    if not isinstance(config, QuantizationConfig):
        raise ValueError(f"quantize: `config` must be a QuantizationConfig. Received: config={config!r}")
    if mode is not None and config.mode != mode:
        raise ValueError(f"Contradictory arguments: mode='{mode}' but config.mode='{config.mode}'")
    if config.mode not in QUANTIZATION_MODES:
        raise ValueError(f"Invalid quantization mode. Expected one of {QUANTIZATION_MODES}. Received: mode={config.mode}")
    return config
