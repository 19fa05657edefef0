"""Compiler and linker flags, the same whether Python or CMake builds a bundle."""

COMPILE_FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-ffunction-sections", "-fdata-sections")
INCLUDE_FOLDERS = ("include", "kernels", "src", "app", "test_vectors")

LINK_FLAGS = (
    "-nostdlib",
    "-nostartfiles",
    "-Wl,--gc-sections",
    "-Wl,--build-id=none",
    "-Wl,--strip-debug",
)
LIBRARIES = ("-lc", "-lgcc")
"""The C library only for memcpy and its kin, libgcc for what the core has no instruction for."""

SANITIZE_FLAGS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
VERIFY_FLAGS = ("-DTINYFLOW_VERIFY",)
