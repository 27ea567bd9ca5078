"""`Op`: the declaration of a primitive, every rule in one place: a small class for each kind, and a function that fills it in.

Whoever works on the graph asks an op for its fields and methods, never for its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..errors import DtypeError, ShapeError
from .node import Node
from .profile import Profile

ZERO = "zero"  # grad=ZERO: the derivative is zero almost everywhere, by definition

Shape = tuple[int, ...]
Sizes = Sequence[int]  # one for each axis of a window: rows, columns
Padding = Sequence[tuple[int, int]]  # before and after, for each axis
Grads = tuple[Node | None, ...]  # one for each source
ShapeRule = Callable[..., Shape]  # of the sources' shapes, and the attributes
DtypeRule = Callable[..., str]  # of the sources' dtypes, and the attributes
GradRule = Callable[..., Any] | str | None  # (gradient, result, *sources, **attributes) -> one gradient for each source
Lowering = Callable[[Node, Profile], Node | None]  # the same value made of other nodes, where an adapter is better at those


@dataclass(frozen=True)
class KernelSpec:
    """Which file of kernels_wgsl a routine runs, its `@param` and `@hook` lines, and its workgroup counts.

    `operands` names what the routine reads beside the file's own operands: arrays of f32 for its hooks.
    """

    file: str
    params: dict[str, Any]
    grid: tuple[int, int, int]
    hooks: dict[str, str] = field(default_factory=dict)
    operands: tuple[str, ...] = ()


@dataclass(eq=False)
class Op:
    """What all primitives have; `kind` names the class where groups of nodes are told apart."""

    name: str
    shape: ShapeRule
    dtype: DtypeRule
    numpy: Callable[..., Any]  # of the sources as arrays, and the attributes: what is right
    grad: GradRule = None
    samples: Any = ()  # points of an elementwise op, else operands and attributes
    tol: float = 1e-5
    transparent: bool = False  # the value is that of the first source; only gradients tell them apart
    absorb: Callable[[Node], Node | None] | None = None  # a simpler node of the same value, whatever the adapter
    lower: Lowering | None = None

    # what a kind says of all its ops, or each op of the kind for itself
    kind = ""
    given = False  # the bytes come from outside the graph
    constant = False  # every element is the attribute `value`
    of_loop = ""  # it exists within the step of a loop only: "input", what the step is given, or "turn", how many steps were made
    in_memory = True  # kernels read the value from a buffer
    is_view = False  # only says where elements are
    keeps_order = False  # a view whose elements lie as those of its source
    looks_up = False  # its first source is a table in memory, of which it reads the element whose number the second one is
    saves_memory = False  # it is there so that a plan holds less at once: the order of kernels minds that

    def arithmetic(self, node: Node) -> int:
        """Arithmetic operations of a node of this op; a multiply-add is two, and each element is computed once."""
        return node.size

    def of_nothing(self, node: Node) -> float:
        """The elements of a node that is made from no elements."""
        return 0

    def on_host(self, node: Node, profile: Profile) -> bool:
        """Whether numpy computes a node on the host, whatever the adapter."""
        return profile.on_host

    def __call__(self, *src: Node, **attrs: Any) -> Node:
        shape = self.shape(*[s.shape for s in src], **attrs)
        dtype = self.dtype(*[s.dtype for s in src], **attrs)
        return Node(self, src, attrs, shape, dtype)

    def __repr__(self) -> str:
        return f"<Op {self.name}>"


@dataclass(eq=False)
class Leaf(Op):
    """A value that no other is needed for."""

    given: bool = False
    in_memory: bool = True
    constant: bool = False
    counts: bool = False  # every element is its own index
    of_loop: str = ""

    kind = "leaf"


@dataclass(eq=False)
class Elementwise(Op):
    """A function of the elements at one place of its operands."""

    wgsl: str | Callable[[str], str] = ""  # an expression over the operand names, or that for a dtype of the operands
    preamble: str | tuple[str, ...] | Callable[[str], str | tuple[str, ...]] = ()  # helper functions, in the same way
    params: tuple[str, ...] = ()  # operand names in `wgsl`
    cost: int = 1  # of computing it, against a multiply; how long its text is, `compile/terms.py` counts
    probe: tuple[float, float] = (-2.0, 2.0)  # range of the generated sample points
    converts: str = ""  # "value" or "bits": the expression is the conversion to the result's dtype

    kind = "elementwise"

    def expression(self, dtype: str) -> str:
        return self.wgsl(dtype) if callable(self.wgsl) else self.wgsl

    def helpers(self, dtype: str) -> tuple[str, ...]:
        found = self.preamble(dtype) if callable(self.preamble) else self.preamble
        return (found,) if isinstance(found, str) else found

    def arithmetic(self, node: Node) -> int:
        return 0 if self.wgsl == "x" else node.size  # a copy computes nothing


@dataclass(eq=False)
class Lookup(Elementwise):
    """The elements of a table `(n,)` in memory at places that are computed where they are needed; 0 where there is no such place."""

    kind = "lookup"
    looks_up = True


@dataclass(eq=False)
class Reduction(Op):
    """One value of all elements along the axes `axis`, which disappear."""

    neutral: Callable[[str], float] = lambda dtype: 0  # what changes nothing, by dtype
    combine: Callable[[str], str] = lambda dtype: ""  # a WGSL expression over a and b, by dtype
    rounds: bool = False  # combining floats loses digits, so that long chains of it are cut

    kind = "reduction"

    def arithmetic(self, node: Node) -> int:
        return node.src[0].size

    def of_nothing(self, node: Node) -> float:
        return self.neutral(node.dtype)


@dataclass(eq=False)
class Movement(Op):
    """Says where elements come from; it never has a kernel of its own."""

    index: Callable[..., Any] | None = None
    keeps_order: bool = False
    otherwise: str = ""  # the attribute with the elements that no source has

    kind = "movement"
    is_view = True

    def of_nothing(self, node: Node) -> float:
        return node.attrs[self.otherwise] if self.otherwise else 0


@dataclass(eq=False)
class Routine(Op):
    """Has a hand-written kernel, or is the host's work: `host(node, profile)` says which nodes, without a kernel all."""

    kernel: Callable[[Node, Profile], KernelSpec] | None = None
    host: Callable[[Node, Profile], bool] | None = None
    flops: Callable[[Node], int] | None = None  # arithmetic operations of a node; without it one per element of the result

    kind = "routine"

    def arithmetic(self, node: Node) -> int:
        return node.size if self.flops is None else self.flops(node)

    def on_host(self, node: Node, profile: Profile) -> bool:
        if profile.on_host or self.kernel is None:
            return True
        return self.host is not None and self.host(node, profile)

    def spec(self, node: Node, profile: Profile) -> KernelSpec:
        """The kernel that computes a node on an adapter."""
        assert self.kernel is not None
        return self.kernel(node, profile)


