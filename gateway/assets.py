"""The files a browser gets: our web modules, and the front-end libraries npm brought at set-up."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

WEB = Path(__file__).parent / "web"

# Address below /lib/ -> file below web/node_modules/. The wheel packs just these.
LIBRARIES = {
    "preact.mjs": "preact/dist/preact.mjs",
    "htm.mjs": "htm/dist/htm.mjs",
    "signals-core.mjs": "@preact/signals-core/dist/signals-core.mjs",
    "uplot.mjs": "uplot/dist/uPlot.esm.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
    "b612-400.woff2": "@fontsource/b612/files/b612-latin-400-normal.woff2",
    "b612-700.woff2": "@fontsource/b612/files/b612-latin-700-normal.woff2",
} | {
    f"fluent/{name}.js": f"@fluent/bundle/esm/{name}.js"
    for name in ("index", "builtins", "bundle", "memoizer", "resolver", "resource", "scope", "types")
}

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ftl": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


def library(address: str) -> Path | None:
    """The file behind /lib/<address>, or None where there is none."""
    name = LIBRARIES.get(address)
    return WEB / "node_modules" / name if name else None


def page(folder: str, address: str) -> Path | None:
    """The file behind /<folder>/<address> for a folder of ours below web/, or None; never one outside of it."""
    root = (WEB / folder).resolve()
    path = (root / address).resolve()
    known = path.is_relative_to(root) and path.suffix in MEDIA_TYPES and path.is_file()
    return path if known else None


@lru_cache(maxsize=256)
def _digest(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def etag(path: Path) -> str:
    """The file's content as an entity tag: a browser asks each time and gets 304 while nothing changed."""
    return f'"{_digest(path, path.stat().st_mtime_ns)}"'
