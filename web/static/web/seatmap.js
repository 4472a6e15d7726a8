/* The seat map: pick in the picture or in the list, see others' holds and sales as they happen.

   Truth lies with the server; here is what is shown. `taken` has each seat that is not free, of all
   coaches; `picked` the visitor's picks, which outlive a change of coach. The list's checkboxes are
   what is sent: the picture presses them. */
(() => {
  "use strict";
  const form = document.getElementById("pick");
  if (!form) return;
  const most = Number(form.dataset.most);
  const least = Number(form.dataset.least || 1);
  const picked = new Map(); // seat -> fare
  let taken = new Map(); // seat -> [status, held until (ms) or null]
  let skew = 0; // the server's clock minus ours, ms
  let isLive = false;

  const frame = () => document.querySelector("[data-frame]");
  const drawn = (seat) => form.querySelector(`g[data-seat="${CSS.escape(seat)}"]`);
  const tick = (seat) => form.querySelector(`#coach input[value="${CSS.escape(seat)}"]`);
  const words = () => Object.fromEntries(
    [...document.querySelectorAll(".legend .key")].map((key) => [key.className.match(/is-(\w+)/)[1], key.parentElement.textContent.trim()]));
  const NAMES = words();

  /* What is shown of one seat. */
  function paint(seat, { blink = false } = {}) {
    const [status] = taken.get(seat) || ["free"];
    const shown = picked.has(seat) ? "picked" : status;
    const box = tick(seat);
    const group = drawn(seat);
    if (box) {
      box.disabled = status !== "free";
      box.checked = picked.has(seat);
      box.closest("label").querySelector("[data-status]").textContent = status === "free" ? "" : NAMES[status];
    }
    if (!group) return;
    group.setAttribute("class", `seat is-${shown}${blink ? " has-changed" : ""}`);
    group.setAttribute("aria-checked", String(picked.has(seat)));
    group.setAttribute("aria-disabled", String(status !== "free"));
    const place = group.dataset.position;
    group.setAttribute("aria-label", [seat, place, NAMES[shown]].filter(Boolean).join(", "));
  }

  /* The coach in view was drawn or exchanged: make the picture something one can use. */
  function dress() {
    const coach = document.getElementById("coach");
    if (!coach) return;
    const picture = coach.querySelector("[data-picture]");
    picture.setAttribute("role", "group");
    coach.querySelectorAll("g.seat").forEach((group, at) => {
      group.setAttribute("role", "checkbox");
      group.setAttribute("tabindex", at ? "-1" : "0");
    });
    coach.querySelectorAll("#coach input[name=seat]").forEach((box) => {
      if (box.checked && !picked.has(box.value)) picked.set(box.value, Number(coach.dataset.fare || 0));
      paint(box.value);
    });
    document.querySelectorAll("[data-coach][href]").forEach((link) => {
      if (link.dataset.coach === coach.dataset.coach) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
    fit();
    tally();
  }

  function tally() {
    const bar = document.getElementById("pickbar");
    const seats = [...picked.keys()];
    bar.querySelector("[data-none]").hidden = seats.length > 0;
    bar.querySelector("[data-some]").hidden = seats.length === 0;
    bar.querySelector("[data-seats]").textContent = seats.join(", ");
    const sum = [...picked.values()].reduce((a, b) => a + b, 0);
    const locale = form.dataset.language === "hi" ? "hi-IN" : "en-IN";
    const money = new Intl.NumberFormat(locale, { style: "currency", currency: form.dataset.currency, maximumFractionDigits: sum % 1 ? 2 : 0 });
    bar.querySelector("[data-sum]").textContent = sum ? money.format(sum) : "";
    document.getElementById("hold-button").disabled = seats.length < least;
    window.Seatlock.picks.keep([...picked]);
    /* Picks in other coaches are sent, too. */
    const elsewhere = document.getElementById("elsewhere");
    elsewhere.replaceChildren(...seats.filter((seat) => !tick(seat)).map((seat) => {
      const input = document.createElement("input");
      Object.assign(input, { type: "hidden", name: "seat", value: seat });
      return input;
    }));
  }

  function say(text, { button, act } = {}) {
    const note = document.createElement("div");
    note.className = act ? "note note-error" : "note";
    note.append(Object.assign(document.createElement("span"), { textContent: text }));
    if (button) {
      const press = Object.assign(document.createElement("button"), { type: "button", className: "button small", textContent: button });
      press.addEventListener("click", () => { act(); hush(); });
      note.append(press);
    }
    document.getElementById("say").replaceChildren(note);
  }
  const hush = () => document.getElementById("say").replaceChildren();

  function toggle(seat) {
    const [status] = taken.get(seat) || ["free"];
    if (picked.has(seat)) picked.delete(seat);
    else if (status !== "free") return;
    else if (picked.size >= most) { say(form.dataset.sayMost); paint(seat); return; }
    else picked.set(seat, Number(document.getElementById("coach").dataset.fare || 0));
    hush();
    paint(seat);
    tally();
  }

  /* A pick of ours was taken elsewhere: say so, and offer the nearest like it in this coach. */
  function lost(seat) {
    picked.delete(seat);
    tally();
    const group = drawn(seat);
    const text = form.dataset.sayTaken.replace("{seat}", seat);
    const free = [...form.querySelectorAll("g.seat.is-free")].map((each) => each.dataset.seat);
    if (!group || !free.length) { say(`${text} ${free.length ? "" : form.dataset.sayNone}`); return; }
    const number = (label) => Number(label.slice(label.lastIndexOf("-") + 1));
    const same = (label) => (drawn(label).dataset.position === group.dataset.position ? 0 : 3);
    const apart = (label) => Math.abs(number(label) - number(seat)) + same(label);
    const other = free.reduce((a, b) => (apart(b) < apart(a) ? b : a));
    say(text, { button: form.dataset.sayInstead.replace("{seat}", other), act: () => toggle(other) });
  }

  function change(seat, status, until) {
    const [before] = taken.get(seat) || ["free"];
    if (before === "mine" && status === "held") return; // a socket tells everybody the same
    if (status === "free") taken.delete(seat);
    else taken.set(seat, [status, until]);
    if (before === status) return;
    if (status !== "free" && picked.has(seat)) {
      if (status === "mine") picked.delete(seat);
      else lost(seat);
    }
    paint(seat, { blink: true });
  }

  function countCoaches() {
    document.querySelectorAll("[data-coach][data-seats]").forEach((link) => {
      const label = `${link.dataset.coach}-`;
      const gone = [...taken.keys()].filter((seat) => seat.startsWith(label)).length;
      const all = Number(link.dataset.seats);
      link.querySelector("[data-free]").textContent = String(all - gone);
      link.querySelector(".gauge-taken").setAttribute("width", String(all ? (100 * gone) / all : 100));
    });
  }

  /* What the server says of all seats: what is in here is not free, the rest is. */
  function snapshot(now) {
    for (const seat of [...taken.keys()]) if (!now.has(seat)) change(seat, "free", null);
    for (const [seat, [status, until]] of now) change(seat, status, until);
    countCoaches();
  }
  const from = (seats) => new Map(seats.map(({ seat, status, held_until: until }) => [seat, [status, until ? Date.parse(until) : null]]));

  function readStates() {
    const states = document.getElementById("seat-states");
    if (!states) return;
    skew = Number(states.dataset.asOf) * 1000 - Date.now();
    snapshot(new Map(Object.entries(JSON.parse(states.dataset.taken))));
  }

  /* A hold ends at its deadline for everybody, and nobody need tell. */
  setInterval(() => {
    const now = Date.now() + skew;
    for (const [seat, [status, until]] of [...taken]) {
      if (until && until <= now && (status === "held" || status === "mine")) change(seat, "free", null);
    }
  }, 500);

  /* Size: as large as fits, or as the buttons say. */
  let zoom = 0;
  const fit = () => { if (form.querySelector("[data-picture]")) window.Seatlock.fit(zoom); };
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom]");
    if (!button) {
      const group = event.target.closest("g.seat");
      if (group && !wasDragged) { focusOn(group); toggle(group.dataset.seat); }
      return;
    }
    const picture = form.querySelector("[data-picture]");
    const [, , width] = picture.getAttribute("viewBox").split(" ").map(Number);
    const scale = Number(picture.getAttribute("width")) / width;
    const whole = Math.min(1.25, (frame().clientWidth - 32) / width);
    zoom = { in: Math.min(2.5, scale * 1.25), out: Math.max(0.3, scale / 1.25), fit: whole }[button.dataset.zoom];
    fit();
  });
  addEventListener("resize", fit);

  /* A mouse pulls the picture sideways; fingers scroll by themselves. */
  let wasDragged = false;
  form.addEventListener("pointerdown", (event) => {
    wasDragged = false;
    const box = event.target.closest("[data-frame]");
    if (!box || event.pointerType !== "mouse") return;
    const [x, left] = [event.clientX, box.scrollLeft];
    const move = (now) => {
      if (Math.abs(now.clientX - x) > 6) wasDragged = true;
      if (wasDragged) box.scrollLeft = left - (now.clientX - x);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", () => removeEventListener("pointermove", move), { once: true });
  });

  /* Keyboard: one stop for Tab, arrows go to the nearest seat that way, space and enter pick. */
  function focusOn(group) {
    form.querySelectorAll("g.seat[tabindex='0']").forEach((each) => each.setAttribute("tabindex", "-1"));
    group.setAttribute("tabindex", "0");
    group.focus({ preventScroll: true });
    group.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  form.addEventListener("keydown", (event) => {
    const group = event.target.closest("g.seat");
    if (!group) return;
    if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      toggle(group.dataset.seat);
      return;
    }
    const way = WAYS[event.key];
    if (!way) return;
    event.preventDefault();
    const middle = (each) => {
      const box = each.getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
    };
    const [x, y] = middle(group);
    let best = null;
    let least = Infinity;
    for (const each of form.querySelectorAll("g.seat")) {
      const [dx, dy] = [middle(each)[0] - x, middle(each)[1] - y];
      const along = dx * way[0] + dy * way[1];
      const aside = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
      if (each === group || along < 4) continue;
      const far = along + 3 * aside;
      if (far < least) [best, least] = [each, far];
    }
    if (best) focusOn(best);
  });

  form.addEventListener("change", (event) => {
    if (event.target.matches("#coach input[name=seat]")) {
      const wanted = event.target.checked;
      if (wanted !== picked.has(event.target.value)) toggle(event.target.value);
    }
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.id === "seat-states" && isLive) event.preventDefault();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "coach" || event.target.id === "coach") dress();
    if (document.getElementById("seat-states") && !isLive) readStates();
  });
  document.addEventListener("seatlock:hold-over", () => { if (!isLive) readStates(); });

  window.Seatlock = Object.assign(window.Seatlock || {}, {
    seats: {
      apply: (changes) => { for (const [seat, [status, until]] of from(changes)) change(seat, status, until); countCoaches(); },
      snapshot: (seats) => snapshot(new Map([...from(seats)].filter(([, [status]]) => status !== "free"))),
      live: (on) => { isLive = on; },
    },
  });

  /* What was picked before: in this page while the script was on its way, or in the one before it;
     and what the server gives back that is not in the coach in view. */
  function adopt() {
    const given = [...document.querySelectorAll("#elsewhere input")].map(({ value, dataset }) => [value, Number(dataset.fare)]);
    for (const [seat, fare] of [...given, ...window.Seatlock.picks.kept()]) {
      if (!taken.has(seat) && picked.size < most) picked.set(seat, fare);
    }
  }

  const states = document.getElementById("seat-states");
  taken = new Map(Object.entries(JSON.parse(states.dataset.taken)));
  skew = Number(states.dataset.asOf) * 1000 - Date.now();
  adopt();
  dress();
})();
