"""The console in a real browser: the real app on a real database, with a worker beside it."""

import asyncio
import os
import shutil
import socket
import threading
import time

import pytest
import uvicorn
from playwright.sync_api import expect, sync_playwright

from rayapp.serve.app import build_app
from rayapp.serve.database import Database
from rayapp.serve.desk import Deciding, Desk
from rayapp.serve.job_desk import JobDesk
from rayapp.settings import Settings
from rayapp.store.database import connection
from rayapp.store.packs import activate_pack, save_pack
from tests.running_worker import a_worker

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_MS = 180_000
UNKNOWN = [f"u{number:02},XQZ {number:02},-1.00,USD" for number in range(60)]
HOSTILE = "<img src=x onerror=document.title='taken'>"
LINES = ["id,descriptor,amount,currency", "t1,SQ *BLUE BOTTLE 0001,-4.50,USD", f"t2,{HOSTILE},-1.00,USD", "t3,NOBODY KNOWS THIS,-9.00,USD", "t4,BEAN HUT 0123,-3.00,QQQ"]

pytestmark = pytest.mark.slow


def browser_path():
    """The browser of this machine. CI installs one; elsewhere these tests are passed over where there is none."""
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None and not os.environ.get("CI"):
        pytest.skip("no Chromium on this machine: apt install chromium")
    assert found, "CI has no Chromium"
    return found


@pytest.fixture
def service(database, tmp_path, small_classifier, monkeypatch):
    """The service's address, with a worker running."""
    settings = Settings(data_dir=tmp_path, database_url=database, job_lease_s=2)
    monkeypatch.setenv("RAYAPP_DATABASE_URL", database)  # plans are made in a process of their own
    monkeypatch.setenv("RAYAPP_DATA_DIR", str(tmp_path))

    async def publish():
        async with connection(database) as session:
            await save_pack(session, small_classifier.pack.digest, "small", small_classifier.pack.dump())
            await activate_pack(session, small_classifier.pack.digest, "for tests")

    asyncio.run(publish())
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server, thread = _serving(settings, small_classifier, listening)
        with a_worker(settings):
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def _serving(settings, classifier, listening):
    base = Database(settings.database_url)
    desk = Desk(database=base)
    desk.use(Deciding(1, classifier))
    server = uvicorn.Server(uvicorn.Config(build_app(desk, JobDesk(settings, base)), lifespan="off", log_level="warning"))

    async def serve():
        await server.serve([listening])
        await desk.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    return server, thread


@pytest.fixture
def page(service):
    """A page at the console, which must end without an error in the browser's own log.

    A browser for each test, begun last: while Playwright runs, nothing else may have an event loop in this thread.
    """
    faults = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" and "status of 4" not in said.text and "status of 503" not in said.text else None)
        page.goto(f"{service}/console")
        yield page
        browser.close()
    assert not faults


def see(place):
    return expect(place, "seen on the page")


def test_a_descriptor_is_tried_and_its_reasons_add_up(page):
    page.get_by_label("Descriptor, as").fill("SQ *BLUE BOTTLE 0123 OAKLAND CA")
    page.get_by_role("button", name="Classify").click()
    answer = page.locator("#try-answer")
    see(answer.locator(".verdict")).to_have_text("Blue Bottle FOOD_COFFEE")
    see(answer).to_contain_text("paid through Square")
    (score,) = page.get_by_text("Score 0.").all_inner_texts()
    adds = answer.locator("table").first.locator("tbody td.number").all_inner_texts()
    assert abs(sum(float(one) for one in adds if one != "not counted") - float(score.split()[1].rstrip(":"))) < 0.002
    page.get_by_label("Currency").fill("QQQ")
    page.get_by_role("button", name="Classify").click()
    see(page.get_by_role("alert")).to_contain_text("#/currency")


