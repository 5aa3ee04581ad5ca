/* data: the blocks beside the script, and how their values are spelled. */
const report = JSON.parse(document.getElementById("report").textContent);
const segments = JSON.parse(document.getElementById("segments").textContent);
const graphs = new Map(segments.connections.map((graph) => [graph.uid, graph]));
const flows = new Map(report.flows.map((flow) => [flow.lastack.flow_uid, flow]));

function spellEnd(side) {
  return (side.ip.includes(":") ? "[" + side.ip + "]" : side.ip) + ":" + side.port;
}

/* Of a side, or of an entry of its history. */
function spellState(side) {
  return side.state + (side.basis === "presumed" ? "?" : "");
}

/* Three digits, as the page's own words have it: what is left of them is cut off, not rounded. */
function spellDuration(nanos) {
  const units = [[3600e9, " h"], [60e9, " min"], [1e9, " s"], [1e6, " ms"], [1e3, " us"]];
  for (const [size, unit] of units) {
    if (Math.abs(nanos) < size) continue;
    const parts = Math.abs(nanos) >= 100 * size ? 1 : Math.abs(nanos) >= 10 * size ? 10 : 100;
    return Math.trunc(nanos * parts / size) / parts + unit;
  }
  return nanos + " ns";
}

function spellMoment(moment) {
  return moment.replace("T", " ").replace("Z", "");
}

/* Spells seconds of an axis that long, all in the same unit. */
function spellerOf(span) {
  const [size, unit] = span < 1e-3 ? [1e-6, " us"] : span < 1 ? [1e-3, " ms"] : [1, " s"];
  return (seconds) => +(seconds / size).toPrecision(6) + unit;
}

/* Nanoseconds from one RFC 3339 moment to another: as numbers of their own they would be rounded. */
function nanosBetween(from, to) {
  const seconds = (text) => Date.parse(text.slice(0, 19) + "Z") / 1000;
  const fraction = (text) => Number(text.slice(20, -1).padEnd(9, "0"));
  return (seconds(to) - seconds(from)) * 1e9 + fraction(to) - fraction(from);
}

/* Wireshark's own words: ip.addr and tcp.port mean either end, so that it fits both directions. */
function spellFilter(flow) {
  const field = flow.network.type === "ipv6" ? "ipv6.addr" : "ip.addr";
  return field + " == " + flow.source.ip + " && " + field + " == " + flow.destination.ip +
    " && tcp.port == " + flow.source.port + " && tcp.port == " + flow.destination.port;
}
