"""Parses the part of WGSL that kernels are written in. Expressions and statements are plain tuples.

Expressions: ("num", text) ("id", name) ("call", callee, arguments) ("new", type, arguments) ("bin", op, a, b)
("un", op, a) ("member", a, name) ("index", a, i). Types are names, or ("array", type, size expression or None).
Statements: ("let" | "var" | "const", name, type or None, expression or None) ("set", place, op, expression)
("if", test, then, otherwise) ("for", first, test, step, body) ("return", expression or None) ("block", body)
("do", expression) ("break",) ("continue",).
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import Any

from ..errors import KernelError

_TOKEN = re.compile(
    r"(?:([A-Za-z_]\w*)|(0[xX][0-9a-fA-F]+[iu]?|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?[iufh]?)"
    r"|(<<=|>>=|->|\+\+|--|&&|\|\||<<|>>|[-+*/%&|^=!<>]=|[-+*/%&|^=!<>(){}\[\];:,.@~])|(\S))"
)
_COMMENT = re.compile(r"//[^\n]*")
_FUNCTION = re.compile(r"^(?=@compute|fn )", re.M)
_SHORT = {f"vec{n}{c}": f"vec{n}<{t}>" for n in (2, 3, 4) for c, t in (("f", "f32"), ("i", "i32"), ("u", "u32"))} | {
    "mat4x4f": "mat4x4<f32>"
}
_GENERIC = {"vec2", "vec3", "vec4", "array", "mat4x4", "bitcast", "atomic"}
_LEVELS = (("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">="), ("<<", ">>"), ("+", "-"), ("*", "/", "%"))
_RANK = {op: rank for rank, ops in enumerate(_LEVELS) for op in ops}
_ASSIGN = {"=": "", "+=": "+", "-=": "-", "*=": "*", "/=": "/", "%=": "%", "&=": "&", "|=": "|", "^=": "^", "<<=": "<<", ">>=": ">>"}


@dataclass
class Procedure:
    name: str
    params: list[tuple[str, object, str]]  # name, type, builtin
    result: object
    body: list
    workgroup: Any = None
    entry: bool = False


@dataclass
class Source:
    """Everything a WGSL text declares."""

    consts: dict = field(default_factory=dict)  # name -> (type or None, expression)
    aliases: dict = field(default_factory=dict)
    structs: dict = field(default_factory=dict)  # name -> [(field, type)]
    bindings: dict = field(default_factory=dict)  # name -> (number, type)
    workgroup: dict = field(default_factory=dict)  # name -> type
    procedures: dict = field(default_factory=dict)
    locals: set = field(default_factory=set)  # names that functions declare
    entry: Procedure | None = None


def tokens(text: str) -> list[str]:
    out = []
    for name, literal, sign, other in _TOKEN.findall(_COMMENT.sub("", text)):
        if other:
            raise KernelError(f"WGSL: cannot read {text[text.index(other) :][:40]!r}.")
        out.append(name or literal or sign)
    out.append("")
    return out


class Parser:
    def __init__(self, text: str):
        self.tokens = tokens(text)
        self.at = 0
        self.declared: set[str] = set()

    def error(self, wanted: str) -> KernelError:
        near = " ".join(self.tokens[max(0, self.at - 6) : self.at + 4])
        return KernelError(f"WGSL: expected {wanted} at {self.tokens[self.at]!r} in '{near}'.")

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, token: str) -> None:
        if self.tokens[self.at] != token:
            raise self.error(repr(token))
        self.at += 1

    def accept(self, token: str) -> bool:
        if self.tokens[self.at] == token:
            self.at += 1
            return True
        return False

    # ---- types
    def type(self):
        name = self.take()
        if name in _SHORT:
            return _SHORT[name]
        if name in _GENERIC and self.accept("<"):
            inner = self.type()
            size = self.shift_free() if self.accept(",") else None
            self.close()
            return ("array", inner, size) if name == "array" else f"{name}<{inner}>"
        return name

    def close(self) -> None:
        """The > that ends a template list, which may be half of a >>."""
        if self.tokens[self.at] == ">>":
            self.tokens[self.at] = ">"
        else:
            self.expect(">")

    def shift_free(self):
        return self.binary(_RANK["+"])

    # ---- expressions
    def expression(self):
        return self.binary(0)

    def binary(self, least: int):
        left = self.unary()
        while True:
            op = self.tokens[self.at]
            rank = _RANK.get(op, -1)
            if rank < least:
                return left
            self.at += 1
            left = ("bin", op, left, self.binary(rank + 1))

    def unary(self):
        t = self.tokens[self.at]
        if t in ("-", "!", "~"):
            self.at += 1
            return ("un", t, self.unary())
        return self.postfix(self.primary())

    def primary(self):
        """A name, number, call, constructor, or an expression in brackets."""
        t = self.take()
        if t == "(":
            e = self.expression()
            self.expect(")")
            return e
        first = t[:1]
        if first.isdigit() or first == ".":
            return ("num", t)
        if not (first.isalpha() or first == "_"):
            self.at -= 1
            raise self.error("an expression")
        if t in _GENERIC and self.tokens[self.at] == "<":
            self.at -= 1
            kind = self.type()
            return ("new", kind, self.arguments())
        if self.tokens[self.at] == "(":
            return ("new", _SHORT[t], self.arguments()) if t in _SHORT else ("call", t, self.arguments())
        return ("id", t)

    def arguments(self) -> list:
        self.expect("(")
        out: list = []
        while not self.accept(")"):
            out.append(self.expression())
            if not self.accept(","):
                self.expect(")")
                break
        return out

    def postfix(self, e):
        while True:
            if self.accept("."):
                e = ("member", e, self.take())
            elif self.accept("["):
                e = ("index", e, self.expression())
                self.expect("]")
            else:
                return e

    # ---- statements
    def block(self) -> list:
        self.expect("{")
        out: list = []
        while not self.accept("}"):
            s = self.statement()
            if s is not None:
                out.append(s)
        return out

    def statement(self):
        """One statement; None for an empty one."""
        t = self.tokens[self.at]
        if t == ";":
            self.at += 1
            return None
        if t == "{":
            return ("block", self.block())
        if t == "if":
            return self.condition()
        if t == "for":
            return self.loop()
        if t == "while":
            self.at += 1
            test = self.expression()
            return ("for", None, test, None, self.block())
        if t == "return":
            self.at += 1
            value = None if self.tokens[self.at] == ";" else self.expression()
            self.expect(";")
            return ("return", value)
        if t in ("break", "continue"):
            self.at += 1
            self.expect(";")
            return (t,)
        s = self.simple()
        self.expect(";")
        return s

    def simple(self):
        """A declaration, an assignment, an increment or a call."""
        t = self.tokens[self.at]
        if t in ("let", "var", "const"):
            self.at += 1
            name = self.take()
            self.declared.add(name)
            kind = self.type() if self.accept(":") else None
            return (t, name, kind, self.expression() if self.accept("=") else None)
        place = self.unary()
        op = self.tokens[self.at]
        if op in _ASSIGN:
            self.at += 1
            return ("set", place, _ASSIGN[op], self.expression())
        if op in ("++", "--"):
            self.at += 1
            return ("set", place, op[0], ("num", "1"))
        return ("do", place)

    def condition(self):
        self.expect("if")
        test = self.expression()
        then = self.block()
        otherwise: list = []
        if self.accept("else"):
            otherwise = [self.condition()] if self.tokens[self.at] == "if" else self.block()
        return ("if", test, then, otherwise)

    def loop(self):
        self.expect("for")
        self.expect("(")
        first = None if self.tokens[self.at] == ";" else self.simple()
        self.expect(";")
        test = None if self.tokens[self.at] == ";" else self.expression()
        self.expect(";")
        step = None if self.tokens[self.at] == ")" else self.simple()
        self.expect(")")
        return ("for", first, test, step, self.block())

    # ---- declarations
    def attributes(self) -> dict:
        found: dict = {}
        while self.accept("@"):
            name = self.take()
            found[name] = self.arguments() if self.tokens[self.at] == "(" else []
        return found

    def source(self) -> Source:
        """All declarations of a module."""
        out = Source(locals=self.declared)
        while self.tokens[self.at]:
            marks = self.attributes()
            t = self.take()
            if t == "const":
                name = self.take()
                kind = self.type() if self.accept(":") else None
                self.expect("=")
                out.consts[name] = (kind, self.expression())
                self.expect(";")
            elif t == "alias":
                name = self.take()
                self.expect("=")
                out.aliases[name] = self.type()
                self.expect(";")
            elif t == "struct":
                name = self.take()
                out.structs[name] = self.fields()
            elif t == "var":
                self.variable(out, marks)
            elif t == "fn":
                p = self.procedure(marks)
                out.procedures[p.name] = p
                if p.entry:
                    out.entry = p
            elif t != ";":
                self.at -= 1
                raise self.error("a declaration")
        return out

    def fields(self) -> list:
        self.expect("{")
        out = []
        while not self.accept("}"):
            name = self.take()
            self.expect(":")
            out.append((name, self.type()))
            self.accept(",")
        return out

    def variable(self, out: Source, marks: dict) -> None:
        """A declaration `var<...>` of a module: a binding, workgroup memory, or a private constant."""
        self.expect("<")
        space = self.take()
        if self.accept(","):
            self.take()
        self.expect(">")
        name = self.take()
        self.expect(":")
        kind = self.type()
        value = self.expression() if self.accept("=") else None
        self.expect(";")
        if space == "workgroup":
            out.workgroup[name] = kind
        elif space == "private":  # kernels use these as constants that no compiler looks into
            out.consts[name] = (kind, value)
        else:
            out.bindings[name] = (int(marks["binding"][0][1]), kind)

    def procedure(self, marks: dict) -> Procedure:
        name = self.take()
        self.expect("(")
        params = []
        while not self.accept(")"):
            m = self.attributes()
            p = self.take()
            self.declared.add(p)
            self.expect(":")
            params.append((p, self.type(), m["builtin"][0][1] if "builtin" in m else ""))
            self.accept(",")
        result = self.type() if self.accept("->") else None
        size = marks.get("workgroup_size")
        return Procedure(name, params, result, self.block(), size, "compute" in marks)


def parse(text: str) -> Source:
    """Raises KernelError with the place where the text is not understood."""
    whole, marks = Source(), ""
    for piece in [*_FUNCTION.split(text), ""]:
        if piece.startswith("@") and piece.rstrip()[-1:] != "}":  # goes with the function that follows
            marks += piece
            continue
        part, marks = _piece(marks + piece), ""
        for name in _PARTS:
            getattr(whole, name).update(getattr(part, name))
        whole.entry = part.entry or whole.entry
    return whole


_PARTS = ("consts", "aliases", "structs", "bindings", "workgroup", "procedures", "locals")


@functools.lru_cache(1024)
def _piece(text: str) -> Source:
    """What some declarations say. Kernels of one file differ in their constants; nobody changes a function that was read."""
    return Parser(text).source()
