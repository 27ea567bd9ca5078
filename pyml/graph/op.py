"""`Op`: the declaration of a primitive, every rule in one place; and the kinds that fill most rules in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import DtypeError, ShapeError
from .node import Node

ZERO = "zero"  # grad=ZERO: the derivative is zero almost everywhere, by definition


@dataclass(frozen=True)
class Profile:
    """What kernel choosers may know of an adapter; nothing else branches on it.

    `family` is "register" for software adapters (barrier-free kernels with large register tiles), "tile" for
    GPUs (shared memory) and "numpy" for the cpu device. `threads` is how many invocations fill the adapter,
    `cores` how many run side by side where one workgroup is one thread of a processor.
    """

    family: str = "tile"
    max_invocations: int = 256
    max_shared: int = 16384
    max_storage_buffers: int = 8
    threads: int = 65536
    cores: int = 1


@dataclass(frozen=True)
class KernelSpec:
    """Which file of kernels_wgsl a routine runs, its `@param` and `@hook` lines, and its workgroup counts."""

    file: str
    params: dict
    grid: tuple[int, int, int]
    hooks: dict = field(default_factory=dict)


@dataclass(eq=False)
class Op:
    """One primitive. `kind` is leaf, elementwise, reduction, movement or routine."""

    name: str
    kind: str
    shape: Callable
    dtype: Callable
    numpy: Callable | None = None
    grad: Callable | str | None = None
    wgsl: str | Callable = ""  # elementwise: an expression over the operand names
    preamble: str | tuple | Callable = ()  # elementwise: WGSL helper functions, a text or several, or those for a dtype
    cost: int = 1  # elementwise: against a multiply
    init: str = ""  # reduction
    combine: str = ""
    index: Callable | None = None  # movement
    kernel: Callable | None = None  # routine
    lower: Callable | None = None
    absorb: Callable | None = None
    flops: Callable | None = None  # routine: arithmetic operations of a node; without it one per element of the result
    samples: tuple = ()
    tol: float = 1e-5
    probe: tuple = (-2.0, 2.0)  # range of the generated sample points
    params: tuple = ()  # operand names in `wgsl`

    def arithmetic(self, node) -> int:
        """Arithmetic operations of a node of this op; a multiply-add is two, and each element is computed once."""
        if self.kind == "reduction":
            return node.src[0].size
        if self.kind == "routine" and self.flops is not None:
            return self.flops(node)
        return 0 if self.wgsl == "x" else node.size  # a copy computes nothing

    def __call__(self, *src, **attrs):
        shape = self.shape(*(s.shape for s in src), **attrs)
        dtype = self.dtype(*(s.dtype for s in src), **attrs)
        return Node(self, src, attrs, shape, dtype)

    def __repr__(self) -> str:
        return f"<Op {self.name}>"


OPS: dict[str, Op] = {}


def _register(op: Op) -> Op:
    if op.name in OPS:
        raise ValueError(f"an op named {op.name!r} exists already")
    OPS[op.name] = op
    return op


def same_dtype(*dtypes, **attrs) -> str:
    if len(set(dtypes)) != 1:
        raise DtypeError(f"operands have dtypes {', '.join(dtypes)}; cast them to one.")
    return dtypes[0]


def leaf(name: str) -> Op:
    return _register(Op(name, "leaf", shape=lambda **a: a["shape"], dtype=lambda **a: a["dtype"]))


def elementwise(name, *, wgsl, numpy, grad, dtype=None, params=None, cost=1, samples=(), tol=1e-5, preamble=(),
                probe=(-2.0, 2.0), arity=None):  # fmt: skip
    """Declares an op applied element by element to operands of one shape.

    `wgsl` is an expression over operand names x | a, b | c, a, b and `T(constant)`, right for scalars and for
    vec4; `dtype` is a function of the operand dtypes (default: all equal, and the result the same).
    """
    arity = arity or getattr(numpy, "nin", None) or numpy.__code__.co_argcount
    names = params or {1: ("x",), 2: ("a", "b"), 3: ("c", "a", "b")}[arity]

    def shape(*shapes, **attrs):
        if any(s != shapes[0] for s in shapes):
            raise ShapeError(f"{name}: operand shapes {', '.join(map(str, shapes))} differ.")
        return shapes[0]

    return _register(Op(name, "elementwise", shape, dtype or same_dtype, numpy, grad, wgsl, preamble, cost,
                        samples=tuple(samples), tol=tol, probe=probe, params=names))  # fmt: skip


def reduction(name, *, init, combine, numpy, grad, samples=(), tol=1e-5):
    """Declares a reduction over `axis`, a tuple of increasing non-negative axes that disappear.

    `init` maps a dtype to a WGSL constant, `combine` is a WGSL expression over a and b.
    """

    def shape(s, *, axis):
        if any(not 0 <= a < len(s) for a in axis) or list(axis) != sorted(set(axis)):
            raise ShapeError(f"{name}: axis {axis} does not fit shape {s}; use increasing axes below {len(s)}.")
        if name in ("reduce_max", "reduce_min") and any(s[a] == 0 for a in axis):
            raise ShapeError(f"{name}: cannot reduce over axis {axis} of shape {s}: it has no elements.")
        return tuple(n for i, n in enumerate(s) if i not in axis)

    return _register(Op(name, "reduction", shape, same_dtype,
                        lambda x, axis: numpy(x, axis=axis), grad, init=init, combine=combine,
                        samples=tuple(samples), tol=tol))  # fmt: skip


def movement(name, *, shape, index, numpy, grad, samples=()):
    """Declares an op that only says where elements come from; it never has a kernel of its own.

    `index(coords, *source_shapes, **attrs)` returns one `(coords, conditions, otherwise)` per source:
    conditions are `(Index, size)` pairs meaning `0 <= index < size`, and where one fails the
    element is `otherwise` (a number, or None for "the next source has it").
    """
    return _register(Op(name, "movement", shape, same_dtype, numpy, grad, index=index, samples=tuple(samples)))


def routine(name, *, shape, numpy, grad, kernel, dtype=None, lower=None, absorb=None, flops=None, samples=(), tol=1e-4):
    """Declares an op with a hand-written kernel; `kernel(node, profile)` returns its KernelSpec.

    `flops(node)` is the number of arithmetic operations, for `explain()`; a multiply-add is two.
    """
    return _register(Op(name, "routine", shape, dtype or (lambda *d, **a: d[0]), numpy, grad, kernel=kernel,
                        lower=lower, absorb=absorb, flops=flops, samples=tuple(samples), tol=tol))  # fmt: skip
