// The page of a data set: its facts, and its views filtered by category, by factor, or by a condition.

import { debounce, formatBytes, formatCount, formatNumber, formatRange, formatValue, h, svg } from "./dom.js";
import { datasetUrl, getJson, pageUrl, parseResponse, postBody, viewUrl } from "./api.js";

const VIEWS_PER_PAGE = 60;
const SLIDER_STEPS = 400;

/** Make the elements of the page. */
export async function datasetPage(name) {
  const about = await getJson(`${datasetUrl(name)}/about`);
  const browser = h("section", { "aria-label": "Views" }, h("p", { class: "quiet" }, "Loading the factors…"));
  // The histograms take longer, so the page is shown before they arrive.
  getJson(`${datasetUrl(name)}/factors`)
    .then((factors) => browser.replaceChildren(...browse(name, about, factors)))
    .catch((error) => browser.replaceChildren(h("p", { class: "error", role: "alert" }, error.message)));
  const sheet = `${datasetUrl(name)}/files/contact-sheet.jpg`;
  return [
    h("h1", {}, name),
    h("p", { class: "quiet" }, about.description || about.title),
    facts(about),
    h("p", { class: "tools" },
      h("a", { href: pageUrl("d", name, "pair") }, "Pairs for training"),
      ...["README.md", "croissant.json", "labels.parquet", "manifest.json"].map((file) =>
        h("a", { href: `${datasetUrl(name)}/files/${file}` }, file))),
    h("img", { class: "sheet", src: sheet, alt: `Contact sheet of ${name}`, onerror: (event) => event.target.remove() }),
    browser,
    h("h2", {}, "Sources"),
    table(Object.entries(about.source).filter(([, value]) => typeof value !== "object" || value === null)),
    h("h2", {}, "Conventions"),
    table(Object.entries(about.conventions)),
  ];
}

function facts(about) {
  const splits = about.splits.map((split) =>
    `${formatNumber(Object.values(about.classes[split]).reduce((sum, count) => sum + count, 0))} ${split}`);
  const rows = {
    Objects: `${formatNumber(about.objects)} (${splits.join(", ")})`,
    Views: `${formatNumber(about.images)} (${about.views} of each object)`,
    "Size of a view": `${about.image_size_px} × ${about.image_size_px} pixels`,
    Outputs: about.outputs.join(", "),
    "Size on disk": `${formatBytes(about.bytes)} in ${formatCount(about.shards, "shard")}`,
    "Objects left out": formatNumber(about.quarantined),
    Meshes: [about.source.name, about.source.version].filter(Boolean).join(" ") || "not recorded",
    License: about.licence || "not recorded",
    Fingerprint: about.fingerprint.slice(0, 16),
  };
  return h("dl", { class: "facts" }, Object.entries(rows).map(([term, text]) =>
    h("div", {}, h("dt", {}, term), h("dd", {}, text))));
}

function table(rows) {
  return h("table", {}, rows.map(([term, value]) => h("tr", {}, h("th", { scope: "row" }, term), h("td", {}, String(value)))));
}

/** Categories and sliders that filter views, the condition that they make, and the matching views. */
function browse(name, about, factors) {
  const filters = { categories: new Set(), ranges: new Map(), split: "" };
  const list = h("ul", { class: "views" });
  const count = h("p", { class: "quiet", role: "status" });
  const more = h("button", { type: "button", hidden: true }, "More views");
  const where = h("input", { class: "where", type: "text", spellcheck: "false", "aria-label": "Condition", placeholder: "floor_hue < 0.5 and category = 'mug'" });
  const subset = h("p", { class: "quiet" });
  let offset = 0;
  let latest = 0;

  async function fetchViews(start) {
    const current = ++latest; // responses may arrive in another order than their requests: only the latest is shown
    const query = new URLSearchParams({ where: where.value.trim() || "true", offset: start, limit: VIEWS_PER_PAGE });
    if (filters.split) query.set("split", filters.split);
    try {
      const page = await getJson(`${datasetUrl(name)}/views?${query}`);
      if (current !== latest) return;
      if (!start) list.replaceChildren();
      list.append(...page.views.map((view) => thumbnail(name, view)));
      offset = start + page.views.length;
      count.textContent = `${formatCount(page.total, "view")} of ${formatCount(page.objects, "object")}`;
      count.className = "quiet";
      more.hidden = offset >= page.total;
    } catch (error) {
      if (current !== latest) return;
      count.textContent = error.message;
      count.className = "error";
      list.replaceChildren();
      more.hidden = true;
    }
  }

  const refresh = debounce(() => { subset.replaceChildren(); fetchViews(0); });
  function applyFilters() {
    where.value = makeCondition(filters);
    refresh();
  }
  where.addEventListener("input", refresh);
  more.addEventListener("click", () => fetchViews(offset));

  async function makeSubset() {
    const body = { dataset: name, where: where.value.trim() || "true", splits: filters.split ? [filters.split] : [] };
    try {
      const response = await postBody("/query", body);
      const manifest = await parseResponse(response);
      const url = new URL(response.headers.get("Location"), location.href).href;
      subset.replaceChildren(h("code", {}, `Loader("${url}", BatchConfig(split="${manifest.splits[0]}"))`), ` streams ${formatCount(manifest.subset.images, "view")}. `,
        h("a", { href: `${url}/manifest.json` }, "Manifest of the subset"));
    } catch (error) {
      subset.replaceChildren(h("span", { class: "error" }, error.message));
    }
  }

  fetchViews(0);
  return [
    h("h2", {}, "Categories"),
    h("ul", { class: "chips" }, about.categories.map((category) => chip(category, about, filters, applyFilters))),
    h("h2", {}, "Factors"),
    h("div", { class: "factors" }, factors.filter((factor) => factor.high > factor.low).map((factor) => slider(factor, filters, applyFilters))),
    h("h2", {}, "Views"),
    where,
    h("p", { class: "tools" }, splitSelect(about, filters, applyFilters), h("button", { type: "button", onclick: makeSubset }, "Stream this subset"), count),
    subset,
    list,
    h("p", { class: "tools" }, more),
  ];
}

