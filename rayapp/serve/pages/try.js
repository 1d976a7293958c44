// One descriptor: what it was, how sure that is, and every reason the score is the sum of.

import { ask, byId, doing, json, make, percent, show, table } from "./page.js";

export const FIELDS = ["descriptor", "amount", "currency", "direction", "mcc", "country"];
export const TONE = { VERY_HIGH: "good", HIGH: "good", MEDIUM: "fair", LOW: "poor" };

let ready = false;

export function openTry() {
  if (ready) return;
  ready = true;
  const form = byId("try-form"), told = byId("try-answer");
  doing(form.querySelector("button"), told, async () => {
    if (!form.reportValidity()) return;
    const said = Object.fromEntries(FIELDS.map(name => [name, form.elements[name].value.trim()]).filter(([, value]) => value));
    show(told, answer(await ask("POST", "classify?explain=true&strict=true", { id: "console", ...said })));
  });
}

function answer(decision) {
  const { merchant, category, confidence, level, evidence = [], alternatives = [], facts = {} } = decision;
  return [
    make("p", { className: "verdict" }, make("strong", {}, merchant.name || "no merchant"), " ", category ? make("code", {}, category.detailed) : "no category"),
    make("p", {}, make("span", { className: TONE[level] }, `${percent(confidence)} sure (${level.replace("_", " ").toLowerCase()})`),
      merchant.processor ? `, paid through ${merchant.processor}` : "", merchant.website ? `, ${merchant.website}` : ""),
    evidence.length ? [make("h2", {}, "Why"), reasons(evidence, decision.score)] : make("p", { className: "faint" }, "Nothing that it knows of speaks for any category."),
    alternatives.length ? [make("h2", {}, "What else it could be"), table([["Category", one => make("code", {}, one.category.detailed)], ["Score", one => one.score.toFixed(3), "number"]], alternatives)] : [],
    Object.keys(facts).length ? [make("h2", {}, "Read from the descriptor"), table([["Fact", ([name]) => name.replaceAll("_", " ")], ["Value", ([, value]) => value]], Object.entries(facts))] : [],
    make("details", {}, make("summary", {}, "The answer as clients get it"), json(decision)),
  ];
}

const reasons = (evidence, score) => [
  table([
    ["Signal", one => one.signal],
    ["Speaks for", one => make("code", {}, one.category)],
    ["Because", one => [one.why, one.matched ? `“${one.matched}”` : "", one.ref].filter(Boolean).join(", ")],
    ["Adds", one => one.counted === false ? make("span", { className: "faint" }, "not counted") : one.contribution.toFixed(3), "number"],
  ], evidence),
  make("p", { className: "faint" }, `Score ${score.toFixed(3)}: the sum of what is counted for the chosen category.`),
];
