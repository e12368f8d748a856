import { nameOf, roleOf, whoIsSignedIn } from "./api.js";
import { confirmWith, tell } from "./confirm.js";

const ERRORS = {
  OAuthSignin: "The sign-in provider cannot be reached at the moment. Please try again.",
  Callback: "The sign-in could not be completed. Please try again.",
  AccessDenied: "This account cannot sign in: it was declined at the provider, its e-mail address is not verified, or it is being deleted.",
};

const asked = new URLSearchParams(location.search);
if (asked.has("csrf")) tell("This page was out of date. Please try again.");
else if (asked.has("error")) tell(ERRORS[asked.get("error")] ?? ERRORS.Callback);

confirmWith("/api/auth/signin/google", asked.get("callbackUrl") ?? `${location.origin}/`);

const user = await whoIsSignedIn().catch(() => null);
if (user) {
  document.getElementById("who").textContent =
    `You are signed in as ${nameOf(user)} (${roleOf(user)}). You can sign in as somebody else.`;
}
