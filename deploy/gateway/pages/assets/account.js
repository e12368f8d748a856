// The corner of a page that says who is signed in.

import { nameOf, roleOf, sendForm, whoIsSignedIn } from "./api.js";
import { element } from "./elements.js";

/** Show the account; as long as nothing is known, the link to sign in stays. */
export async function showAccount(place) {
  const user = await whoIsSignedIn().catch(() => null);
  if (!user) return;
  const leave = element("button", { className: "button quiet", type: "button" }, "Sign out");
  const trouble = element("p", { className: "trouble", role: "alert" });
  leave.addEventListener("click", () => signOut(leave, trouble));
  const who = element(
    "p",
    { className: "who" },
    element("strong", {}, nameOf(user)),
    element("span", { className: "role" }, roleOf(user)),
  );
  place.replaceChildren(who, leave, trouble);
}

async function signOut(button, trouble) {
  button.disabled = true;
  try {
    await sendForm("/api/auth/signout", location.href);
    location.reload();
  } catch (refused) {
    trouble.textContent = refused.message;
    button.disabled = false;
  }
}
