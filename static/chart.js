// Draws the figures of the table beside it. Colours are those of the page, light or dark.
"use strict";

const canvas = document.getElementById("chart");
const { labels, lines } = JSON.parse(document.getElementById("chart-data").textContent);
const colour = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();

const chart = new Chart(canvas, {
  type: "line",
  data: { labels, datasets: lines },
  options: {
    animation: false,
    interaction: { mode: "index", intersect: false },
    // A line in the legend, dashed as the one in the chart.
    plugins: { legend: { labels: { boxWidth: 48, boxHeight: 0 } } },
  },
});

function paint() {
  const text = colour("--body-fg");
  const grid = colour("--hairline-color");
  for (const line of chart.data.datasets) {
    Object.assign(line, { borderColor: colour(line.colour), backgroundColor: colour(line.colour) });
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

paint();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
// The admin's own switch between light and dark.
new MutationObserver(paint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