OPS: dict[str, Op] = {}


AnyOp = TypeVar("AnyOp", bound=Op)


def registered(op: AnyOp) -> AnyOp:
    if op.name in OPS:
        raise ValueError(f"an op named {op.name!r} exists already")
    OPS[op.name] = op
    return op


def same_dtype(*dtypes: str, **attrs: Any) -> str:
    first = dtypes[0]
    for dtype in dtypes:
        if dtype != first:
            raise DtypeError(f"operands have dtypes {', '.join(dtypes)}; cast them to one.")
    return first


def _from_outside(**attrs: Any) -> Any:
    raise AssertionError("the value of this leaf is not known to numpy")


def leaf(name: str, numpy: Callable[..., Any] = _from_outside, *, given: bool = False, in_memory: bool = True,
         constant: bool = False, counts: bool = False, of_loop: str = "") -> Leaf:  # fmt: skip
    """Declares a value without sources; its attributes `shape` and `dtype` say what it is."""
    return registered(Leaf(name, lambda **a: a["shape"], lambda **a: a["dtype"], numpy,
                           given=given, in_memory=in_memory, constant=constant, counts=counts, of_loop=of_loop))  # fmt: skip


def elementwise(name: str, *, wgsl: str | Callable[[str], str], numpy: Callable[..., Any], grad: GradRule,
                dtype: DtypeRule | None = None, params: tuple[str, ...] | None = None, cost: int = 1,
                samples: Iterable[float] = (), tol: float = 1e-5,
                preamble: str | tuple[str, ...] | Callable[[str], str | tuple[str, ...]] = (),
                probe: tuple[float, float] = (-2.0, 2.0), arity: int | None = None, converts: str = "",
                transparent: bool = False, absorb: Callable[[Node], Node | None] | None = None) -> Elementwise:  # fmt: skip
    """Declares an op applied element by element to operands of the same shape.

    `wgsl` is an expression over operand names x | a, b | c, a, b and `T(constant)`, right for scalars and for
    vec4; `dtype` is a function of the operand dtypes (default: all equal, and the result the same).
    """
    arity = arity or getattr(numpy, "nin", None) or numpy.__code__.co_argcount
    names = params or {1: ("x",), 2: ("a", "b"), 3: ("c", "a", "b")}[arity]

    def shape(*shapes: Shape, **attrs: Any) -> Shape:
        first = shapes[0]
        for s in shapes:
            if s != first:
                raise ShapeError(f"{name}: operand shapes {', '.join(map(str, shapes))} differ.")
        return first

    return registered(Elementwise(name, shape, dtype or same_dtype, numpy, grad, tuple(samples), tol, transparent, absorb,
                                  wgsl=wgsl, preamble=preamble, params=names, cost=cost, probe=probe, converts=converts))  # fmt: skip


