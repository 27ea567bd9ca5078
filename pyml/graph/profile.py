"""`Profile`: what may be known of an adapter.

Only this file and the choosers of kernels in `prims/` look at its numbers (a test says so). Everything else asks one of the
questions below, or a chooser.
"""

from __future__ import annotations

from dataclasses import dataclass

BINDINGS = 8  # storage buffers of a kernel that every browser offers; some adapters have 32, but a plan is for all


@dataclass(frozen=True)
class Profile:
    """What kernel choosers may know of an adapter; nothing else branches on it.

    `family` is "register" for software adapters (barrier-free kernels with large register tiles), "tile" for
    GPUs (shared memory), "wasm" for a processor's cores and "numpy" for the cpu device. `threads` is how many
    invocations fill the adapter, `cores` how many run side by side where one workgroup is one thread of a processor.
    `rows` is how many rows a product keeps in registers, eight columns of each.
    """

    family: str = "tile"
    max_invocations: int = 256
    max_shared: int = 16384
    max_storage_buffers: int = 8
    threads: int = 65536
    cores: int = 1
    rows: int = 6

    @property
    def named(self) -> str:
        """A name for all adapters whose plans are these, as programs are shipped by: "wasm-4", "tile", "register", "numpy"."""
        return f"wasm-{self.cores}" if self.family == "wasm" else self.family

    @property
    def pieces(self) -> int:
        """How many workgroups a kernel is cut into where that changes no number: enough of them for every core."""
        return max(self.threads, 16 * self.cores) if self.cores > 1 else self.threads

    @property
    def on_host(self) -> bool:
        """Whether numpy computes: nothing is written as WGSL, and nothing limits a kernel's operands."""
        return self.family == "numpy"

    @property
    def wanted_bindings(self) -> int:
        """The buffers a kernel may have when groups are formed."""
        return min(self.max_storage_buffers, BINDINGS)

    @property
    def most_bindings(self) -> int:
        """The buffers a kernel can have."""
        return 1 << 30 if self.on_host else self.wanted_bindings

    @property
    def pairs_between_looks(self) -> int:
        """Twice as many steps of a loop run until the host first looks whether it goes on: a GPU answers in about a millisecond."""
        return 1 if self.family == "wasm" else 16

    @property
    def counts_quickly(self) -> bool:
        """Whether numbers are counted where they are in less time than they take to the host: one thread with all counts does that."""
        return self.family == "wasm"

    @property
    def casts_saturate(self) -> bool:
        """Whether a float that no integer is near becomes the nearest there is, as WebAssembly says and WGSL does not."""
        return self.family == "wasm"

    @property
    def chooses_by_jumps(self) -> bool:
        """Whether a choice between two floats is a jump, which costs little only where it goes the same way as before."""
        return self.family == "wasm"

    @property
    def checks_bounds(self) -> bool:
        """Whether an index outside a buffer is harmless, as on every WebGPU adapter; in WebAssembly it reaches other arrays."""
        return self.family != "wasm"
