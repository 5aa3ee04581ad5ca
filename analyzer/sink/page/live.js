/*
 * live: the page while lastack goes on (--http).  Server-sent events bring records as NDJSON has
 * them ("stats", "flow", "event"), the report so far ("report") and parts of the page ("parts");
 * what is opened is asked for ("detail").  Of each the newest are kept, and drawn twice a second.
 */
const LIVE = {flows: 1000, events: 200, points: 300, graphs: 200, pause: 500};
const STATES = [
  ["SYN_SENT"], ["SYN_RCVD"], ["ESTABLISHED", "acked"], ["FIN_WAIT_1"], ["FIN_WAIT_2", "sent"],
  ["CLOSE_WAIT", "other"], ["CLOSING"], ["LAST_ACK", "again"], ["TIME_WAIT", "window"], ["CLOSED"],
  ["UNKNOWN"],
];
const live = {run: null, points: [], events: [], parts: null, problems: new Map(), hosts: new Map(),
  levels: new Map(), changed: new Set(), timer: null, held: false, ended: false, open: false,
  missed: 0, token: ""};

/* --- what is asked for --- */

function keepGraphs(found) {
  segments.verdicts = found.verdicts;
  for (const graph of found.connections) {
    graphs.delete(graph.uid);
    graphs.set(graph.uid, graph);
  }
  for (const uid of graphs.keys()) {
    if (graphs.size <= LIVE.graphs) break;
    graphs.delete(uid);
  }
}

/* The markup of a connection ("flow") or an event, in a box; null: nothing is kept of it. */
async function askDetail(what, id) {
  try {
    const answer = await fetch("detail?" + what + "=" + encodeURIComponent(id) + live.token);
    if (!answer.ok) return null;
    const detail = await answer.json();
    keepGraphs(detail.segments);
    return putMarkup(make("div"), detail.markup);
  } catch {
    return null;
  }
}

/* What a line of the table opens to. */
async function showLive(flow, place) {
  const said = make("p", {"class": "faint", role: "status"}, "Asking for its segments.");
  place.append(said);
  const detail = await askDetail("flow", flow.lastack.flow_uid);
  said.remove();
  if (detail) place.append(detail);
  showConnection(flow, place);
}

/* What a problem or an event opens to. */
async function fillProblem(box, id) {
  if (box.dataset.filled) return;
  box.dataset.filled = "yes";
  const detail = await askDetail("event", id);
  box.append(detail || make("p", {"class": "faint"}, "Nothing is kept of it any more."));
  box.querySelectorAll(".filter code").forEach(addCopy);
  addToProblem(box);
}

function openable(box, id) {
  box.addEventListener("toggle", function () {
    if (box.open) fillProblem(box, id());
  });
  return box;
}

/* --- what is drawn --- */

function spellRate(points, of) {
  if (points.length < 2) return "";
  const [before, now] = points.slice(-2);
  const seconds = nanosBetween(before["@timestamp"], now["@timestamp"]) / 1e9;
  return seconds > 0 ? ", " + Math.round((of(now) - of(before)) / seconds).toLocaleString("en") +
    " a second" : "";
}

function sayHow() {
  const last = live.points[live.points.length - 1];
  const words = [live.ended && live.open ? "All is read: this is the end." : live.ended
    ? "lastack has ended: this was the end." : !live.open ? "Not connected: it is tried again."
    : live.held ? "Held still; it goes on behind." : "Live."];
  if (last) {
    const {packets, drops, open} = last.lastack;
    words.push(packets.toLocaleString("en") + " packets" + (live.ended ? ""
      : spellRate(live.points, (point) => point.lastack.packets)) + ", " +
      open.total.toLocaleString("en") + " connections held" + (drops
      ? ", " + (drops.kernel + drops.interface).toLocaleString("en") + " packets dropped." : "."));
  }
  document.getElementById("live").textContent = words.join(" ");
}

