// A page of one button that asks identity for the address to go to next.

import { sendForm } from "./api.js";

const form = document.getElementById("form");
const button = form.querySelector("button");
const problem = document.getElementById("problem");

export function tell(text) {
  problem.textContent = text;
  problem.hidden = false;
}

/** Say who is concerned, and have the button send the form to `path`. */
export function confirmWith(path, callbackUrl) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.hidden = true;
    try {
      location.assign(await sendForm(path, callbackUrl));
    } catch (refused) {
      if (refused.next) location.assign(refused.next);
      else tell(refused.message);
      button.disabled = false;
    }
  });
  addEventListener("pageshow", () => (button.disabled = false)); // also when one comes back to it
}
