// A file is sent, becomes a job, and is watched until it has ended; any other job can be watched too.

import { ask, byId, doing, make, number, percent, problem, send, show, table } from "./page.js";
import { TONE } from "./try.js";

const LIVE = new Set(["queued", "running"]);
const EVERY_MS = 1000;
const SHOWN = 50;
const FILES = [["JSON lines", "application/x-ndjson", "ndjson"], ["Parquet", "application/vnd.apache.parquet", "parquet"]];

let ready = false, watched = null;

export function openFiles() {
  listJobs();
  if (ready) return;
  ready = true;
  const form = byId("file-form");
  doing(form.querySelector("button"), byId("file-told"), async () => {
    if (!form.reportValidity()) return;
    show(byId("file-told"), make("p", {}, "sending"));
    const body = new FormData();
    body.append("kind", form.elements.kind.value);
    body.append("file", form.elements.file.files[0]);
    const made = await ask("POST", "jobs", body);
    show(byId("file-told"));
    watch(made.id);
  });
  byId("jobs-again").addEventListener("click", listJobs);
}

async function listJobs() {
  try {
    const { jobs } = await ask("GET", "jobs?limit=20");
    show(byId("jobs"), jobs.length ? table([
      ["Made", job => new Date(job.created_at).toLocaleString()],
      ["Kind", job => job.kind],
      ["State", job => state(job)],
      ["Rows", job => number(job.rows.done), "number"],
      ["", job => { const button = make("button", {}, "Watch"); button.addEventListener("click", () => watch(job.id)); return button; }],
    ], jobs) : make("p", { className: "faint" }, "There are none yet."));
  } catch (error) {
    show(byId("jobs"), problem(error));
  }
}

export const state = job => make("span", { className: { failed: "poor", partially_failed: "fair", succeeded: "good" }[job.state] || "" }, job.state.replace("_", " "));

// Looks at a job until it has ended, telling each look; gives it then, or nothing when another is watched by then.
export async function follow(id, tell) {
  const mine = watched = {};
  while (watched === mine) {
    const job = await ask("GET", `status/${id}`);
    if (watched !== mine) return undefined;
    tell(job);
    if (!LIVE.has(job.state)) return job;
    await new Promise(resolve => setTimeout(resolve, EVERY_MS));
  }
  return undefined;
}

async function watch(id) {
  try {
    const job = await follow(id, seen => show(byId("job"), progress(seen)));
    if (!job) return;
    listJobs();
    if (job.kind === "classify" && job.rows.done) byId("job").append(...await results(job));
  } catch (error) {
    show(byId("job"), problem(error));
  }
}

export function progress(job) {
  const { rows } = job, known = rows.total !== null;
  return [
    make("h2", {}, `Job ${job.id.slice(0, 8)}: ${job.kind}, `, state(job)),
    make("progress", known ? { max: Math.max(1, rows.total), value: rows.done } : LIVE.has(job.state) ? {} : { max: 1, value: 1 }),
    make("p", {}, [
      `${number(rows.done)}${known ? " of " + number(rows.total) : ""} rows`,
      rows.failed ? `${number(rows.failed)} rejected` : "",
      job.rows_per_s ? `${number(Math.round(job.rows_per_s))} rows a second` : "",
      job.eta_s ? `about ${number(Math.ceil(job.eta_s))} s left` : "",
      job.state === "queued" && job.queue_position ? `${job.queue_position} before it` : "",
    ].filter(Boolean).join(", ")),
    job.failure ? make("div", { className: "problem" }, job.failure) : null,
    make("div", { className: "row" }, action(job, "cancel", "DELETE", "Cancel"), action(job, "retry", "POST", "Try what is left again")),
  ];
}

function action(job, link, method, label) {
  if (!job.links[link]) return null;
  const place = make("span");
  const button = doing(make("button", {}, label), place, async () => { watch((await ask(method, job.links[link])).id); });
  return [button, place];
}

async function results(job) {
  const rows = await ask("GET", `${job.links.results}?limit=${SHOWN}`, undefined, { accept: FILES[0][1] });
  return [
    make("div", { className: "row" }, "All rows as", FILES.map(([label, type, ending]) => download(job, label, type, ending))),
    table([
      ["Row", row => number(row.row), "number"],
      ["Id", row => row.id ?? ""],
      ["Merchant", row => row.merchant?.name ?? ""],
      ["Category", row => row.category ? make("code", {}, row.category.detailed) : row.status === "rejected" ? make("span", { className: "poor" }, row.errors.map(one => `${one.pointer} ${one.detail}`).join("; ")) : "none"],
      ["Sure", row => row.level ? make("span", { className: TONE[row.level] }, percent(row.confidence)) : "", "number"],
    ], rows),
    rows.length < job.rows.done ? make("p", { className: "faint" }, `The first ${rows.length} of ${number(job.rows.done)} rows.`) : "",
  ];
}

// A link could carry no key, so the file is fetched and handed over.
function download(job, label, type, ending) {
  const place = make("span");
  return [doing(make("button", {}, label), place, async () => {
    const answer = await send("GET", `${job.links.results}?whole=true`, undefined, { accept: type });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    const link = make("a", { href: URL.createObjectURL(await answer.blob()), download: `${job.id}.${ending}` });
    link.click();
    URL.revokeObjectURL(link.href);
  }), place];
}
