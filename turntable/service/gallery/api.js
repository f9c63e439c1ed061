// What the service is asked. Every answer is JSON, an error with a message in `error`.

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** GET an address and give its JSON. */
export async function get(address, signal) {
  return answered(await fetch(address, { headers: { Accept: "application/json" }, signal }));
}

/** POST a body as JSON. */
export async function post(address, body) {
  const headers = { "Content-Type": "application/json" };
  return answered(await fetch(address, { method: "POST", headers, body: JSON.stringify(body) }));
}

async function answered(answer) {
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, told.error ?? `the service answered ${answer.status}`);
  return told;
}

const part = encodeURIComponent;
export const place = (name) => `/datasets/${part(name)}`;
export const viewOf = (name, key, view) => `${place(name)}/objects/${part(key)}/views/${view}`;
export const page = (...parts) => `#/${parts.map(part).join("/")}`;
