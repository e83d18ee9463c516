"""What Debian, PyPI and npm hold: packages, each checked against the hash that its registry gives, and their files."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from http.client import HTTPException
from typing import NoReturn
from urllib.error import URLError
from urllib.parse import quote, urljoin
from urllib.request import urlopen

from ..errors import UsageError

DAMAGED = (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error)  # what decompressing raises
_DEBIAN, _SUITE = "https://deb.debian.org/debian", "dists/bookworm/main"
_TIMEOUT = 120
_AR = b"!<arch>\n"
_HEADER = 60  # bytes before each member of an ar archive


def _refuse(name: str, why: object) -> NoReturn:
    raise UsageError(f"{name}: {why}")


def _get(url: str) -> bytes:
    try:
        with urlopen(url, timeout=_TIMEOUT) as answer:
            content: bytes = answer.read()
    except (URLError, HTTPException, OSError) as error:
        _refuse(url, error)
    return content


def _checked(url: str, algorithm: str, expected: str) -> bytes:
    """What lies there, if it has this hash (hexadecimal)."""
    content = _get(url)
    if hashlib.new(algorithm, content).hexdigest() != expected:
        _refuse(url, f"its {algorithm} is not {expected}")
    return content


@lru_cache(maxsize=2)
def _debian(index_of: str) -> dict[str, list[str]]:
    """Of each package in this index, the lines of its stanza; of the latest version, which comes last."""
    index = lzma.decompress(_get(f"{_DEBIAN}/{_SUITE}/{index_of}.xz")).decode()
    stanzas = (stanza.split("\n") for stanza in index.split("\n\n") if stanza)
    return {lines[0].removeprefix("Package: "): lines for lines in stanzas}


def _field(lines: list[str], name: str) -> str:
    (value,) = (line.removeprefix(f"{name}: ") for line in lines if line.startswith(f"{name}: "))
    return value


@lru_cache(maxsize=1)  # a package of many languages is asked for once for each of them
def _binary(name: str) -> bytes:
    """What Debian installs, the same on every architecture."""
    lines = _debian("binary-all/Packages").get(name) or _refuse(
        name, "Debian has no package of this name for all architectures"
    )
    return _checked(f"{_DEBIAN}/{_field(lines, 'Filename')}", "sha256", _field(lines, "SHA256"))


def _source(name: str) -> bytes:
    """What its authors published, as Debian keeps it."""
    lines = _debian("source/Sources").get(name) or _refuse(name, "Debian has no source package of this name")
    folder = _field(lines, "Directory")
    hashes = lines[lines.index("Checksums-Sha256:") + 1 :]
    for line in hashes:
        sha256, _, file = line.split() if line.startswith(" ") else _refuse(name, "its source is not in one piece")
        if ".orig.tar." in file and not file.endswith(".asc"):
            return _checked(f"{_DEBIAN}/{folder}/{file}", "sha256", sha256)
    _refuse(name, "its stanza ends too early")


def _pypi(name: str) -> bytes:
    page = f"https://pypi.org/pypi/{quote(name)}/json"
    files = json.loads(_get(page))["urls"]
    for file in sorted(files, key=lambda file: file["packagetype"] != "sdist"):
        if file["packagetype"] == "sdist" or file["filename"].endswith("none-any.whl"):
            address = urljoin(page, file["url"])  # a mirror's are relative
            return _checked(address, "sha256", file["digests"]["sha256"])
    _refuse(name, "PyPI has neither its source nor a wheel for all machines")


def _npm(name: str) -> bytes:
    about = json.loads(_get(f"https://registry.npmjs.org/{quote(name, safe='@')}/latest"))["dist"]
    algorithm, _, digest = about["integrity"].partition("-")
    return _checked(about["tarball"], algorithm, base64.b64decode(digest).hex())


REGISTRIES: dict[str, Callable[[str], bytes]] = {"source": _source, "binary": _binary, "pypi": _pypi, "npm": _npm}


def package(registry: str, name: str) -> bytes:
    """What the registry holds under this name. Raises UsageError if it has nothing, or tells nothing of use."""
    try:
        return REGISTRIES[registry](name)
    except (LookupError, TypeError, ValueError, lzma.LZMAError) as error:
        _refuse(name, f"what its registry says of it cannot be read: {error}")


def files_in(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file in a tar archive, however compressed, a zip file (a wheel) or a .deb.

    Raises UsageError if it is none of them.
    """
    try:
        if archive.startswith(_AR):
            archive = _data_of_deb(archive)
        if archive.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(archive)) as wheel:
                yield from ((name, wheel.read(name)) for name in wheel.namelist())
            return
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() else None
                if file:
                    yield member.name, file.read()
    except (*DAMAGED, tarfile.TarError, zipfile.BadZipFile, RuntimeError) as error:
        _refuse("a package", f"no archive that can be read: {error}")


def _data_of_deb(archive: bytes) -> bytes:
    """The tar archive of what is installed: the member data.tar.* of an ar archive (deb(5))."""
    at = len(_AR)
    while header := archive[at : at + _HEADER]:
        digits = header[48:58].strip()
        if not digits.isdigit() or header[58:] != b"`\n":
            raise ValueError("a header in it is damaged")
        start, size = at + _HEADER, int(digits)
        if header.startswith(b"data.tar"):
            return archive[start : start + size]
        at = start + size + size % 2
    raise EOFError("no data.tar in it")
