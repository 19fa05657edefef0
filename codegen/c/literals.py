"""Numbers in parameter structs that are not plain C integers."""

from __future__ import annotations


class Int64(int):
    """An int64_t."""

    def __str__(self) -> str:
        return f"INT64_C({int(self)})"


class UInt32(int):
    """A uint32_t."""

    def __str__(self) -> str:
        return f"UINT32_C({int(self)})"


class Struct(dict[str, int]):
    """A struct within the struct: all of its fields by name, in their order."""

    def __str__(self) -> str:
        return f"{{{', '.join(str(value) for value in self.values())}}}"
