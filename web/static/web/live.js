/* Seats that change by themselves: one socket, kept open.

     Seatlock.watch(url, hear) → {close()}

   `url` is a departure's socket with source and destination; `hear` has any of
     snapshot(seats)    everything, at first and whenever what was before no longer counts
     seats(changes)     what changed, in order; a hold whose end has come is told here as well
     state(word)        "live"; "stale": the picture is old (Redis is away); "away": no socket, poll
   with seats as the server tells them: {seat, status, held_until?}.

   A socket that breaks is opened again, soon at first and then less and less often, and goes on
   where it was (stream and seq). Where sockets are blocked altogether it is tried once a minute.
   On a page with a seat map it is joined to it at the end of this file. */
(() => {
  "use strict";
  const FIRST_MS = 250;
  const LONGEST_MS = 15_000;
  const BLOCKED_AFTER = 4;        // handshakes in a row that failed
  const BLOCKED_MS = 60_000;
  const SILENT_MS = 40_000;       // heartbeats come every 15 s
  const LONGEST_TIMER_MS = 2 ** 31 - 1;
  const TOO_MANY = 4429;

  function watch(url, hear) {
    const until = new Map();      // seat → when its hold ends, by the server's clock
    let socket = null;
    let stream = "";
    let seq = 0;
    let failures = 0;
    let skew = 0;                 // the server's clock less ours
    let closed = false;
    let retryTimer = 0;
    let silenceTimer = 0;
    let endTimer = 0;
    let said = "";

    const say = (word) => {
      if (word !== said && hear.state) hear.state(word);
      said = word;
    };
    const now = () => Date.now() + skew;

    function open() {
      clearTimeout(retryTimer);
      if (closed || socket) return;
      const address = new URL(url, location.href);
      if (stream) {
        address.searchParams.set("stream", stream);
        address.searchParams.set("seq", seq);
      }
      let opened = false;
      const mine = new WebSocket(address);
      socket = mine;
      silence();
      mine.onopen = () => { opened = true; };
      mine.onmessage = (event) => { if (socket === mine) take(JSON.parse(event.data)); };
      mine.onclose = (event) => {
        if (socket !== mine) return;
        socket = null;
        if (opened && event.code !== TOO_MANY) failures = Math.min(failures, 1);
        later(event.code === TOO_MANY);
      };
    }

    function later(slowly) {
      clearTimeout(silenceTimer);
      if (closed) return;
      say("away");
      const soon = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures);
      failures += 1;
      // Not all at once when the server is back.
      const wait = slowly || failures > BLOCKED_AFTER ? BLOCKED_MS : soon;
      retryTimer = setTimeout(open, wait * (0.5 + Math.random() / 2));
    }

    function drop() {
      const mine = socket;
      socket = null;
      if (mine) mine.close();
    }

    function again() {
      drop();
      later(false);
    }

    function silence() {
      clearTimeout(silenceTimer);
      silenceTimer = setTimeout(again, SILENT_MS);
    }

    function take(message) {
      silence();
      const at = message.as_of || message.server_time;
      if (at) skew = Date.parse(at) - Date.now();
      switch (message.type) {
        case "snapshot":
          ({ stream, seq } = message);
          failures = 0;
          until.clear();
          keep(message.seats);
          if (hear.snapshot) hear.snapshot(message.seats);
          say(message.stale ? "stale" : "live");
          break;
        case "resumed":
          failures = 0;
          say(message.stale ? "stale" : "live");
          break;
        case "seats":
          if (message.seq !== seq + 1) {  // never seen; whatever it is, a snapshot mends it
            stream = "";
            again();
            return;
          }
          seq = message.seq;
          keep(message.changes);
          if (hear.seats) hear.seats(message.changes);
          break;
        case "stale":
          say("stale");
          break;
        default:  // heartbeat, and words of servers to come
      }
    }

    function keep(seats) {
      for (const each of seats) {
        if (each.held_until) until.set(each.seat, Date.parse(each.held_until));
        else until.delete(each.seat);
      }
      waitForEnds();
    }

    function waitForEnds() {
      clearTimeout(endTimer);
      if (closed || !until.size) return;
      const first = Math.min(...until.values());
      endTimer = setTimeout(endHolds, Math.min(LONGEST_TIMER_MS, Math.max(0, first - now()) + 1));
    }

    function endHolds() {
      const over = [...until].filter(([, end]) => end <= now()).map(([seat]) => seat);
      for (const seat of over) until.delete(seat);
      if (over.length && hear.seats) hear.seats(over.map((seat) => ({ seat, status: "free" })));
      waitForEnds();
    }

    const online = () => {
      failures = 0;
      open();
    };
    const hide = () => {          // a page with an open socket is kept by no browser's back button
      clearTimeout(retryTimer);
      clearTimeout(silenceTimer);
      drop();
    };
    const listening = [["online", online], ["pagehide", hide], ["pageshow", online]];
    for (const [name, act] of listening) addEventListener(name, act);
    open();
    return {
      close() {
        closed = true;
        for (const [name, act] of listening) removeEventListener(name, act);
        clearTimeout(endTimer);
        hide();
      },
    };
  }

  window.Seatlock = Object.assign(window.Seatlock || {}, { watch });

  const place = document.getElementById("live");
  const map = window.Seatlock.seats;
  if (place && map && place.dataset.liveUrl) {
    watch(place.dataset.liveUrl, {
      snapshot: map.snapshot,
      seats: map.apply,
      state: (word) => map.live(word === "live"),
    });
  }
})();
