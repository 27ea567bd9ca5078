"""Ops between layers as Keras' files name them: which class, which arguments are its own and which those of the call."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from ... import activations, ops
from ...core.symbolic import FunctionOp, KerasTensor
from ...core.tree import flatten
from ...ops.declare import DECLARED

_ACTIVATIONS = "keras.src.activations.activations"     # where Keras has two classes of ops that no op of `keras.ops` makes


class KerasOp(NamedTuple):
    """One op: our name, Keras' module and class, and the arguments of a call; all others are the class's own."""

    name: str
    module: str
    cls: str
    called_with: tuple[str, ...]

    @property
    def function(self) -> Any:
        """The op itself, or None."""
        if self.module == _ACTIVATIONS:
            return getattr(activations, self.name)
        home = getattr(ops, self.module.rpartition(".")[2], ops)
        return getattr(ops, self.name, None) or getattr(home, self.name, None)


# By module of keras.src.ops: names of functions; `=` before a class that is not the name in capitals, arguments of calls where
# they are not just `x`.
_TABLE = {
    "numpy": """
        absolute add(x1,x2) all allclose=AllClose(x1,x2) amax amin angle any append(x1,x2) arange(start,stop,step) arccos arccosh
        arcsin arcsinh arctan arctan2(x1,x2) arctanh argmax argmin argpartition argsort array array_split average(x,weights)
        bincount bitwise_and(x,y) bitwise_invert bitwise_left_shift(x,y) bitwise_not bitwise_or(x,y) bitwise_right_shift(x,y)
        bitwise_xor(x,y) broadcast_to cbrt ceil clip concatenate(xs) conjugate copy corrcoef correlate(x1,x2) cos cosh count_nonzero
        cross(x1,x2) cumprod cumsum deg2rad diag diagflat diagonal diff(a) digitize(x,bins) divide(x1,x2) divide_no_nan(x1,x2)
        dot(x1,x2) dsplit dstack(xs) einsum(operands) empty_like equal(x1,x2) exp exp2 expand_dims expm1 fabs flip fliplr flipud
        floor floor_divide(x1,x2) fmax(x1,x2) fmin(x1,x2) fmod(x1,x2) full(fill_value) full_like(x,fill_value) gcd(x1,x2)
        geomspace(start,stop) linspace(start,stop) logspace(start,stop)
        get_item(x,key) greater(x1,x2) greater_equal(x1,x2) heaviside(x1,x2) histogram hsplit hstack(xs) hypot(x1,x2) i0 imag
        inner(x1,x2) isclose(x1,x2,rtol,atol) isfinite isin=IsIn(x1,x2) isinf isnan isneginf isposinf isreal kron(x1,x2) lcm(x1,x2)
        ldexp(x1,x2) left_shift(x,y) less(x1,x2) less_equal(x1,x2) log log10 log1p log2 logaddexp(x1,x2) logaddexp2(x1,x2)
        logical_and(x1,x2) logical_not logical_or(x1,x2) logical_xor(x1,x2) matmul(x1,x2) max maximum(x1,x2) mean median meshgrid
        min minimum(x1,x2) mod(x1,x2) moveaxis multiply(x1,x2) nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean
        nanmedian nanmin nanpercentile(x,q) nanprod nanquantile(x,q) nanstd nansum nanvar ndim negative nextafter(x1,x2) nonzero
        not_equal(x1,x2) ones_like outer(x1,x2) pad(x,constant_values) percentile(x,q) power(x1,x2) prod ptp quantile(x,q) rad2deg
        ravel real reciprocal repeat reshape right_shift(x,y) roll rot90(array) round
        searchsorted=SearchSorted(sorted_sequence,values) select(condlist,choicelist,default) sign signbit sin sinc sinh size
        slogdet sort split sqrt square squeeze stack std subtract(x1,x2) sum swapaxes take(x,indices) take_along_axis(x,indices) tan
        tanh tensordot(x1,x2) tile trace transpose trapezoid(y) tril triu true_divide(x1,x2) trunc unique unravel_index(indices)
        vander var vdot(x1,x2) view vsplit vstack(xs) where(condition,x1,x2) zeros_like
    """,
    "math": """
        cdist=CDist(x,y) erf erfc erfinv extract_sequences fft2=FFT2 fft=FFT ifft2=IFFT2 in_top_k(targets,predictions) irfft=IRFFT
        istft=ISTFT logdet logsumexp rfft=RFFT rsqrt segment_max(data,segment_ids) segment_min(data,segment_ids)
        segment_prod(data,segment_ids) segment_sum(data,segment_ids) stft=STFT top_k view_as_complex view_as_real
    """,
    "nn": """
        adaptive_average_pool(inputs) adaptive_max_pool(inputs) average_pool(inputs)
        batch_normalization=BatchNorm(x,mean,variance,offset,scale) binary_crossentropy(target,output)
        categorical_crossentropy(target,output) celu conv(inputs,kernel) conv_transpose(inputs,kernel)
        ctc_decode=CTCDecode(inputs,sequence_lengths) ctc_loss=CTCLoss(target,output,target_length,output_length) depth_to_space
        depthwise_conv(inputs,kernel) dot_product_attention(query,key,value,bias,mask,scale) elu fold gelu glu hard_shrink
        hard_sigmoid hard_silu hard_tanh layer_normalization=LayerNorm(x,gamma,beta) leaky_relu log_sigmoid log_softmax
        max_pool(inputs) moments multi_hot(inputs) normalize one_hot polar(abs_,angle) psnr=PSNR(x1,x2) relu relu6
        rms_normalization=RMSNorm(x,scale) selu separable_conv(inputs,depthwise_kernel,pointwise_kernel) sigmoid silu soft_shrink
        softmax softplus softsign space_to_depth sparse_categorical_crossentropy(target,output) sparse_plus sparse_sigmoid sparsemax
        squareplus tanh_shrink threshold unfold
    """,
    "core": """
        cast convert_to_tensor saturate_cast scatter(indices,values) scatter_update(inputs,indices,updates) slice(inputs,start_indices)
        slice_update(inputs,start_indices,updates) stop_gradient(variable) unstack
    """,
    "linalg": """
        cholesky cholesky_inverse det eig eigh inv lstsq(a,b) lu_factor matrix_rank norm pinv qr solve(a,b) solve_triangular(a,b)
        svd=SVD
    """,
    "image": """
        affine_transform(images,transform) crop_images(images) elastic_transform(images) extract_patches(images)
        gaussian_blur(images) hsv_to_rgb=HSVToRGB(images) map_coordinates(inputs,coordinates) pad_images(images)
        perspective_transform(images,start_points,end_points) resize(images) rgb_to_grayscale=RGBToGrayscale(images)
        rgb_to_hsv=RGBToHSV(images) scale_and_translate(images,output_shape,scale,translation) sobel_edges(images)
        ssim=SSIM(image1,image2)
    """,
}  # fmt: skip


@cache
def known() -> dict[str, KerasOp]:
    """Every op by our name."""
    found = {}
    for module, text in _TABLE.items():
        for name, cls, arguments in re.findall(r"(\w+)(?:=(\w+))?(?:\(([^)]*)\))?", text):
            camel = "".join(part.capitalize() for part in name.split("_"))
            found[name] = KerasOp(name, f"keras.src.ops.{module}", cls or camel, tuple((arguments or "x").split(",")))
    return found


@cache
def _by_class() -> dict[str, KerasOp]:
    functions = {cls: KerasOp(cls.lower(), _ACTIVATIONS, cls, ("x",)) for cls in ("ReLU", "Mish")}
    return functions | {op.cls: op for op in reversed(known().values())}


def write_call(operation: FunctionOp, args: Any, kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """What a recorded op is called in Keras' files, and what it is called with.

    Args:
        operation: The op.
        args, kwargs: The arguments of its call.

    Returns:
        `module`, `class_name`, `registered_name` and `config` (its own arguments as they are), and the arguments of the call.

    Raises:
        ValueError: Keras has no such op, or takes no tensor for one of its arguments.
    """
    name = getattr(operation.call, "__name__", "")
    declared, op = DECLARED.get(name), known().get(name)
    if declared is None or op is None or declared.function is not operation.call:
        raise ValueError(
            f"the op '{operation.name}' between layers cannot be saved; put it into a layer of your own, which is registered "
            "with register_keras_serializable."
        )
    bound = inspect.signature(declared.function).bind(*args, **kwargs).arguments
    given: list[Any] = []
    taken = inspect.signature(declared.function).parameters
    for argument in op.called_with:
        if argument in bound:
            value = bound.pop(argument)
            given += value if _is_open(declared.function, argument) else [value]
        elif argument in taken and taken[argument].default is not inspect.Parameter.empty:
            given.append(taken[argument].default)      # written out: some of Keras' classes have no default of their own
    for argument, value in bound.items():
        if any(isinstance(leaf, KerasTensor) for leaf in flatten([value])):
            raise ValueError(f"the op '{operation.name}' has a tensor as its {argument}, which cannot be saved; put it into a layer.")
    config = {"name": operation.name, **bound}
    return {"module": op.module, "class_name": op.cls, "config": config, "registered_name": op.cls}, given


def _is_open(function: Any, argument: str) -> bool:
    return inspect.signature(function).parameters[argument].kind is inspect.Parameter.VAR_POSITIONAL


class RevivedOp:
    """An op of a config; called with symbolic tensors, it is recorded under its name."""

    def __init__(self, op: KerasOp, config: Mapping[str, Any]) -> None:
        self.name = config.get("name") or op.name
        self.op = op
        taken = inspect.signature(op.function).parameters
        self.options = {key: value for key, value in config.items()
                        if key in taken and (key != "dtype" or isinstance(value, str))}
        unknown = [key for key in config if key not in taken and key not in ("name", "dtype") and config[key] not in (None, False)]
        if unknown:
            raise ValueError(f"the op {op.name!r} takes no {', '.join(unknown)} here.")
        self._inbound_nodes: list[Any] = []
        self._calls = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        function = self.op.function
        named = dict(zip(self.op.called_with, args, strict=False)) if not _is_open(function, self.op.called_with[0]) else {}
        if self.op.name == "get_item":
            named["key"] = tuple(named["key"]) if isinstance(named["key"], list) else named["key"]
        if named:
            outputs = function(**named, **kwargs, **self.options)
        else:
            bound = inspect.signature(function).bind_partial(**self.options)
            outputs = function(*bound.args, *args, **kwargs)
        history = flatten(outputs)[0]._keras_history
        if self._calls == 0:                           # later calls keep names of their own: names are unique in a model
            history.operation.name = self.name
        self._calls += 1
        return outputs


def with_modules(config: Any, custom_objects: Mapping[str, Any] | None) -> Any:
    """A config whose ops between layers name their modules: in `.h5` files Keras writes the class alone, and then finds it no more."""
    if isinstance(config, list):
        return [with_modules(item, custom_objects) for item in config]
    if not isinstance(config, dict):
        return config
    found = {key: with_modules(value, custom_objects) for key, value in config.items()}
    name, own = found.get("class_name"), found.get("config")
    if "inbound_nodes" in found and "module" not in found and isinstance(own, dict) and "trainable" not in own:
        op = _by_class().get(name) if isinstance(name, str) and name not in (custom_objects or {}) else None
        if op is not None:
            found |= {"module": op.module, "registered_name": name}
    if "inbound_nodes" in found:                       # what Keras 3.0 writes of `training` says nothing, as in its `.keras`
        found.setdefault("training_given", False)
    return found


def without_ellipsis(config: Any) -> Any:
    """A config whose indices say in full what `...` stands for, which Keras does not read in `.h5` files."""
    if isinstance(config, list):
        return [without_ellipsis(item) for item in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "GetItem":
        calls = [{**call, "args": _in_full(*call["args"])} for call in config.get("inbound_nodes", ())]
        return {**config, "inbound_nodes": calls}
    return {key: without_ellipsis(value) for key, value in config.items()}


def _in_full(x: Any, key: Any = None, *more: Any) -> list[Any]:
    items = list(key) if isinstance(key, (list, tuple)) else [key]
    kinds = [item.get("class_name") if isinstance(item, dict) else None for item in items]
    if not set(kinds) <= {None, "__slice__", "__ellipsis__"} or "__ellipsis__" not in kinds:
        return [x, key, *more]
    at = kinds.index("__ellipsis__")
    whole = {"class_name": "__slice__", "config": {"start": None, "stop": None, "step": None}}
    missing = len(x["config"]["shape"]) - sum(item is not None for item in items) + 1
    return [x, [*items[:at], *[whole] * missing, *items[at + 1 :]], *more]


def is_op(config: Mapping[str, Any]) -> bool:
    """Whether a config is that of an op of Keras; other people's layers live in modules named `ops` too."""
    package, *parts = str(config.get("module") or "").split(".")
    return (package in ("keras", "keras_core") and "ops" in parts) or config.get("module") == _ACTIVATIONS


def read_op(config: Mapping[str, Any]) -> RevivedOp:
    """The op that a config names.

    Raises:
        ValueError: There is none of that name here.
    """
    op = _by_class().get(config.get("class_name") or "")
    if op is None or op.function is None:
        raise ValueError(f"the model uses Keras' op {str(config.get('class_name'))[:80]!r} between its layers, which is not known here.")
    return RevivedOp(op, config.get("config") or {})
