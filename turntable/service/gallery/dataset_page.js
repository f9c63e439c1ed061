// The page of a data set: its views, filtered by category, by factor, or by a condition; then its facts.

import { copyable, debounce, formatCount, h } from "./dom.js";
import { datasetUrl, getJson, hasPictures, pageUrl, parseResponse, postBody, serviceUrl, viewUrl } from "./api.js";
import { aboutSection, summaryLine } from "./about_section.js";
import { makeFilters } from "./filters.js";

const VIEWS_PER_PAGE = 60;

/** Make the elements of the page. */
export async function datasetPage(name) {
  const about = await getJson(`${datasetUrl(name)}/about`);
  return [
    h("h1", {}, name),
    h("p", { class: "lead quiet" }, about.description || about.title),
    h("p", { class: "lead" }, summaryLine(about)),
    browse(name, about),
    aboutSection(name, about),
  ];
}

/** The filters, and the views that match them. */
function browse(name, about) {
  const list = h("ul", { class: "views", "aria-label": "Views" });
  const count = h("p", { role: "status" });
  const more = h("button", { type: "button", hidden: true }, "More views");
  const subset = h("div", { role: "status" });
  const refresh = debounce(() => fetchViews(0));
  const filters = makeFilters(about, () => { subset.replaceChildren(); refresh(); });
  let offset = 0;
  let latest = 0;

  async function fetchViews(start) {
    const current = ++latest; // responses may arrive in another order than their requests: only the latest is shown
    const { where, splits } = filters.get();
    const query = new URLSearchParams({ where, offset: start, limit: VIEWS_PER_PAGE });
    if (splits.length) query.set("split", splits[0]);
    try {
      const page = await getJson(`${datasetUrl(name)}/views?${query}`);
      if (current !== latest) return;
      if (!start) list.replaceChildren();
      list.append(...page.views.map((view) => thumbnail(name, view, hasPictures(about))));
      offset = start + page.views.length;
      count.textContent = `${formatCount(page.total, "view")} of ${formatCount(page.objects, "object")}`;
      count.className = "quiet";
      more.hidden = offset >= page.total;
    } catch (error) {
      if (current !== latest) return;
      // The condition, which the message repeats, is in its field already.
      count.textContent = sentence(error.message.replace(/^where .*['"]: /s, ""));
      count.className = "error";
      list.replaceChildren();
      more.hidden = true;
    }
  }

  async function makeSubset() {
    const { where, splits } = filters.get();
    try {
      const response = await postBody(serviceUrl("query"), { dataset: name, where, splits });
      const manifest = await parseResponse(response);
      const url = new URL(response.headers.get("Location"), response.url).href;
      subset.replaceChildren(h("p", {},
        copyable(`Loader("${url}", BatchConfig(split="${manifest.splits[0]}"))`, "the line for a loader"),
        ` streams this subset: ${formatCount(manifest.subset.images, "view")} in ${manifest.splits.join(" and ")}. `,
        h("a", { href: `${url}/manifest.json` }, "Manifest of the subset")));
    } catch (error) {
      subset.replaceChildren(h("p", { class: "error" }, error.message));
    }
  }

  more.addEventListener("click", () => fetchViews(offset));
  fetchViews(0);
  // The histograms take longer, so the page is shown before they arrive.
  getJson(`${datasetUrl(name)}/factors`).then(filters.showFactors).catch((error) => filters.showProblem(error.message));
  const button = (text, onclick) => h("button", { type: "button", onclick }, text);
  return h("section", { class: "browse", "aria-label": "Views and filters" },
    h("div", { class: "bar" },
      filters.fields,
      h("div", { class: "tools" }, count, button("Clear", filters.clear), button("Stream this subset", makeSubset),
        hasPictures(about) ? h("a", { href: pageUrl("d", name, "pair") }, "Pairs for training") : null),
      subset),
    filters.lists,
    h("div", { class: "results" }, list, h("p", { class: "tools" }, more)));
}

/** A small picture of a view that leads to its page; without pictures, its object's name and page. */
function thumbnail(name, view, hasPicture) {
  const caption = hasPicture ? `${view.category}, view ${view.view}` : `${view.id}, view ${view.view}`;
  const page = pageUrl("d", name, "o", view.key, ...(hasPicture ? [view.view] : []));
  const picture = hasPicture ? h("img", { src: `${viewUrl(name, view.key, view.view)}.jpg`, alt: caption, loading: "lazy" }) : null;
  return h("li", {}, h("a", { href: page }, picture, h("span", {}, caption)));
}

function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
