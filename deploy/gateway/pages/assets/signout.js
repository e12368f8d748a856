import { nameOf, whoIsSignedIn } from "./api.js";
import { confirmWith } from "./confirm.js";

confirmWith("/api/auth/signout", `${location.origin}/`);

const user = await whoIsSignedIn().catch(() => null);
document.getElementById("who").textContent = user
  ? `${nameOf(user)}, your session in this browser ends; others go on.`
  : "You are signed out.";
document.getElementById("form").hidden = !user;
