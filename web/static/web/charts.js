/* Charts of the staff board, each drawn from the table behind it: the first column names what is
   counted, columns marked data-drawn are lines or bars. Without JavaScript there is the table. */
(() => {
  "use strict";
  const ROWS_MOST = 61;
  const LYING_MOST = 15;
  const drawn = new Map();  // id of a table → its chart
  const ink = (name) => getComputedStyle(probe(name)).color;

  /* A colour of the design language as the theme of now shows it; light-dark() is resolved only
     where it is used. */
  let spot = null;
  function probe(name) {
    if (!spot) {
      spot = document.createElement("span");
      spot.hidden = true;
      document.body.append(spot);
    }
    spot.style.color = `var(${name})`;
    return spot;
  }

  function read(table, most) {
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows].slice(0, most);
    const columns = heads.flatMap((head, at) => ("drawn" in head.dataset ? [[head.textContent, at]] : []));
    return {
      labels: rows.map((row) => row.cells[0].textContent),
      series: columns.map(([label, at]) => ({ label, data: rows.map((row) => Number(row.cells[at].dataset.value || 0)) })),
    };
  }

  /* A long name keeps its end, where calls differ; the table has all of it. */
  function short(at) {
    const name = this.getLabelForValue(at);
    const most = Math.max(18, Math.floor(this.chart.width / 16));
    return name.length > most ? `…${name.slice(1 - most)}` : name;
  }

  function draw(figure) {
    const table = document.getElementById(figure.dataset.of);
    if (!table || !window.Chart) return;
    const kind = figure.dataset.chart;
    const { labels, series } = read(table, kind === "lying" ? LYING_MOST : ROWS_MOST);
    const colours = (kind === "line" ? ["--act", "--good", "--warn", "--end"] : ["--act", "--warn"]).map(ink);
    const [soft, line] = [ink("--soft"), ink("--line")];
    figure.hidden = false;
    window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    drawn.get(table.id)?.destroy();
    const isStacked = kind === "bar" && series.length > 1;
    const scale = (counts) => ({
      beginAtZero: true,
      stacked: isStacked,
      border: { display: false },
      grid: { color: line, display: counts },
      ticks: { color: soft, ...(counts || kind !== "lying" ? {} : { callback: short }), autoSkip: counts || kind !== "lying", maxTicksLimit: counts ? 6 : 31, maxRotation: 0, precision: 0 },
    });
    drawn.set(table.id, new window.Chart(figure.querySelector("canvas"), {
      type: kind === "line" ? "line" : "bar",
      data: {
        labels,
        datasets: series.map((each, at) => ({
          ...each,
          borderColor: colours[at % colours.length],
          backgroundColor: colours[at % colours.length],
          borderWidth: kind === "line" ? 2 : 0,
          pointRadius: 0,
          tension: 0.25,
          maxBarThickness: 44,
        })),
      },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        indexAxis: kind === "lying" ? "y" : "x",
        interaction: { mode: "index", intersect: false },
        plugins: { legend: { display: series.length > 1, labels: { color: soft } } },
        scales: { x: scale(kind === "lying"), y: scale(kind !== "lying") },
      },
    }));
  }

  const drawAll = () => {
    for (const [id, chart] of drawn) {
      if (!document.getElementById(id)) {
        chart.destroy();
        drawn.delete(id);
      }
    }
    document.querySelectorAll("[data-chart]").forEach(draw);
  };

  /* What a reader opened stays open when the page brings newer numbers. */
  const open = () => [...document.querySelectorAll(".panel details[open]")].map((each) => each.closest(".panel").id);
  let kept = [];
  document.addEventListener("htmx:beforeSwap", () => { kept = open(); });
  document.addEventListener("htmx:afterSettle", () => {
    for (const id of kept) document.querySelector(`#${CSS.escape(id)} details`)?.setAttribute("open", "");
    drawAll();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  drawAll();
})();
