"""What is known of a core, a board and a target; read from TOML by `tinyflow.targets.load`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tinyflow.errors import UsageError


class System(Enum):
    """What a program runs on."""

    HOST = "this computer"
    BARE_METAL = "bare metal"
    LINUX = "64-bit Arm Linux"


COMPILERS = {
    "gcc": System.HOST,
    "arm-none-eabi-gcc": System.BARE_METAL,
    "aarch64-linux-gnu-gcc": System.LINUX,
}
"""The compilers of cores, and what they compile for."""


@dataclass(frozen=True)
class Region:
    """A piece of the address space, in bytes."""

    origin: int
    nbytes: int

    def __post_init__(self) -> None:
        if self.origin < 0 or self.nbytes < 1:
            raise UsageError(
                f"a memory region at {self.origin:#x} with {self.nbytes} bytes",
                "the origin must not be negative, and the size at least one byte",
            )


@dataclass(frozen=True)
class FlashProfile:
    """What reading from flash costs beside the cycles of the core.

    Cycles per data load, cycles per miss of an LRU instruction cache of ``cache_bytes`` in lines
    of ``line_bytes``; ``calibration`` says what the figures were fitted to and how well.
    """

    data_load_cycles: float
    miss_cycles: float
    cache_bytes: int
    line_bytes: int
    calibration: str

    def __post_init__(self) -> None:
        if self.line_bytes < 1 or self.cache_bytes % self.line_bytes:
            raise UsageError(
                f"a flash cache of {self.cache_bytes} bytes in lines of {self.line_bytes}",
                "the size of the cache must be a multiple of the size of its lines",
            )


@dataclass(frozen=True)
class Core:
    """A processor core and how to compile for it.

    ``emulator`` is the board that runs its firmware in QEMU; ``processor`` QEMU's name of one that
    runs its Linux programs.
    """

    name: str
    title: str
    compiler: str
    flags: tuple[str, ...]
    emulator: str | None = None
    features: tuple[str, ...] = ()
    """Instructions for which there are kernels: dsp and mve beyond ARMv6-M, neon and dotprod."""
    processor: str | None = None


@dataclass(frozen=True)
class Board:
    """A board: its core, its memory, and the QEMU machine where it is an emulated one.

    ``ram`` is one contiguous piece, for the arena, all other variables and the stack. What a chip
    has beside it is left to the application. ``constants`` is where weights and tables lie on a
    board that has no room for them in ``flash``.
    """

    name: str
    title: str
    core: str
    flash: Region
    ram: Region
    clock_hz: int | None = None
    machine: str | None = None
    flash_profile: FlashProfile | None = None
    constants: Region | None = None

    @property
    def storage(self) -> Region:
        """Where weights and tables lie."""
        return self.constants or self.flash

    @property
    def stored_bytes(self) -> int:
        """Room for code and constants together."""
        return self.flash.nbytes + (self.constants.nbytes if self.constants else 0)

    def __post_init__(self) -> None:
        if self.clock_hz is not None and self.clock_hz < 1:
            raise UsageError(
                f"the board '{self.name}' has a clock of {self.clock_hz} Hz",
                "clock_hz must be positive, or absent where the clock is not known",
            )


@dataclass(frozen=True)
class Gpu:
    """A graphics processor as CUDA sees it.

    ``sm`` is the compute capability times ten, ``bandwidth`` bytes a second of the memory that it
    shares with the processor, ``fp16_flops`` operations a second of its ordinary units in half
    precision. ``precisions`` are those that pay, the best one first; ``advice`` says in a sentence
    why others do not.
    """

    title: str
    sm: int
    multiprocessors: int
    clock_hz: int
    bandwidth: float
    fp16_flops: float
    shared_bytes: int
    precisions: tuple[str, ...]
    advice: str = ""


@dataclass(frozen=True)
class JetPack:
    """What NVIDIA's system image brings: the versions for which code is written."""

    version: str
    cuda: str
    cxx_standard: int
    tensorrt: str
    cmake: str


@dataclass(frozen=True)
class Jetson:
    """A Linux board with a GPU: its cores, which ``--backend c`` uses, and what it runs."""

    name: str
    title: str
    core: str
    cores: int
    clock_hz: int
    memory_bytes: int
    gpu: Gpu
    jetpack: JetPack


@dataclass(frozen=True)
class Target:
    """What ``--target`` names: a core, or a board with its core.

    ``board`` is what the firmware is linked for: the board itself, for a core its emulated
    board, for the host and for Linux none. ``emulator`` is the board on which QEMU runs it,
    ``processor`` QEMU's processor for programs of Linux. ``clock_hz`` is None where no clock is
    known, and then there are no milliseconds.
    """

    name: str
    title: str
    core: str
    compiler: str
    flags: tuple[str, ...]
    board: Board | None = None
    emulator: Board | None = None
    features: tuple[str, ...] = ()
    processor: str | None = None
    jetson: Jetson | None = None

    @property
    def system(self) -> System:
        return COMPILERS[self.compiler]

    @property
    def is_host(self) -> bool:
        return self.system is System.HOST

    @property
    def clock_hz(self) -> int | None:
        if self.jetson is not None:
            return self.jetson.clock_hz
        return self.board.clock_hz if self.board else None

    @property
    def ram_bytes(self) -> int | None:
        if self.jetson is not None:
            return self.jetson.memory_bytes
        return self.board.ram.nbytes if self.board else None

    @property
    def machine(self) -> str | None:
        """QEMU's name of the machine that runs the firmware."""
        return self.emulator.machine if self.emulator else None

    @property
    def emulated_by(self) -> str | None:
        """What QEMU stands in with, a machine or a processor; None where it has nothing."""
        return self.machine or self.processor

    @property
    def boards(self) -> tuple[Board, ...]:
        """The boards that a bundle carries files for."""
        found = [board for board in (self.board, self.emulator) if board is not None]
        return tuple({board.name: board for board in found}.values())
