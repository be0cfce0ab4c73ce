"""A Python program's concrete syntax tree (libcst) with what a mistake depends on: places, owners, blocks.

Owns positions and the relations between nodes. Knows no mistakes (``value_slips``, ``statement_slips``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

from data_preprocess.source_edits import Slip, smallest_edit

Node = TypeVar("Node", bound=cst.CSTNode)
Function = cst.FunctionDef | cst.Module


class ConcreteTree:
    """A program with its nodes in source order.

    Attributes:
        text: The program.
    """

    def __init__(self, text: str) -> None:
        """Parses the program.

        Raises:
            ValueError: When it is no Python program, or one that libcst does not give back unchanged.
        """
        self.text = text
        try:
            module = cst.parse_module(text)
        except (cst.ParserSyntaxError, RecursionError) as error:
            raise ValueError("not a Python program") from error
        if module.code != text:
            raise ValueError("libcst reads another text")
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        self._spans = wrapper.resolve(ByteSpanPositionProvider)
        self._utf8 = None if text.isascii() else text.encode()
        self._parents: dict[int, cst.CSTNode] = {}
        self._nodes: list[cst.CSTNode] = []
        waiting: list[cst.CSTNode] = [module]
        while waiting:
            node = waiting.pop()
            self._nodes.append(node)
            for child in node.children:
                self._parents[id(child)] = node
            waiting += reversed(node.children)

    def everything(self, under: cst.CSTNode | None = None) -> Sequence[cst.CSTNode]:
        """All nodes in source order, of the whole program or of a part of it."""
        if under is None:
            return self._nodes
        nodes, waiting = [], [under]
        while waiting:
            node = waiting.pop()
            nodes.append(node)
            waiting += reversed(node.children)
        return nodes

    def all(self, kind: type[Node], under: cst.CSTNode | None = None) -> Iterator[Node]:
        """Nodes of one type in source order, of the whole program or of a part of it."""
        return (node for node in self.everything(under) if isinstance(node, kind))

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node around a node; None for the module."""
        return self._parents.get(id(node))

    def around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around a node, innermost first."""
        while (outer := self.parent(node)) is not None:
            yield outer
            node = outer

    def function(self, node: cst.CSTNode) -> Function:
        """The function that a node belongs to; the module when it is in none."""
        for outer in self.around(node):
            if isinstance(outer, cst.FunctionDef | cst.Module):
                return outer
        raise AssertionError("every node is in the module")

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """First and one past last character, with the parentheses that belong to the node."""
        opening, closing = getattr(node, "lpar", ()), getattr(node, "rpar", ())
        first = self._spans[opening[0] if opening else node]
        last = self._spans[closing[-1] if closing else node]
        return self._offset(first.start), self._offset(last.start + last.length)

    def of(self, node: cst.CSTNode) -> str:
        """The node's source text."""
        start, end = self.span(node)
        return self.text[start:end]

    def replace(self, kind: str, node: cst.CSTNode, text: str) -> Slip:
        """A slip that puts ``text`` in a node's place."""
        return smallest_edit(kind, self.text, *self.span(node), text)

    def lines(self, statement: cst.CSTNode) -> tuple[int, int]:
        """First character of a statement's first line, and one past the end of its last."""
        start, end = self.span(statement)
        after = self.text.find("\n", end)
        return self.text.rfind("\n", 0, start) + 1, len(self.text) if after < 0 else after + 1

    def blocks(self) -> Iterator[Sequence[cst.CSTNode]]:
        """The statements of every block that stands on lines of its own, outermost first."""
        for node in self._nodes:
            if isinstance(node, cst.Module | cst.IndentedBlock):
                yield node.body

    def renamed(self, kind: str, names: Sequence[cst.Name], new: str) -> Slip:
        """A slip that gives some names of the program, in source order, another spelling."""
        pieces, at = [], self.span(names[0])[0]
        for name in names:
            start, end = self.span(name)
            pieces += [self.text[at:start], new]
            at = end
        return Slip(kind, self.span(names[0])[0], at, "".join(pieces))

    def _offset(self, utf8_offset: int) -> int:
        return utf8_offset if self._utf8 is None else len(self._utf8[:utf8_offset].decode())


def called_name(call: cst.CSTNode) -> str:
    """``f`` of ``f(...)`` and ``m`` of ``x.m(...)``; empty for anything else."""
    if isinstance(call, cst.Call):
        if isinstance(call.func, cst.Name):
            return call.func.value
        if isinstance(call.func, cst.Attribute):
            return call.func.attr.value
    return ""


def positional(call: cst.Call) -> list[cst.BaseExpression]:
    """The arguments of a call when all are plain positional ones; else none."""
    plain = all(not argument.star and argument.keyword is None for argument in call.args)
    return [argument.value for argument in call.args] if plain else []


def assigned_name(node: cst.CSTNode) -> str:
    """``x`` of ``x = ...`` and ``x: T = ...``; empty for anything else."""
    if isinstance(node, cst.Assign) and len(node.targets) == 1:
        target = node.targets[0].target
    elif isinstance(node, cst.AnnAssign) and node.value is not None:
        target = node.target
    else:
        return ""
    return target.value if isinstance(target, cst.Name) else ""
