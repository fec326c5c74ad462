# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads C as clang-format lays it out here: the braces of a function stand in the first column, and
each level of nesting is four spaces."""

import re

CONTROL = re.compile(r"( +)(if|for|while|do|switch|else|} else)\b")
ATTRIBUTES = re.compile(r"\b(G_GNUC_\w+|__attribute__)\b\s*(\((?:[^()]|\([^()]*\))*\))?")
KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "defined"}


class Function:
    def __init__(self, lines, first, opening, closing):
        signature = ATTRIBUTES.sub("", " ".join(lines[first:opening]))
        match = re.search(r"(\w+)\s*\(", signature)
        self.name = match.group(1) if match else "?"
        self.static = re.search(r"\bstatic\b", signature) is not None
        self.line = first + 1
        self.length = closing - first + 1
        self._body = [(n + 1, lines[n]) for n in range(opening + 1, closing)]

    def nested(self, limit):
        """(line, depth) of each control statement deeper than limit."""
        for number, line in self._body:
            match = CONTROL.match(line)
            depth = len(match.group(1)) // 4 if match else 0
            if depth > limit:
                yield number, depth


def _signature_start(lines, opening):
    first = opening
    while first > 0 and re.match(r"[\w\s(*]", lines[first - 1]) and lines[first - 1].strip():
        if lines[first - 1].rstrip().endswith((";", "*/")):
            break
        first -= 1
    return first


def functions(lines):
    """The functions defined in lines."""
    lines = without_comments(lines)
    opening = None
    for number, line in enumerate(lines):
        if line.rstrip() == "{" and opening is None:
            opening = number
        elif line.rstrip() == "}" and opening is not None:
            yield Function(lines, _signature_start(lines, opening), opening, number)
            opening = None


def without_comments(lines):
    """The same lines, with comments, strings and characters emptied."""
    pattern = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)

    def blank(match):
        text = match.group(0)
        quote = text[0] if text[0] in "\"'" else ""
        return quote * 2 + "\n" * text.count("\n")

    return pattern.sub(blank, "\n".join(lines)).split("\n")
