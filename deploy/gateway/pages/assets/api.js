// What the pages ask of the API, as any page on this origin may.

const PATIENCE_MS = 10_000;

/** What the API refused, in words for people; `next` is a page to go to instead, if there is one. */
export class Refused extends Error {
  constructor(text, next) {
    super(text);
    this.next = next;
  }
}

export const read = (path) => ask(path, { headers: { Accept: "application/json" } });

/** Tell who is signed in: the user, or null. */
export const whoIsSignedIn = async () => (await read("/api/auth/session")).user ?? null;

/** Send the form that begins a sign-in or ends a session; return the address to go to next. */
export async function sendForm(path, callbackUrl) {
  const { csrfToken } = await read("/api/auth/csrf");
  const body = new URLSearchParams({ csrfToken, callbackUrl, json: "true" });
  return (await ask(path, { method: "POST", body })).url;
}

async function ask(path, options) {
  let answer, body;
  try {
    answer = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
    body = await answer.json();
  } catch {
    throw new Refused("There is no answer at the moment. Please try again.");
  }
  if (!answer.ok) throw new Refused(body.error ?? "That did not work. Please try again.", body.url);
  return body;
}

const ROLES = {
  AUDIENCE: "Audience",
  ORGANIZER_UNVERIFIED: "Organizer, not approved yet",
  ORGANIZER_VERIFIED: "Organizer",
  COMEDIAN_UNVERIFIED: "Comedian, not approved yet",
  COMEDIAN_VERIFIED: "Comedian",
  ADMIN: "Admin",
};

export const roleOf = (user) => ROLES[user.role] ?? user.role;
export const nameOf = (user) => user.name || user.email;
