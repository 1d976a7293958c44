// Stored decisions that are less sure than a bound: a person says what each was, which locks it and is asked of later packs.

import { ask, byId, doing, make, number, percent, show, table } from "./page.js";
import { TONE } from "./try.js";

let ready = false;

export function openReview(explain) {
  if (ready) return;
  ready = true;
  const form = byId("review-form"), told = byId("review-told");
  doing(form.querySelector("button"), told, async () => {
    if (!form.reportValidity()) return;
    await listCategories();
    show(told);
    await page(form, "", explain);
  });
}

async function listCategories() {
  const { categories } = await ask("GET", "categories");
  show(byId("categories"), categories.map(one => make("option", { value: one.detailed })));
}

async function page(form, after, explain) {
  const found = await ask("GET", `transactions?below=${form.elements.below.value}&after=${encodeURIComponent(after)}`);
  const following = make("button", {}, "More");
  show(byId("review-rows"),
    found.transactions.length ? rows(found.transactions, form, explain) : make("p", { className: "faint" }, "Nothing is less sure than that."),
    found.next ? doing(following, byId("review-told"), () => page(form, found.next, explain)) : null);
}

const rows = (transactions, form, explain) => table([
  ["Transaction", row => make("div", {}, row.descriptor, make("div", { className: "faint" }, [row.id, row.amount && `${number(row.amount)} ${row.currency || ""}`, row.booked_at?.slice(0, 10)].filter(Boolean).join(" · ")))],
  ["Merchant", row => row.merchant || ""],
  ["Decided", row => make("div", {}, make("code", {}, row.category || "none"), make("div", { className: TONE[row.level] }, percent(row.confidence)))],
  ["What it was", row => verdict(row, form)],
  ["", row => { const why = make("button", {}, "Why"); why.addEventListener("click", () => explain(row)); return why; }],
], transactions);

function verdict(row, form) {
  const wanted = make("input", { value: row.category || "", ariaLabel: `Category of ${row.descriptor}`, size: 34 }), place = make("div");
  wanted.setAttribute("list", "categories");
  const button = doing(make("button", {}, "That is right"), place, async () => {
    if (!form.reportValidity()) return;
    const done = await ask("POST", `transactions/${encodeURIComponent(row.id)}/correction`, { category: wanted.value.trim(), by: form.elements.by.value.trim() });
    show(place, make("span", { className: "good" }, `Locked as ${done.after}.`));
  });
  return make("div", {}, make("div", { className: "row" }, wanted, button), place);
}
