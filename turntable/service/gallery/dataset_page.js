// One data set: what it is, what is in it, and its views by class and by factor.

import { bytes, h, measured, s, settled, told } from "./dom.js";
import { get, page, place, post, viewOf } from "./api.js";

const BATCH = 60;
const STEPS = 400;

/** The page of a data set. */
export async function datasetPage(name) {
  const about = await get(`${place(name)}/about`);
  const browser = h("section", { "aria-label": "Views" });
  // What takes longer comes after what is there at once.
  get(`${place(name)}/factors`)
    .then((factors) => browser.replaceChildren(...browse(name, about, factors)))
    .catch((error) => browser.replaceChildren(h("p", { class: "error", role: "alert" }, error.message)));
  const sheet = `${place(name)}/files/contact-sheet.jpg`;
  return [
    h("h1", {}, name),
    h("p", { class: "quiet" }, about.description || about.title),
    facts(about),
    h("p", { class: "tools" },
      h("a", { href: page("d", name, "pair") }, "Pairs as a loader gives them"),
      ...["README.md", "croissant.json", "labels.parquet", "manifest.json"].map((file) =>
        h("a", { href: `${place(name)}/files/${file}` }, file))),
    h("img", { class: "sheet", src: sheet, alt: `Some views of ${name}`, onerror: (event) => event.target.remove() }),
    browser,
    h("h2", {}, "Sources"),
    table(Object.entries(about.source).filter(([, value]) => typeof value !== "object" || value === null)),
    h("h2", {}, "Conventions"),
    table(Object.entries(about.conventions)),
  ];
}

function facts(about) {
  const splits = about.splits.map((split) =>
    `${told(Object.values(about.classes[split]).reduce((sum, count) => sum + count, 0))} ${split}`);
  const rows = {
    Objects: `${told(about.objects)} (${splits.join(", ")})`,
    Views: `${told(about.images)}, ${about.views} of each`,
    Pixels: `${about.image_size_px} × ${about.image_size_px}`,
    Outputs: about.outputs.join(", "),
    Size: `${bytes(about.bytes)} in ${told(about.shards)} shards`,
    "Left out": told(about.quarantined),
    Meshes: [about.source.name, about.source.version].filter(Boolean).join(" ") || "not recorded",
    Licence: about.licence || "not recorded",
    Fingerprint: about.fingerprint.slice(0, 16),
  };
  return h("dl", { class: "facts" }, Object.entries(rows).map(([term, words]) =>
    h("div", {}, h("dt", {}, term), h("dd", {}, words))));
}

function table(rows) {
  return h("table", {}, rows.map(([term, words]) => h("tr", {}, h("th", { scope: "row" }, term), h("td", {}, String(words)))));
}

