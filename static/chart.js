// Draws each canvas of a page from the figures of its table. Colours are those of the page, light
// or dark, and named by their variables in the page's style.
"use strict";

// A variable may be one colour in light and another in dark: the browser says which it is.
const colourOn = (canvas, name) => {
  canvas.style.color = `var(${name})`;
  return getComputedStyle(canvas).color;
};

function drawn(canvas) {
  const figures = JSON.parse(document.getElementById(canvas.dataset.figures).textContent);
  return new Chart(canvas, {
    type: figures.type ?? "line",
    data: { labels: figures.labels, datasets: figures.lines },
    options: {
      animation: false,
      // It fills the place that the style sheet gives it.
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      plugins: {
        // A line in the legend, dashed as the one in the chart. Bars stand beside their own names.
        legend: { display: figures.type !== "bar", labels: { boxWidth: 48, boxHeight: 0 } },
      },
    },
  });
}

function paint(chart) {
  const colour = (name) => colourOn(chart.canvas, name);
  const text = colour("--body-fg");
  const grid = colour("--hairline-color");
  for (const line of chart.data.datasets) {
    const painted = Array.isArray(line.colour) ? line.colour.map(colour) : colour(line.colour);
    Object.assign(line, { borderColor: painted, backgroundColor: painted });
  }
  chart.options.color = text;
  chart.options.scales.x = { ticks: { color: text }, grid: { color: grid } };
  chart.options.scales.y = {
    beginAtZero: true,
    ticks: { color: text, precision: 0 },
    grid: { color: grid },
  };
  chart.update();
}

const charts = Array.from(document.querySelectorAll("canvas[data-figures]"), drawn);
const paintAll = () => charts.forEach(paint);

paintAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paintAll);
// The admin's own switch between light and dark.
new MutationObserver(paintAll).observe(document.documentElement, {
  attributeFilter: ["data-theme"],
});
