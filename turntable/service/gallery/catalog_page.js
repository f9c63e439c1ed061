// The first page: all data sets as cards.

import { formatBytes, formatCount, h } from "./dom.js";
import { fileUrl, getJson, hasPictures, pageUrl, serviceUrl } from "./api.js";

/** Make the elements of the page. */
export async function catalogPage() {
  const datasets = await getJson(serviceUrl("datasets"));
  if (!datasets.length) return [h("h1", {}, "Data sets"), h("p", {}, "There are no data sets that you may read.")];
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
  const sheet = fileUrl(dataset.name, "contact-sheet.jpg");
  const cover = hasPictures(dataset) ? h("img", { class: "cover", src: sheet, alt: "", onerror: (event) => event.target.remove() }) : null;
  return h("a", { class: "card", href: pageUrl("d", dataset.name) },
    cover,
    h("div", {},
      h("h2", {}, dataset.name),
      h("p", { class: "quiet" }, dataset.description || dataset.title),
      h("p", {}, [
        formatCount(dataset.objects, "object"), formatCount(dataset.images, "view"),
        hasPictures(dataset) ? `${dataset.image_size_px} × ${dataset.image_size_px} pixels` : "no pictures", formatBytes(dataset.bytes),
      ].join(" · ")),
      h("p", { class: "quiet" }, [
        `${dataset.categories.length} ${dataset.categories.length === 1 ? "category" : "categories"}`, formatCount(dataset.factors.length, "factor"), dataset.licence,
      ].filter(Boolean).join(" · "))));
}
