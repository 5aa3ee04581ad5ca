/*
 * sequence: the time-sequence graph of one direction: what was sent, what was acknowledged, and up
 * to where the receiver's window let the sender go (the picture of RFC 9293 3.3.1, over time).
 *
 * Numbers are relative to the incarnation's own ISN.  Shaded is what the sender's incarnation
 * before had used: a segment of that range is one that TIME-WAIT keeps away (RFC 9293 3.6.1).
 */
const FLAG = {fin: 1, syn: 2, rst: 4, seqAbsolute: 0x100, ackAbsolute: 0x200};
const AGAIN = ["retransmission", "keep_alive", "window_probe"];
/* Whose numbers say nothing of this connection's. */
const FOREIGN = ["stray", "bad_checksum", "copy"];

/* The nearest number to base that is value modulo 2^32. */
function unwrap(value, base) {
  return base + ((value - base) | 0);
}

function rowsOf(graph) {
  return graph.rows.map(([packet, t, from, flags, seq, ack, len, win, verdict]) =>
    ({packet, t, from, flags, seq, ack, len, win, verdict: segments.verdicts[verdict]}));
}

/* Where numbers are not relative, since the SYN was not captured, from the first one on. */
function baseOf(rows, from) {
  const own = rows.find((row) => row.from === from && row.flags & FLAG.seqAbsolute);
  if (own) return own.seq;
  const other = rows.find((row) => row.from !== from && row.ack !== null && row.flags & FLAG.ackAbsolute);
  return other ? other.ack : 0;
}

/* Sent, acknowledged and allowed, of the direction whose sender is from (0: the client). */
function traceOf(graph, from) {
  const rows = rowsOf(graph);
  const base = baseOf(rows, from);
  const trace = {sent: [], again: [], other: [], resets: [], acked: [], window: [], low: 0, high: 1};
  let reached = 0;
  for (const row of rows) {
    const x = row.t / 1e9;
    if (row.from === from) {
      const seq = unwrap(row.flags & FLAG.seqAbsolute ? row.seq - base : row.seq, reached);
      const length = row.len + (row.flags & FLAG.syn ? 1 : 0) + (row.flags & FLAG.fin ? 1 : 0);
      const bar = [x, seq, seq + length];
      if (row.flags & FLAG.rst) trace.resets.push(bar);
      else if (AGAIN.includes(row.verdict)) trace.again.push(bar);
      else if (row.verdict !== "new" && row.verdict !== "duplicate_ack") trace.other.push(bar);
      else if (length > 0) trace.sent.push(bar);
      if (!FOREIGN.includes(row.verdict)) reached = Math.max(reached, seq + length);
    } else if (row.ack !== null && !(row.flags & FLAG.rst) && !FOREIGN.includes(row.verdict)) {
      const ack = unwrap(row.flags & FLAG.ackAbsolute ? row.ack - base : row.ack, reached);
      trace.acked.push([x, ack]);
      trace.window.push([x, ack + row.win]);
    }
  }
  trace.high = Math.max(1, reached);
  return trace;
}

/* The numbers that the sender's incarnation before had used, relative to this one's; or null. */
function earlierRange(flow, from) {
  const previous = flows.get(flow.lastack.previous);
  const side = flow.lastack[from === 0 ? "client" : "server"];
  if (!previous || side.iss === null) return null;
  const end = from === 0 ? flow.source : flow.destination;
  const same = previous.source.ip === end.ip && previous.source.port === end.port;
  const before = previous.lastack[same ? "client" : "server"];
  const graph = graphs.get(previous.lastack.flow_uid);
  if (before.iss === null || !graph) return null;
  const low = unwrap(before.iss - side.iss, 0);
  return {low, high: low + traceOf(graph, same ? 0 : 1).high,
    incarnation: previous.lastack.incarnation};
}

function axesOf(trace, graph, earlier, whole) {
  const last = graph.rows[graph.rows.length - 1][1] / 1e9;
  let low = 0, high = trace.high;
  if (whole) high = Math.max(high, ...trace.window.map((point) => point[1]));
  if (earlier && earlier.high >= low - high && earlier.low <= 2 * high) {
    low = Math.min(low, earlier.low);
    high = Math.max(high, earlier.high);
  }
  const room = Math.max(1, (high - low) * .08);
  const pad = Math.max(last * .03, 1e-6);
  return {
    x: {name: "time", from: -pad, to: last + pad, spell: spellerOf(last)},
    y: {from: low - room, to: high + room,
      spell: (y) => Number.isInteger(y) ? y.toLocaleString("en") : ""},
  };
}

function sequenceOf(flow, graph, from, whole) {
  const trace = traceOf(graph, from);
  const earlier = earlierRange(flow, from);
  const name = from === 0 ? "client to server" : "server to client";
  const axes = axesOf(trace, graph, earlier, whole);
  const bands = earlier && earlier.high > axes.y.from && earlier.low < axes.y.to
    ? [{name: "numbers of incarnation " + earlier.incarnation, from: earlier.low, to: earlier.high}]
    : [];
  return {
    ...axes, bands, earlier,
    label: "time-sequence graph, " + name + ": " + trace.sent.length + " segments sent, " +
      trace.again.length + " sent again, up to number " + trace.high,
    layers: [
      {name: "the receiver's window", kind: "steps", colour: "window", dash: [5, 3], points: trace.window},
      {name: "acknowledged", kind: "steps", colour: "acked", points: trace.acked},
      {name: "sent", kind: "bars", colour: "sent", points: trace.sent},
      {name: "sent again", kind: "bars", colour: "again", points: trace.again},
      {name: "out of order, stray, copy", kind: "bars", colour: "other", points: trace.other},
      {name: "reset", kind: "bars", colour: "again", points: trace.resets},
    ].filter((layer) => layer.points.length > 0),
  };
}

/* What the picture does not show: said below it. */
function remarksOf(plot, graph) {
  const remarks = [];
  if (graph.rows.length < graph.segments)
    remarks.push(graph.rows.length + " of " + graph.segments +
      " segments are drawn; quiet ones were thinned out.");
  if (plot.earlier && plot.bands.length === 0)
    remarks.push("Incarnation " + plot.earlier.incarnation + " had used the numbers from " +
      plot.y.spell(plot.earlier.low) + " to " + plot.y.spell(plot.earlier.high) +
      " (relative to this one's), outside of the picture.");
  return remarks.join(" ");
}

/* Both directions, each with a switch to see the whole window. */
function addSequences(place, flow, graph) {
  [0, 1].forEach(function (from) {
    const box = make("div", {"class": "graph"});
    const title = make("h4", {}, "Sequence numbers, " + (from === 0 ? "client to server"
      : "server to client"));
    const label = make("label", {"class": "switch"});
    const whole = make("input", {type: "checkbox"});
    label.append(whole, " up to the window's edge");
    const said = make("p", {"class": "faint"});
    const show = function () {
      const plot = sequenceOf(flow, graph, from, whole.checked);
      if (plot.layers.length === 0) {
        said.textContent = "Nothing was seen of this direction.";
        label.hidden = true;
        return;
      }
      showPlot(plot, box);
      said.textContent = remarksOf(plot, graph);
    };
    whole.addEventListener("change", show);
    place.append(title, label, box, said);
    show();
  });
}
