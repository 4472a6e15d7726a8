/* A browser as far as live.js needs one: a clock that is moved, sockets that are played. */
import { readFileSync } from "node:fs";
import vm from "node:vm";

const SOURCE = readFileSync(new URL("../../../web/static/web/live.js", import.meta.url), "utf8");
export const START = Date.parse("2026-03-01T10:00:00Z");

export class Browser {
  constructor({ random = 1 } = {}) {
    this.now = START;
    this.timers = new Map();
    this.numbers = 0;
    this.sockets = [];
    this.listeners = new Map();
    const browser = this;
    class FakeDate extends Date {
      static now() { return browser.now; }
    }
    class Socket {
      constructor(url) {
        this.url = String(url);
        this.isOpen = true;
        browser.sockets.push(this);
      }

      close() { this.isOpen = false; }
    }
    this.page = {
      Date: FakeDate,
      Math: Object.assign(Object.create(Math), { random: () => random }),
      URL,
      WebSocket: Socket,
      location: { href: "http://127.0.0.1:8000/" },
      document: { getElementById: (id) => (id === "live" ? this.place : null) },
      setTimeout: (act, ms) => {
        this.numbers += 1;
        this.timers.set(this.numbers, { at: this.now + ms, act });
        return this.numbers;
      },
      clearTimeout: (number) => this.timers.delete(number),
      addEventListener: (name, act) => this.listeners.set(name, act),
      removeEventListener: (name) => this.listeners.delete(name),
    };
    // Own properties, also of Math, whose methods are not enumerable.
    this.page.Math.min = Math.min;
    this.page.Math.max = Math.max;
    this.page.window = this.page;
  }

  load() { vm.runInNewContext(SOURCE, this.page); }

  /* Load live.js and watch; what was heard is in `heard`. */
  watch() {
    this.load();
    this.heard = [];
    const hear = {};
    for (const name of ["snapshot", "seats", "state"]) {
      hear[name] = (what) => this.heard.push([name, JSON.parse(JSON.stringify(what))]);
    }
    this.watching = this.page.Seatlock.watch("ws://127.0.0.1:8001/ws/departures/7/?source=AAA", hear);
  }

  get socket() { return this.sockets.at(-1); }

  accept(message = {}) {
    this.socket.onopen();
    this.say({ type: "snapshot", seq: 1, stream: "s", as_of: this.time(), seats: [], ...message });
  }

  say(message) { this.socket.onmessage({ data: JSON.stringify(message) }); }

  break(code = 1006, socket = this.socket) { socket.onclose({ code }); }

  time(ms = 0) { return new Date(this.now + ms).toISOString(); }

  pass(ms) {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.timers].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at);
      if (!due.length) break;
      const [number, { at, act }] = due[0];
      this.timers.delete(number);
      this.now = Math.max(this.now, at);
      act();
    }
    this.now = end;
  }

  since() {
    const heard = this.heard;
    this.heard = [];
    return heard;
  }
}
