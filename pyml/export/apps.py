"""What makes an app of an exported folder: a page to begin with, a service worker for no network, or a browser extension."""

from __future__ import annotations

import hashlib
import html
import json
import re

from pyml.scripts import text_of

MANIFEST, ICON = "manifest.webmanifest", "icon.svg"
NO_ICON = '<link rel="icon" href="data:,">\n'  # else browsers ask for one


def page(name: str, head: str = NO_ICON) -> dict[str, bytes]:
    """`index.html`, its script, and the one that says where that does not come."""
    text = text_of("exported/app/page.html").replace("NAME", html.escape(name)).replace("HEAD\n", head)
    return {"index.html": text.encode(), "page.js": text_of("exported/app/page.js").encode(), "guard.js": text_of("guard.js").encode()}


def pwa(name: str, files: dict[str, bytes]) -> dict[str, bytes]:
    """A page that can be installed and opens without a network: the page, a manifest, and a service worker that keeps `files`.

    The service worker's cache has a name made of the contents, so a folder that was exported anew replaces the old one as a whole.
    """
    found = page(name, '<link rel="manifest" href="manifest.webmanifest">\n<link rel="icon" href="icon.svg">\n')
    manifest = {"name": name, "short_name": name[:12], "start_url": "./", "display": "standalone"}
    found |= installable(json.dumps(manifest))
    return {**found, **service_worker({**files, **found})}


def installable(manifest: str | bytes) -> dict[str, bytes]:
    """A manifest that names an icon, without which browsers install no page; and an icon, where it names none."""
    facts = json.loads(manifest)
    if facts.get("icons"):
        return {MANIFEST: json.dumps(facts).encode()}
    facts["icons"] = [{"src": ICON, "sizes": "any", "type": "image/svg+xml"}]
    return {MANIFEST: json.dumps(facts).encode(), ICON: text_of(f"exported/app/{ICON}").encode()}


def service_worker(files: dict[str, bytes]) -> dict[str, bytes]:
    """`sw.js`, which keeps the files of a folder: all but declarations and texts for people."""
    total = hashlib.sha256()
    for path, data in sorted(files.items()):
        total.update(f"{path}\0{len(data)}\0".encode() + data)
    listed = ["./", *sorted(path for path in files if not path.endswith((".d.ts", ".txt")))]
    worker = text_of("exported/app/sw.js").replace("VERSION", total.hexdigest()[:16]).replace("FILE_LIST", json.dumps(listed))
    return {"sw.js": worker.encode()}


def extension(name: str, version: str) -> dict[str, bytes]:
    """A browser extension (manifest version 3) whose button opens the page."""
    manifest = {
        "manifest_version": 3,
        "name": name,
        "version": ".".join(re.findall(r"\d+", version)[:3]) or "1",
        "action": {"default_popup": "index.html"},
        "content_security_policy": {"extension_pages": "script-src 'self' 'wasm-unsafe-eval'; object-src 'self'"},
    }
    return {**page(name), "manifest.json": json.dumps(manifest, indent=2).encode()}


__all__ = ["extension", "installable", "page", "pwa", "service_worker"]
