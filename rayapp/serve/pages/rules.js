// A rule is stored in a pack, planned, and its plan shown, applied and taken back; any stored pack can be planned or made active.

import { ask, byId, doing, make, number, percent, problem, show, table } from "./page.js";
import { follow, progress } from "./files.js";
import { zip } from "./zip.js";

const EXAMPLE = `[[rule]]
id = "mine.bean-hut"
category = "FOOD_AND_DRINK_COFFEE"
patterns = ['\\bBEAN HUT\\b']
weight = 0.9
priority = 60
why = "a coffee bar of ours"
examples = ["BEAN HUT 0123"]
counterexamples = ["BEAN HUTCH"]
`;
const MOST = 50, TRIES = 5;

let ready = false;

export function openRules() {
  listPacks();
  if (ready) return;
  ready = true;
  const form = byId("rule-form"), told = byId("rule-told");
  form.elements.rules.value = EXAMPLE;
  doing(form.querySelector("button"), told, async () => {
    if (!form.reportValidity()) return;
    show(byId("plan"));
    show(told, make("p", {}, "compiling, which takes some seconds"));
    const name = form.elements.name.value, pack = `name = "${name}"\nversion = "1"\nextends = "default"\n`;
    const stored = await store(zip({ "pack.toml": pack, "rules/console.toml": form.elements.rules.value }));
    show(told, make("p", {}, `Stored as `, make("code", {}, stored.digest.slice(0, 12)), stored.new ? "." : ", as it was before."));
    listPacks();
    await plan(stored.digest);
  });
  byId("packs-again").addEventListener("click", listPacks);
}

// On a busy machine a pack may take longer to compile than a request has; the service then says when to come again.
async function store(archive) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask("POST", "packs", archive, { "content-type": "application/zip" });
    } catch (error) {
      if (error.status !== 503 || tries === TRIES) throw error;
      await new Promise(resolve => setTimeout(resolve, 1000 * (error.report.retry_after || 1)));
    }
  }
}

async function listPacks() {
  try {
    const { packs } = await ask("GET", "packs"), place = byId("rule-told");
    show(byId("packs"), table([
      ["Name", pack => pack.name],
      ["Digest", pack => make("code", {}, pack.digest.slice(0, 12))],
      ["Stored", pack => new Date(pack.saved_at).toLocaleString()],
      ["", pack => pack.active ? make("strong", { className: "good" }, "decides now") : [
        doing(make("button", {}, "Plan"), place, () => plan(pack.digest)), " ",
        doing(make("button", {}, "Make active"), place, async () => {
          await ask("POST", `packs/${pack.digest}/activate`, { reason: "console" });
          show(place, make("p", {}, `${pack.name} decides what comes from now on; what is stored stays as it is until it is decided again.`));
          listPacks();
        })]],
    ], packs));
  } catch (error) {
    show(byId("packs"), problem(error));
  }
}

async function plan(digest) {
  const made = await ask("POST", `packs/${digest}/plan`, { reason: "console" });
  const job = await follow(made.id, seen => show(byId("plan"), progress(seen)));
  if (job?.state === "succeeded") show(byId("plan"), planned(job.result));
}

function planned({ plan: id, blocked, report }) {
  const place = make("div"), override = make("input", { ariaLabel: "Why it may break corrections", placeholder: "why it may" });
  const apply = doing(make("button", { className: "first" }, "Apply exactly this"), place, async () => {
    const change = await ask("POST", `plans/${id}/apply`, { reason: "console", override: override.value });
    show(place, applied(change));
    listPacks();
  });
  const changed = report.category + report.merchant + report.other;
  const rules = report.rules.filter(one => one.gained || one.lost || one.fires);
  return [
    make("h2", {}, `Plan ${id}`),
    make("p", {}, `${number(report.examined)} rows can be touched. ${number(changed)} would change: ${number(report.category)} get another category, ` +
      `${number(report.merchant)} another merchant only, ${number(report.other)} other evidence or confidence only. ${number(report.locked)} locked by a person stay.`),
    report.transitions.length ? [make("h3", {}, "What moves"), table([
      ["From", one => code(one.before)], ["To", one => code(one.after)], ["Rows", one => number(one.rows), "number"],
      ["Amounts", one => Object.entries(one.amounts).map(([currency, amount]) => `${number(amount)} ${currency}`).join(", "), "number"]], report.transitions.slice(0, MOST))] : [],
    report.samples.length ? [make("h3", {}, "Some of them"), table([
      ["Descriptor", one => one.descriptor], ["Before", one => code(one.before)], ["After", one => code(one.after)],
      ["Sure", one => `${percent(one.confidence_before)} → ${percent(one.confidence_after)}`, "number"]], report.samples.slice(0, MOST))] : [],
    rules.length ? [make("h3", {}, "Rules"), table([
      ["Rule", one => make("code", {}, one.rule)], ["Gains", one => number(one.gained), "number"], ["Loses", one => number(one.lost), "number"],
      ["Fires on", one => number(one.fires), "number"], ["In vain", one => number(one.shadowed), "number"]], rules.slice(0, MOST))] : [],
    report.broken.length ? [make("h3", { className: "poor" }, "Corrections that it would break"), table([
      ["Descriptor", one => one.descriptor], ["A person said", one => code(one.wanted)], ["It says", one => code(one.given)], ["Who", one => one.made_by]], report.broken)] : [],
    make("div", { className: "row" }, blocked ? override : null, apply), place,
  ];
}

function applied(change) {
  const place = make("div");
  return [make("p", { className: "good" }, `Change ${change.id}: ${number(change.changed)} rows, and the pack decides what comes.`),
    make("div", { className: "row" }, doing(make("button", {}, "Take it back"), place, async () => {
      const back = await ask("POST", `changesets/${change.id}/revert`, { reason: "console" });
      show(place, make("p", {}, `${number(back.restored)} rows are as before; ${number(back.left)} were edited since and stay.`));
      listPacks();
    })), place];
}

const code = name => name ? make("code", {}, name) : make("span", { className: "faint" }, "none");
