"""Generic mutants of the engine's Python code, made by cosmic-ray's operators.

Left out: annotations, docstrings, what `@dataclass` is told and log messages, because nothing a
test could see changes; `strict=` of zip, a check that holds wherever it stands; named numbers
(`ATTEMPTS: Final = 50`), because another is a choice and no fault. Of the operators, those whose
change is a fault somebody could make: one other operator for each operator, the next number for a
number. cosmic-ray takes no statement away, so that operator is ours.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import parso.python.tree
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.operators.provider import OperatorProvider

from tests.mutants.mutant import PRODUCT, Mutant, changed_lines

PACKAGES: Final = ("reservations/services", "reservations/holds")
CHOSEN: Final = (
    "AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr",
    "ReplaceOrWithAnd", "ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_USub_UAdd",
    "ReplaceUnaryOperator_Delete_Invert", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak",
    "ExceptionReplacer", "NumberReplacer", "RemoveDecorator", "ZeroIterationForLoop",
    "ReplaceBinaryOperator_Add_Sub", "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBinaryOperator_Mul_FloorDiv", "ReplaceBinaryOperator_FloorDiv_Mul",
    "ReplaceBinaryOperator_Mod_Mul", "ReplaceBinaryOperator_BitAnd_BitOr",
    "ReplaceBinaryOperator_BitOr_BitAnd", "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_NotEq_Eq", "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_IsNot_Is", "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_Lt_GtE", "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_Gt_LtE", "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_GtE_Lt", "ReplaceComparisonOperator_LtE_Lt",
)  # fmt: skip


class RemoveStatement(Operator):  # type: ignore[misc]  # cosmic-ray has no types
    """A call whose answer nobody uses, or a `raise`, becomes `pass`."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.type == "simple_stmt" and _is_effect(node.children[0]):
            yield (node.start_pos, node.end_pos)

    def mutate(self, node: Any, index: int) -> Any:
        del index
        node.children[0] = parso.python.tree.Keyword(
            "pass", node.start_pos, prefix=node.children[0].get_first_leaf().prefix
        )
        return node

    @classmethod
    def examples(cls) -> Iterable[Any]:
        return (Example("free(seat)\n", "pass\n"),)


def _is_effect(statement: Any) -> bool:
    if statement.type == "raise_stmt":
        return True
    return statement.type in {"atom_expr", "power"} and statement.get_code().strip().endswith(")")


def generic_mutants(tree: Path = PRODUCT) -> list[Mutant]:
    """Every mutant of the chosen operators, each of another text."""
    found: dict[str, Mutant] = {}
    for package in PACKAGES:
        for path in sorted((tree / package).glob("*.py")):
            for mutant in _of_file(tree, path):
                found.setdefault(mutant.key, mutant)
    return list(found.values())


def _of_file(tree: Path, path: Path) -> Iterator[Mutant]:
    before = path.read_text()
    name = str(path.relative_to(tree))
    meaning = _meaning(before)
    for operator_name, operator in _operators():
        places = sum(
            len(list(operator.mutation_positions(node))) for node in ast_nodes(get_ast(before))
        )
        for occurrence in range(places):
            after = _mutated(before, operator, occurrence)
            if after is None or not _says_something_else(meaning, after):
                continue
            yield Mutant(
                id=f"{path.stem}:{operator_name.removeprefix('Replace')}:{occurrence}",
                kind="generic",
                file=name,
                breaks=_change(before, after),
                before=before,
                after=after,
            )


def _mutated(before: str, operator: Any, occurrence: int) -> str | None:
    try:
        text: str | None = mutate_code(before, operator, occurrence)
    except AttributeError:  # its operator for exceptions cannot change a dotted name
        return None
    return text


def _operators() -> Iterator[tuple[str, Any]]:
    provider = OperatorProvider()
    for name in CHOSEN:
        # Of the two numbers it offers we take the next one: see `places` in `_of_file`.
        yield name, _NextNumber() if name == "NumberReplacer" else provider[name]()
    yield "RemoveStatement", RemoveStatement()


class _NextNumber(OperatorProvider()["NumberReplacer"]):  # type: ignore[misc]  # no types
    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        yield from list(super().mutation_positions(node))[:1]


def _says_something_else(meaning: str, after: str) -> bool:
    try:
        return _meaning(after) != meaning
    except SyntaxError:
        return False  # `*` before keyword-only arguments is not a multiplication


def _meaning(text: str) -> str:
    return ast.dump(_Bare().visit(ast.parse(text)))


class _Bare(ast.NodeTransformer):
    """Takes out what does nothing when the code runs."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:  # ast's name
        if node.value is not None and _is_arithmetic(node.value):
            return ast.Pass()
        node.annotation = ast.Constant(value=None)
        self.generic_visit(node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.decorator_list = []
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.keywords = [each for each in node.keywords if each.arg != "strict"]
        self.generic_visit(node)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        """A type alias is an assignment of names with `|` or `[]` alone."""
        if any(isinstance(each, ast.Call | ast.Constant) for each in ast.walk(node.value)):
            self.generic_visit(node)
            return node
        return ast.Pass()

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if isinstance(node.value, ast.Constant) or ast.unparse(node).startswith("logger."):
            return ast.Pass()
        self.generic_visit(node)
        return node


def _is_arithmetic(value: ast.expr) -> bool:
    parts = (ast.Constant, ast.BinOp, ast.operator)
    return all(isinstance(each, parts) for each in ast.walk(value))


def _change(before: str, after: str) -> str:
    """The first changed line as it was and as it is: `if a: -> if not a:`."""
    numbers = sorted(changed_lines(before, after))
    was = before.splitlines()[numbers[0] - 1].strip()
    ahead = len(after.splitlines()) - len(before.splitlines())
    lines = after.splitlines()[numbers[0] - 1 : numbers[-1] + max(ahead, 0)]
    return f"{was} → {lines[0].strip() if lines else 'gone'}"
