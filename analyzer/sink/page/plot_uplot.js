/*
 * plot_uplot: the same plots with uPlot, to zoom into and to read values from, where the page was
 * built with it.  On paper, and for what uPlot cannot do, the SVG stands in its place.
 */
const hasPlots = typeof uPlot === "function";
const drawn = []; /* {plot, box, chart} */

/* uPlot wants one list of x for all layers, and null where a layer has no point. */
function alignedOf(plot) {
  const xs = [...new Set(plot.layers.flatMap((layer) => layer.points.map((point) => point[0])))];
  xs.sort((a, b) => a - b);
  const place = new Map(xs.map((x, i) => [x, i]));
  const columns = plot.layers.map(function (layer) {
    const column = new Array(xs.length).fill(null);
    for (const point of layer.points) column[place.get(point[0])] = point[point.length - 1];
    return column;
  });
  return [xs, ...columns];
}

function drawBands(chart, plot) {
  const {ctx, bbox} = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.globalAlpha = .25;
  ctx.fillStyle = colourOf("band");
  for (const band of plot.bands || []) {
    const top = chart.valToPos(band.to, "y", true), bottom = chart.valToPos(band.from, "y", true);
    ctx.fillRect(bbox.left, top, bbox.width, Math.max(2, bottom - top));
  }
  ctx.restore();
}

function drawBars(chart, plot) {
  const {ctx, bbox} = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineWidth = 2.2 * devicePixelRatio;
  plot.layers.forEach(function (layer, i) {
    if (layer.kind !== "bars" || !chart.series[i + 1].show) return;
    ctx.strokeStyle = colourOf(layer.colour);
    ctx.beginPath();
    for (const [x, low, high] of layer.points) {
      const at = chart.valToPos(x, "x", true), y = chart.valToPos(low, "y", true);
      ctx.moveTo(at, y + 2.5 * devicePixelRatio);
      ctx.lineTo(at, Math.min(y - 2.5 * devicePixelRatio, chart.valToPos(high, "y", true)));
    }
    ctx.stroke();
  });
  ctx.restore();
}

function seriesOf(layer, plot) {
  const series = {
    label: layer.name,
    stroke: () => colourOf(layer.colour),
    width: layer.kind === "bars" ? 0 : 1.5,
    dash: layer.dash,
    spanGaps: true,
    points: {show: false},
    value: (chart, value) => value === null || value === undefined ? "" : plot.y.spell(value),
  };
  if (layer.kind === "bars") series.paths = () => null;
  if (layer.kind === "steps") series.paths = uPlot.paths.stepped({align: 1});
  return series;
}

function axisOf(axis, more) {
  return {
    stroke: () => colourOf("ink"),
    grid: {stroke: () => colourOf("rule"), width: 1},
    ticks: {stroke: () => colourOf("rule"), width: 1},
    values: (chart, values) => values.map(axis.spell),
    ...more,
  };
}

function widthOf(box) {
  return Math.max(280, Math.min(1080, box.clientWidth || 720));
}

function chartOf(plot, box) {
  let zoomed = false;
  const options = {
    width: widthOf(box),
    height: 300,
    scales: {
      x: {time: false, range: (own, from, to) => zoomed ? [from, to] : [plot.x.from, plot.x.to]},
      y: {range: () => [plot.y.from, plot.y.to]},
    },
    cursor: {drag: {x: true, y: false}},
    series: [{label: plot.x.name, value: (chart, x) => x === null || x === undefined ? ""
      : plot.x.spell(x)}, ...plot.layers.map((layer) => seriesOf(layer, plot))],
    axes: [axisOf(plot.x, {}), axisOf(plot.y, {size: 80})],
    hooks: {
      setSelect: [(own) => { zoomed = own.select.width > 0; }],
      drawAxes: [(own) => drawBands(own, plot)],
      draw: [(own) => drawBars(own, plot)],
    },
  };
  const chart = new uPlot(options, alignedOf(plot), box);
  chart.root.addEventListener("dblclick", () => { zoomed = false; }, true);
  return chart;
}

/* Puts a plot into an element of the page; what it held goes. */
function showPlot(plot, box) {
  const before = drawn.findIndex((each) => each.box === box);
  if (before >= 0) drawn.splice(before, 1)[0].chart.destroy();
  box.replaceChildren();
  fill(box, {role: "group", "aria-label": plot.label});
  if (!hasPlots || plot.layers.every((layer) => layer.points.length === 0)) {
    box.append(svgOf(plot), legendOf(plot));
    return;
  }
  const chart = chartOf(plot, box);
  if (plot.bands && plot.bands.length) box.append(legendOf({layers: [], bands: plot.bands}));
  drawn.push({plot, box, chart});
}

/* Charts whose box has left the page. */
function forgetPlots() {
  for (let i = drawn.length - 1; i >= 0; i--)
    if (!drawn[i].box.isConnected) drawn.splice(i, 1)[0].chart.destroy();
}

function redrawPlots() {
  for (const {chart} of drawn) chart.redraw(false, true);
}

/* Paper has no cursor, and another width and other colours than the screen. */
function plotsToPaper(begins) {
  for (const {plot, box} of drawn) {
    box.querySelectorAll(".paper").forEach((each) => each.remove());
    if (!begins) continue;
    const paper = make("div", {"class": "paper"});
    paper.append(svgOf(plot), legendOf(plot));
    box.append(paper);
  }
}

window.addEventListener("resize", function () {
  for (const {chart, box} of drawn) chart.setSize({width: widthOf(box), height: 300});
});
