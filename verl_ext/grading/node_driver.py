"""Linked lists and trees for ``call_driver``: plain lists in, plain lists out. Sent into the sandbox as text.

Used where a signature, the program's own or the prelude's, names ``ListNode`` or ``TreeNode``. Trees are
written as LeetCode writes them: level order, None for a missing child, none at the end.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_NODES = 1_000_000


class ListNode:
    """Stands in when neither prelude nor program defines it."""

    def __init__(self, val: Any = 0, next: ListNode | None = None) -> None:
        self.val, self.next = val, next


class TreeNode:
    """Stands in when neither prelude nor program defines it."""

    def __init__(self, val: Any = 0, left: TreeNode | None = None, right: TreeNode | None = None) -> None:
        self.val, self.left, self.right = val, left, right


def call_with_nodes(function: Any, stub: Any, arguments: list[Any], namespace: dict[str, Any]) -> Any:
    """Calls ``function`` with lists turned into nodes and returns nodes turned into lists.

    Args:
        function: The program's.
        stub: The prelude's function of the same name, for annotations that the program lacks; or None.
        arguments: Plain values.
        namespace: Where the program's node classes are looked up.
    """
    notes, return_note = _signature(function)
    asked_notes, asked_return = _signature(stub)
    spare = [""] * len(arguments)
    values = [
        _read(value, note or asked, namespace)
        for value, note, asked in zip(arguments, notes + spare, asked_notes + spare, strict=False)
    ]
    return _write(function(*values), return_note or asked_return)


def _signature(function: Any) -> tuple[list[str], str]:
    """Annotations as text: one per positional parameter, and that of the returned value."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    notes = getattr(function, "__annotations__", None)
    if code is None or not notes:
        return [], ""
    names = code.co_varnames[: code.co_argcount]
    texts = [_text(notes.get(name, "")) for name in (names[1:] if hasattr(function, "__self__") else names)]
    return texts, _text(notes.get("return", ""))


def _text(annotation: Any) -> str:
    if isinstance(annotation, str):
        return annotation
    return annotation.__name__ if isinstance(annotation, type) else repr(annotation)


def _read(value: Any, note: str, namespace: dict[str, Any]) -> Any:
    """The argument in the form its annotation asks for."""
    for name, build in (("ListNode", _list_nodes), ("TreeNode", _tree_nodes)):
        if name in note:
            cls = namespace.get(name) or globals()[name]
            if _is_list_of(note) and isinstance(value, list):
                return [build(item, cls) for item in value]
            return build(value, cls)
    return value


def _is_list_of(note: str) -> bool:
    return "List[" in note or "list[" in note


def _list_nodes(values: list[Any] | None, cls: Any) -> Any:
    head = None
    for value in reversed(values or []):
        node = cls(value)
        node.next = head
        head = node
    return head


def _tree_nodes(values: list[Any] | None, cls: Any) -> Any:
    if not values:
        return None
    level, rest = [_leaf(values[0], cls)], iter(values[1:])
    for parent in level:
        for side in ("left", "right"):
            value = next(rest, None)
            if value is not None:
                node = _leaf(value, cls)
                setattr(parent, side, node)
                level.append(node)
    return level[0]


def _leaf(value: Any, cls: Any) -> Any:
    node = cls(value)
    node.left = node.right = None
    return node


def _write(value: Any, note: str) -> Any:
    """The returned value with linked lists and trees as plain lists."""
    if "ListNode" in note or "TreeNode" in note:
        if type(value) is list and _is_list_of(note):
            return [[] if item is None else _write(item, "") for item in value]
        if value is None and not _is_list_of(note):
            return []
    if hasattr(value, "val") and hasattr(value, "next"):
        return _list_values(value)
    if hasattr(value, "val") and hasattr(value, "left") and hasattr(value, "right"):
        return _tree_values(value)
    return value


def _list_values(node: Any) -> list[Any]:
    values: list[Any] = []
    while node is not None:
        values.append(node.val)
        if len(values) > _MAX_NODES:
            raise ValueError("the returned linked list never ends")
        node = node.next
    return values


def _tree_values(root: Any) -> list[Any]:
    values: list[Any] = []
    level = [root]
    for node in level:
        if len(values) > _MAX_NODES:
            raise ValueError("the returned tree never ends")
        values.append(None if node is None else node.val)
        if node is not None:
            level += (node.left, node.right)
    while values and values[-1] is None:
        values.pop()
    return values
