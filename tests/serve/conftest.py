"""The real app with a real classifier of a small pack, without a cluster."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rayapp import Classifier
from rayapp.packs.compile import compile_pack
from rayapp.serve.app import build_app
from rayapp.serve.desk import Deciding, Desk

FILES = {
    "pack.toml": 'name = "small"\nversion = "1"\n',
    "taxonomy.csv": "primary,detailed,direction,merchant,description\nFOOD,FOOD_COFFEE,debit,yes,\nPAY,PAY_SALARY,credit,no,\n",
    "mcc.csv": "first,last,detailed,weight,description\n5814,5814,FOOD_COFFEE,0.8,\n6012,6012,PAY_SALARY,0.1,\n",
    "merchants/all.csv": "id,name,category,aliases,countries,website,match,weight\nblue,Blue Bottle,FOOD_COFFEE,,,bluebottle.example,,0.95\n",
    "processors.csv": "id,name,prefixes,star\nsquare,Square,SQ,needed\n",
}


@pytest.fixture(scope="session")
def small_classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """The small pack's classifier."""
    folder: Path = tmp_path_factory.mktemp("pack")
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return Classifier(compile_pack(folder))


class Client:
    """Sends single requests to an app in this process, all in one event loop."""

    def __init__(self, app: object) -> None:
        self.app = app
        self.runner = asyncio.Runner()

    def __call__(self, method: str, path: str, **more: object) -> httpx.Response:
        """Send one request."""

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app, raise_app_exceptions=False), base_url="http://rayapp") as client:
                return await client.request(method, path, **more)

        return self.runner.run(send())


@pytest.fixture
def desk(small_classifier: Classifier) -> Desk:
    """A desk that decides by the small pack."""
    desk = Desk()
    desk.use(Deciding(7, small_classifier))
    return desk


@pytest.fixture
def ask(desk: Desk) -> Iterator[Client]:
    """A client of the app around the desk."""
    client = Client(build_app(desk))
    yield client
    client.runner.run(desk.close())
    client.runner.close()


@pytest.fixture
def ask_unready() -> Iterator[Client]:
    """A client of an app that has no pack yet."""
    client = Client(build_app(Desk()))
    yield client
    client.runner.close()
