// What both pages are made of: elements without markup in strings, and requests that carry the key and fail with the service's own words.

export const make = (tag, properties = {}, ...children) => {
  const { dataset = {}, ...rest } = properties;
  const node = Object.assign(document.createElement(tag), rest);
  Object.assign(node.dataset, dataset);
  node.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined).map(child => child instanceof Node ? child : String(child)));
  return node;
};

export const byId = id => document.getElementById(id);
export const show = (place, ...children) => place.replaceChildren(...children.flat(Infinity).filter(Boolean));
export const json = value => make("pre", { textContent: JSON.stringify(value, null, 2) });
export const number = value => value === null || value === undefined ? "" : Number(value).toLocaleString("en");
export const percent = value => (100 * value).toFixed(value > 0.995 || value < 0.1 ? 1 : 0) + " %";

// Columns are [heading, cell of a row, class]; a cell gives text or a node.
export const table = (columns, rows) => make("div", { className: "wide" }, make("table", {},
  make("thead", {}, make("tr", {}, columns.map(([heading, , kind = ""]) => make("th", { className: kind, scope: "col" }, heading)))),
  make("tbody", {}, rows.map(row => make("tr", {}, columns.map(([, cell, kind = ""]) => make("td", { className: kind }, cell(row))))))));

export class Refused extends Error {
  constructor(status, report) {
    super(report.detail || report.title || `the service answered ${status}`);
    this.status = status;
    this.report = report;
  }
}

const key = () => byId("key")?.value.trim() || "";
export const withKey = (headers = {}) => key() ? { ...headers, authorization: "Bearer " + key() } : headers;

export const send = (method, path, body, headers = {}) => fetch(path.replace(/^\//, ""), { method, body, headers: withKey(headers), cache: "no-store" });

export async function ask(method, path, body, headers = {}) {
  const plain = body !== undefined && !(body instanceof Blob || body instanceof FormData);
  const answer = await send(method, path, plain ? JSON.stringify(body) : body, plain ? { "content-type": "application/json", ...headers } : headers);
  const text = await answer.text();
  if (answer.ok) return answer.headers.get("content-type")?.includes("x-ndjson") ? lines(text) : JSON.parse(text);
  throw new Refused(answer.status, parsed(text));
}

const lines = text => text.split("\n").filter(Boolean).map(line => JSON.parse(line));
const parsed = text => { try { return JSON.parse(text); } catch { return { title: text.slice(0, 200) }; } };

// Tells a person what went wrong, with every place that the service names.
export function problem(error) {
  const report = error instanceof Refused ? error.report : { title: "The service could not be reached", detail: String(error.message || error) };
  const places = (report.errors || []).map(one => `${one.pointer}: ${one.detail}`);
  const faults = (report.faults || []).map(one => `${one.file}:${one.line} ${one.message} ${one.suggestion || ""}`.trim());
  return make("div", { className: "problem", role: "alert" }, make("strong", {}, report.title || "It did not work"), make("div", {}, report.detail || ""),
    places.length + faults.length ? make("ul", {}, [...faults, ...places].map(said => make("li", {}, said))) : null);
}

// Runs what a button does: the button rests meanwhile, and what goes wrong is told at a place.
export function doing(button, place, work) {
  button.addEventListener("click", async event => {
    event.preventDefault();
    button.disabled = true;
    try { await work(); } catch (error) { show(place, problem(error)); } finally { button.disabled = false; }
  });
  return button;
}
