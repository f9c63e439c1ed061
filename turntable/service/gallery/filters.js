// The filters of a data set's views: a condition, and categories, sliders and a split that write it.

import { formatNumber, formatRange, formatValue, h, svg } from "./dom.js";

const SLIDER_STEPS = 400;
// On a narrow window the lists begin closed, so that the views are near.
const isWide = () => matchMedia("(min-width: 60rem)").matches;

/** Make the filters. `onChange` is called when they change; `get` returns the condition and the splits. */
export function makeFilters(about, onChange) {
  const chosen = { categories: new Set(), ranges: new Map() };
  const where = h("input", {
    id: "where", class: "where", type: "text", spellcheck: "false", autocomplete: "off",
    placeholder: "floor_hue < 0.5 and category = 'mug'", oninput: onChange,
  });
  const split = h("select", { id: "split", onchange: onChange },
    h("option", { value: "" }, "All splits"), ...about.splits.map((name) => h("option", { value: name }, name)));
  const factors = h("div", { class: "factors" }, h("p", { class: "quiet" }, "Loading the factors…"));
  const writeCondition = () => { where.value = makeCondition(chosen); onChange(); };
  const categories = h("ul", { class: "chips" }, about.categories.map((name) => chip(name, about, chosen, writeCondition)));

  return {
    get: () => ({ where: where.value.trim() || "true", splits: split.value ? [split.value] : [] }),
    /** The fields above the views. */
    fields: h("div", { class: "fields" },
      h("label", { class: "grow" }, h("span", {}, "Condition"), where),
      h("label", {}, h("span", {}, "Split"), split)),
    /** The lists beside the views. */
    lists: h("div", { class: "lists" },
      h("details", { open: isWide() }, h("summary", {}, `Categories (${about.categories.length})`), categories),
      h("details", { open: isWide() }, h("summary", {}, "Factors"), factors)),
    showFactors: (histograms) => factors.replaceChildren(...histograms
      .filter((factor) => factor.high > factor.low).map((factor) => slider(factor, chosen, writeCondition))),
    showProblem: (message) => factors.replaceChildren(h("p", { class: "error", role: "alert" }, message)),
    clear: () => {
      where.value = split.value = "";
      chosen.categories.clear();
      chosen.ranges.clear();
      categories.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", "false"));
      for (const field of factors.children) field.reset?.();
      onChange();
    },
  };
}

function chip(category, about, chosen, writeCondition) {
  const total = about.splits.reduce((sum, split) => sum + about.classes[split][category], 0);
  const button = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
    const isPressed = !chosen.categories.delete(category);
    if (isPressed) chosen.categories.add(category);
    button.setAttribute("aria-pressed", String(isPressed));
    writeCondition();
  } }, `${category} ${formatNumber(total)}`);
  return h("li", {}, button);
}

/** A histogram of a factor, with two sliders for the ends of a range. */
function slider(factor, chosen, writeCondition) {
  const { low, high, counts } = factor;
  const highest = Math.max(1, ...counts);
  const bars = counts.map((count, bin) => svg("rect", { x: bin, y: 50 * (1 - count / highest), width: 0.86, height: (50 * count) / highest }));
  const range = h("output", {});
  // The sliders count whole steps: with the factor's own numbers a browser rounds, and the ends cannot be reached.
  const ends = [0, SLIDER_STEPS].map((value, end) => h("input", {
    type: "range", min: 0, max: SLIDER_STEPS, step: 1, value, "aria-label": `${end ? "Maximum" : "Minimum"} ${factor.name}`,
  }));
  const valueOf = (end) => low + (Number(end.value) / SLIDER_STEPS) * (high - low);
  const isWhole = () => Number(ends[0].value) === 0 && Number(ends[1].value) === SLIDER_STEPS;
  function show() {
    const [from, to] = ends.map(valueOf);
    ends.forEach((end) => end.setAttribute("aria-valuetext", formatValue(valueOf(end), factor.unit)));
    range.textContent = formatRange(from, to, factor.unit);
    bars.forEach((bar, bin) => {
      const middle = low + ((bin + 0.5) / bars.length) * (high - low);
      bar.classList.toggle("off", middle < from || middle > to);
    });
  }
  function update(event) {
    // A slider that passes the other one takes it along.
    if (Number(ends[0].value) > Number(ends[1].value)) ends.forEach((end) => { end.value = event.target.value; });
    if (isWhole()) chosen.ranges.delete(factor.name);
    else chosen.ranges.set(factor.name, ends.map(valueOf));
    show();
    writeCondition();
  }
  ends.forEach((end) => end.addEventListener("input", update));
  show();
  const field = h("fieldset", { class: "factor", title: factor.description },
    h("legend", {}, factor.name),
    svg("svg", { viewBox: `0 0 ${counts.length} 50`, preserveAspectRatio: "none", role: "img", "aria-label": `Histogram of ${factor.name}` }, bars),
    ends, range);
  field.reset = () => { ends.forEach((end, index) => { end.value = index * SLIDER_STEPS; }); show(); };
  return field;
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
