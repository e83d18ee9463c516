import base64
import gzip
import hashlib
import io
import json
import lzma
import tarfile
import zipfile
from pathlib import Path
from urllib.error import URLError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcodec.errors import UsageError
from arcodec.training import packages as p
from arcodec.training import registries as r

KIND = p.Kind((".c",), ("source:pinball",), ("npm:@arcade/table",), longest=2_000, most=3_000)
LINE = b"static int flipper_of(struct table *table, int side);\n"


def tarred(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode=mode) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return into.getvalue()


def zipped(files: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", how) as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
    return into.getvalue()


def installable(files: dict[str, bytes]) -> bytes:
    """A .deb: an ar archive of three members, the first of odd length."""
    members = {"debian-binary": b"2.0", "control.tar.xz": tarred({}, "w:xz"), "data.tar.xz": tarred(files, "w:xz")}
    whole = b"!<arch>\n"
    for name, content in members.items():
        whole += f"{name:16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode() + content
        whole += b"\n" * (len(content) % 2)
    return whole


FILES = {"a/one.c": 12 * LINE, "a/two.h": b"x"}


# Archives hold the time they were made at, so they must not name tests: workers would disagree on the names.
BY_LENGTH = {"ids": lambda archive: str(len(archive))}


@pytest.mark.parametrize(
    "archive",
    [tarred(FILES), tarred(FILES, "w:xz"), tarred(FILES, "w"), zipped(FILES), installable(FILES)],
    **BY_LENGTH,
)
def test_files_of_archives(archive: bytes) -> None:
    assert dict(r.files_in(archive)) == FILES


@pytest.mark.parametrize(
    "archive",
    [b"", b"no archive", b"PK\3\4 and no more", tarred(FILES)[:60], b"!<arch>\n", installable(FILES)[:90]],
    **BY_LENGTH,
)
def test_no_archive(archive: bytes) -> None:
    with pytest.raises(UsageError, match="no archive that can be read"):
        list(r.files_in(archive))


@pytest.mark.parametrize(
    ("name", "content", "why_not"),
    [
        ("a.h", 12 * LINE, "another ending"),
        ("a.c", 2 * LINE, "too short"),
        ("a.c", 100 * LINE, "too long"),
        ("a.c", b"x" * 1_000, "lines too long"),
        ("a.c", 12 * LINE + b"\0", "not a text"),
        ("a.c", 12 * LINE + b"\xff", "not UTF-8"),
        ("a.c.gz", 12 * LINE, "not what its name says"),
        ("a.c.gz", gzip.compress(12 * LINE, mtime=0)[:10] + b"\xff" * 20, "damaged"),
    ],
)
def test_what_is_no_document(name: str, content: bytes, why_not: str) -> None:
    assert p.document(name, content, KIND, set()) is None, why_not


def test_what_is_kept_apart() -> None:
    other = b"static void tilt_the_table(struct table *table, int by);\n"
    content = 12 * LINE + other
    for apart, kept in (([LINE], True), ([other], True), ([LINE + other], False), ([b"/* short */\n" * 9], True)):
        found = p.document("a.c", content, KIND, p.telling_lines(iter(apart)))
        assert found == (content if kept else None)


def test_long_ones_are_cut_between_letters_where_the_kind_says_so() -> None:
    kind = p.Kind((".po",), (), (), longest=1_001, cut=True)
    assert p.document("de.po", "ß".encode() * 900, kind, set()) == "ß".encode() * 500


@given(st.lists(st.binary(min_size=1, max_size=60)), st.integers(0, 300))
def test_a_choice_does_not_depend_on_the_order(documents: list[bytes], most: int) -> None:
    kept = p.chosen(iter(documents), most)
    assert kept == p.chosen(reversed(documents), most)
    assert len(kept) == len(set(kept))
    assert set(kept) <= set(documents)
    assert sum(map(len, kept[:-1])) < most or not kept
    assert sum(map(len, kept)) >= most or len(kept) == len(set(documents))


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What lies at which address: a package in each registry, and nothing else."""
    source, table, wheel = tarred({"pinball/ball.c": 20 * LINE}), tarred({"package/table.c": 9 * LINE}), zipped(FILES)
    stanza = (
        "Package: pinball\nDirectory: pool/main/p/pinball\nFiles:\n 0 1 pinball_1.orig.tar.gz\nChecksums-Sha256:\n"
        f" {hashlib.sha256(b'').hexdigest()} 0 pinball_1.orig.tar.gz.asc\n"
        f" {hashlib.sha256(source).hexdigest()} 1 pinball_1.orig.tar.gz\n\n"
    )
    manual = installable({"man/fr/flip.c": 11 * LINE, "man/it/flip.c": 10 * LINE})
    installed = f"Package: flip-doc\nFilename: pool/flip.deb\nSHA256: {hashlib.sha256(manual).hexdigest()}\n\n"
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(table).digest()).decode()
    about = {"packagetype": "bdist_wheel", "filename": "flip-1-py3-none-any.whl", "url": "../../wheel"}
    about |= {"digests": {"sha256": hashlib.sha256(wheel).hexdigest()}}
    lying = {
        "https://deb.debian.org/debian/dists/bookworm/main/source/Sources.xz": lzma.compress(stanza.encode()),
        "https://deb.debian.org/debian/dists/bookworm/main/binary-all/Packages.xz": lzma.compress(installed.encode()),
        "https://deb.debian.org/debian/pool/main/p/pinball/pinball_1.orig.tar.gz": source,
        "https://deb.debian.org/debian/pool/flip.deb": manual,
        "https://registry.npmjs.org/@arcade%2Ftable/latest": json.dumps(
            {"dist": {"tarball": "table", "integrity": integrity}}
        ).encode(),
        "table": table,
        "https://pypi.org/pypi/flip/json": json.dumps(
            {"urls": [about | {"filename": "flip-1-cp311-linux.whl"}, about]}
        ).encode(),
        "https://pypi.org/pypi/flop/json": json.dumps({"urls": []}).encode(),
        "https://pypi.org/wheel": wheel,
    }

    def get(url: str) -> bytes:
        if url not in lying:
            raise UsageError(f"{url}: nothing lies there")
        return lying[url]

    monkeypatch.setattr(r, "_get", get)
    monkeypatch.setitem(p.KINDS, "games", KIND)
    r._debian.cache_clear()
    r._binary.cache_clear()
    return lying


def test_shards(registries: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert p.main(["games", "--to", str(tmp_path / "shards")]) == 0
    assert (tmp_path / "shards" / "games.txt").read_bytes() == 20 * LINE
    assert (tmp_path / "shards" / "games-valid.txt").read_bytes() == 9 * LINE
    assert capsys.readouterr().out.splitlines() == [
        "pinball: 1 files, 1,080 bytes",
        "@arcade/table: 1 files, 486 bytes",
    ]
    assert p.shard(KIND, ["pypi:flip", "source:pinball"], set(), print) == 12 * LINE + b"\0" + 20 * LINE


def test_a_part_of_a_package(registries: dict[str, bytes]) -> None:
    told: list[str] = []
    assert p.shard(KIND, ["binary:flip-doc#/it/", "binary:flip-doc#/de/"], set(), told.append) == 10 * LINE
    assert told == ["flip-doc#/it/: 1 files, 540 bytes", "flip-doc#/de/: 0 files, 0 bytes"]
    assert p.shard(KIND, ["binary:flip-doc"], set(), told.append).count(b"\0") == 1


def test_what_is_kept_apart_is_read_from_files(registries: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "bench.c").write_bytes(LINE + b"static int another_line_of_the_same_file(void);\n")
    registries["https://pypi.org/wheel"] = zipped({"a.c": (tmp_path / "bench.c").read_bytes() * 6})
    about = json.loads(registries["https://pypi.org/pypi/flip/json"])
    about["urls"][1]["digests"]["sha256"] = hashlib.sha256(registries["https://pypi.org/wheel"]).hexdigest()
    registries["https://pypi.org/pypi/flip/json"] = json.dumps(about).encode()
    apart = p.telling_lines(iter([(tmp_path / "bench.c").read_bytes()]))
    assert p.shard(KIND, ["pypi:flip"], set(), print) != b""
    assert p.shard(KIND, ["pypi:flip"], apart, print) == b""


@pytest.mark.parametrize(
    ("package", "what"),
    [
        ("source:pachinko", "no source package of this name"),
        ("binary:pachinko", "no package of this name for all"),
        ("npm:pachinko", "nothing lies there"),
        ("pypi:flop", "neither its source nor a wheel"),
    ],
)
def test_what_no_registry_has(registries: dict[str, bytes], package: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        p.shard(KIND, [package], set(), print)


@pytest.mark.parametrize(
    ("address", "package"),
    [
        ("https://deb.debian.org/debian/dists/bookworm/main/binary-all/Packages.xz", "binary:flip-doc"),
        ("https://deb.debian.org/debian/dists/bookworm/main/source/Sources.xz", "source:pinball"),
        ("https://pypi.org/pypi/flip/json", "pypi:flip"),
        ("https://registry.npmjs.org/@arcade%2Ftable/latest", "npm:@arcade/table"),
    ],
)
@pytest.mark.parametrize("what", [b"<html>", b"[]", b"{}"])
def test_a_registry_that_says_something_else(
    registries: dict[str, bytes], address: str, package: str, what: bytes
) -> None:
    name = package.partition(":")[2].encode()
    registries[address] = lzma.compress(b"Package: " + name + b"\n" + what) if address.endswith(".xz") else what
    with pytest.raises(UsageError, match="what its registry says of it cannot be read"):
        p.shard(KIND, [package], set(), print)
    registries[address] = b"damaged"
    r._debian.cache_clear()
    with pytest.raises(UsageError, match="what its registry says of it cannot be read"):
        p.shard(KIND, [package], set(), print)


@pytest.mark.parametrize(
    ("address", "package"),
    [
        ("https://deb.debian.org/debian/pool/main/p/pinball/pinball_1.orig.tar.gz", "source:pinball"),
        ("https://deb.debian.org/debian/pool/flip.deb", "binary:flip-doc"),
        ("table", "npm:@arcade/table"),
        ("https://pypi.org/wheel", "pypi:flip"),
    ],
)
def test_what_is_not_what_the_registry_says(registries: dict[str, bytes], address: str, package: str) -> None:
    registries[address] += b"!"
    with pytest.raises(UsageError, match=r"its sha(256|512) is not "):
        p.shard(KIND, [package], set(), print)


def test_a_command_that_fails_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(url: str, timeout: float) -> bytes:
        raise URLError("no route to host")

    monkeypatch.setattr(r, "urlopen", unreachable)
    r._debian.cache_clear()
    assert p.main(["rust", "--to", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no route to host" in line
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        p.main(["cobol", "--to", str(tmp_path)])
    assert ended.value.code == 2
    assert "invalid choice: 'cobol'" in capsys.readouterr().err


def test_languages_of_manuals() -> None:
    kind = p._in_languages("help-{fr,it} book#/{it-IT}/", "guide#/{fr,it}/")
    assert kind.packages == ("binary:help-fr", "binary:help-it", "binary:book#/it-IT/")
    assert kind.held_out == ("binary:guide#/fr/", "binary:guide#/it/")


def test_every_kind_names_registries_that_exist() -> None:
    for kind in p.KINDS.values():
        assert kind.packages
        assert {package.partition(":")[0] for package in (*kind.packages, *kind.held_out)} <= set(r.REGISTRIES)
        assert not set(kind.packages) & set(kind.held_out)
