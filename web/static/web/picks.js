/* Seats that were picked and are not held yet. None is lost: not when it was pressed before the
   map's script came, nor when the page is drawn anew.

   It runs before the page is drawn, and gives the picture its size while nothing is shown yet. What is picked is kept in this tab, by departure
   and stretch (or what the form's data-picks says), until it is sent:

     Seatlock.picks.kept() → [[seat, fare], …]      Seatlock.picks.keep(them) */
(() => {
  "use strict";
  const form = () => document.getElementById("pick");
  let here = []; // where nothing can be stored, at least this page remembers

  function key() {
    const { from, to } = form().elements;
    const of = form().dataset.picks || new URL(form().action).pathname;
    return `seatlock.picks ${of} ${from.value} ${to.value}`;
  }

  function kept() {
    try { return JSON.parse(sessionStorage.getItem(key())) || here; } catch { return here; }
  }

  function keep(picks) {
    here = picks;
    try {
      if (picks.length) sessionStorage.setItem(key(), JSON.stringify(picks));
      else sessionStorage.removeItem(key());
    } catch { /* private window */ }
  }

  /* The picture is as large as fits, unless seats became too small to press; `scale` says otherwise. */
  function fit(scale = 0) {
    const picture = document.querySelector("#coach [data-picture]");
    const [, , width, height] = picture.getAttribute("viewBox").split(" ").map(Number);
    const whole = (document.querySelector("[data-frame]").clientWidth - 32) / width;
    const chosen = scale || (whole < 0.7 ? 1 : Math.min(1.25, whole));
    picture.setAttribute("width", String(width * chosen));
    picture.setAttribute("height", String(height * chosen));
  }

  Object.assign(window.Seatlock, { fit, picks: { kept, keep } });
  window.Seatlock.atOnce.coach = (element) => {
    element.parentElement.querySelector("[data-list]").open = false;
    fit();
  };
  const isMapReady = () => Boolean(window.Seatlock.seats);
  const tick = (seat) => document.querySelector(`#coach input[value="${CSS.escape(seat)}"]`);

  /* The map's script is on its way: pick in its place. */
  document.addEventListener("click", (event) => {
    const group = event.target.closest("#pick g.seat.is-free, #pick g.seat.is-picked");
    if (!group || isMapReady()) return;
    const { seat } = group.dataset;
    const isPicked = group.classList.toggle("is-picked");
    group.classList.toggle("is-free", !isPicked);
    if (tick(seat)) tick(seat).checked = isPicked;
    const others = kept().filter(([name]) => name !== seat);
    const fare = Number(document.getElementById("coach").dataset.fare || 0);
    keep(isPicked ? [...others, [seat, fare]] : others);
  });

  document.addEventListener("submit", (event) => {
    if (event.target !== form()) return;
    if (!isMapReady()) {
      for (const [seat] of kept()) {
        if (tick(seat)) tick(seat).checked = !tick(seat).disabled;
        else form().append(Object.assign(document.createElement("input"), { type: "hidden", name: "seat", value: seat }));
      }
    }
    keep([]); // who is refused gets them back with the answer
  });
})();
