// The page of an object, with a player of its sequences, its arrays in space, a turntable and all views.

import { formatCount, formatNumber, formatValue, h } from "./dom.js";
import { datasetUrl, getJson, hasPictures, objectUrl, pageUrl, viewUrl } from "./api.js";
import { player } from "./player.js";
import { spaceView } from "./space.js";
import { turntable } from "./turntable.js";

/** Make the elements of the page. */
export async function objectPage(name, key) {
  const [about, object] = await Promise.all([getJson(`${datasetUrl(name)}/about`), getJson(objectUrl(name, key))]);
  const isShown = hasPictures(about);
  return [
    h("h1", {}, `${object.category}: ${object.id}`),
    h("p", { class: "quiet" }, [`Split ${object.split}`, object.licence, ...describeSymmetry(object)].filter(Boolean).join(" · ")),
    isShown && about.sequence_length > 1 ? player(name, object, about) : null,
    spaceView(name, key, about.drawings),
    h("div", { class: "split" },
      isShown ? turntableStage(name, object, about) : null,
      h("div", {},
        h("h2", {}, `All ${formatCount(object.views.length, "view")}`),
        h("ul", { class: "views" }, object.views.map((_, view) => h("li", {},
          h("a", { href: pageUrl("d", name, "o", key, view) },
            isShown ? h("img", { src: `${viewUrl(name, key, view)}.jpg`, alt: `View ${view}`, loading: "lazy" }) : null,
            h("span", {}, `View ${view}`))))))),
  ].filter(Boolean);
}

/** The turntable of an object with the text below it. */
function turntableStage(name, object, about) {
  const status = h("p", { class: "quiet", role: "status" });
  const size = Math.min(512, Math.max(256, about.image_size_px));
  const stage = turntable(name, object, about.renders, size, (state) => { status.textContent = describe(state); });
  return h("div", {}, stage, status);
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