def reduction(name: str, *, neutral: Callable[[str], float], combine: Callable[[str], str], numpy: Callable[..., Any],
              grad: GradRule, needs_elements: bool = False, rounds: bool = False, lower: Lowering | None = None,
              samples: Sequence[Any] = (), tol: float = 1e-5) -> Reduction:  # fmt: skip
    """Declares a reduction over `axis`, a tuple of increasing non-negative axes that disappear.

    `neutral` maps a dtype to the value that changes nothing, `combine` to a WGSL expression over a and b;
    `needs_elements` says that there is no result of no elements, `rounds` that long chains of it lose digits.
    """

    def shape(s: Shape, *, axis: tuple[int, ...]) -> Shape:
        if any(not 0 <= a < len(s) for a in axis) or list(axis) != sorted(set(axis)):
            raise ShapeError(f"{name}: axis {axis} does not fit shape {s}; use increasing axes below {len(s)}.")
        if needs_elements and any(s[a] == 0 for a in axis):
            raise ShapeError(f"{name}: cannot reduce over axis {axis} of shape {s}: it has no elements.")
        return tuple(n for i, n in enumerate(s) if i not in axis)

    return registered(Reduction(name, shape, same_dtype, lambda x, axis: numpy(x, axis=axis), grad, tuple(samples), tol,
                                lower=lower, neutral=neutral, combine=combine, rounds=rounds))  # fmt: skip


def movement(name: str, *, shape: ShapeRule, index: Callable[..., Any], numpy: Callable[..., Any], grad: GradRule,
             samples: Sequence[Any] = (), keeps_order: bool = False, otherwise: str = "",
             absorb: Callable[[Node], Node | None] | None = None) -> Movement:  # fmt: skip
    """Declares an op that only says where elements come from; it never has a kernel of its own.

    `index(coords, *source_shapes, **attrs)` returns one `(coords, conditions, otherwise)` per source:
    conditions are `(Index, size)` pairs meaning `0 <= index < size`, and where one fails the
    element is `otherwise` (a number, or None for "the next source has it").
    """
    return registered(Movement(name, shape, same_dtype, numpy, grad, tuple(samples), absorb=absorb, index=index,
                               keeps_order=keeps_order, otherwise=otherwise))  # fmt: skip


def routine(name: str, *, shape: ShapeRule, numpy: Callable[..., Any], grad: GradRule,
            kernel: Callable[[Node, Profile], KernelSpec] | None, dtype: DtypeRule | None = None, lower: Lowering | None = None,
            absorb: Callable[[Node], Node | None] | None = None, flops: Callable[[Node], int] | None = None,
            host: Callable[[Node, Profile], bool] | None = None, samples: Sequence[Any] = (), tol: float = 1e-4) -> Routine:  # fmt: skip
    """Declares an op with a hand-written kernel; `kernel(node, profile)` returns its KernelSpec.

    Where `host(node, profile)` is true, or `kernel` is None, numpy computes it on the host instead, on every device: its
    operands are read from the device, and the result is written back (`compile/program.py`).
    `flops(node)` is the number of arithmetic operations, for `explain()`; a multiply-add is two.
    """
    return registered(Routine(name, shape, dtype or (lambda *d, **a: d[0]), numpy, grad, tuple(samples), tol, False, absorb,
                              lower, kernel=kernel, flops=flops, host=host))  # fmt: skip


__all__ = ["OPS", "ZERO", "Elementwise", "KernelSpec", "Leaf", "Lookup", "Movement", "Op", "Profile", "Reduction", "Routine", "elementwise",
           "leaf", "movement", "reduction", "registered", "routine", "same_dtype"]  # fmt: skip
