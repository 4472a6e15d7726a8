import assert from "node:assert/strict";
import test from "node:test";

import { Browser } from "./browser.mjs";

const opened = () => {
  const browser = new Browser();
  browser.watch();
  browser.accept();
  browser.since();
  return browser;
};

test("a snapshot is told, then changes in order", () => {
  const browser = new Browser();
  browser.watch();
  assert.equal(browser.socket.url, "ws://127.0.0.1:8001/ws/departures/7/?source=AAA");
  browser.accept({ seats: [{ seat: "S1-1", status: "sold" }] });
  browser.say({ type: "seats", seq: 2, as_of: browser.time(), changes: [{ seat: "S1-2", status: "sold" }] });
  assert.deepEqual(browser.since(), [
    ["snapshot", [{ seat: "S1-1", status: "sold" }]],
    ["state", "live"],
    ["seats", [{ seat: "S1-2", status: "sold" }]],
  ]);
});

test("a socket that broke goes on where it was", () => {
  const browser = opened();
  browser.say({ type: "seats", seq: 2, changes: [] });
  browser.break();
  assert.deepEqual(browser.since(), [["seats", []], ["state", "away"]]);
  browser.pass(250);
  assert.match(browser.socket.url, /source=AAA&stream=s&seq=2$/);
  browser.socket.onopen();
  browser.say({ type: "resumed", seq: 2, stream: "s", server_time: browser.time() });
  assert.deepEqual(browser.since(), [["state", "live"]]);
  browser.say({ type: "seats", seq: 3, changes: [{ seat: "S1-1", status: "free" }] });
  assert.equal(browser.since().length, 1);
});

test("handshakes that fail are tried less and less often, and blocked ones once a minute", () => {
  const browser = new Browser();
  browser.watch();
  const waits = [];
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const before = browser.now;
    const count = browser.sockets.length;
    browser.break();
    while (browser.sockets.length === count) browser.pass(50);
    waits.push(browser.now - before);
  }
  assert.deepEqual(waits, [250, 500, 1000, 2000, 60_000, 60_000]);
  assert.deepEqual(browser.since(), [["state", "away"]]);
  browser.accept();
  browser.break();
  const count = browser.sockets.length;
  browser.pass(250);
  assert.equal(browser.sockets.length, count + 1);
});

test("a user who has too many sockets is not in a hurry", () => {
  const browser = opened();
  browser.break(4429);
  browser.pass(59_000);
  assert.equal(browser.sockets.length, 1);
  browser.pass(1_000);
  assert.equal(browser.sockets.length, 2);
});

test("a number that is missing begins anew with a snapshot", () => {
  const browser = opened();
  browser.say({ type: "seats", seq: 3, changes: [{ seat: "S1-1", status: "sold" }] });
  assert.deepEqual(browser.since(), [["state", "away"]]);
  assert.equal(browser.sockets[0].isOpen, false);
  browser.pass(250);
  assert.doesNotMatch(browser.socket.url, /stream/);
});

test("a socket that says nothing is given up", () => {
  const browser = opened();
  browser.pass(30_000);
  browser.say({ type: "heartbeat", seq: 1, server_time: browser.time() });
  browser.pass(39_000);
  assert.equal(browser.sockets.length, 1);
  browser.pass(2_000);
  assert.equal(browser.sockets.length, 2);
  assert.equal(browser.sockets[0].isOpen, false);
});

test("a late word of a socket that was given up changes nothing", () => {
  const browser = opened();
  browser.pass(41_000);
  browser.since();
  const [old] = browser.sockets;
  old.onmessage({ data: JSON.stringify({ type: "seats", seq: 2, changes: [] }) });
  browser.break(1006, old);
  assert.deepEqual(browser.since(), []);
  assert.equal(browser.sockets.length, 2);
});

test("the end of a hold is known without a message, by the server's clock", () => {
  const browser = new Browser();
  browser.watch();
  const ahead = 60_000;  // the server's clock
  browser.accept({
    as_of: browser.time(ahead),
    seats: [
      { seat: "S1-1", status: "held", held_until: browser.time(ahead + 5_000) },
      { seat: "S1-2", status: "held", held_until: browser.time(ahead + 9_000) },
      { seat: "S1-3", status: "held" },
    ],
  });
  browser.say({
    type: "seats", seq: 2, as_of: browser.time(ahead),
    changes: [{ seat: "S1-2", status: "held", held_until: browser.time(ahead + 20_000) }],
  });
  browser.since();
  browser.pass(4_900);
  assert.deepEqual(browser.since(), []);
  browser.pass(200);
  assert.deepEqual(browser.since(), [["seats", [{ seat: "S1-1", status: "free" }]]]);
  browser.pass(10_000);
  assert.deepEqual(browser.since(), []);
  browser.pass(5_000);
  assert.deepEqual(browser.since(), [["seats", [{ seat: "S1-2", status: "free" }]]]);
});

test("a picture that is old is said to be, until there is a new one", () => {
  const browser = opened();
  browser.say({ type: "stale", seq: 1, server_time: browser.time() });
  browser.say({ type: "snapshot", seq: 2, stream: "s", stale: false, as_of: browser.time(), seats: [] });
  assert.deepEqual(browser.since(), [["state", "stale"], ["snapshot", []], ["state", "live"]]);
});

test("a page that is left closes its socket, and opens one when it is shown again", () => {
  const browser = opened();
  browser.listeners.get("pagehide")();
  assert.equal(browser.socket.isOpen, false);
  browser.pass(120_000);
  assert.equal(browser.sockets.length, 1);
  browser.listeners.get("pageshow")();
  assert.equal(browser.sockets.length, 2);
});

test("what is closed stays closed", () => {
  const browser = opened();
  browser.watching.close();
  browser.break();
  browser.pass(120_000);
  assert.equal(browser.sockets.length, 1);
  assert.equal(browser.listeners.size, 0);
  assert.equal(browser.timers.size, 0);
});

test("a page with a seat map is joined to it", () => {
  const browser = new Browser();
  const told = [];
  browser.page.Seatlock = {
    seats: {
      snapshot: (seats) => told.push(["snapshot", seats.length]),
      apply: (changes) => told.push(["apply", changes.length]),
      live: (on) => told.push(["live", on]),
    },
  };
  browser.place = { dataset: { liveUrl: "ws://127.0.0.1:8001/ws/departures/7/" } };
  browser.load();
  browser.accept();
  browser.say({ type: "seats", seq: 2, changes: [{ seat: "S1-1", status: "sold" }] });
  browser.break();
  assert.deepEqual(told, [["snapshot", 0], ["live", true], ["apply", 1], ["live", false]]);
});
