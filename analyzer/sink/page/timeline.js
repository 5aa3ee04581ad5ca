/*
 * timeline: the states of both sides of a connection, a lane each, from its history.
 *
 *     client  | SYN_SENT | ESTABLISHED ......... | FIN_WAIT_1 | TIME_WAIT .........
 *     server  | CLOSED   | SYN_RCVD | ESTABLISHED ....... | CLOSE_WAIT | LAST_ACK |
 *
 * A stretch between two changes is as wide as the logarithm of its time, and wide enough for the
 * states' names: a close of microseconds and a TIME_WAIT of minutes stand in one picture.
 */
const LANE = {left: 64, top: 34, height: 40, gap: 22, letter: 7.4};

/* What holds until the first entry: the incarnation before, where it is in the page. */
function stateBefore(flow, name) {
  const previous = flows.get(flow.lastack.previous);
  const start = {state: flow.lastack.midstream ? "UNKNOWN" : "CLOSED", basis: "sent"};
  if (!previous) return start;
  const same = previous.source.ip === flow.source.ip && previous.source.port === flow.source.port;
  const side = previous.lastack[same ? name : name === "client" ? "server" : "client"];
  const held = side.history.filter((entry) => !entry.revoked &&
    nanosBetween(entry.t, flow.event.start) > 0).pop();
  return held ? {...held, earlier: previous.lastack.incarnation} : start;
}

/* The states of a side with the time, in ns since the connection's start, at which each begins. */
function staysOf(flow, name) {
  const stays = [{...stateBefore(flow, name), from: null}];
  for (const entry of flow.lastack[name].history)
    if (!entry.revoked) stays.push({...entry, from: nanosBetween(flow.event.start, entry.t)});
  return stays;
}

function nameOfStay(stay) {
  return (stay.earlier ? "#" + stay.earlier + " " : "") + spellState(stay);
}

/* Moments at which anything changes, in order, and the last of which something is known. */
function momentsOf(flow, lanes) {
  const moments = new Set([0, nanosBetween(flow.event.start, flow.event.end)]);
  for (const lane of lanes)
    for (const stay of lane) if (stay.from !== null) moments.add(stay.from);
  return [...moments].sort((a, b) => a - b);
}

/* A function from a moment to its place, and the whole width. */
function scaleOf(moments, lanes) {
  const widths = moments.map((moment, i) => i + 1 === moments.length ? 60
    : 12 + 9 * Math.log10(1 + (moments[i + 1] - moment) / 1e4));
  const before = Math.max(...lanes.map((lane) => nameOfStay(lane[0]).length)) * LANE.letter + 14;
  for (const lane of lanes) {
    lane.forEach(function (stay, i) {
      if (stay.from === null) return;
      const first = moments.indexOf(stay.from);
      const end = i + 1 < lane.length ? moments.indexOf(lane[i + 1].from) : moments.length;
      const has = widths.slice(first, end).reduce((sum, width) => sum + width, 0);
      const wants = spellState(stay).length * LANE.letter + 14;
      for (let n = first; has < wants && n < end; n++) widths[n] *= wants / has;
    });
  }
  const places = [LANE.left + before];
  widths.forEach((width) => places.push(places[places.length - 1] + width));
  const place = function (moment) {
    let n = moments.length - 1;
    while (n > 0 && moments[n] > moment) n--;
    const share = n + 1 < moments.length ? (moment - moments[n]) / (moments[n + 1] - moments[n]) : 0;
    return places[n] + Math.min(1, Math.max(0, share)) * widths[n];
  };
  return {place, end: places[places.length - 1]};
}

function stayOf(stay, next, scale, y) {
  const from = stay.from === null ? LANE.left : scale.place(stay.from);
  const to = next ? scale.place(next.from) : scale.end;
  const name = nameOfStay(stay);
  const box = draw("g", {"class": "stay" + (stay.basis === "presumed" ? " presumed" : "") +
    (stay.earlier ? " earlier" : ""), "data-state": stay.state});
  const length = next && stay.from !== null ? spellDuration(next.from - stay.from) : "";
  const how = stay.from === null ? "before the first packet"
    : stay.packet === null ? "by a deadline" : "from packet " + stay.packet + " on";
  box.append(draw("title", {}, name + " " + how + (length ? ", " + length : "")));
  box.append(draw("rect", {x: from, y, width: Math.max(1, to - from), height: LANE.height}));
  const shown = [[name, 16], [length, 31]];
  for (const [text, down] of shown)
    if (text && text.length * LANE.letter * (down > 20 ? .9 : 1) < to - from)
      box.append(draw("text", {x: from + 5, y: y + down, "class": down > 20 ? "small" : "name"}, text));
  return box;
}

/* States that turned out never to have been: struck through, under the lane. */
function addRevoked(svg, side, flow, scale, y) {
  for (const entry of side.history) {
    if (!entry.revoked) continue;
    const x = scale.place(nanosBetween(flow.event.start, entry.t));
    svg.append(draw("text", {x, y: y + LANE.height + 14, "class": "small revoked"}, entry.state));
  }
}

/* The packets that events name, as lines through both lanes. */
function addMarks(svg, flow, scale, bottom) {
  const graph = graphs.get(flow.lastack.flow_uid);
  if (!graph) return;
  const shift = nanosBetween(flow.event.start, graph.start);
  const said = new Map();
  for (const [packet, , event, says] of graph.notes)
    said.set(packet, (said.has(packet) ? said.get(packet) + "\n" : "") + event + ": " + says);
  const ends = [-Infinity, -Infinity]; /* of the last number in each of two rows */
  for (const [packet, t] of graph.rows) {
    if (!said.has(packet)) continue;
    const x = scale.place(shift + t);
    const mark = draw("g", {"class": "mark", "data-packet": packet});
    mark.append(draw("title", {}, said.get(packet)));
    mark.append(draw("line", {x1: x, x2: x, y1: LANE.top - 6, y2: bottom}));
    const text = "#" + packet, half = text.length * 3.6;
    const row = ends.findIndex((end) => x - half > end);
    if (row >= 0) {
      mark.append(draw("text", {x, y: LANE.top - 9 - 12 * row, "text-anchor": "middle"}, text));
      ends[row] = x + half;
    }
    svg.append(mark);
  }
}

function timelineOf(flow) {
  const names = ["client", "server"];
  const lanes = names.map((name) => staysOf(flow, name));
  const scale = scaleOf(momentsOf(flow, lanes), lanes);
  const bottom = LANE.top + 2 * LANE.height + LANE.gap;
  const label = "states of both sides over time; the lists below say the same";
  const svg = draw("svg", {"class": "timeline", role: "img", "aria-label": label,
    width: Math.ceil(scale.end + 8), height: bottom + 24});
  names.forEach(function (name, n) {
    const y = LANE.top + n * (LANE.height + LANE.gap);
    svg.append(draw("text", {x: 2, y: y + 16, "class": "name"}, name));
    lanes[n].forEach((stay, i) => svg.append(stayOf(stay, lanes[n][i + 1], scale, y)));
    addRevoked(svg, flow.lastack[name], flow, scale, y);
  });
  addMarks(svg, flow, scale, bottom);
  return pictureOf(svg, label);
}
