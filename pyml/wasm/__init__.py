"""Kernels as WebAssembly SIMD: the WGSL that the compiler writes is the intermediate language, compiled here once more.

So there is one scheduler, one emitter and one set of op rules for WebGPU and for processors.
"""

from .compile import Compiled, compile_kernel
from .link import Again, Part, Tick, link, link_all
from .share import link_shared, link_shared_all

__all__ = ["Again", "Compiled", "Part", "Tick", "compile_kernel", "link", "link_all", "link_shared", "link_shared_all"]
