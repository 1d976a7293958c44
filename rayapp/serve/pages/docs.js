// The API's description, from the service's own OpenAPI document, each route with a form to try it.

import { byId, doing, json, make, problem, send, show } from "./page.js";

function tryIt(verb, path, example) {
  const where = make("input", { value: path, ariaLabel: "Address" }), told = make("div");
  const written = typeof example === "string" ? example : JSON.stringify(example, null, 2);
  const body = example === undefined ? null : make("textarea", { value: written, ariaLabel: "Body" });
  const headers = body ? { "content-type": typeof example === "string" ? "application/x-ndjson" : "application/json" } : {};
  const button = doing(make("button", {}, "Send"), told, async () => {
    const answer = await send(verb, where.value, body?.value, headers), text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* lines, or plain text */ }
    show(told, make("pre", {}, `${answer.status} ${answer.statusText}\n\n${shown}`));
  });
  return make("div", {}, make("div", { className: "row" }, where, button), body, told);
}

function operation(verb, path, told) {
  const content = Object.values(told.requestBody?.content || {})[0];
  return make("details", {},
    make("summary", {}, make("span", { className: "verb" }, verb.toUpperCase()), make("code", {}, path), make("span", { className: "what" }, told.summary || "")),
    make("p", {}, told.description || ""),
    (told.parameters || []).map(one => make("p", {}, `${one.in} ${one.name}: ${one.description || one.schema?.type || ""}`)),
    make("table", {}, Object.entries(told.responses || {}).map(([status, answer]) => make("tr", {}, make("td", {}, status), make("td", {}, answer.description)))),
    tryIt(verb.toUpperCase(), path, content?.example));
}

try {
  const api = await (await fetch("openapi.json")).json();
  show(byId("routes"), Object.entries(api.paths).flatMap(([path, verbs]) => Object.entries(verbs).map(([verb, told]) => operation(verb, path, told))));
  show(byId("messages"), Object.entries(api.components?.schemas || {}).map(([name, schema]) => make("details", {}, make("summary", {}, name), json(schema))));
} catch (error) {
  show(byId("routes"), problem(error));
}
