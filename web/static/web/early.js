/* What must be there before the page is drawn, so that nothing on it moves afterwards: it is small
   and blocks. `<at-once do="…">` runs a part of it where it stands in the page, when all before it
   has been read and nothing of it was shown.

     Seatlock.atOnce.<name> = (element) => …

   Without it, or without JavaScript, the element is nothing. */
(() => {
  "use strict";
  document.documentElement.classList.add("js");
  const atOnce = {};
  window.Seatlock = Object.assign(window.Seatlock || {}, { atOnce });
  customElements.define("at-once", class extends HTMLElement {
    connectedCallback() { atOnce[this.getAttribute("do")]?.(this); }
  });

  /* Recent searches stay in this browser. */
  const KEY = "seatlock.recent";
  const recent = () => {
    try { return JSON.parse(localStorage.getItem(KEY)) || []; } catch { return []; }
  };

  atOnce.remember = () => {
    const { remember, rememberAs } = document.body.dataset;
    if (!remember || !rememberAs || document.querySelector(".is-wrong")) return;
    const others = recent().filter((each) => each.name !== rememberAs);
    const kept = [{ name: rememberAs, query: remember }, ...others].slice(0, 5);
    try { localStorage.setItem(KEY, JSON.stringify(kept)); } catch { /* private window */ }
  };

  atOnce.recent = (element) => {
    const list = element.previousElementSibling;
    for (const each of recent()) {
      const link = document.createElement("a");
      link.href = `/search/?${each.query}`;
      link.textContent = each.name;
      const item = document.createElement("li");
      item.append(link);
      list.querySelector("ul").append(item);
    }
    list.hidden = !recent().length;
  };
})();
