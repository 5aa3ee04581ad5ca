/*
 * plot: a graph of layers over two axes, as plain SVG.
 *
 * A plot is {label, x, y, layers, bands}: x and y are {from, to, spell}; a layer is {name, kind,
 * colour, points}, with points [x, y] for "line" and "steps", [x, low, high] for "bars"; a band is
 * {name, from, to} of y, shaded.  Colours are names of the style's.
 */
const PLOT = {width: 720, height: 260, left: 84, right: 12, top: 10, bottom: 34};

/* Round numbers within a range, about so many. */
function ticksOf(axis, count) {
  const span = axis.to - axis.from || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => span / size <= count);
  const ticks = [];
  for (let n = Math.ceil(axis.from / step); n * step <= axis.to; n++) ticks.push(n * step);
  return ticks;
}

function scalesOf(plot) {
  const wide = PLOT.width - PLOT.left - PLOT.right, high = PLOT.height - PLOT.top - PLOT.bottom;
  const share = (axis, value) => (value - axis.from) / (axis.to - axis.from || 1);
  const within = (value) => Math.max(-2, Math.min(3, value));
  return {
    x: (value) => +(PLOT.left + wide * share(plot.x, value)).toFixed(1),
    y: (value) => +(PLOT.top + high * (1 - within(share(plot.y, value)))).toFixed(1),
  };
}

function addAxes(svg, plot, scales) {
  const bottom = PLOT.height - PLOT.bottom;
  for (const value of ticksOf(plot.y, 6)) {
    const y = scales.y(value);
    svg.append(draw("line", {"class": "grid", x1: PLOT.left, x2: PLOT.width - PLOT.right, y1: y, y2: y}),
      draw("text", {x: PLOT.left - 6, y: y + 4, "text-anchor": "end"}, plot.y.spell(value)));
  }
  for (const value of ticksOf(plot.x, 6)) {
    const x = scales.x(value);
    svg.append(draw("line", {"class": "grid", x1: x, x2: x, y1: PLOT.top, y2: bottom}),
      draw("text", {x, y: bottom + 16, "text-anchor": "middle"}, plot.x.spell(value)));
  }
}

function pathOf(layer, scales) {
  let path = "";
  for (const [x, low, high] of layer.points) {
    const at = scales.x(x), y = scales.y(low);
    if (layer.kind === "bars") path += "M" + at + " " + (y + 2.5) + "V" + Math.min(y - 2.5, scales.y(high));
    else if (path === "") path = "M" + at + " " + y;
    else path += layer.kind === "steps" ? "H" + at + "V" + y : "L" + at + " " + y;
  }
  return path;
}

function svgOf(plot) {
  const svg = draw("svg", {viewBox: "0 0 " + PLOT.width + " " + PLOT.height, "class": "plot",
    role: "img", "aria-label": plot.label});
  const scales = scalesOf(plot);
  const area = {x: PLOT.left, y: PLOT.top, width: PLOT.width - PLOT.left - PLOT.right,
    height: PLOT.height - PLOT.top - PLOT.bottom};
  /* An SVG inside the SVG cuts off what lies beyond the axes. */
  const inside = draw("svg", {...area, viewBox: Object.values(area).join(" ")});
  for (const band of plot.bands || []) {
    const top = scales.y(band.to), height = Math.max(2, scales.y(band.from) - top);
    inside.append(draw("rect", {...area, y: top, height, "class": "band"}));
  }
  for (const layer of plot.layers)
    inside.append(draw("path", {d: pathOf(layer, scales), "class": "layer " + layer.kind + " k-" +
      layer.colour}));
  addAxes(svg, plot, scales);
  svg.append(inside);
  return svg;
}

/* What the colours mean; a layer without points is left out. */
function legendOf(plot) {
  const legend = make("ul", {"class": "legend"});
  for (const layer of plot.layers)
    if (layer.points.length) legend.append(make("li", {"class": "k-" + layer.colour}, layer.name));
  for (const band of plot.bands || []) legend.append(make("li", {"class": "k-band"}, band.name));
  return legend;
}
