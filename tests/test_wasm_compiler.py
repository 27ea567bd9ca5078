"""WGSL compiled to WebAssembly: operators, functions, control flow and memory, run in wasmtime and compared with numpy."""

from __future__ import annotations

import ast
import collections
import functools
import re
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("wasmtime")

from pyml.compile.kernels import read
from pyml.device.base import DeviceKernel
from pyml.errors import KernelError
from pyml.wasm import compile_kernel, link, parse
from pyml.wasm.compile import _compile_text as compile_text
from pyml.wasm.library import library
from pyml.wasm.opcodes import MADD, V_SPLAT_LOAD
from pyml.wasm.open import open_engine

NAMES = {"f32": np.float32, "i32": np.int32, "u32": np.uint32}


@functools.cache
def engine():
    return open_engine()


def block(array):
    array = np.ascontiguousarray(array)
    b = engine().allocate(max(16, -(-array.nbytes // 16) * 16))
    b.view[:] = 0
    b.view[: array.nbytes] = array.reshape(-1).view(np.uint8)
    return b


def run(source, buffers, grid=(1, 1, 1), relaxed=False, sinks=False):
    """Runs a kernel over the arrays, which it changes in place."""
    compiled = compile_kernel(DeviceKernel("test", source, (), grid), relaxed, sinks)
    blocks = [block(a) for a in buffers]
    scratch = engine().allocate(max(16, compiled.scratch))
    table = block(np.array([*(b.address for b in blocks), scratch.address], np.uint32))
    engine().load(link([compiled], engine().shared))(table.address)
    for a, b in zip(buffers, blocks, strict=True):
        a[...] = b.view[: a.nbytes].view(a.dtype).reshape(a.shape)
    for b in (*blocks, scratch, table):
        engine().free(b)


def evaluate(expression, *arrays, width=4, out="f32", helpers="", relaxed=False):
    """The expression over operands a, b, c for every element, four at a time or one."""
    kind = lambda t: f"vec4<{t}>" if width == 4 else t
    element = {v: k for k, v in NAMES.items()}
    n = arrays[0].size
    result = np.zeros(n, NAMES[out])
    declared = [f"@group(0) @binding({i}) var<storage, read> b{i}: array<{kind(element[a.dtype.type])}>;" for i, a in enumerate(arrays)]
    declared.append(f"@group(0) @binding({len(arrays)}) var<storage, read_write> y: array<{kind(out)}>;")
    lets = " ".join(f"let {name} = b{i}[i];" for name, i in zip("abc", range(len(arrays)), strict=False))
    trips = -(-n // width)
    run("\n".join([
        *declared, helpers, "@compute @workgroup_size(8)", "fn main(@builtin(global_invocation_id) gid: vec3<u32>) {",
        f"let i = gid.x; if (i >= {trips}u) {{ return; }} {lets} y[i] = {expression}; }}",
    ]), [*arrays, result], (-(-trips // 8), 1, 1), relaxed)  # fmt: skip
    return result


FLOATS = np.concatenate([np.linspace(-5, 5, 99), [0.0, -0.0, 0.5, -0.5, 1e-30, 30.25]]).astype(np.float32)
OTHERS = np.random.default_rng(0).uniform(0.25, 4, FLOATS.size).astype(np.float32)
INTS = np.array([0, 1, -1, 7, -7, 100, -100, 2**31 - 1, -(2**31), 12345, -54321], np.int32)
DIVISORS = np.array([1, -1, 2, 3, -3, 7, 100, -7, 5, -2, 9], np.int32)


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize(
    ("expression", "reference"),
    [
        ("a + b", np.add), ("a - b", np.subtract), ("a * b", np.multiply), ("a / b", np.divide),
        ("min(a, b)", np.minimum), ("max(a, b)", np.maximum), ("-a", lambda a, b: -a), ("abs(a)", lambda a, b: abs(a)),
        ("floor(a)", lambda a, b: np.floor(a)), ("ceil(a)", lambda a, b: np.ceil(a)), ("round(a)", lambda a, b: np.rint(a)),
        ("trunc(a)", lambda a, b: np.trunc(a)), ("sign(a)", lambda a, b: np.sign(a)), ("sqrt(b)", lambda a, b: np.sqrt(b)),
        ("fma(a, b, a)", lambda a, b: a * b + a), ("select(a, b, a < b)", lambda a, b: np.where(a < b, b, a)),
        ("a * b + a * 2.0 - b * a", lambda a, b: a * 2), ("clamp(a, b * 0.0, b)", lambda a, b: np.clip(a, 0, b)),
        ("a % b", lambda a, b: np.fmod(a, b)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("relaxed", [False, True])
def test_float_expressions(expression, reference, width, relaxed):
    found = evaluate(expression, FLOATS, OTHERS, width=width, relaxed=relaxed)
    np.testing.assert_allclose(found, reference(FLOATS, OTHERS), rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize(("name", "reference"), [
    ("exp", np.exp), ("log", np.log), ("atan", np.arctan), ("exp2", np.exp2), ("log2", np.log2), ("inverseSqrt", lambda x: x**-0.5),
])  # fmt: skip
def test_functions_are_exact_to_a_few_units_in_the_last_place_and_at_the_ends(name, reference, width):
    x = np.concatenate([np.linspace(-110, 100, 4001), [0, -0.0, np.inf, -np.inf, np.nan, 88.72, 88.73, -87.4, 1e-40, 3e38]])
    x = x.astype(np.float32) if name in ("exp", "atan", "exp2") else np.abs(x.astype(np.float32))
    with np.errstate(all="ignore"):
        expected = reference(x.astype(np.float64)).astype(np.float32)
    if name == "exp2":  # exact only where exp(x log 2) is
        x, expected = x[np.abs(x) < 20], expected[np.abs(x) < 20]
    np.testing.assert_allclose(evaluate(f"{name}(a)", x, width=width), expected, rtol=3e-6 if name == "exp2" else 4e-7, atol=2e-45)


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize(
    ("expression", "reference"),
    [
        ("a + b", np.add), ("a - b", np.subtract), ("a * b", np.multiply), ("a & b", np.bitwise_and), ("a | b", np.bitwise_or),
        ("a ^ b", np.bitwise_xor), ("~a", lambda a, b: ~a), ("min(a, b)", np.minimum), ("max(a, b)", np.maximum),
        ("a % b", lambda a, b: np.fmod(a, b)), ("select(a, b, a >= b)", lambda a, b: np.where(a >= b, b, a)),
        ("abs(a)", lambda a, b: np.abs(a)), ("sign(a)", lambda a, b: np.sign(a)),
    ],
)  # fmt: skip
def test_integer_expressions(expression, reference, width):
    with np.errstate(all="ignore"):
        expected = reference(INTS, DIVISORS)
    np.testing.assert_array_equal(evaluate(expression, INTS, DIVISORS, width=width, out="i32"), expected)


@pytest.mark.parametrize("width", [1, 4])
def test_integer_division_never_traps(width):
    a = np.array([5, -5, -(2**31), 7], np.int32)
    b = np.array([0, 2, -1, 0], np.int32)
    np.testing.assert_array_equal(evaluate("a / b", a, b, width=width, out="i32"), [5, -2, -(2**31), 7])
    np.testing.assert_array_equal(evaluate("a % b", a, b, width=width, out="i32"), [0, -1, 0, 0])


@pytest.mark.parametrize("width", [1, 4])
def test_conversions_and_bits(width):
    x = np.array([1.9, -1.9, 0.0, 3e9, -3e9, 255.5], np.float32)
    kind = (lambda t: f"vec4<{t}>") if width == 4 else (lambda t: t)
    np.testing.assert_array_equal(evaluate(f"{kind('i32')}(a)", x, width=width, out="i32"), [1, -1, 0, 2**31 - 1, -(2**31), 255])
    np.testing.assert_array_equal(evaluate(f"{kind('u32')}(a)", x, width=width, out="u32"), [1, 0, 0, 3_000_000_000, 0, 255])
    np.testing.assert_array_equal(evaluate(f"bitcast<{kind('u32')}>(a)", x, width=width, out="u32"), x.view(np.uint32))
    np.testing.assert_array_equal(evaluate(f"{kind('f32')}(a > {kind('f32')}(0.0))", x, width=width), [1, 0, 0, 1, 0, 1])
    shifts = np.array([0, 1, 5, 31, 8, 16], np.uint32)
    bits = np.array([1, 3, 0xF0F0F0F0, 1, 0xFFFFFFFF, 0x12345678], np.uint32)
    np.testing.assert_array_equal(evaluate("a << b", bits, shifts, width=width, out="u32"), bits << shifts)
    np.testing.assert_array_equal(evaluate("a >> b", bits, shifts, width=width, out="u32"), bits >> shifts)
    np.testing.assert_array_equal(evaluate(f"bitcast<{kind('i32')}>(a) >> b", bits, shifts, width=width, out="i32"),
                                  bits.view(np.int32) >> shifts.astype(np.int32))  # fmt: skip


# ---- random index arithmetic, as Python and 32-bit wrapping say
@st.composite
def index_expressions(draw, depth=4):
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(["a", "b", "3u", "17u", "4u", "0u", "1u"]))
    op = draw(st.sampled_from(["+", "-", "*", "/", "%"]))
    left = draw(index_expressions(depth - 1))
    right = draw(st.sampled_from(["2u", "3u", "8u", "13u"])) if op in "/%" else draw(index_expressions(depth - 1))
    return f"({left} {op} {right})"


@settings(max_examples=60, deadline=None)
@given(index_expressions(), st.integers(1, 4))
def test_random_unsigned_expressions_wrap_as_32_bits(text, width):
    a = np.array([0, 1, 2, 3, 5, 1000, 2**31, 2**32 - 1], np.uint32)
    b = np.array([7, 0, 9, 4, 65536, 31, 2**31 - 5, 12], np.uint32)
    width = 4 if width > 2 else 1

    expected = np.array([_bracketed(text, int(x), int(y)) for x, y in zip(a, b, strict=True)], np.uint32)
    expression = text
    if width == 4 and not ("a" in text or "b" in text):
        expression = f"vec4<u32>({text})"
    np.testing.assert_array_equal(evaluate(expression, a, b, width=width, out="u32"), expected)


def _bracketed(text, a, b):
    """The value in 32-bit arithmetic, by Python's own parser."""
    def walk(node):
        if isinstance(node, ast.BinOp):
            x, y = walk(node.left), walk(node.right)
            return {ast.Add: lambda: x + y, ast.Sub: lambda: x - y, ast.Mult: lambda: x * y,
                    ast.Div: lambda: x // y, ast.Mod: lambda: x % y}[type(node.op)]() % 2**32  # fmt: skip
        return {"a": a, "b": b}[node.id] if isinstance(node, ast.Name) else node.value

    return walk(ast.parse(re.sub(r"(\d)u", r"\1", text), mode="eval").body)


# ---- control flow and memory
HEAD = "@group(0) @binding(0) var<storage, read_write> y: array<{}>;\n"
MAIN = "@compute @workgroup_size(1)\nfn main(@builtin(workgroup_id) g: vec3u) {{ {} }}"


def values(body, count, kind="u32", helpers="", grid=(1, 1, 1)):
    y = np.zeros(count, NAMES[kind])
    run(HEAD.format(kind) + helpers + MAIN.format(body), [y], grid)
    return y.tolist()


def test_a_quotient_of_what_went_below_zero_is_no_place_to_add_a_constant_to():
    """The constant becomes the offset of the load, which is added without wrapping: past all memory, for an array near its beginning."""
    place = "(g.x - 8388608u) / 8388608u * 8388608u + g.x + 8388608u"  # g.x
    assert values(f"y[g.x] = 7u + y[{place}];", 3, grid=(3, 1, 1)) == [7, 7, 7]
    place = "(g.x - 8388600u) / 8388600u * 8388600u + g.x + 8388600u + 4096u"
    assert values(f"y[g.x] = 7u + y[{place}];", 3, grid=(3, 1, 1)) == [7, 7, 7]


def test_loops_break_continue_and_nested_returns():
    helpers = """
fn first_square_from(n: u32) -> u32 {
  for (var i = 0u; i < 100u; i++) {
    if (i * i < n) { continue; }
    if (i == 7u) { break; }
    return i * i;
  }
  return 999u;
}
fn collatz(n: u32) -> u32 {
  var x = n; var steps = 0u;
  while (x != 1u) { if (x % 2u == 0u) { x /= 2u; } else { x = 3u * x + 1u; } steps++; }
  return steps;
}
"""
    found = values("for (var i = 0u; i < 4u; i++) { y[i] = first_square_from(10u * i + y[0] * 0u); y[4u + i] = collatz(i + 6u); }",
                   8, helpers=helpers)  # fmt: skip
    assert found == [0, 16, 25, 36, 8, 16, 3, 19]
    assert values("y[0] = first_square_from(40u);", 1, helpers=helpers) == [999]


def test_the_entry_point_returns_early_and_workgroups_are_counted_along_three_axes():
    found = values("if (g.y == 1u) { return; } y[(g.z * 2u + g.y) * 3u + g.x] = 100u * g.z + 10u * g.y + g.x + 1u;", 12, grid=(3, 2, 2))
    assert found == [1, 2, 3, 0, 0, 0, 101, 102, 103, 0, 0, 0]


def test_a_copy_of_a_variable_keeps_its_value():
    helpers = "struct Pair { a: u32, b: u32 }\nfn pair(x: u32) -> Pair { return Pair(x, x + 1u); }\nfn same(x: u32) -> u32 { return x; }\n"
    body = "var x = 5u; let before = x; let p = pair(x); let q = same(x); x = 9u;"
    body += "y[0] = before; y[1] = p.a; y[2] = p.b; y[3] = q; y[4] = x;"
    assert values(body, 5, helpers=helpers) == [5, 5, 6, 5, 9]


def test_arrays_are_indexed_by_constants_and_at_run_time():
    body = "var t = array(10u, 20u, 30u); t[1] += 5u; for (var i = 0u; i < y[3] + 3u; i++) { t[i] += i; y[i] = t[i]; }"
    assert values(body, 4) == [10, 26, 32, 0]
    assert values("var t: array<u32, 3>; t[0] = 4u; t[2] = t[0] + 1u; y[0] = t[0]; y[1] = t[1]; y[2] = t[2];", 3) == [4, 0, 5]
    # that the first one is indexed at run time shows after the second one, behind a name that hides another, in a branch of a copied loop
    body = """let n = 1u;
      for (var k = 0u; k < 2u; k++) {
        if (y[3] == 0u) {
          var s: array<u32, 3>; var t: array<u32, 3>; var x = n; let n = 5u;
          for (var i = 0u; i < y[3] + 3u; i++) { t[i] += x + n + i; }
          for (var i = 0u; i < y[3] + 3u; i++) { s[i] = 10u * t[i]; y[i] += s[i]; }
        }
      }"""
    assert values(body, 4) == [120, 140, 160, 0]


def test_the_second_operand_is_not_read_where_the_first_decides():
    # the index would be far outside of the memory
    body = "let far = 0x3fffffffu - y[1]; if (y[0] == 1u && y[far] == 3u) { y[0] = 7u; } if (y[0] == 0u || y[far] == 3u) { y[1] = 8u; }"
    assert values(body, 2) == [0, 8]


def test_matrices_transpose_and_multiply():
    y = np.zeros(8, np.float32)
    run(HEAD.format("vec4f") + MAIN.format(
        "let m = mat4x4f(vec4f(1.0, 2.0, 3.0, 4.0), vec4f(5.0), vec4f(0.0, 1.0, 0.0, 1.0), vec4f(2.0)); let t = transpose(m);"
        " y[0] = m * vec4f(1.0, 2.0, 3.0, 4.0); y[1] = vec4f(t[0].x, t[0].y, t[1].x, t[3].w);"), [y])  # fmt: skip
    m = np.array([[1, 2, 3, 4], [5, 5, 5, 5], [0, 1, 0, 1], [2, 2, 2, 2]], np.float32)  # columns
    np.testing.assert_allclose(y[:4], m.T @ [1, 2, 3, 4])
    np.testing.assert_allclose(y[4:], [1, 5, 2, 2])


def test_an_index_below_zero_never_becomes_a_large_address_by_folding():
    # (i - 5) + 5 with the constant folded into the address would read 4 GiB away
    x = np.arange(8, dtype=np.uint32)
    y = np.zeros(8, np.uint32)
    run("@group(0) @binding(0) var<storage, read> x: array<u32>;\n@group(0) @binding(1) var<storage, read_write> y: array<u32>;\n"
        + MAIN.format("for (var i = 0u; i < 8u; i++) { let k = i - 5u; y[i] = x[k + 5u]; }"), [x, y])  # fmt: skip
    np.testing.assert_array_equal(y, x)


def test_scratch_memory_of_a_workgroup():
    body = "for (var i = 0u; i < 5u; i++) { t[i] = i * i; } for (var i = 0u; i < 5u; i++) { y[i] = t[4u - i]; }"
    assert values(body, 5, helpers="var<workgroup> t: array<u32, 5>;\n") == [16, 9, 4, 1, 0]


def test_private_constants_alias_and_module_constants():
    helpers = "const A: u32 = 6u; const B = A * 2u + 1u; alias T = u32; var<private> bits: u32 = 0x7f800000u;\n"
    assert values("y[0] = T(B); y[1] = bits; y[2] = u32(bitcast<f32>(bits) > 1e30);", 3, helpers=helpers) == [13, 0x7F800000, 1]


# ---- what is refused
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD.format("u32") + MAIN.format("y[0] = frobnicate(3u);"), "frobnicate"),
        (HEAD.format("u32") + MAIN.format("y[0] = z;"), "'z' is not declared"),
        (HEAD.format("u32") + MAIN.format("y[0] = 1u +;"), "expected an expression"),
        (HEAD.format("u32") + MAIN.format("y[0] = vec4u(1u, 2u);"), "of 2 values"),
        ("var<workgroup> t: array<u32, 8>;\n@compute @workgroup_size(8)\nfn main() { workgroupBarrier(); }", "share memory"),
        (HEAD.format("u32"), "no entry point"),
        ("fn main() { § }", "cannot read"),
    ],
)  # fmt: skip
def test_what_cannot_be_compiled_is_named(text, message):
    with pytest.raises(KernelError, match=message):
        compile_kernel(DeviceKernel("bad", text, (), (1, 1, 1)))


def test_a_name_of_the_module_is_itself_again_behind_a_block_that_hides_it():
    body = """
      for (var i = 0u; i < 3u; i++) {
        y[i] = N + N * 2u;
        if (y[i] > i) { let N = i * 100u; y[i] += N + N * 2u; }
        y[i] += N;
        for (var k = 0u; k < 2u; k++) { let N = k; y[i] += N + N; }
        y[i] += N;
      }"""
    assert values(body, 3, helpers="const N: u32 = 7u;\n") == [21 + 300 * i + 7 + 2 + 7 for i in range(3)]


def test_equal_kernels_are_compiled_once():
    text = HEAD.format("u32") + MAIN.format("y[0] = 42u;")
    assert compile_kernel(DeviceKernel("one", text, (), (1, 1, 1))) is compile_kernel(DeviceKernel("two", text, (), (1, 1, 1)))


@pytest.mark.parametrize("sinks", [False, True])
def test_one_loaded_number_fills_a_vector_and_a_loop_ends_where_it_says(sinks):
    x, y = np.arange(1, 13, dtype=np.float32), np.zeros(4, np.float32)
    run("""
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
    @compute @workgroup_size(1)
    fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
      var sum = vec4f();
      var i = gid.x;
      while (i < 12u) {
        sum += vec4f(x[i]) * vec4f(1.0, 2.0, 3.0, 4.0);
        if (sum.x > 20.0) { break; }
        i += 1u;
      }
      y[0] = sum;
    }""", [x, y], relaxed=True, sinks=sinks)  # fmt: skip
    np.testing.assert_array_equal(y, [21, 42, 63, 84])


SUMS = """
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
    fn apart() {}
    fn one(i: u32) -> f32 { return x[i]; }
    @compute @workgroup_size(1)
    fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
      var sum = vec4f();
      var i = gid.x;
      while (i < 12u) {
        for (var u = 0u; u < 3u; u++) {
          if (u > 0u) { apart(); }
          sum += vec4f(one(i + u)) * vec4f(1.0, 2.0, 3.0, 4.0);
        }
        i += 3u;
      }
      y[0] = sum;
    }"""


@pytest.mark.parametrize("sinks", [False, True])
def test_steps_of_a_sum_are_apart_and_not_fused_only_where_an_engine_moves_them(sinks):
    x, y = np.arange(1, 13, dtype=np.float32), np.zeros(4, np.float32)
    run(SUMS, [x, y], relaxed=True, sinks=sinks)
    np.testing.assert_array_equal(y, [78, 156, 234, 312])
    code = compile_text(SUMS, (1, 1, 1), True, sinks).function.code
    never = b"\x41\x7f\x46\x0d"  # i32.const -1, i32.eq, br_if
    assert code.count(never) == (2 if sinks else 0)
    assert (MADD in code) == (not sinks)


def test_a_constant_that_is_handed_to_a_function_is_the_offset_of_its_load():
    code = compile_text(SUMS, (1, 1, 1), True, False).function.code
    assert all(V_SPLAT_LOAD + b"\x02" + bytes((4 * u,)) in code for u in range(3))


# 6,300 and 7,500; the first takes 12,700 with a call for each token, name and number, the second 20,000 where what comes before an array
# that is indexed at run time is compiled again
@pytest.mark.parametrize(("name", "most"), [("conv2d_panel", 6_600), ("matmul_panel", 8_000)])
def test_a_kernel_is_compiled_with_few_python_calls(name, most):
    library()  # parsed once in a process
    parse._piece.cache_clear()
    calls = collections.Counter()
    sys.setprofile(lambda frame, event, argument: calls.update([event]))
    try:
        compile_text(read(name), (1, 1, 1), True, False)
    finally:
        sys.setprofile(None)
    assert 2_000 < calls["call"] < most, calls
