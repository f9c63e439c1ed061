// The page of pairs: those that a loader yields, with the rotation between their two views.

import { formatCount, formatNumber, formatValue, h } from "./dom.js";
import { datasetUrl, getJson, pageUrl, viewUrl } from "./api.js";
import { labeledView, legend } from "./labeled_view.js";

/** Make the elements of the page. */
export async function pairPage(name) {
  const about = await getJson(`${datasetUrl(name)}/about`);
  const params = { split: about.splits[0], seed: 0, epoch: 0, index: 0 };
  const content = h("div", { "aria-live": "polite" });
  const field = (param, label) => h("label", {}, `${label} `, h("input", {
    type: "number", min: 0, value: 0, style: "width: 6.5rem", "data-field": param,
    oninput: (event) => { params[param] = Math.max(0, Number(event.target.value) || 0); show(); },
  }));
  const step = (by) => h("button", { type: "button", onclick: () => {
    params.index = Math.max(0, params.index + by);
    tools.querySelector("[data-field=index]").value = params.index;
    show();
  } }, by > 0 ? "Next pair" : "Previous pair");
  const split = h("select", { "aria-label": "Split", onchange: (event) => { params.split = event.target.value; show(); } },
    about.splits.map((option) => h("option", { value: option }, option)));
  const tools = h("p", { class: "tools" }, split, field("seed", "Seed"), field("epoch", "Epoch"), field("index", "Index"), step(-1), step(1));

  let latest = 0;
  async function show() {
    const current = ++latest; // responses may arrive in another order than their requests: only the latest is shown
    try {
      const pair = await getJson(`${datasetUrl(name)}/pair?${new URLSearchParams(params)}`);
      if (current === latest) content.replaceChildren(...pairElements(name, pair));
    } catch (error) {
      if (current === latest) content.replaceChildren(h("p", { class: "error", role: "alert" }, error.message));
    }
  }
  await show();
  return [
    h("h1", {}, "Pairs"),
    h("p", { class: "quiet" }, "Pairs of views for training, as ",
      h("code", {}, `Loader("${datasetUrl(name)}", BatchConfig(split=…, sampler=Pairs(), seed=…))`),
      " yields them. The index is the position of the pair in the epoch."),
    tools,
    content,
  ];
}

function pairElements(name, pair) {
  return [
    h("p", {}, h("a", { href: pageUrl("d", name, "o", pair.key) }, `${pair.category}: ${pair.id}`), `, one of ${formatCount(pair.pairs, "pair")} in the epoch`),
    h("div", { class: "pair" }, pair.labels.map((label, side) => h("figure", { style: "margin:0" },
      labeledView(`${viewUrl(name, pair.key, pair.views[side])}.jpg`, `View ${pair.views[side]}`, label),
      h("figcaption", {}, h("a", { href: pageUrl("d", name, "o", pair.key, pair.views[side]) }, `view_${side + 1}: view ${pair.views[side]}`))))),
    pair.labels[0].overlay ? legend(pair.labels[0].overlay) : null,
    h("h2", {}, "Rotation between the two views"),
    h("table", {},
      h("tr", {}, h("th", { scope: "row" }, "Angle"), h("td", {}, formatValue(pair.relative_angle_rad, "rad"))),
      h("tr", {},
        h("th", { scope: "row" }, "Quaternion (x, y, z, w) of R1ᵀ R2, relative_quaternion in a batch"),
        h("td", {}, pair.relative_quaternion.map((part) => formatNumber(part, 4)).join(", ")))),
  ].filter(Boolean);
}
