// Requests to the service, and the URLs of its resources and of the gallery's pages.

/** An error response of the service; `status` is the HTTP status. */
export class RequestError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** GET a URL and return its JSON. Throws RequestError. */
export async function getJson(url, signal) {
  return parseResponse(await fetch(url, { headers: { Accept: "application/json" }, signal }));
}

/** POST a body as JSON and return the JSON of the response. Throws RequestError. */
export async function postJson(url, body) {
  return parseResponse(await postBody(url, body));
}

/** POST a body as JSON and return the response itself. */
export function postBody(url, body) {
  const headers = { "Content-Type": "application/json" };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
}

/** The JSON of a response. Throws RequestError with the message in `error` if the request failed. */
export async function parseResponse(response) {
  const json = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new RequestError(response.status, json.error ?? `the service responded with status ${response.status}`);
  }
  return json;
}

// The service may lie under any path of its host (behind a proxy), so its root is found from where this file is.
const ROOT = new URL("../", import.meta.url);
const encode = encodeURIComponent;
/** The URL of a path of the service: "login", "render?…". */
export const serviceUrl = (path) => new URL(path, ROOT).href;
export const datasetUrl = (name) => serviceUrl(`datasets/${encode(name)}`);
export const fileUrl = (name, file) => `${datasetUrl(name)}/files/${file}`;
export const objectUrl = (name, key) => `${datasetUrl(name)}/objects/${encode(key)}`;
/** The URL of a view without its suffix: add .jpg for the picture, .json for the label. */
export const viewUrl = (name, key, view) => `${objectUrl(name, key)}/views/${view}`;
/** True if the views of a data set have pictures. */
export const hasPictures = (dataset) => dataset.outputs.includes("rgb");
/** The address of a page of the gallery. */
export const pageUrl = (...parts) => `#/${parts.map(encode).join("/")}`;
