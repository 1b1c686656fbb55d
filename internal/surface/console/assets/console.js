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

  const clock = (t) => new Date(t * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

  // draw replaces the picture of a figure by a chart of the same numbers.
  function draw(figure) {
    if (!window.uPlot) return;
    const svg = figure.querySelector("svg");
    if (!svg || svg.closest("[hidden]")) return;
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
    new uPlot({
      width: plot.clientWidth, height: 160, legend: { show: false }, cursor: { y: false, drag: { x: false, y: false } },
      scales: { y: { range: (u, min, max) => [0, Math.max(1, max * 1.05)] } },
      axes: [{ ...axis, space: 60, size: 26, values: (u, ts) => ts.map(clock) }, { ...axis, size: 42, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10000, 100000, 1000000] }],
      series: [{}, ...series],
      hooks: { setCursor: [(u) => point(u, keys)] },
    }, [times, ...stacks.reverse()], plot);
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
  document.addEventListener("htmx:sse:after:message", drawAll);
  document.addEventListener("htmx:after:swap", drawAll);
})();
