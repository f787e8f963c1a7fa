"""What program a process says that it runs."""

import shutil
from pathlib import Path

import pytest

from issuance_server.adapters.build import BuildCheck, build_digest, digest_of
from issuance_server.adapters.renderer.pool import RendererPool
from protocol.errors import AdapterError

ROOT = Path(__file__).parents[2]
PACKAGES = ("protocol", "keys", "issuance_server")


def folder_with(folder: Path, **contents: str) -> Path:
    """Make a folder with files; two underscores stand for a slash, one for a dot."""
    for name, content in contents.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def test_digest_depends_on_names_and_contents(tmp_path: Path) -> None:
    """The same files in another place are the same program; anything else is another one."""
    made = [
        folder_with(tmp_path / "1" / "kofu", a_py="1", sub__b_py="2"),
        folder_with(tmp_path / "2" / "kofu", a_py="1", sub__b_py="2"),
        folder_with(tmp_path / "3" / "kofu", a_py="1", sub__b_py="3"),
        folder_with(tmp_path / "4" / "kofu", a_py="1", sub__c_py="2"),
        folder_with(tmp_path / "5" / "kofu", a_py="12", sub__b_py=""),
    ]
    same, again, *others = [digest_of([folder]) for folder in made]

    assert same == again
    assert 4 == len({same, *others})


def test_what_python_and_editors_leave_does_not_count(tmp_path: Path) -> None:
    """A program that was started once is the same program."""
    folder = folder_with(tmp_path / "kofu", a_py="1")
    before = digest_of([folder])
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "a.pyc").write_bytes(b"made")
    (folder / ".a.py.swp").write_text("edited")

    assert before == digest_of([folder])


@pytest.mark.processes
@pytest.mark.parametrize("refuse", [True, False])
async def test_a_worker_from_replaced_files_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, refuse: bool
) -> None:
    """A file was replaced since the server started: its next worker is told, and not used."""
    for package in PACKAGES:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignore)
    packages = [tmp_path / package for package in PACKAGES]
    server = digest_of([packages[2], packages[1], packages[0]])
    with (tmp_path / "issuance_server" / "certificates" / "order.py").open("a") as file:
        file.write("# a fix that nobody approved\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told: list[str] = []
    check = BuildCheck(build=server, refuse=refuse, on_difference=told.append)
    pool = RendererPool(workers=1, build=check)
    try:
        if refuse:
            with pytest.raises(AdapterError, match="did not start"):
                await pool.start()
        else:
            await pool.start()
    finally:
        await pool.stop()

    assert [digest_of([packages[2], packages[1], packages[0]])] == told


def test_a_process_says_the_same_of_itself_for_all_its_life() -> None:
    """Files that are replaced later do not change what runs."""
    assert build_digest() == build_digest()
    assert 64 == len(build_digest())
