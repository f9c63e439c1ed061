// The pairs that a loader gives, with what lies between their views.

import { h, measured, told } from "./dom.js";
import { get, page, place, viewOf } from "./api.js";
import { labelled, legend } from "./stage.js";

/** The page of pairs. */
export async function pairPage(name) {
  const about = await get(`${place(name)}/about`);
  const wanted = { split: about.splits[0], seed: 0, epoch: 0, index: 0 };
  const shown = h("div", { "aria-live": "polite" });
  const field = (word) => h("label", {}, `${word} `, h("input", {
    type: "number", min: 0, value: 0, style: "width: 6.5rem", "data-field": word,
    oninput: (event) => { wanted[word] = Math.max(0, Number(event.target.value) || 0); show(); },
  }));
  const step = (by) => h("button", { type: "button", onclick: () => {
    wanted.index = Math.max(0, wanted.index + by);
    tools.querySelector("[data-field=index]").value = wanted.index;
    show();
  } }, by > 0 ? "Next pair" : "Previous pair");
  const split = h("select", { "aria-label": "Split", onchange: (event) => { wanted.split = event.target.value; show(); } },
    about.splits.map((word) => h("option", { value: word }, word)));
  const tools = h("p", { class: "tools" }, split, field("seed"), field("epoch"), field("index"), step(-1), step(1));

  let latest = 0;
  async function show() {
    const mine = ++latest; // answers may come in another order than they were asked for
    try {
      const found = await get(`${place(name)}/pair?${new URLSearchParams(wanted)}`);
      if (mine === latest) shown.replaceChildren(...pair(name, found));
    } catch (error) {
      if (mine === latest) shown.replaceChildren(h("p", { class: "error", role: "alert" }, error.message));
    }
  }
  await show();
  return [
    h("h1", {}, "Pairs"),
    h("p", { class: "quiet" }, `What Loader("…/${name}", SPLIT, Pairs(), seed=SEED) gives at this place of this epoch.`),
    tools,
    shown,
  ];
}

function pair(name, found) {
  const [x, y, z, w] = found.relative_quaternion;
  return [
    h("p", {}, h("a", { href: page("d", name, "o", found.key) }, `${found.category}: ${found.id}`), `, one of ${told(found.pairs)} pairs of the epoch`),
    h("div", { class: "pair" }, found.labels.map((label, at) => h("figure", { style: "margin:0" },
      labelled(`${viewOf(name, found.key, found.views[at])}.jpg`, `View ${found.views[at]}`, label.overlay),
      h("figcaption", {}, h("a", { href: page("d", name, "o", found.key, found.views[at]) }, `view_${at + 1}: view ${found.views[at]}`))))),
    found.labels[0].overlay ? legend(found.labels[0].overlay) : null,
    h("table", {},
      h("tr", {}, h("th", { scope: "row" }, "relative_quaternion, xyzw, of R1ᵀ R2"), h("td", {}, [x, y, z, w].map((part) => told(part, 4)).join(", "))),
      h("tr", {}, h("th", { scope: "row" }, "angle"), h("td", {}, measured(found.relative_angle_rad, "rad")))),
  ].filter(Boolean);
}
