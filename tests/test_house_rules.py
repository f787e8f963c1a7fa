"""The house rules that no ready-made linter knows, checked on every file of the project."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 6
WORDS_BANNED = frozenset({"helper", "helpers", "manager", "util", "utils"})

# The patterns are written so that they do not match themselves.
TEXT_RULES = {
    "debt": re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b"),
    "machine path": re.compile(r"(?<![\w.])/(?:work|root)/"),
    "package index": re.compile(
        r"pypi\.org|pythonhosted\.org|npmjs\.org|crates\.io|proxy\.golang\.org|deb\.debian\.org"
    ),
    # the header with something behind it: code may name the header
    "private key": re.compile(r"BEGIN [A-Z ]*PRIVATE KEY-----[\s\\nr\"']*[A-Za-z0-9+/:,-]{16}"),
}

# (path, rule) -> why this file may break it.
EXCEPTIONS: dict[tuple[str, str], str] = {}


def test_files_keep_the_house_rules() -> None:
    """Every file of the project, committed or about to be, keeps every rule or says why not."""
    found = {
        (path, rule): place
        for path in project_files()
        for rule, place in findings(path, (ROOT / path).read_bytes())
    }

    assert {} == {key: place for key, place in found.items() if key not in EXCEPTIONS}
    assert set() == EXCEPTIONS.keys() - found.keys(), "exceptions that are no longer needed"


def project_files() -> list[str]:
    """Return what git tracks or would track, without what was deleted."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    return sorted({path for path in listed.split("\0") if path and (ROOT / path).is_file()})


def findings(path: str, content: bytes) -> Iterator[tuple[str, str]]:
    """Give the broken rules of one file and the place of each."""
    for word in words(path):
        if word in WORDS_BANNED:
            yield "banned name", path
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return
    lines = text.splitlines()
    for rule, pattern in TEXT_RULES.items():
        for match in pattern.finditer(text):
            yield rule, f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
    if path.endswith(".py"):
        if len(lines) > MODULE_LINES_MAX:
            yield "long module", f"{path}: {len(lines)} lines"
        yield from findings_in_code(path, ast.parse(text))


def findings_in_code(path: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Give the broken rules of names and functions."""
    is_test = path.startswith("tests/")
    for node in ast.walk(tree):
        for name in names_bound(node):
            if not WORDS_BANNED.isdisjoint(words(name)):
                yield "banned name", f"{path}:{getattr(node, 'lineno', 1)} {name}"
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        place = f"{path}:{node.lineno} {node.name}"
        if (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES_MAX:
            yield "long function", place
        if not is_test and parameter_count(node) > PARAMETERS_MAX:
            yield "many parameters", place
        if is_test and node.name.startswith("test_") and not ast.get_docstring(node):
            yield "test without a sentence", place


def words(name: str) -> list[str]:
    """Split a path, a snake_case or a CamelCase name into lower-case words."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]


def names_bound(node: ast.AST) -> Iterator[str]:
    """Give the names that ``node`` introduces: of functions, classes, parameters and variables."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.arg():
            yield node.arg
        case ast.Name(ctx=ast.Store()):
            yield node.id
        case ast.Attribute(ctx=ast.Store()):
            yield node.attr
        case ast.alias(asname=str(name)):
            yield name


def parameter_count(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count what a caller can give; ``self`` and ``cls`` are not counted."""
    parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return sum(parameter.arg not in {"self", "cls"} for parameter in parameters)


LONG_FUNCTION = "def f() -> None:\n" + "    print()\n" * FUNCTION_LINES_MAX


@pytest.mark.parametrize(
    ("path", "text", "rule"),
    [
        ("a.md", "TO" + "DO: later", "debt"),
        ("a.toml", 'path = "/wo' + 'rk/main"', "machine path"),
        ("a.txt", "https://py" + "pi.org/simple", "package index"),
        ("a.pem", "-----BEGIN EC PRI" + "VATE KEY-----\nMHcCAQEEIDummyDummyDummy", "private key"),
        ("a.py", "x = 1\n" * (MODULE_LINES_MAX + 1), "long module"),
        ("a.py", LONG_FUNCTION, "long function"),
        ("a.py", "def f(a, b, c, *, d, e, f, g): ...", "many parameters"),
        ("a.py", "class KeyManager: ...", "banned name"),
        ("a.py", "def f(date_utils): ...", "banned name"),
        ("a.py", "self.helper = 1", "banned name"),
        ("a.py", "import operator as utils", "banned name"),
        ("keys/utils.py", "", "banned name"),
        ("tests/test_a.py", "def test_a(): ...", "test without a sentence"),
    ],
)
def test_checker_bites(path: str, text: str, rule: str) -> None:
    """Each rule finds a file that breaks it."""
    assert [rule] == [found for found, _ in findings(path, text.encode())]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "from contextlib import contextmanager\n"),
        ("a.py", "class A:\n    def f(self, a, b, c, *, d, e, f): ...\n"),
        ("a.py", "def f() -> None:\n" + "    print()\n" * (FUNCTION_LINES_MAX - 1)),
        ("a.py", 'assert text.startswith("-----BEGIN PRIVATE KEY-----")\nassert text\n'),
        ("docs/a.md", "a path of frame/work/s, https://example.org/work/ and the word method"),
        ("tests/test_a.py", 'def test_a(a, b, c, d, e, f, g):\n    """It holds."""\n'),
    ],
)
def test_checker_lets_pass(path: str, text: str) -> None:
    """What keeps the rules is not found."""
    assert [] == list(findings(path, text.encode()))


def test_binary_files_are_read_by_name_only() -> None:
    """A font or an image is no text, and is left alone."""
    assert [] == list(findings("a.ttf", b"\xff\xfe\x00"))