def test_a_file_is_sent_watched_and_its_rows_are_shown_as_text(page):
    page.get_by_role("tab", name="Files").click()
    page.get_by_label("File of transactions").set_input_files({"name": "june.csv", "mimeType": "text/csv", "buffer": "\n".join(LINES).encode()})
    page.get_by_role("button", name="Send").click()
    job = page.locator("#job")
    see(job).to_contain_text("partially failed", timeout=PATIENCE_MS)
    see(job).to_contain_text("4 of 4 rows, 1 rejected")
    see(job.locator("tbody tr")).to_have_count(4)
    see(job).to_contain_text("#/currency")
    with page.expect_download() as taken:
        job.get_by_role("button", name="JSON lines").click()
    assert len(taken.value.path().read_text().splitlines()) == 4
    assert page.title() == "rayapp console"


def test_a_rule_is_planned_applied_and_taken_back_and_a_row_reviewed(page):
    page.get_by_role("tab", name="Files").click()
    page.get_by_label("File of transactions").set_input_files({"name": "june.csv", "mimeType": "text/csv", "buffer": "\n".join(LINES[:4] + UNKNOWN).encode()})
    page.get_by_label("What to do").select_option("ingest")
    page.get_by_role("button", name="Send").click()
    see(page.locator("#job")).to_contain_text("succeeded", timeout=PATIENCE_MS)

    page.get_by_role("tab", name="Review").click()
    page.get_by_label("Who reviews").fill("ann")
    page.get_by_role("button", name="Show").click()
    rows = page.locator("#review-rows tbody tr")
    see(rows).to_have_count(50)
    see(rows.last).to_contain_text("XQZ 47")
    page.get_by_role("button", name="More").click()
    see(rows.first).to_contain_text("XQZ 48")
    see(page.get_by_role("button", name="More")).to_have_count(0)
    page.get_by_role("button", name="Show").click()
    row = page.locator("#review-rows tbody tr").filter(has_text=HOSTILE)
    row.get_by_role("combobox").fill("FOOD_COFFE")
    row.get_by_role("button", name="That is right").click()
    see(row.get_by_role("alert")).to_contain_text("FOOD_COFFE")
    row.get_by_role("combobox").fill("FOOD_COFFEE")
    row.get_by_role("button", name="That is right").click()
    see(row).to_contain_text("Locked as FOOD_COFFEE")
    page.get_by_role("button", name="Show").click()
    see(page.locator("#review-rows")).to_contain_text("NOBODY KNOWS THIS")
    see(page.locator("#review-rows")).not_to_contain_text(HOSTILE)

    page.get_by_role("tab", name="Rules").click()
    page.get_by_label("Rules in TOML").fill(page.get_by_label("Rules in TOML").input_value().replace("FOOD_AND_DRINK_COFFEE", "FOOD_AND_DRINK_COFEE"))
    page.get_by_role("button", name="Store and plan").click()
    see(page.get_by_role("alert")).to_contain_text("FOOD_AND_DRINK_COFFEE", timeout=PATIENCE_MS)
    page.get_by_label("Rules in TOML").fill(page.get_by_label("Rules in TOML").input_value().replace("COFEE", "COFFEE").replace("BEAN HUT", "BLUE BOTTLE"))
    page.get_by_role("button", name="Store and plan").click()
    plan = page.locator("#plan")
    see(plan).to_contain_text("What moves", timeout=PATIENCE_MS)
    see(plan.locator("tr").filter(has_text="FOOD_COFFEE").first).to_contain_text("FOOD_AND_DRINK_COFFEE")
    plan.get_by_label("Why it may break corrections").fill("a test")
    plan.get_by_role("button", name="Apply exactly this").click()
    plan.get_by_role("button", name="Take it back").click()
    see(plan).to_contain_text("rows are as before")


def test_the_description_of_the_api_lists_every_route_and_tries_one(page, service):
    page.goto(f"{service}/docs")
    route = page.locator("details").filter(has=page.locator("summary", has_text="/readyz"))
    route.locator("summary").click()
    route.get_by_role("button", name="Send").click()
    see(route.locator("pre")).to_contain_text('"status": "ready"')