function thumbnail(name, view) {
  const caption = `${view.category}, view ${view.view}`;
  return h("li", {}, h("a", { href: pageUrl("d", name, "o", view.key, view.view) },
    h("img", { src: `${viewUrl(name, view.key, view.view)}.jpg`, alt: caption, loading: "lazy" }), h("span", {}, caption)));
}

function chip(category, about, filters, applyFilters) {
  const total = about.splits.reduce((sum, split) => sum + about.classes[split][category], 0);
  const button = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
    const isPressed = !filters.categories.delete(category);
    if (isPressed) filters.categories.add(category);
    button.setAttribute("aria-pressed", String(isPressed));
    applyFilters();
  } }, `${category} ${formatNumber(total)}`);
  return h("li", {}, button);
}

function splitSelect(about, filters, applyFilters) {
  const options = [h("option", { value: "" }, "All splits"), ...about.splits.map((split) => h("option", { value: split }, split))];
  return h("select", { "aria-label": "Split", onchange: (event) => { filters.split = event.target.value; applyFilters(); } }, options);
}

/** A histogram of a factor, with two sliders for the ends of a range. */
function slider(factor, filters, applyFilters) {
  const { low, high, counts } = factor;
  const highest = Math.max(1, ...counts);
  const bars = counts.map((count, bin) => svg("rect", { x: bin, y: 50 * (1 - count / highest), width: 0.86, height: (50 * count) / highest }));
  const range = h("output", {});
  // The sliders count whole steps: with the factor's own numbers a browser rounds, and the ends cannot be reached.
  const ends = [0, SLIDER_STEPS].map((value, end) => h("input", {
    type: "range", min: 0, max: SLIDER_STEPS, step: 1, value, "aria-label": `${end ? "Maximum" : "Minimum"} ${factor.name}`,
  }));
  const valueOf = (end) => low + (Number(end.value) / SLIDER_STEPS) * (high - low);
  function update(event) {
    // A slider that passes the other one takes it along.
    if (Number(ends[0].value) > Number(ends[1].value)) ends.forEach((end) => { end.value = event.target.value; });
    const [from, to] = ends.map(valueOf);
    ends.forEach((end) => end.setAttribute("aria-valuetext", formatValue(valueOf(end), factor.unit)));
    range.textContent = formatRange(from, to, factor.unit);
    bars.forEach((bar, bin) => {
      const middle = low + ((bin + 0.5) / bars.length) * (high - low);
      bar.classList.toggle("off", middle < from || middle > to);
    });
    if (Number(ends[0].value) === 0 && Number(ends[1].value) === SLIDER_STEPS) filters.ranges.delete(factor.name);
    else filters.ranges.set(factor.name, [from, to]);
    if (event) applyFilters();
  }
  ends.forEach((end) => end.addEventListener("input", update));
  update();
  return h("fieldset", { class: "factor", title: factor.description },
    h("legend", {}, factor.name),
    svg("svg", { viewBox: `0 0 ${counts.length} 50`, preserveAspectRatio: "none", role: "img", "aria-label": `Histogram of ${factor.name}` }, bars),
    ends, range);
}

/** The condition that the filters make, in the syntax of the service. */
function makeCondition({ categories, ranges }) {
  const parts = [...ranges].map(([name, [from, to]]) => `${name} between ${formatLiteral(from)} and ${formatLiteral(to)}`);
  if (categories.size) parts.unshift(`category in (${[...categories].map((category) => `'${category.replaceAll("'", "''")}'`).join(", ")})`);
  return parts.join(" and ");
}

function formatLiteral(value) {
  return String(Number(value.toPrecision(5)));
}
