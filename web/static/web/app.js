/* What every page does: count holds down, fill in travellers, say when offline. Everything works
   without it, only less comfortably. */
(() => {
  "use strict";
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

  /* The server said how many seconds are left; from then on the page's own clock counts. */
  function countDown(hold) {
    const ends = performance.now() + Number(hold.dataset.countdown) * 1000;
    const shown = hold.querySelector("[data-left]");
    const tick = () => {
      const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
      shown.textContent = clock(left);
      hold.classList.toggle("is-near", left <= 30);
      if (left > 0) return;
      clearInterval(timer);
      hold.classList.add("is-over");
      hold.querySelector("[data-over]").hidden = false;
      document.dispatchEvent(new CustomEvent("seatlock:hold-over"));
    };
    const timer = setInterval(tick, 250);
    tick();
  }
  document.querySelectorAll("[data-countdown]").forEach(countDown);

  document.querySelectorAll("[data-swap]").forEach((button) => {
    button.addEventListener("click", () => {
      const [from, to] = [document.getElementById("from"), document.getElementById("to")];
      [from.value, to.value] = [to.value, from.value];
    });
  });

  function fillIn(select) {
    const { name, age, gender } = select.selectedOptions[0].dataset;
    const box = select.closest("[data-passenger]");
    if (name === undefined) return;
    box.querySelector("[name^=name-]").value = name;
    box.querySelector("[name^=age-]").value = age;
    box.querySelector("[name^=gender-]").value = gender;
  }
  document.querySelectorAll("[data-fill]").forEach((select) => {
    select.addEventListener("change", () => fillIn(select));
    const wasChosenBefore = select.selectedIndex > 0 && !select.closest("[data-passenger]").querySelector("[name^=name-]").value;
    if (wasChosenBefore) fillIn(select);
  });

  /* A station typed before htmx came: ask for the list now. */
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("input[list][hx-get]").forEach((input) => {
      if (input.value !== input.defaultValue) input.dispatchEvent(new Event("focus"));
    });
  });

  /* A second press of the same button does nothing: the first is on its way. */
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "1";
  });
  addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });

  /* Rows that scroll sideways show what is chosen. */
  const ROWS = ".chips, .days, .strip, .tabs";
  document.querySelectorAll(ROWS).forEach((row) => {
    const chosen = row.querySelector("[aria-current]");
    if (!chosen) return;
    row.scrollLeft = chosen.offsetLeft - row.offsetLeft - 40;
  });

  const offline = document.getElementById("offline");
  const tell = () => { offline.hidden = navigator.onLine; };
  addEventListener("online", tell);
  addEventListener("offline", tell);
  tell();

  /* Refusals come as notes and are shown where the answer would have been. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 429 || event.detail.xhr.status >= 500) event.detail.shouldSwap = false;
  });
})();