/** Classes, sliders, and the views that they leave. */
function browse(name, about, factors) {
  const chosen = { categories: new Set(), ranges: new Map(), split: "" };
  const list = h("ul", { class: "views" });
  const count = h("p", { class: "quiet", role: "status" });
  const more = h("button", { type: "button", hidden: true }, "More views");
  const where = h("input", { class: "where", type: "text", spellcheck: "false", "aria-label": "Condition", placeholder: "floor_hue < 0.5 and category = 'mug'" });
  const subset = h("p", { class: "quiet" });
  let offset = 0;
  let latest = 0;

  async function fetchViews(from) {
    const mine = ++latest;
    const query = new URLSearchParams({ where: where.value.trim() || "true", offset: from, limit: BATCH });
    if (chosen.split) query.set("split", chosen.split);
    try {
      const found = await get(`${place(name)}/views?${query}`);
      if (mine !== latest) return;
      if (!from) list.replaceChildren();
      list.append(...found.views.map((view) => thumbnail(name, view)));
      offset = from + found.views.length;
      count.textContent = `${told(found.total)} views of ${told(found.objects)} objects`;
      count.className = "quiet";
      more.hidden = offset >= found.total;
    } catch (error) {
      if (mine !== latest) return;
      count.textContent = error.message;
      count.className = "error";
      list.replaceChildren();
      more.hidden = true;
    }
  }

  const refresh = settled(() => { subset.replaceChildren(); fetchViews(0); });
  function chose() {
    where.value = condition(chosen);
    refresh();
  }
  where.addEventListener("input", refresh);
  more.addEventListener("click", () => fetchViews(offset));

  async function makeSubset() {
    const body = { dataset: name, where: where.value.trim() || "true", splits: chosen.split ? [chosen.split] : [] };
    try {
      const answer = await fetch("/query", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
      const manifest = await answer.json();
      if (!answer.ok) throw new Error(manifest.error);
      const address = new URL(answer.headers.get("Location"), location.href).href;
      subset.replaceChildren(`Loader("${address}", "${manifest.splits[0]}") streams these ${told(manifest.subset.images)} views. `,
        h("a", { href: `${address}/manifest.json` }, "Its manifest"));
    } catch (error) {
      subset.replaceChildren(h("span", { class: "error" }, error.message));
    }
  }

  fetchViews(0);
  return [
    h("h2", {}, "Classes"),
    h("ul", { class: "chips" }, about.categories.map((category) => chip(category, about, chosen, chose))),
    h("h2", {}, "Factors"),
    h("div", { class: "factors" }, factors.filter((factor) => factor.high > factor.low).map((factor) => slider(factor, chosen, chose))),
    h("h2", {}, "Views"),
    where,
    h("p", { class: "tools" }, splitChoice(about, chosen, chose), h("button", { type: "button", onclick: makeSubset }, "Stream this subset"), count),
    subset,
    list,
    h("p", { class: "tools" }, more),
  ];
}

function thumbnail(name, view) {
  const words = `${view.category}, view ${view.view}`;
  return h("li", {}, h("a", { href: page("d", name, "o", view.key, view.view) },
    h("img", { src: `${viewOf(name, view.key, view.view)}.jpg`, alt: words, loading: "lazy" }), h("span", {}, words)));
}

function chip(category, about, chosen, chose) {
  const total = about.splits.reduce((sum, split) => sum + about.classes[split][category], 0);
  const button = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
    const on = !chosen.categories.delete(category);
    if (on) chosen.categories.add(category);
    button.setAttribute("aria-pressed", String(on));
    chose();
  } }, `${category} ${told(total)}`);
  return h("li", {}, button);
}

function splitChoice(about, chosen, chose) {
  const options = [h("option", { value: "" }, "all splits"), ...about.splits.map((split) => h("option", { value: split }, split))];
  return h("select", { "aria-label": "Split", onchange: (event) => { chosen.split = event.target.value; chose(); } }, options);
}

/** A histogram with a slider for each end of a range. */
function slider(factor, chosen, chose) {
  const { low, high, counts } = factor;
  const most = Math.max(1, ...counts);
  const bars = counts.map((count, at) => s("rect", { x: at, y: 50 * (1 - count / most), width: 0.86, height: (50 * count) / most }));
  const shown = h("output", {});
  // Whole steps: a slider in the factor's own numbers rounds its ends away.
  const ends = [0, STEPS].map((value, at) => h("input", {
    type: "range", min: 0, max: STEPS, step: 1, value, "aria-label": `${at ? "Most" : "Least"} ${factor.name}`,
  }));
  const valueOf = (end) => low + (Number(end.value) / STEPS) * (high - low);
  function changed(event) {
    if (Number(ends[0].value) > Number(ends[1].value)) ends.forEach((end) => { end.value = event.target.value; });
    const [from, to] = ends.map(valueOf);
    ends.forEach((end) => end.setAttribute("aria-valuetext", measured(valueOf(end), factor.unit)));
    shown.textContent = `${measured(from, factor.unit)} to ${measured(to, factor.unit)}`;
    bars.forEach((bar, at) => {
      const middle = low + ((at + 0.5) / bars.length) * (high - low);
      bar.classList.toggle("off", middle < from || middle > to);
    });
    if (Number(ends[0].value) === 0 && Number(ends[1].value) === STEPS) chosen.ranges.delete(factor.name);
    else chosen.ranges.set(factor.name, [from, to]);
    if (event) chose();
  }
  ends.forEach((end) => end.addEventListener("input", changed));
  changed();
  return h("fieldset", { class: "factor", title: factor.description },
    h("legend", {}, factor.name),
    s("svg", { viewBox: `0 0 ${counts.length} 50`, preserveAspectRatio: "none", role: "img", "aria-label": `Histogram of ${factor.name}` }, bars),
    ends, shown);
}

/** What was chosen, in the words of a condition. */
function condition({ categories, ranges }) {
  const parts = [...ranges].map(([name, [from, to]]) => `${name} between ${plain(from)} and ${plain(to)}`);
  if (categories.size) parts.unshift(`category in (${[...categories].map((word) => `'${word.replaceAll("'", "''")}'`).join(", ")})`);
  return parts.join(" and ");
}

function plain(value) {
  return String(Number(value.toPrecision(5)));
}
