"""The README's blocks do what it says: ``sh`` and ``python`` blocks are run as they stand; ``console`` blocks need a cluster."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for found, text in BLOCK.findall(README) if found == language]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A directory that looks like the root of the project to the README's commands."""
    (tmp_path / "rayapp" / "samples").mkdir(parents=True)
    shutil.copy(ROOT / "rayapp" / "samples" / "transactions.csv", tmp_path / "rayapp" / "samples")
    return tmp_path


@pytest.mark.parametrize("block", blocks("sh"), ids=lambda block: block.split("\n")[0])
def test_shell_blocks_run_as_they_stand(block: str, checkout: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/bash", "-euc", block], cwd=checkout, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_python_blocks_run_one_after_the_other(checkout: Path) -> None:
    program = "\n".join(blocks("python"))
    done = subprocess.run([sys.executable, "-c", program], cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_every_setting_of_the_readme_exists() -> None:
    from rayapp.settings import PREFIX, Settings

    named = set(re.findall(r"`RAYAPP_(\w+)`", README))
    assert named
    assert {name.lower() for name in named} <= set(Settings.__struct_fields__), PREFIX


def test_every_command_of_the_readme_exists() -> None:
    from rayapp.cli.main import _parser

    words = set(re.findall(r"\brayapp ([a-z]+)\b", "\n".join([*blocks("sh"), *blocks("console")])))
    known = next(action.choices for action in _parser()._actions if action.choices)
    assert words <= set(known)
