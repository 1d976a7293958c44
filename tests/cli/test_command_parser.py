"""What is said of words that no command knows."""

import pytest

from rayapp.cli.main import main


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["ingest", "a.csv", "--maping", "m.toml"],
            "rayapp ingest: error: unrecognized arguments: --maping m.toml; --mapping was likely meant",
        ),
        (["jobs", "list", "--stats=failed"], "rayapp jobs list: error: unrecognized arguments: --stats=failed; --state was likely meant"),
        (["down", "now"], "rayapp down: error: unrecognized arguments: now"),
    ],
)
def test_a_misspelt_option_is_answered_by_its_command(words, told, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.splitlines()[-1] == told
    assert said.startswith(f"usage: {told.partition(': ')[0]} ")
