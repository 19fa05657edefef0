"""How TVM's C text becomes readable, and stays the same program."""

from __future__ import annotations

import pytest

from tinyflow.codegen.tvm import expressions
from tinyflow.codegen.tvm import tidy as tidying
from tinyflow.codegen.tvm.expressions import parse
from tinyflow.codegen.tvm.layout import WIDTH, wrapped
from tinyflow.codegen.tvm.simplify import simplify
from tinyflow.codegen.tvm.tidy import Qualifiers, tidy

TYPES = {"x": "int8_t", "w": "int8_t", "m": "int32_t", "n": "int32_t", "acc": "int64_t"}


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("(((i * 4) + j) - 1)", "i * 4 + j - 1"),
        ("(a - (b - c))", "a - (b - c)"),
        ("((a + b) * (c - d))", "(a + b) * (c - d)"),
        ("((a >> 3) + b)", "(a >> 3) + b"),
        ("((a + b) >> 3)", "(a + b) >> 3"),
        ("(((a & b) == c) && (d < e))", "(a & b) == c && d < e"),
        ("((a && b) || c)", "(a && b) || c"),
        ("((int32_t)x[i])", "x[i]"),
        ("((int32_t)(a < b))", "a < b"),
        ("((int32_t)acc)", "(int32_t)acc"),
        ("(((int64_t)m[i]) * ((int64_t)n))", "(int64_t)m[i] * n"),
        ("(((int64_t)acc) * ((int64_t)acc))", "(int64_t)acc * (int64_t)acc"),
        ("((acc + (int64_t)1073741824) >> (int64_t)31)", "(acc + (INT64_C(1) << 30)) >> 31"),
        ("(acc + (int64_t)-3)", "acc + INT64_C(-3)"),
        ("((uint32_t)1 << ((uint32_t)n))", "1u << n"),
        ("(n * -1)", "-n"),
        ("(int8_t)-3", "-3"),
        ("((n) < (132) ? (n) : (132))", "tinyflow_min(n, 132)"),
        ("((n) > (m) ? (n) : (m))", "tinyflow_max(n, m)"),
        ("((n) < (132) ? (132) : (n))", "n < 132 ? 132 : n"),
        ("tinyflow_max(tinyflow_min(n, 5), -3)", "tinyflow_clamp(n, -3, 5)"),
        ("tinyflow_max(tinyflow_min(n, -3), 5)", "tinyflow_max(tinyflow_min(n, -3), 5)"),
        ("(!(a == b))", "!(a == b)"),
    ],
)
def test_expressions_keep_only_what_they_need(printed: str, expected: str) -> None:
    assert str(simplify(parse(printed), TYPES)) == expected


def test_texts_that_no_printer_writes_are_refused() -> None:
    for text in ("a +", "f(a", "'c'", "a b", "(float)a", "1.5f", "5ULL + a", "5LL", "a ? b"):
        with pytest.raises(ValueError):
            parse(text)


def test_lines_break_where_the_largest_parts_meet() -> None:
    line = "        const int32_t total = first_value * (second_value + third_value) + f(" + (
        "a_long_name, " * 3 + "another_long_name);"
    )
    first, second = wrapped(line)
    assert first.endswith("(second_value + third_value) +")
    assert second.startswith("            f(a_long_name") and len(first) <= WIDTH
    assert wrapped("    a = b;") == ["    a = b;"]


def test_no_line_breaks_within_an_index() -> None:
    line = "    out[i * 48 + c * 4 + 3] = clamp(" + "a_long_name + " * 5 + "b);"
    first, second = wrapped(line)
    assert first == "    out[i * 48 + c * 4 + 3] ="
    assert second.startswith("        clamp(a_long_name") and len(second) <= WIDTH


SOURCE = """// anything
TVM_DLL void main(int8_t* x, int8_t* out);
TVM_DLL void main(int8_t* x, int8_t* out) {
  for (int32_t i = 0; i < 4; ++i) {
    int32_t sum_ptr[2];
    sum_ptr[0] = 0;
    sum_ptr[1] = 5;
    for (int32_t i_1 = 0; i_1 < 3; ++i_1) {
      sum_ptr[0] = (sum_ptr[0] + ((int32_t)x[((i * 3) + i_1)]));
    }
    for (int32_t k = 0; k < 2; ++k) {
      int32_t never_ptr[1];
      never_ptr[0] = k;
    }
    int32_t v_ = sum_ptr[0];
    out[i] = ((int8_t)(((v_) < (9) ? (v_) : (9)) + sum_ptr[1]));
  }
  for (int32_t i_2 = 0; i_2 < 4; ++i_2) {
    int32_t sum_ptr_1[1];
    sum_ptr_1[0] = i_2;
    out[i_2] = ((int8_t)sum_ptr_1[0]);
  }
}
"""


def test_a_function() -> None:
    qualifiers = (Qualifiers(True, True), Qualifiers(False, False))
    function = tidy(SOURCE, "main", qualifiers)
    assert function.parameters == ("const int8_t *restrict x", "int8_t *out")
    assert list(function.body) == [
        "    for (int32_t i = 0; i < 4; ++i) {",
        "        int32_t sum_0 = 0;",
        "        const int32_t sum_1 = 5;",
        "        for (int32_t i_1 = 0; i_1 < 3; ++i_1) {",
        "            sum_0 += x[i * 3 + i_1];",
        "        }",
        "        out[i] = (int8_t)(tinyflow_min(sum_0, 9) + sum_1);",
        "    }",
        "    for (int32_t i = 0; i < 4; ++i) {",
        "        const int32_t sum = i;",
        "        out[i] = (int8_t)sum;",
        "    }",
    ]


def test_parameters_that_nothing_reads_are_said_to_be_so() -> None:
    source = SOURCE.replace("int8_t* x,", "int8_t* x, int32_t* bias,")
    function = tidy(source, "main", (Qualifiers(True, True),) * 3)
    assert function.body[0] == "    (void)bias;"


def test_registers_have_numbers_for_indices() -> None:
    source = SOURCE.replace("sum_ptr[1] = 5", "sum_ptr[i] = 5")
    with pytest.raises(ValueError, match="'sum' is indexed by a variable"):
        tidy(source, "main", (Qualifiers(True, True),) * 2)


@pytest.mark.parametrize(
    ("printed", "other"),
    [
        ("i < 4; ++i)", "i < 4; i += 2)"),
        ("for (int32_t k", "#pragma unroll 8\n    for (int32_t k"),
        ("    sum_ptr[1] = 5;", "    do {"),
        ("    sum_ptr[1] = 5;", "    call(x);"),
        ("    sum_ptr[1] = 5;", "    if (sum_ptr[0]) break;"),
        ("    sum_ptr[1] = 5;", "      sum_ptr[1] = 5;"),
        ("(v_) < (9)", "(v_) < (9.5f)"),
    ],
)
def test_statements_that_are_not_understood_are_refused(printed: str, other: str) -> None:
    assert printed in SOURCE
    with pytest.raises(ValueError):
        tidy(SOURCE.replace(printed, other), "main", (Qualifiers(True, True),) * 2)


def test_a_lost_store_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidying, "_needed", lambda lines: lines[:-2])
    with pytest.raises(ValueError, match="lost or moved"):
        tidy(SOURCE, "main", (Qualifiers(True, True),) * 2)


def test_an_expression_that_lost_its_parentheses_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "_within", lambda part, least: str(part))
    with pytest.raises(ValueError, match="C would read this otherwise"):
        tidy(
            SOURCE.replace("((i * 3) + i_1)", "((i + 3) * i_1)"),
            "main",
            (Qualifiers(True, True),) * 2,
        )
