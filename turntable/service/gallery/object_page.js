// The page of an object, with a turntable and all views; and the page of a view, with its label drawn on it.

import { formatCount, formatNumber, formatValue, h } from "./dom.js";
import { datasetUrl, getJson, objectUrl, pageUrl, viewUrl } from "./api.js";
import { labeledView, legend, turntable } from "./stage.js";

/** Make the elements of the page of an object. */
export async function objectPage(name, key) {
  const [about, object] = await Promise.all([getJson(`${datasetUrl(name)}/about`), getJson(objectUrl(name, key))]);
  const status = h("p", { class: "quiet", role: "status" });
  const size = Math.min(512, Math.max(256, about.image_size_px));
  const stage = turntable(name, object, about.renders, size, (state) => { status.textContent = describe(state); });
  return [
    h("h1", {}, `${object.category}: ${object.id}`),
    h("p", { class: "quiet" }, [`Split ${object.split}`, object.licence, ...describeSymmetry(object)].filter(Boolean).join(" · ")),
    h("div", { class: "split" },
      h("div", {}, stage, status),
      h("div", {},
        h("h2", {}, `All ${formatCount(object.views.length, "view")}`),
        h("ul", { class: "views" }, object.views.map((_, view) => h("li", {},
          h("a", { href: pageUrl("d", name, "o", key, view) },
            h("img", { src: `${viewUrl(name, key, view)}.jpg`, alt: `View ${view}`, loading: "lazy" }), h("span", {}, `View ${view}`))))))),
  ];
}

/** The texts about the symmetry of an object, if it was measured. */
function describeSymmetry(object) {
  if (!object.symmetry) return [];
  return [`Symmetry ${object.symmetry.group}`, `mirror residual ${formatNumber(object.mirror_residual)}`, `eigen gap ${formatNumber(object.eigen_gap)}`];
}

/** The text below the turntable. */
function describe(state) {
  const angles = Object.entries(state.factors).map(([name, value]) => `${name.split("_")[1]} ${formatValue(value, "rad")}`).join(", ");
  if (state.problem) return `${state.problem}. The nearest stored view is shown instead.`;
  if (state.rendered) return `Rendered view of this rotation: ${angles}`;
  return `View ${state.view} is the nearest stored view, ${formatValue(state.distance, "rad")} from this rotation (${angles}). Drag to rotate the object.`;
}

/** Make the elements of the page of a view. */
export async function viewPage(name, key, view) {
  const [label, about, factors] = await Promise.all([
    getJson(`${viewUrl(name, key, view)}.json`), getJson(`${datasetUrl(name)}/about`), getJson(`${datasetUrl(name)}/factors`),
  ]);
  const units = Object.fromEntries(factors.map((factor) => [factor.name, factor.unit]));
  const last = about.views - 1;
  const link = (number, text) => (number < 0 || number > last ? h("span", { class: "quiet" }, text)
    : h("a", { href: pageUrl("d", name, "o", key, number), rel: text === "Next" ? "next" : "prev" }, text));
  const stage = labeledView(`${viewUrl(name, key, view)}.jpg`, `View ${view} of ${label.object} with its label`, label.overlay);
  stage.tabIndex = 0;
  stage.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && view + step >= 0 && view + step <= last) location.hash = pageUrl("d", name, "o", key, view + step);
  });
  return [
    h("h1", {}, `${label.category}: ${label.object}, view ${view}`),
    h("p", { class: "tools" }, link(view - 1, "Previous"), link(view + 1, "Next"), h("a", { href: pageUrl("d", name, "o", key) }, "All views")),
    h("div", { class: "split" },
      h("div", {}, stage, label.overlay ? legend(label.overlay)
        : h("p", { class: "quiet" }, "These labels do not describe a scene, so nothing is drawn over the picture.")),
      h("div", {}, labelTable(label, units))),
  ];
}

/** A table of a label's factors: the value with its unit, and the number as it is stored. */
function labelTable(label, units) {
  const heading = (text) => h("th", { scope: "col" }, text);
  return h("table", {},
    h("tr", {}, heading("Factor"), heading("Value"), heading("Stored number")),
    Object.entries(label.factors).map(([name, value]) => h("tr", {},
      h("th", { scope: "row" }, name),
      h("td", {}, formatValue(value, units[name] ?? "1")),
      h("td", { class: "quiet" }, String(Number(value.toPrecision(7)))))),
    h("tr", {},
      h("th", { scope: "row" }, "Rotation as quaternion (x, y, z, w)"),
      h("td", { colspan: "2" }, label.quaternion.map((part) => formatNumber(part, 4)).join(", "))));
}
