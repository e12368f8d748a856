import { showAccount } from "./account.js";
import { read } from "./api.js";
import { element } from "./elements.js";

const AGAIN_MS = 15_000;
const SHOWN = 6;
const ZONE = "Asia/Kolkata";
const day = new Intl.DateTimeFormat("en-IN", { timeZone: ZONE, day: "numeric" });
const month = new Intl.DateTimeFormat("en-IN", { timeZone: ZONE, month: "short" });
const moment = new Intl.DateTimeFormat("en-IN", {
  timeZone: ZONE, weekday: "long", hour: "numeric", minute: "2-digit",
});
const rupees = new Intl.NumberFormat("en-IN", {
  style: "currency", currency: "INR", minimumFractionDigits: 0,
});

const cards = [...document.querySelectorAll("[data-service]")];
const shows = document.getElementById("shows");

async function showHealth() {
  const ready = await Promise.all(cards.map(showHealthOf));
  const up = ready.filter(Boolean).length;
  const text = up === cards.length ? "All four are ready" : `${up} of ${cards.length} are ready`;
  const health = document.getElementById("health");
  if (health.textContent !== text) health.textContent = text;
  health.className = up === cards.length ? "good" : "bad";
}

async function showHealthOf(card) {
  const state = card.querySelector(".state");
  const ready = await read(`/status/${card.dataset.service}`).then(() => true, () => false);
  state.textContent = ready ? "Ready" : "Not ready";
  state.classList.toggle("good", ready);
  state.classList.toggle("bad", !ready);
  return ready;
}

async function watchHealth() {
  if (!document.hidden) await showHealth();
  setTimeout(watchHealth, AGAIN_MS);
}

async function showShows() {
  shows.setAttribute("aria-busy", "true");
  try {
    const { shows: found } = await read(`/api/v1/shows?limit=${SHOWN}`);
    shows.replaceChildren(found.length ? bill(found) : nothingOn());
  } catch (refused) {
    shows.replaceChildren(noAnswer(refused));
  } finally {
    shows.removeAttribute("aria-busy");
  }
}

const bill = (found) => element("ol", { className: "shows" }, ...found.map(showItem));

function showItem(show) {
  const date = new Date(show.date);
  const left = show.ticketInventory?.available;
  return element(
    "li",
    { className: "show" },
    element(
      "time",
      { dateTime: show.date, className: "date" },
      element("span", {}, day.format(date)),
      " ",
      element("span", {}, month.format(date)),
    ),
    element(
      "div",
      { className: "what" },
      element("h3", {}, show.title),
      element("p", {}, `${show.venue}, ${show.city}`),
      element("p", { className: "soft" }, moment.format(date)),
    ),
    element(
      "p",
      { className: "price" },
      show.ticketPrice ? rupees.format(show.ticketPrice) : "Free",
      ...(left === 0 ? [element("span", { className: "soft" }, "sold out")] : []),
    ),
  );
}

const nothingOn = () => element("p", { className: "note" }, "No shows are on sale at the moment.");

function noAnswer(refused) {
  const again = element("button", { className: "button quiet", type: "button" }, "Try again");
  again.addEventListener("click", showShows);
  const text = `The shows cannot be listed. ${refused.message}`;
  return element("div", { className: "note", role: "alert" }, element("p", {}, text), again);
}

showAccount(document.getElementById("account"));
watchHealth();
showShows();
