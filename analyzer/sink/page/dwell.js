/*
 * dwell: how long sides stayed in the states of the close, as ranges on a logarithmic axis: a line
 * from the shortest stay to the longest, thick up to where 95 % had ended, a tick at the median.
 * Dots are the stays of those connections that are in the page.
 */
const DWELL = {width: 720, left: 100, right: 116, row: 30, top: 8, axis: 24};
const DWELL_LEAST = 1e3; /* ns; what is shorter stands at the axis */

/* State -> ns of every finished stay in it, of these connections. */
function staysIn(some) {
  const stays = {};
  for (const flow of some) {
    for (const name of ["client", "server"]) {
      const held = flow.lastack[name].history.filter((entry) => !entry.revoked);
      held.slice(1).forEach(function (next, i) {
        const state = held[i].state;
        (stays[state] = stays[state] || []).push(Math.max(0, nanosBetween(held[i].t, next.t)));
      });
    }
  }
  return stays;
}

/* One path of points: thousands of elements would be slow.  Beside each other so as to be seen. */
function dotsOf(stays, state, place, y) {
  const points = stays.map((nanos, i) => "M" + place(nanos).toFixed(1) + " " +
    (y + (i * 7 % 9 - 4) * 1.8).toFixed(1) + "h.01");
  return draw("path", {"class": "dots", "data-state": state, d: points.join("")});
}

function spellDwell(times) {
  return times.count + (times.count === 1 ? " stay" : " stays") + (times.censored
    ? ", " + times.censored + " not over" : "");
}

function dwellOf(dwell, name, some) {
  const stays = staysIn(some);
  const states = Object.entries(dwell).filter(([, times]) => times.count > 0);
  if (states.length === 0) return null;
  const most = Math.max(...states.map(([, times]) => times.max), 10 * DWELL_LEAST);
  const decades = Math.ceil(Math.log10(most / DWELL_LEAST));
  const wide = DWELL.width - DWELL.left - DWELL.right;
  const place = (nanos) => DWELL.left +
    wide * Math.log10(Math.max(1, nanos / DWELL_LEAST)) / decades;
  const bottom = DWELL.top + states.length * DWELL.row;
  const label = "how long sides stayed: " + name + "; " + states.map(([state, times]) => state +
    " median " + spellDuration(times.median) + ", most " + spellDuration(times.max)).join("; ");
  const svg = draw("svg", {viewBox: "0 0 " + DWELL.width + " " + (bottom + DWELL.axis),
    "class": "plot dwelling", role: "img", "aria-label": label});
  for (let decade = 0; decade <= decades; decade++) {
    const x = place(DWELL_LEAST * 10 ** decade);
    svg.append(draw("line", {"class": "grid", x1: x, x2: x, y1: DWELL.top, y2: bottom}));
    if (decades < 7 || decade % 2 === 0)
      svg.append(draw("text", {x, y: bottom + 16, "text-anchor": "middle"},
        spellDuration(DWELL_LEAST * 10 ** decade)));
  }
  states.forEach(function ([state, times], i) {
    const y = DWELL.top + (i + .5) * DWELL.row;
    const range = draw("g", {"class": "range", "data-state": state});
    range.append(draw("title", {}, state + ": " + spellDwell(times) + "; least " +
      spellDuration(times.min) + ", median " + spellDuration(times.median) + ", 95 % within " +
      spellDuration(times.p95) + ", most " + spellDuration(times.max)));
    range.append(draw("line", {x1: place(times.min), x2: place(times.max), y1: y, y2: y}),
      draw("line", {"class": "bulk", x1: place(times.min), x2: place(times.p95), y1: y, y2: y}),
      draw("line", {"class": "median", x1: place(times.median), x2: place(times.median),
        y1: y - 9, y2: y + 9}));
    svg.append(range, dotsOf(stays[state] || [], state, place, y), draw("text", {x: 4, y: y + 4}, state),
      draw("text", {x: DWELL.width - DWELL.right + 8, y: y + 4}, "median " +
        spellDuration(times.median)));
  });
  return pictureOf(svg, label);
}

/* Under the table of all connections. */
function addDwell() {
  const table = document.querySelector("table.dwell");
  const picture = table && dwellOf(report.summary.dwell_times, "all connections",
    report.flows);
  if (!picture) return;
  table.after(picture, make("p", {"class": "faint"}, "A line from the shortest stay to the longest, " +
    "thick up to where 95 % had ended, with a tick at the median; a dot for each stay of a connection " +
    "in this page. Each service below has its own."));
}
