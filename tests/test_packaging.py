"""What is installed is what stands in the folders: an editable install would not notice a package left out."""

import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns
from zipfile import ZipFile

ROOT = Path(__file__).parent.parent
INSTALLED = {"arcodec": "arcodec", "cli": "arcodec_cli"}
FILES = ("*.py", "py.typed", "*.safetensors", "*.kept", "weights/*.md", "templates/*")


def test_the_wheel_holds_every_module_and_every_model(tmp_path):
    source, wheels = tmp_path / "source", tmp_path / "wheels"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    for folder in INSTALLED:
        copytree(ROOT / folder, source / folder, ignore=ignore_patterns("__pycache__"))
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([sys.executable, *build, "-w", str(wheels), str(source)], check=True, capture_output=True)

    (wheel,) = wheels.iterdir()
    expected = {
        f"{package}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, package in INSTALLED.items()
        for pattern in FILES
        for path in (ROOT / folder).rglob(pattern)
    }
    assert len(expected) > 60
    assert wheel.stat().st_size < 100 << 20, "PyPI takes no more"
    assert {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name} == expected