function statesTable(open) {
  const table = make("table", {"class": "states"});
  const head = make("tr"), top = make("thead"), body = make("tbody");
  for (const name of ["state", "clients", "servers"]) head.append(make("th", {scope: "col"}, name));
  top.append(head);
  table.append(make("caption", {}, "Connections held, by the state of each side"), top, body);
  for (const [state] of STATES) {
    const counts = [open.client[state] || 0, open.server[state] || 0];
    if (counts[0] + counts[1] === 0) continue;
    const line = make("tr", {"data-state": state});
    line.append(make("th", {scope: "row"}, state), ...counts.map((count) =>
      make("td", {}, count.toLocaleString("en"))));
    body.append(line);
  }
  return table;
}

function stocksPlot(points) {
  const seconds = (point) => nanosBetween(points[0]["@timestamp"], point["@timestamp"]) / 1e9;
  const layers = [];
  for (const [state, colour] of STATES.filter(([, colour]) => colour)) {
    for (const side of ["client", "server"]) {
      const counts = points.map((point) => point.lastack.open[side][state] || 0);
      if (counts.some((count) => count > 0))
        layers.push({name: state + " at " + side + "s", kind: "line", colour, dash: side === "server"
          ? [7, 3] : undefined, points: points.map((point, i) => [seconds(point), counts[i]])});
    }
  }
  const most = Math.max(1, ...layers.flatMap((layer) => layer.points.map((point) => point[1])));
  const end = Math.max(seconds(points[points.length - 1]), 1e-6);
  return {
    label: "connections held over the last " + Math.round(end) + " s: at most " + most + " in a state",
    x: {name: "time", from: 0, to: end, spell: spellerOf(end)},
    y: {from: 0, to: most * 1.05, spell: (y) => Number.isInteger(y) ? String(y) : ""},
    layers,
  };
}

/* A curve that is being pointed at stays as it is. */
function drawNow() {
  const place = document.getElementById("now");
  const last = live.points[live.points.length - 1];
  if (!last) return;
  let box = place.querySelector(".graph");
  if (!box) {
    box = make("div", {"class": "graph"});
    place.append(make("h2", {}, "Now"), make("div", {"class": "scroll", tabindex: "0", role: "group",
      "aria-label": "connections now"}), box);
  }
  place.querySelector(".scroll").replaceChildren(statesTable(last.lastack.open));
  if (live.points.length > 1 && !box.matches(":hover")) showPlot(stocksPlot(live.points), box);
}

function shorten(text) {
  return text.length <= 160 ? text : text.slice(0, 159).replace(/\s+\S*$/, "") + " \u2026";
}

function boxOfEvent(event) {
  const {action, id} = event.event;
  const box = make("details", {"class": "problem event " + event.lastack.level, "data-event": id});
  const summary = make("summary");
  summary.append(make("span", {"class": "level"}, event.lastack.level), " " +
    spellMoment(event["@timestamp"]) + " " + action + ": " + shorten(event.lastack.explanation));
  box.append(summary);
  return openable(box, () => id);
}

function drawEvents() {
  const place = document.getElementById("events");
  if (!place.firstChild) place.append(make("h2", {}, "Newest events"), make("div"));
  putChildren(place.lastChild, live.events.map((each) => each.box));
}

function nameOfProblem(problem) {
  return [problem.id, problem.source.ip, problem.destination.ip, problem.destination.port].join(" ");
}

/* What the reader has opened stays open; its counts go on. */
function drawProblems() {
  const place = document.getElementById("problems");
  const fresh = putMarkup(make("section"), live.parts.problems);
  const known = live.problems;
  live.problems = new Map();
  fresh.querySelectorAll("details.problem").forEach(function (box, i) {
    const problem = report.problems[i];
    if (!problem) return;
    const name = nameOfProblem(problem);
    const kept = known.get(name) || {box: openable(box, () => kept.example), example: null};
    if (kept.box !== box) {
      kept.box.firstElementChild.replaceChildren(...box.firstElementChild.childNodes);
      kept.box.className = box.className;
      box.replaceWith(kept.box);
    }
    kept.example = problem.example;
    live.problems.set(name, kept);
  });
  putChildren(place, [...fresh.childNodes]);
}

function drawParts() {
  putMarkup(document.getElementById("summary"), live.parts.summary);
  putMarkup(document.getElementById("endings"), live.parts.endings);
  addDwell();
}

