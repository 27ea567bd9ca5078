"""What layers with a quantized matrix `(rows, columns)` share: making it, merging an adapter with it, products with it.

`pyml.quantizers` loads here, with the first layer that is quantized.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml import ops
from pyml.layers.quantizable import check_finite


def activation_quantizer(config: Any, default: bool) -> Any:
    """The quantizer of what comes in: that of a config; without one, by `default`, one scale for each row."""
    from pyml.quantizers import AbsMaxQuantizer

    if config is not None:
        return config.activation_quantizer
    return AbsMaxQuantizer() if default else None


def unpack_int4(weight: Any, columns: int) -> Any:
    """The numbers of a weight that holds two in a byte, as int8."""
    from pyml.quantizers import unpack_int4 as unpack

    return unpack(weight.value, columns, axis=-1)


def quantized_matrix(layer: Any, matrix: np.ndarray, mode: str, config: Any) -> dict[str, Any]:
    """The weights that take the place of floats, by their names."""
    from pyml.quantizers import matrices

    block = layer._block_size(config) if mode == "int4" else None
    quantizer = config.weight_quantizer if config is not None else None
    numbers, scale, zero = matrices.quantized(matrix, mode, block, quantizer)
    values = {"kernel": matrices.pairs(numbers) if mode == "int4" else numbers, "kernel_scale": scale}
    return values if zero is None else {**values, "kernel_zero": zero}


def floats(layer: Any, columns: int) -> np.ndarray:
    """The values that the numbers of a layer's matrix stand for."""
    from pyml.quantizers import matrices

    numbers = layer._kernel.numpy()
    if layer.quantization_mode == "int4":
        numbers = matrices.singles(numbers, columns)
    block = layer._int4_block_size
    return matrices.floats(numbers, layer.kernel_scale.numpy(), layer.kernel_zero.numpy() if block else None, block)


def again(layer: Any, matrix: np.ndarray) -> dict[str, Any]:
    """A matrix quantized as that of the layer is, by its mode alone."""
    from pyml.quantizers.configs import Int4QuantizationConfig

    config = Int4QuantizationConfig(block_size=layer._int4_block_size) if layer.quantization_mode == "int4" else None
    return quantized_matrix(layer, matrix, layer.quantization_mode, config)


def adapter(layer: Any) -> np.ndarray:
    """What the adapter of a layer adds to its quantized weight.

    Raises:
        NotFinite: It holds NaN or infinite numbers, and is to be quantized with the weight, as files of Keras have it.
    """
    a, b = (thin.numpy() for thin in layer._thin)
    added = np.float32(layer._adapter_strength) * (a @ b)
    check_finite(layer, added, 'adapter, which is quantized together with its weight (save_weights("model.npz") keeps both apart),')
    return added


def int8_product(layer: Any, inputs: Any, columns: int) -> Any:
    """Inputs times the matrix of a layer, each rounded to int8 where it has a quantizer of inputs; the sum is exact."""
    from pyml.quantizers import products

    scale: Any = ops.convert_to_tensor(layer.kernel_scale)
    exact = False
    if layer.inputs_quantizer is not None:
        inputs, of_inputs, exact = products.rounded(inputs, layer.inputs_quantizer, -1)
        scale = scale * of_inputs
    bits = 4 if layer.quantization_mode == "int4" else 8
    return products.product(inputs, layer._kernel, columns, bits, exact=exact) / scale


def int4_product(layer: Any, inputs: Any, columns: int) -> Any:
    """The same with two numbers in a byte, and perhaps scales for blocks of rows."""
    from pyml.quantizers import products

    block = layer._int4_block_size
    if block is None:
        return int8_product(layer, inputs, columns)
    return products.product_of_blocks(inputs, layer._kernel, columns, layer.kernel_scale, layer.kernel_zero, block)
