// One object with all its views and a turntable; one view with its label drawn on it.

import { h, measured, told } from "./dom.js";
import { get, page, place, viewOf } from "./api.js";
import { labelled, legend, turntable } from "./stage.js";

/** The page of an object. */
export async function objectPage(name, key) {
  const [about, object] = await Promise.all([get(`${place(name)}/about`), get(`${place(name)}/objects/${encodeURIComponent(key)}`)]);
  const status = h("p", { class: "quiet", role: "status" });
  const size = Math.min(512, Math.max(256, about.image_size_px));
  const stage = turntable(name, object, about.renders, size, (now) => { status.textContent = words(now); });
  return [
    h("h1", {}, `${object.category}: ${object.id}`),
    h("p", { class: "quiet" }, [`in ${object.split}`, object.licence].filter(Boolean).join(" · ")),
    h("div", { class: "split" },
      h("div", {}, stage, status),
      h("div", {},
        h("h2", {}, `All ${told(object.views.length)} views`),
        h("ul", { class: "views" }, object.views.map((_, view) => h("li", {},
          h("a", { href: page("d", name, "o", key, view) },
            h("img", { src: `${viewOf(name, key, view)}.jpg`, alt: `View ${view}`, loading: "lazy" }), h("span", {}, `view ${view}`))))))),
  ];
}

function words(now) {
  const angles = Object.entries(now.factors).map(([name, value]) => `${name.split("_")[1]} ${measured(value, "rad")}`).join(", ");
  if (now.problem) return `${now.problem}. The nearest stored view is shown.`;
  if (now.drawn) return `Drawn now: ${angles}`;
  return `Nearest stored view: ${now.view}, ${measured(now.away, "rad")} from ${angles}. Drag to turn.`;
}

/** The page of a view. */
export async function viewPage(name, key, view) {
  const [label, about, factors] = await Promise.all([
    get(`${viewOf(name, key, view)}.json`), get(`${place(name)}/about`), get(`${place(name)}/factors`),
  ]);
  const units = Object.fromEntries(factors.map((factor) => [factor.name, factor.unit]));
  const last = about.views - 1;
  const link = (number, text) => (number < 0 || number > last ? h("span", { class: "quiet" }, text)
    : h("a", { href: page("d", name, "o", key, number), rel: text === "Next" ? "next" : "prev" }, text));
  const stage = labelled(`${viewOf(name, key, view)}.jpg`, `View ${view} of ${label.object}, with its label drawn on it`, label.overlay);
  stage.tabIndex = 0;
  stage.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && view + step >= 0 && view + step <= last) location.hash = page("d", name, "o", key, view + step);
  });
  return [
    h("h1", {}, `${label.category}: ${label.object}, view ${view}`),
    h("p", { class: "tools" }, link(view - 1, "Previous"), link(view + 1, "Next"), h("a", { href: page("d", name, "o", key) }, "All views")),
    h("div", { class: "split" },
      h("div", {}, stage, label.overlay ? legend(label.overlay) : h("p", { class: "quiet" }, "No scene can be made of these labels, so nothing is drawn over the picture.")),
      h("div", {}, labelTable(label, units))),
  ];
}

/** A label, number by number. */
export function labelTable(label, units) {
  const rows = Object.entries(label.factors).map(([name, value]) => [name, measured(value, units[name] ?? "1"), value]);
  return h("table", {},
    rows.map(([name, words, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, words), h("td", { class: "quiet" }, String(Number(value.toPrecision(7)))))),
    h("tr", {}, h("th", { scope: "row" }, "quaternion xyzw"), h("td", { colspan: "2" }, label.quaternion.map((part) => told(part, 4)).join(", "))));
}
