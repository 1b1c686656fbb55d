// What script adds to pages that work without it: live numbers, and charts to
// point at.
"use strict";
(() => {
  // htmx parses what this server rendered and escaped; the policy lets it, and
  // nothing else, write markup.
  const policy = window.trustedTypes?.createPolicy("waxwing", { createHTML: (s) => s });
  window.htmx?.registerExtension("waxwing", {
    init(api) { if (policy) api.initSecurity({ createHTML: (s) => policy.createHTML(s), createScript: () => { throw new TypeError("no script in pages"); } }); },
  });

  const numbers = (text) => (text ? text.split(",").map(Number) : []);

  const values = (text) => (text ? text.split(",").map((v) => (v === "" ? null : Number(v))) : []);

  const spaced = (n) => n.toLocaleString("en").replaceAll(",", "\u2009");

  // words writes a value of a unit, as the server does.
  function words(unit, v) {
    if (v == null) return "–";
    if (unit === "percent") return v.toFixed(1) + " %";
    if (unit === "ms") return spaced(Math.round(v)) + " ms";
    if (unit === "seconds") return v < 600 ? Math.round(v) + " s" : v < 36000 ? Math.round(v / 60) + " min" : spaced(Math.round(v / 3600)) + " h";
    if (unit === "bytes") {
      let i = 0;
      while (v >= 1000 && i < 3) { v /= 1000; i++; }
      return (i && v < 10 ? v.toFixed(1) : Math.round(v)) + " " + ["B", "kB", "MB", "GB"][i];
    }
    return spaced(Math.round(v));
  }

  const clock = (t) => new Date(t * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

  const dashes = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 4], [1, 2]];

  // drawLines replaces the picture of a figure of lines.
  function drawLines(figure, svg) {
    const keys = [...figure.querySelectorAll("[data-series]")];
    const times = numbers(figure.dataset.times).map((t) => t / 1000);
    const unit = figure.dataset.unit;
    const style = getComputedStyle(figure);
    const ink = style.getPropertyValue("--quiet"), rule = style.getPropertyValue("--line");
    const axis = { stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule, width: 1 }, font: "11px system-ui, sans-serif" };
    const long = times.length > 1 && times[times.length - 1] - times[0] > 36 * 3600;
    const day = (t) => new Date(t * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
    const plot = document.createElement("div");
    plot.className = "plot";
    plot.setAttribute("aria-hidden", "true");
    svg.before(plot);
    const all = keys.map((k) => values(k.dataset.values));
    const chart = new uPlot({
      width: plot.clientWidth, height: 160, legend: { show: false }, cursor: { y: false, drag: { x: false, y: false } },
      scales: { y: { range: (u, min, max) => [0, Math.max(1, max * 1.05)] } },
      axes: [{ ...axis, space: 60, size: 26, values: (u, ts) => ts.map(long ? day : clock) }, { ...axis, size: 58, values: (u, vs) => vs.map((v) => words(unit, v)) }],
      series: [{}, ...keys.map((k, i) => ({
        label: k.dataset.series, stroke: getComputedStyle(k).getPropertyValue("--c").trim(), width: 2, dash: dashes[i % dashes.length],
        points: { show: all[i].filter((v) => v != null).length < 3, size: 5 },
      }))],
      hooks: { setCursor: [(u) => {
        const i = u.cursor.idx;
        keys.forEach((k, s) => {
          const known = all[s].filter((v) => v != null);
          const at = k.querySelector("[data-value]");
          if (at) at.textContent = words(unit, i == null ? known[known.length - 1] : all[s][i]);
        });
      }] },
    }, [times, ...all], plot);
    fit(chart, plot);
    svg.setAttribute("hidden", "");
    svg.style.display = "none";
  }

  // fit keeps a chart as wide as its place when a window shrinks or a phone turns.
  function fit(chart, plot) {
    new ResizeObserver(() => {
      const width = plot.clientWidth;
      if (width > 0 && width !== chart.width) chart.setSize({ width, height: 160 });
    }).observe(plot);
  }

  // draw replaces the picture of a figure by a chart of the same numbers.
  function draw(figure) {
    if (!window.uPlot) return;
    const svg = figure.querySelector("svg");
    if (!svg || svg.closest("[hidden]")) return;
    if (figure.dataset.chart === "lines") { drawLines(figure, svg); return; }
    const keys = [...figure.querySelectorAll("[data-series]")];
    const times = numbers(figure.dataset.times).map((t) => t / 1000);
    let below = times.map(() => 0);
    const stacks = keys.map((k) => {
      below = numbers(k.dataset.values).map((v, i) => v + below[i]);
      return below;
    });
    const style = getComputedStyle(figure);
    const ink = style.getPropertyValue("--quiet"), line = style.getPropertyValue("--line");
    const bars = uPlot.paths.bars({ size: [0.9, 40], gap: 1 });
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "11px system-ui, sans-serif" };
    const plot = document.createElement("div");
    plot.className = "plot";
    plot.setAttribute("aria-hidden", "true");
    figure.append(plot);
    const series = keys.map((k) => {
      const color = getComputedStyle(k).getPropertyValue("--c").trim();
      return { label: k.dataset.series, fill: color, stroke: color, width: 0, paths: bars, points: { show: false } };
    }).reverse();
    const chart = new uPlot({
      width: plot.clientWidth, height: 160, legend: { show: false }, cursor: { y: false, drag: { x: false, y: false } },
      scales: { y: { range: (u, min, max) => [0, Math.max(1, max * 1.05)] } },
      axes: [{ ...axis, space: 60, size: 26, values: (u, ts) => ts.map(clock) }, { ...axis, size: 42, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10000, 100000, 1000000] }],
      series: [{}, ...series],
      hooks: { setCursor: [(u) => point(u, keys)] },
    }, [times, ...stacks.reverse()], plot);
    fit(chart, plot);
    svg.setAttribute("hidden", "");
    svg.style.display = "none";
  }

  // point shows the numbers under the cursor in the legend.
  function point(u, keys) {
    const i = u.cursor.idx;
    for (const k of keys) {
      const values = numbers(k.dataset.values);
      const n = i == null ? values.reduce((a, b) => a + b, 0) : values[i];
      k.textContent = k.dataset.series + " " + n.toLocaleString("en").replaceAll(",", "\u2009");
    }
  }

  function drawAll() {
    for (const f of document.querySelectorAll("[data-chart]")) if (!f.querySelector(".plot")) draw(f);
  }
  drawAll();

  // Tables that somebody opened stay open when their numbers change.
  const opened = new Set();
  document.addEventListener("toggle", (e) => {
    const id = e.target.dataset?.keep;
    if (!id || !e.target.isConnected) return;
    if (e.target.open) opened.add(id); else opened.delete(id);
  }, true);

  function renew() {
    for (const d of document.querySelectorAll("details[data-keep]")) if (opened.has(d.dataset.keep)) d.open = true;
    drawAll();
  }
  document.addEventListener("htmx:sse:after:message", renew);
  document.addEventListener("htmx:after:swap", renew);
})();
