"""Looks for what WebGPU on Linux needs: the Vulkan loader and a driver. Says what was found and what is missing."""

from __future__ import annotations

import ctypes
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

# where distributions, containers with a GPU mounted into them, and environment managers keep driver manifests
FOLDERS = ("/etc/vulkan/icd.d", "/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/usr/local/nvidia/share/vulkan/icd.d",
           "/usr/local/nvidia/vulkan/icd.d", "/opt/nvidia/share/vulkan/icd.d", "/run/opengl-driver/share/vulkan/icd.d",
           "/usr/lib/chromium")  # fmt: skip
LAST = "swiftshader"  # a browser's own software driver, taken where there is no other


@dataclass
class Found:
    """The loader that opens, the drivers by manifest, and what is missing in words."""

    loader: str | None = None
    carried: Path | None = None  # folder of the carried loader, where that is the one that opens
    drivers: dict[str, str] = field(default_factory=dict)  # manifest -> library
    missing: list[str] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """Variables under which the loader finds the drivers, wherever they lie; of these WebGPU takes a GPU's first."""
        chosen = [m for m in self.drivers if LAST not in Path(m).name] or list(self.drivers)
        out = {"VK_DRIVER_FILES": ":".join(chosen), "VK_ICD_FILENAMES": ":".join(chosen)} if chosen else {}
        if self.carried is not None:
            out["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, (str(self.carried), os.environ.get("LD_LIBRARY_PATH"))))
        return out

    def lines(self) -> list[str]:
        out = [f"Vulkan loader   {self.loader or 'none'}"]
        out += [f"Vulkan driver   {manifest} -> {library}" for manifest, library in self.drivers.items()]
        return out + [f"missing         {what}" for what in self.missing]


def opens(library: str) -> bool:
    try:
        ctypes.CDLL(library)
        return True
    except OSError:
        return False


def named_by_environment() -> tuple[str, list[Path]]:
    """The variable that names driver manifests, and these."""
    variable = "VK_DRIVER_FILES" if os.environ.get("VK_DRIVER_FILES") else "VK_ICD_FILENAMES"
    return variable, [Path(p) for p in os.environ.get(variable, "").split(os.pathsep) if p]


def manifests() -> list[Path]:
    """Driver manifests that the environment names, else those in the usual folders."""
    _, named = named_by_environment()
    if named:
        return named
    home = os.environ.get("XDG_DATA_HOME", "~/.local/share")
    folders = [*FOLDERS, os.path.join(os.path.expanduser(home), "vulkan/icd.d")]
    return [p for f in folders if Path(f).is_dir() for p in sorted(Path(f).glob("*.json")) if "icd" in p.name]


def library_of(manifest: Path) -> str | None:
    """The library a manifest names, as a loader would open it; None where it is not a manifest."""
    try:
        library = json.loads(manifest.read_text())["ICD"]["library_path"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # a name without a slash is searched for, any other one is relative to the manifest
    return str((manifest.parent / library).resolve()) if "/" in library and not library.startswith("/") else library


def look(carry: Path | None) -> Found:
    """What this machine has; `carry` is the folder that came along."""
    found = Found()
    if opens("libvulkan.so.1"):
        found.loader = "libvulkan.so.1 of this machine"
    elif carry is not None and opens(str(carry / "libvulkan.so.1")):
        found.loader, found.carried = str(carry / "libvulkan.so.1"), carry
    else:
        found.missing.append("the Vulkan loader, libvulkan.so.1: install libvulkan1, or run `make gpu-carry` where it is installed")
    variable, named = named_by_environment()
    for manifest in manifests():
        library = library_of(manifest)
        if not manifest.exists():
            found.missing.append(f"{manifest}, which {variable} names: unset it to look for drivers in the usual folders")
        elif library is None:
            found.missing.append(f"{manifest} is not a driver manifest")
        elif not opens(library):
            found.missing.append(f"{manifest} names {library}, which does not open here")
        else:
            found.drivers[str(manifest)] = library
    if not found.drivers and not named:
        what = "an NVIDIA device is here, but its driver's Vulkan part (nvidia_icd.json, libGLX_nvidia.so.0) is not; "
        hint = what if Path("/dev/nvidia0").exists() else ""
        found.missing.append(
            f"a Vulkan driver: {hint}start a container with NVIDIA_DRIVER_CAPABILITIES=all, install the GPU's driver, or "
            "mesa-vulkan-drivers for a software one"
        )
    return found
