from pathlib import Path

import pytest

from rayapp.errors import InvalidSetup
from rayapp.settings import Settings, default_data_dir, read_settings

URL = "postgresql://bank:s3cret@db.example:5432/money"


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = read_settings({"HOME": "/home/ada"})
    assert settings == Settings(data_dir=settings.data_dir)
    assert (settings.http_host, settings.http_port, settings.database_url) == ("127.0.0.1", 8000, None)


def test_every_variable_reaches_its_field() -> None:
    settings = read_settings(
        {
            "RAYAPP_DATABASE_URL": URL,
            "RAYAPP_DATA_DIR": "/srv/rayapp",
            "RAYAPP_CACHE_DIR": "/var/cache/rayapp",
            "RAYAPP_PACK": "/srv/pack",
            "RAYAPP_DATASETS": "/srv/datasets",
            "RAYAPP_HTTP_HOST": "::1",
            "RAYAPP_HTTP_PORT": "9000",
            "RAYAPP_INGRESS": "Default",
            "RAYAPP_REPLICAS": "3",
            "RAYAPP_CACHE_MB": "0",
            "RAYAPP_CACHE_URL": "redis://cache.example:6379/0",
            "RAYAPP_LOG_LEVEL": "debug",
            "RAYAPP_TIER_SMALL": "10",
            "RAYAPP_TIER_MEDIUM": "20",
            "RAYAPP_TIER_LARGE": "30",
        }
    )
    assert settings == Settings(
        database_url=URL,
        data_dir=Path("/srv/rayapp"),
        cache_dir=Path("/var/cache/rayapp"),
        pack=Path("/srv/pack"),
        datasets=Path("/srv/datasets"),
        http_host="::1",
        http_port=9000,
        ingress="default",
        replicas=3,
        cache_mb=0,
        cache_url="redis://cache.example:6379/0",
        log_level="DEBUG",
        tier_small=10,
        tier_medium=20,
        tier_large=30,
    )
    assert settings.http_url == "http://[::1]:9000"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("RAYAPP_DATABSE_URL", URL, "did you mean RAYAPP_DATABASE_URL?"),
        ("RAYAPP_COLOUR", "blue", "RAYAPP_COLOUR is not a setting; the settings are"),
        ("RAYAPP_HTTP_PORT", "0", "not a whole number from 1 to 65535"),
        ("RAYAPP_HTTP_PORT", "80 80", "not a whole number"),
        ("RAYAPP_HTTP_PORT", "٣", "not a whole number"),
        ("RAYAPP_REPLICAS", "-1", "not a whole number"),
        ("RAYAPP_INGRESS", "nginx", "not one of haproxy, default"),
        ("RAYAPP_LOG_LEVEL", "loud", "not one of DEBUG, INFO, WARNING, ERROR"),
        ("RAYAPP_DATABASE_URL", "mysql://bank:s3cret@db", "not an address of the form"),
        ("RAYAPP_CACHE_URL", "http://bank:s3cret@cache", "not an address of the form redis://"),
        ("RAYAPP_TIER_SMALL", "6000", "does not hold: [6000, 5000, 50000]"),
    ],
)
def test_a_wrong_variable_is_an_error_that_names_it(variable: str, value: str, said: str) -> None:
    with pytest.raises(InvalidSetup) as caught:
        read_settings({variable: value})
    assert variable in str(caught.value)
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_all_wrong_variables_are_named_at_once() -> None:
    with pytest.raises(InvalidSetup) as caught:
        read_settings({"RAYAPP_HTTP_PORT": "x", "RAYAPP_REPLICA": "1"})
    assert len(caught.value.details) == 2


def test_a_variable_that_is_set_to_nothing_counts_as_not_set() -> None:
    assert read_settings({"RAYAPP_DATABASE_URL": ""}).database_url is None


def test_the_database_password_is_never_shown() -> None:
    settings = read_settings({"RAYAPP_DATABASE_URL": URL})
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in f"{settings}"
    assert "http_port=8000" in repr(settings)


@pytest.mark.parametrize(
    ("user_id", "environment", "expected"),
    [
        (0, {"HOME": "/root"}, "/var/lib/rayapp"),
        (1000, {"HOME": "/home/ada"}, "/home/ada/.local/share/rayapp"),
        (1000, {"HOME": "/home/ada", "XDG_DATA_HOME": "/data"}, "/data/rayapp"),
    ],
)
def test_data_are_kept_where_the_account_can_reach_them(user_id: int, environment: dict[str, str], expected: str) -> None:
    assert default_data_dir(environment, user_id) == Path(expected)
