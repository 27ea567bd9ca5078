"""Parses the part of WGSL that kernels are written in."""

from __future__ import annotations

import functools
import re
import string

from ..errors import KernelError
from .syntax import Block, Expression, Procedure, Source, Statement, Type

_TOKEN = re.compile(
    r"vec[234]<\w+>|[A-Za-z_]\w*|0[xX][0-9a-fA-F]+[iu]?|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?[iufh]?"
    r"|<<=|>>=|->|\+\+|--|&&|\|\||<<|>>|[-+*/%&|^=!<>]=|\S"
)
_ALONE = frozenset(string.ascii_letters + string.digits + "_-+*/%&|^=!<>(){}[];:,.@~")  # what a token of one character may be
_COMMENT = re.compile(r"//[^\n]*")
_FUNCTION = re.compile(r"^(?=@compute|fn )", re.M)
_SHORT = {f"vec{n}{c}": f"vec{n}<{t}>" for n in (2, 3, 4) for c, t in (("f", "f32"), ("i", "i32"), ("u", "u32"))} | {
    "mat4x4f": "mat4x4<f32>"
}
_GENERIC = {"vec2", "vec3", "vec4", "array", "mat4x4", "bitcast", "atomic"}
_LEVELS = (("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">="), ("<<", ">>"), ("+", "-"), ("*", "/", "%"))
_RANK = {op: rank for rank, ops in enumerate(_LEVELS) for op in ops}
_PREFIX = ("-", "!", "~")
_ASSIGN = {"=": "", "+=": "+", "-=": "-", "*=": "*", "/=": "/", "%=": "%", "&=": "&", "|=": "|", "^=": "^", "<<=": "<<", ">>=": ">>"}

_BEHIND = frozenset("(<.[")  # with these a name is perhaps not all of an operand


class _Atoms(dict[str, Expression | None]):
    """By each token: what a name or a number is alone, None for signs."""

    def __missing__(self, token: str) -> Expression | None:
        first = token[:1]
        number = first.isdigit() or (first == "." and token != ".")
        atom = ("num", token) if number else ("id", token) if first.isalpha() or first == "_" else None
        if len(self) > _MOST:
            self.clear()
        self[token] = atom
        return atom


_MOST = 8192
ATOMS = _Atoms()


def tokens(text: str) -> list[str]:
    """The words, numbers and signs of a text, and "" at its end."""
    out = _TOKEN.findall(_COMMENT.sub("", text))
    if unknown := [text.index(token) for token in set(out) if len(token) == 1 and token not in _ALONE]:
        raise KernelError(f"WGSL: cannot read {text[min(unknown) :][:40]!r}.")
    out.append("")
    return out


class Parser:
    def __init__(self, text: str):
        self.tokens = tokens(text)
        self.left = self.tokens[::-1]  # the next one last, so that taking it is `pop`
        self.take = self.left.pop
        self.declared: set[str] = set()

    def error(self, wanted: str) -> KernelError:
        at = len(self.tokens) - len(self.left)
        near = " ".join(self.tokens[max(0, at - 6) : at + 4])
        return KernelError(f"WGSL: expected {wanted} at {self.left[-1]!r} in '{near}'.")

    def expect(self, token: str) -> None:
        if self.left[-1] != token:
            raise self.error(repr(token))
        self.take()

    def accept(self, token: str) -> bool:
        if self.left[-1] == token:
            self.take()
            return True
        return False

    # ---- types
    def type(self) -> Type:
        name = self.take()
        if name in _SHORT or name[-1] == ">":
            return _SHORT.get(name, name)
        if self.left[-1] == "<" and name in _GENERIC:
            self.take()
            inner = self.type()
            size = self.shift_free() if self.accept(",") else None
            self.close()
            return ("array", inner, size) if name == "array" else f"{name}<{inner}>"
        return name

    def close(self) -> None:
        """The > that ends a template list, which may be half of a >>."""
        if self.left[-1] == ">>":
            self.left[-1] = ">"
        else:
            self.expect(">")

    def shift_free(self) -> Expression:
        return self.expression(_RANK["+"])

    # ---- expressions
    def expression(self, least: int = 0) -> Expression:
        """Operands and the operators between them that bind at least so tightly."""
        left = self.left
        first = ATOMS[left[-1]]  # `operand`, without a call where only a name or a number stands
        if first is None or left[-2] in _BEHIND:
            first = self.operand()
        else:
            left.pop()
        while True:
            op = left[-1]
            rank = _RANK.get(op, -1)
            if rank < least:
                return first
            left.pop()
            second = self.expression(rank + 1)
            kind, other = first[0], second[0]  # the same unless it names what is declared here, or calls, or loads
            same = (kind == "num" or (first[1] not in self.declared if kind == "id" else kind == "bin" and first[4])) and (
                other == "num" or (second[1] not in self.declared if other == "id" else other == "bin" and second[4]))
            first = ("bin", op, first, second, same)

    def operand(self) -> Expression:
        """A name, number, call, constructor, or an expression in brackets, with what stands before and behind it."""
        left = self.left
        t = left.pop()
        atom = ATOMS[t]
        if atom is not None and atom[0] == "num":
            return atom
        if atom is not None:
            following = left[-1]
            if following == "(":
                new = _SHORT.get(t) or (t if t[-1] == ">" else None)
                e: Expression = ("new", new, self.arguments()) if new else ("call", t, self.arguments())
            elif following == "<" and t in _GENERIC:
                left.append(t)
                e = ("new", self.type(), self.arguments())
            else:
                e = atom
        elif t == "(":
            e = self.expression()
            self.expect(")")
        elif t in _PREFIX:
            return ("un", t, self.operand())
        else:
            left.append(t)
            raise self.error("an expression")
        while True:
            t = left[-1]
            if t == ".":
                left.pop()
                e = ("member", e, left.pop())
            elif t == "[":
                left.pop()
                e = ("index", e, self.expression())
                self.expect("]")
            else:
                return e

    def arguments(self) -> list[Expression]:
        left = self.left
        if left[-1] != "(":
            raise self.error("'('")
        left.pop()
        out: list[Expression] = []
        while left[-1] != ")":
            out.append(self.expression())
            if left[-1] == ",":
                left.pop()
            elif left[-1] != ")":
                raise self.error("')'")
        left.pop()
        return out

    # ---- statements
    def block(self) -> Block:
        self.expect("{")
        left = self.left
        out = Block()
        while left[-1] != "}":
            s = self.statement()
            if s is not None:
                out.append(s)
        left.pop()
        return out

    def statement(self) -> Statement | None:
        """One statement; None for an empty one."""
        t = self.left[-1]
        if t == ";":
            self.take()
            return None
        if t == "{":
            return ("block", self.block())
        if t == "if":
            return self.condition()
        if t == "for":
            return self.loop()
        if t == "while":
            self.take()
            test = self.expression()
            return ("for", None, test, None, self.block())
        if t == "return":
            self.take()
            value = None if self.left[-1] == ";" else self.expression()
            self.expect(";")
            return ("return", value)
        if t in ("break", "continue"):
            self.take()
            self.expect(";")
            return (t,)
        s = self.simple()
        if self.left[-1] != ";":
            raise self.error("';'")
        self.take()
        return s

    def simple(self) -> Statement:
        """A declaration, an assignment, an increment or a call."""
        t = self.left[-1]
        if t in ("let", "var", "const"):
            self.take()
            name = self.take()
            self.declared.add(name)
            left = self.left
            kind = value = None
            if left[-1] == ":":
                left.pop()
                kind = self.type()
            if left[-1] == "=":
                left.pop()
                value = self.expression()
            return (t, name, kind, value)
        place = self.operand()
        op = self.left[-1]
        if op in _ASSIGN:
            self.take()
            return ("set", place, _ASSIGN[op], self.expression())
        if op in ("++", "--"):
            self.take()
            return ("set", place, op[0], ("num", "1"))
        return ("do", place)

    def condition(self) -> Statement:
        self.expect("if")
        test = self.expression()
        then = self.block()
        otherwise = Block()
        if self.accept("else"):
            otherwise = Block([self.condition()]) if self.left[-1] == "if" else self.block()
        return ("if", test, then, otherwise)

    def loop(self) -> Statement:
        self.expect("for")
        self.expect("(")
        first = None if self.left[-1] == ";" else self.simple()
        self.expect(";")
        test = None if self.left[-1] == ";" else self.expression()
        self.expect(";")
        step = None if self.left[-1] == ")" else self.simple()
        self.expect(")")
        return ("for", first, test, step, self.block())

    # ---- declarations
    def attributes(self) -> dict:
        found: dict = {}
        while self.left[-1] == "@":
            self.take()
            name = self.take()
            found[name] = self.arguments() if self.left[-1] == "(" else []
        return found

    def source(self) -> Source:
        """All declarations of a module."""
        out = Source(locals=self.declared)
        while self.left[-1]:
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
                self.left.append(t)
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


@functools.lru_cache(512)
def _piece(text: str) -> Source:
    """What some declarations say. Kernels of one file differ in their constants; nobody changes a function that was read."""
    return Parser(text).source()