/* A host that the reader has opened is drawn anew where it stands. */
function drawHosts() {
  const place = document.getElementById("hosts");
  const known = live.hosts;
  live.hosts = new Map();
  for (const host of report.hosts) {
    const name = nameOfHost(host);
    const kept = known.get(name) || {box: make("details", {"class": "host"})};
    if (!known.has(name)) {
      kept.box.append(make("summary"));
      kept.box.addEventListener("toggle", () => redrawHost(kept));
    }
    kept.host = host;
    kept.box.firstChild.textContent = sayHost(host);
    if (kept.box.open && !kept.box.matches(":hover")) redrawHost(kept);
    live.hosts.set(name, kept);
  }
  if (live.hosts.size > 0)
    putChildren(place, [place.firstChild || make("h2", {}, "Hosts and services"),
      ...[...live.hosts.values()].map((each) => each.box)]);
}

function redrawHost({box, host}) {
  while (box.children.length > 1) box.lastChild.remove();
  if (box.open) showHost(host, box);
}

const DRAWN = [
  ["stats", drawNow], ["event", drawEvents], ["parts", drawProblems], ["parts", drawParts],
  ["report", drawHosts], ["flow", fillTable],
];

function drawChanged() {
  live.timer = null;
  sayHow();
  if (live.held) return;
  for (const [what, drawIt] of DRAWN) if (live.changed.has(what)) drawIt();
  live.changed.clear();
  forgetPlots();
}

function changes(what) {
  live.changed.add(what);
  if (live.timer === null) live.timer = setTimeout(drawChanged, LIVE.pause);
}

/* --- what comes --- */

const TAKEN = {
  stats(record) {
    live.points.push(record);
    if (live.points.length > LIVE.points) live.points.shift();
  },
  flow(record) {
    report.flows.push(record);
    flows.set(record.lastack.flow_uid, record);
    addRow(record, live.levels);
    while (report.flows.length > LIVE.flows) {
      const gone = report.flows.shift();
      flows.delete(gone.lastack.flow_uid);
      dropRow(gone);
      report.summary.left_out.flows++;
    }
  },
  event(record) {
    live.levels.set(record.event.action, record.lastack.level);
    live.events.unshift({box: boxOfEvent(record)});
    if (live.events.length > LIVE.events) live.events.pop();
  },
  report(document) {
    const {hosts, problems, summary} = document;
    const leftOut = report.summary.left_out;
    Object.assign(report, {hosts, problems, summary: {...summary, left_out: leftOut}});
  },
  parts(parts) { live.parts = parts; },
  end() { live.ended = true; },
};

/* Another lastack listens there now: what the one before said is gone. */
function startAnew(run) {
  live.run = run;
  Object.assign(live, {points: [], events: [], ended: false, problems: new Map(), hosts: new Map()});
  report.flows.length = 0;
  report.summary.left_out.flows = 0;
  flows.clear();
  graphs.clear();
  clearRows();
  for (const part of ["now", "problems", "events", "hosts"])
    document.getElementById(part).replaceChildren();
}

function take(name, message) {
  const run = message.lastEventId.split("-")[0];
  if (run !== live.run) startAnew(run);
  TAKEN[name](JSON.parse(message.data));
  changes(name);
}

function listen() {
  const source = new EventSource("events" + live.token.replace("&", "?"));
  source.addEventListener("open", function () { live.open = true; changes("open"); });
  source.addEventListener("error", function () {
    live.open = false;
    changes("open");
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
  });
  for (const name in TAKEN) source.addEventListener(name, (message) => take(name, message));
}

function addHold() {
  const button = make("button", {type: "button", id: "hold", "aria-pressed": "false"}, "Hold still");
  button.addEventListener("click", function () {
    live.held = !live.held;
    button.setAttribute("aria-pressed", String(live.held));
    changes("open");
  });
  document.getElementById("tools").prepend(button, " ");
}

/* A token does not stay in the address, where others could read it. */
function beginLive() {
  const token = new URLSearchParams(location.search).get("token");
  if (token) {
    live.token = "&token=" + encodeURIComponent(token);
    history.replaceState(null, "", location.pathname);
  }
  addHold();
  listen();
}
