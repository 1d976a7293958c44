// The console: tabs, each with a module of its own that begins its work when it is opened.

import { ask, byId, number } from "./page.js";
import { openFiles } from "./files.js";
import { openReview } from "./review.js";
import { openRules } from "./rules.js";
import { FIELDS, openTry } from "./try.js";

const OPENED = { try: openTry, files: openFiles, rules: openRules, review: openReview };
const tabs = [...document.querySelectorAll("[role=tab]")];

function choose(tab) {
  for (const one of tabs) {
    one.setAttribute("aria-selected", one === tab);
    one.tabIndex = one === tab ? 0 : -1;
    byId(one.getAttribute("aria-controls")).hidden = one !== tab;
  }
  const name = tab.getAttribute("aria-controls");
  history.replaceState(null, "", "#" + name);
  OPENED[name](explain);
}

function explain(transaction) {
  const form = byId("try-form");
  for (const name of FIELDS) form.elements[name].value = transaction[name] || "";
  choose(tabs[0]);
  form.querySelector("button").click();
}

tabs.forEach((tab, place) => {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(place + step + tabs.length) % tabs.length];
    next.focus();
    choose(next);
  });
});

try {
  const ready = await ask("GET", "readyz");
  byId("deciding").textContent = `version ${number(ready.version)}, pack ${ready.pack.slice(0, 12)}`;
} catch (error) {
  byId("deciding").textContent = error.message;
}
choose(tabs.find(tab => "#" + tab.getAttribute("aria-controls") === location.hash) || tabs[0]);
