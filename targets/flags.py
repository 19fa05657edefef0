"""Compiler and linker flags, the same whether Python or CMake builds a bundle."""

COMPILE_FLAGS = ("-std=c99", "-Wall", "-Wextra", "-ffunction-sections", "-fdata-sections")
OPTIMIZE_FLAGS = {"balanced": "-O2", "size": "-Os", "speed": "-O3"}
"""What a bundle is compiled with, by the goal of ``tinyflow compile --optimize``."""
BALANCED = "balanced"

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

LINUX_LINK_FLAGS = ("-static", "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,--strip-debug")
"""Without shared libraries: the board's may be older than those of the cross compiler."""

SANITIZE_FLAGS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
VERIFY_FLAGS = ("-DTINYFLOW_VERIFY",)

SINGLE_ROUNDING = ("TFLITE_SINGLE_ROUNDING=1", "CMSIS_NN_USE_SINGLE_ROUNDING")
"""What TensorFlow Lite Micro and CMSIS-NN call it."""
