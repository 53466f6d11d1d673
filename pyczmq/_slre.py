"""What zrex's expressions may be: read here as the SLRE inside CZMQ reads them, but with an eye to what it cannot bear.

SLRE compiles into 256 bytes, and looks for the end of them only now and then. It loops for ever over a bracket that
nobody opened and over the repetition of what can be empty, reads on behind a backslash at the end, and takes a
quantifier to mean whatever stood before the last ``|``. So an expression is refused here that it would trip over; none
that it has sound code for is.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    #: A step that matches one or more bytes (False) or none (True); a group of alternatives; a repetition of one node.
    Node = Union[bool, "Group", "Repeat"]

#: Bytes that SLRE has for code, and for characters; the length of a run of these is kept in a single byte.
_CODE = 256
_DATA = 255

#: Most groups that fit.
MOST_GROUPS = 62

#: The same as a text that is too long to be read at all, so that no time is lost over it.
_LONGEST = 2048

_META = b"|.^$*+?()[\\"
_QUANTIFIERS = b"*+?"
_CLASSES = b"sSdDaAwW"


class Refused(Exception):
    """An expression is none; the text says why."""


class Group:
    """Alternatives, each a sequence of nodes; with a single one it is part of the sequence around it."""

    __slots__ = ("alternatives",)

    def __init__(self, alternatives: list[list[Node]]) -> None:
        self.alternatives = alternatives


class Repeat:
    """A node with a quantifier: ``*``, ``+`` or ``?``."""

    __slots__ = ("node", "quantifier")

    def __init__(self, node: Node, quantifier: int) -> None:
        self.node = node
        self.quantifier = quantifier


class Expression:
    """An expression that SLRE can bear. Raises Refused for any other."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._at = 0
        # What it puts around everything: the group of the whole match, and the end.
        self._code = 5
        self._data = 0
        if len(text) > _LONGEST:
            raise Refused("RE is too long")
        self._tree = Group(self._alternatives(0))

    def steps(self, length: int) -> float:
        """Return how many steps a match against a text of *length* bytes takes at most, more or less."""
        steps = _steps(self._tree, float(length + 1), 1.0)
        return steps if self.text.startswith(b"^") else steps * (length + 1)

    def _peek(self) -> int:
        return self.text[self._at] if self._at < len(self.text) else 0

    def _emit(self, code: int, data: int = 0) -> None:
        self._code += code
        self._data += data
        if self._code > _CODE:
            raise Refused("RE is too long (code overflow)")
        if self._data > _DATA:
            raise Refused("RE is too long (data overflow)")

    def _alternatives(self, level: int) -> list[list[Node]]:
        alternatives = [self._sequence(level)]
        while self._peek() == ord("|"):
            self._at += 1
            self._emit(5)
            alternatives.append(self._sequence(level))
        return alternatives

    def _sequence(self, level: int) -> list[Node]:
        nodes: list[Node] = []
        while self._at < len(self.text):
            character = self._peek()
            if character == ord("|"):
                break
            if character == ord(")"):
                if not level:
                    raise Refused("Unbalanced brackets")
                break
            if character in b"^$":
                self._at += 1
                self._emit(1)
                nodes.append(True)
                continue
            nodes += self._quantified(self._nodes(character, level))
        return nodes

    def _nodes(self, character: int, level: int) -> list[Node]:
        """Read the next thing that a quantifier can follow; characters are more than one node."""
        if character in _QUANTIFIERS:
            raise Refused("Nothing to repeat")
        if character not in _META:
            return self._characters()
        self._at += 1
        if character == ord("."):
            self._emit(1)
        elif character == ord("["):
            self._set()
        elif character == ord("\\"):
            escaped = self._escaped()
            if escaped > 127:
                # It would be taken for code, and for none that there is.
                raise Refused("A backslash before a byte that is not ASCII")
            if self._is_class(escaped):
                self._emit(1)
            else:
                self._emit(3, 1)
        else:
            self._emit(4)
            group = Group(self._alternatives(level + 1))
            if self._peek() != ord(")"):
                raise Refused("No closing bracket")
            self._at += 1
            return [group]
        return [False]

    def _quantified(self, nodes: list[Node]) -> list[Node]:
        """Apply the quantifier that follows, if one does, to the last node."""
        quantifier = self._peek()
        if not quantifier or quantifier not in _QUANTIFIERS:
            return nodes
        if quantifier != ord("?") and _may_be_empty(nodes[-1]):
            raise Refused("Nothing to repeat: what is repeated can be empty")
        # Of more than one character the last is split off.
        self._emit(3 if len(nodes) == 1 else 6)
        self._at += 1
        if quantifier != ord("?") and self._peek() == ord("?"):
            self._at += 1
        nodes[-1] = Repeat(nodes[-1], quantifier)
        return nodes

    def _characters(self) -> list[Node]:
        start = self._at
        while self._at < len(self.text) and self._peek() not in _META:
            self._at += 1
        self._emit(3, self._at - start)
        return [False] if self._at == start + 1 else [False, False]

    def _set(self) -> None:
        self._emit(3)
        if self._peek() == ord("^"):
            self._at += 1
        while True:
            character = self._peek()
            if not character:
                raise Refused("No closing ']' bracket")
            self._at += 1
            if character == ord("]"):
                return
            if character == ord("\\"):
                escaped = self._escaped()
                self._emit(0, 2 if self._is_class(escaped) or escaped == ord("0") else 1)
            else:
                self._emit(0, 1)

    def _escaped(self) -> int:
        character = self._peek()
        if not character:
            raise Refused("No character behind the backslash")
        self._at += 1
        return character

    @staticmethod
    def _is_class(character: int) -> bool:
        return character in _CLASSES


def _may_be_empty(node: Node) -> bool:
    if isinstance(node, Group):
        return any(all(_may_be_empty(part) for part in sequence) for sequence in node.alternatives)
    if isinstance(node, Repeat):
        return node.quantifier != ord("+")
    return node


def _steps(node: Node, length: float, rest: float) -> float:
    """Return the steps for a node and for what follows it, *rest*: a loop tries that after each turn."""
    if isinstance(node, Group):
        if len(node.alternatives) == 1:
            return _sequence_steps(node.alternatives[0], length, rest + 2)
        return sum(_sequence_steps(sequence, length, 1.0) for sequence in node.alternatives) + rest + 2
    if isinstance(node, Repeat):
        body = _steps(node.node, length, 1.0)
        return body + rest if node.quantifier == ord("?") else length * (body + rest) + body + rest
    return rest + 1


def _sequence_steps(sequence: list[Node], length: float, rest: float) -> float:
    for node in reversed(sequence):
        rest = _steps(node, length, rest)
    return rest
