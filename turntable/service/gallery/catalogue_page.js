// All data sets, as cards.

import { bytes, h, told } from "./dom.js";
import { get, page, place } from "./api.js";

/** The first page. */
export async function cataloguePage() {
  const found = await get("/datasets");
  if (!found.length) {
    dispatchEvent(new Event("need-token"));
    return [h("h1", {}, "Data sets"), h("p", {}, "None that you may see. Sign in, if this service asks for tokens.")];
  }
  return [
    h("h1", {}, "Data sets"),
    h("div", { class: "cards" }, found.map(card)),
  ];
}

function card(data) {
  if (data.problem) {
    return h("div", { class: "card" }, h("div", {}, h("h2", {}, data.name), h("p", { class: "error" }, data.problem)));
  }
  const sheet = `${place(data.name)}/files/contact-sheet.jpg`;
  const cover = h("img", { class: "cover", src: sheet, alt: "", onerror: (event) => event.target.remove() });
  return h("a", { class: "card", href: page("d", data.name) },
    cover,
    h("div", {},
      h("h2", {}, data.name),
      h("p", { class: "quiet" }, data.description || data.title),
      h("p", {}, `${told(data.objects)} objects · ${told(data.images)} views · ${data.image_size_px} px · ${bytes(data.bytes)}`),
      h("p", { class: "quiet" }, `${data.categories.length} classes · ${data.factors.length} factors${data.licence ? ` · ${data.licence}` : ""}`)));
}
