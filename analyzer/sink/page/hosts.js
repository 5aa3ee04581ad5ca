/* hosts: what hosts and services held over time, and how long their sides stayed. */
const HELD = [
  {name: "TIME_WAIT at clients", colour: "again", of: (p) => p.client_time_wait},
  {name: "TIME_WAIT at the server", colour: "other", dash: [7, 3], of: (p) => p.server_time_wait},
  {name: "CLOSE_WAIT at clients", colour: "acked", dash: [2, 2], of: (p) => p.client_close_wait},
  {name: "CLOSE_WAIT at the server", colour: "sent", dash: [7, 2, 2, 2], of: (p) => p.server_close_wait},
  {name: "ports of the client in use", colour: "window", ports: true, of: (p) => p.ports},
];

function nameOfHost(host) {
  const from = host.source ? "from " + host.source.ip : "";
  const to = host.destination ? " to " + spellEnd(host.destination) : "";
  return (from + to).trim();
}

/* Of a service no ports are counted. */
function isHeld(host, kind) {
  return (!kind.ports || host.lastack.ports) && host.lastack.series.points.some(kind.of);
}

function curvesOf(host) {
  const points = host.lastack.series.points;
  const seconds = (point) => nanosBetween(points[0].t, point.t) / 1e9;
  const held = HELD.filter((kind) => isHeld(host, kind));
  const most = Math.max(1, ...points.flatMap((p) => held.map((kind) => kind.of(p))));
  const end = Math.max(seconds(points[points.length - 1]), 1e-6);
  return {
    label: nameOfHost(host) + ": at most " + most + " at once",
    x: {name: "time", from: 0, to: end, spell: spellerOf(end)},
    y: {from: 0, to: most * 1.05, spell: (y) => Number.isInteger(y) ? String(y) : ""},
    layers: held.map((kind) => ({name: kind.name, kind: "line", colour: kind.colour,
      dash: kind.dash, points: points.map((p) => [seconds(p), kind.of(p)])})),
  };
}

function hasSeries(host) {
  return Boolean(host.lastack.series && host.lastack.series.points.length);
}

/* What it held most of at once, in words. */
function stocksOf(host) {
  const {time_wait: timeWait, close_wait: closeWait, ports} = host.lastack;
  const stocks = [["TIME_WAIT at clients", timeWait.client], ["TIME_WAIT at the server", timeWait.server],
    ["CLOSE_WAIT at clients", closeWait.client], ["CLOSE_WAIT at the server", closeWait.server],
    ["ports of the client in use", ports && ports.in_use]];
  const said = stocks.filter(([, stock]) => stock && stock.most > 0)
    .map(([name, stock]) => name + " " + stock.most + " (at the end " + stock.now + ")");
  return said.length ? "At most at once: " + said.join(", ") + "." : "Nothing was held.";
}

function showHost(host, box) {
  box.append(make("p", {}, stocksOf(host)));
  if (hasSeries(host)) {
    const place = make("div", {"class": "graph"});
    box.append(make("p", {"class": "faint"}, "Seconds since " + host.lastack.series.points[0].t +
      ", a point each " + spellDuration(host.lastack.series.step) + "."), place);
    showPlot(curvesOf(host), place);
  }
  const picture = host.lastack.dwell_times && dwellOf(host.lastack.dwell_times, nameOfHost(host),
    report.flows.filter((flow) => spellEnd(flow.destination) === spellEnd(host.destination)));
  if (picture) box.append(make("h4", {}, "How long sides stayed"), picture);
}

function sayHost(host) {
  const {opened, closed} = host.lastack.connections;
  return nameOfHost(host) + ": " + opened + (opened === 1 ? " connection, " : " connections, ") +
    closed + " closed";
}

function addHosts() {
  const place = document.getElementById("hosts");
  if (report.hosts.length === 0) return;
  place.append(make("h2", {}, "Hosts and services"));
  for (const host of report.hosts) {
    const box = make("details", {"class": "host"});
    box.append(make("summary", {}, sayHost(host)));
    box.addEventListener("toggle", function () {
      if (box.open && box.children.length === 1) showHost(host, box);
    });
    place.append(box);
  }
}
