// The first page: all data sets as cards.

import { formatBytes, formatCount, h } from "./dom.js";
import { datasetUrl, getJson, pageUrl } from "./api.js";

/** Make the elements of the page. */
export async function catalogPage() {
  const datasets = await getJson("/datasets");
  if (!datasets.length) {
    // With tokens, a visitor without one gets an empty list instead of an error.
    dispatchEvent(new Event("need-token"));
    return [h("h1", {}, "Data sets"), h("p", {}, "There are no data sets that you may read. Sign in if you have a token.")];
  }
  return [
    h("h1", {}, "Data sets"),
    h("div", { class: "cards" }, datasets.map(card)),
  ];
}

function card(dataset) {
  if (dataset.problem) {
    return h("div", { class: "card" },
      h("div", {}, h("h2", {}, dataset.name), h("p", { class: "error" }, dataset.problem)));
  }
  const sheet = `${datasetUrl(dataset.name)}/files/contact-sheet.jpg`;
  const cover = h("img", { class: "cover", src: sheet, alt: "", onerror: (event) => event.target.remove() });
  return h("a", { class: "card", href: pageUrl("d", dataset.name) },
    cover,
    h("div", {},
      h("h2", {}, dataset.name),
      h("p", { class: "quiet" }, dataset.description || dataset.title),
      h("p", {}, [
        formatCount(dataset.objects, "object"), formatCount(dataset.images, "view"),
        `${dataset.image_size_px} × ${dataset.image_size_px} pixels`, formatBytes(dataset.bytes),
      ].join(" · ")),
      h("p", { class: "quiet" }, [
        `${dataset.categories.length} ${dataset.categories.length === 1 ? "category" : "categories"}`, formatCount(dataset.factors.length, "factor"), dataset.licence,
      ].filter(Boolean).join(" · "))));
}
