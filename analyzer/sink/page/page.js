/*
 * The HTML page: the table of connections and the curves of hosts, made from the report beside it.
 * Text goes into the page as text (textContent) only.
 */
"use strict";
(function () {
  const SHOWN = 200;
  const report = JSON.parse(document.getElementById("report").textContent);

  function make(name, attributes, text) {
    const element = document.createElement(name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined && text !== null) element.textContent = text;
    return element;
  }

  function draw(name, attributes, text) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function end(side) {
    return (side.ip.includes(":") ? "[" + side.ip + "]" : side.ip) + ":" + side.port;
  }

  function state(side) {
    return side.state + (side.basis === "presumed" ? "?" : "");
  }

  function duration(nanos) {
    const units = [[3600e9, " h"], [60e9, " min"], [1e9, " s"], [1e6, " ms"], [1e3, " us"]];
    for (const [size, unit] of units)
      if (nanos >= size) return Number((nanos / size).toPrecision(3)) + unit;
    return nanos + " ns";
  }

  function filterOf(flow) {
    const field = flow.network.type === "ipv6" ? "ipv6.addr" : "ip.addr";
    return field + " == " + flow.source.ip + " && " + field + " == " + flow.destination.ip +
      " && tcp.port == " + flow.source.port + " && tcp.port == " + flow.destination.port;
  }

  /* Without a clipboard, a click on the text itself selects all of it. */
  function addCopy(code) {
    if (!navigator.clipboard) return;
    const button = make("button", {type: "button"}, "Copy");
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(code.textContent).then(
        function () { button.textContent = "Copied"; },
        function () { button.textContent = "Not allowed"; });
    });
    code.after(" ", button);
  }

  const columns = [
    ["client", (f) => end(f.source)],
    ["server", (f) => end(f.destination)],
    ["ended", (f) => f.lastack.close.kind],
    ["closed first", (f) => f.lastack.close.initiator || ""],
    ["client left in", (f) => state(f.lastack.client)],
    ["server left in", (f) => state(f.lastack.server)],
    ["began (UTC)", (f) => f.event.start || ""],
    ["lasted", (f) => f.event.duration, duration],
    ["packets", (f) => f.network.packets],
    ["events", (f) => f.lastack.events.join(" ")],
  ];
  const rows = report.flows.map(function (flow) {
    const cells = columns.map((column) => column[1](flow));
    return {flow, cells, text: cells.concat(flow.lastack.flow_uid).join(" ").toLowerCase()};
  });
  let sorted = -1;
  let down = false;
  let body, said, search;

  function historyOf(name, side) {
    const list = make("ol", {"aria-label": "states of the " + name});
    for (const entry of side.history) {
      const item = make("li", {}, entry.state + (entry.basis === "presumed" ? "?" : "") + " at " +
        entry.t + (entry.packet === null ? " (deadline)" : " (packet " + entry.packet + ")"));
      list.append(entry.revoked ? make("li") : item);
      if (entry.revoked) list.lastChild.append(make("s", {}, item.textContent));
    }
    const box = make("div");
    box.append(make("strong", {}, name), list);
    return box;
  }

  function open(row, line, button) {
    const shown = line.nextSibling && line.nextSibling.className === "more";
    button.setAttribute("aria-expanded", String(!shown));
    if (shown) {
      line.nextSibling.remove();
      return;
    }
    const more = make("tr", {"class": "more"});
    const cell = make("td", {colspan: String(columns.length + 1)});
    const filter = make("p", {"class": "filter"}, "Wireshark: ");
    const code = make("code", {}, filterOf(row.flow));
    filter.append(code);
    addCopy(code);
    cell.append(make("p", {}, "flow " + row.flow.lastack.flow_uid + ", incarnation " +
      row.flow.lastack.incarnation), filter, historyOf("client", row.flow.lastack.client),
      historyOf("server", row.flow.lastack.server));
    more.append(cell);
    line.after(more);
  }

  function lineOf(row) {
    const line = make("tr");
    row.cells.forEach(function (value, i) {
      line.append(make("td", {}, columns[i][2] ? columns[i][2](value) : value));
    });
    const button = make("button", {type: "button", "aria-expanded": "false"}, "states");
    button.addEventListener("click", () => open(row, line, button));
    const last = make("td");
    last.append(button);
    line.append(last);
    return line;
  }

  function fill() {
    const words = search.value.toLowerCase().split(/\s+/);
    const found = rows.filter((row) => words.every((word) => row.text.includes(word)));
    if (sorted >= 0) {
      found.sort(function (a, b) {
        const x = a.cells[sorted], y = b.cells[sorted];
        return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
      });
    }
    body.replaceChildren(...found.slice(0, SHOWN).map(lineOf));
    const out = report.summary.left_out.flows;
    said.textContent = Math.min(found.length, SHOWN) + " of " + found.length + " found are shown; " +
      rows.length + " connections are in this page" +
      (out > 0 ? ", " + out + " more were left out: those with problems came first." : ".");
  }

  function headOf(table) {
    const line = make("tr");
    columns.forEach(function (column, i) {
      const cell = make("th", {scope: "col"});
      const button = make("button", {type: "button"}, column[0]);
      button.addEventListener("click", function () {
        down = sorted === i && !down;
        sorted = i;
        for (const other of line.children) other.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", down ? "descending" : "ascending");
        fill();
      });
      cell.append(button);
      line.append(cell);
    });
    line.append(make("th", {scope: "col"}, "more"));
    const head = make("thead");
    head.append(line);
    table.append(head);
  }

  function addFlows() {
    const place = document.getElementById("flows");
    const label = make("label", {"for": "search"}, "Search (address, port, state, event): ");
    search = make("input", {type: "search", id: "search"});
    search.addEventListener("input", fill);
    said = make("p", {"class": "faint", role: "status"});
    const table = make("table");
    headOf(table);
    body = make("tbody");
    table.append(body);
    const scroll = make("div", {"class": "scroll"});
    scroll.append(table);
    place.append(label, search, said, scroll);
    fill();
  }

  const kinds = [
    ["TIME_WAIT at clients", (p) => p.client_time_wait],
    ["TIME_WAIT at the server", (p) => p.server_time_wait],
    ["CLOSE_WAIT at clients", (p) => p.client_close_wait],
    ["CLOSE_WAIT at the server", (p) => p.server_close_wait],
    ["ports of the client in use", (p) => p.ports],
  ];

  /* Of a service no ports are counted. */
  function isDrawn(host, kind) {
    return (kind !== kinds[4] || host.lastack.ports) && host.lastack.series.points.some(kind[1]);
  }

  function curveOf(host, name) {
    const series = host.lastack.series;
    const points = series.points;
    const drawn = kinds.filter((kind) => isDrawn(host, kind));
    const most = Math.max(1, ...points.flatMap((p) => drawn.map((kind) => kind[1](p))));
    const svg = draw("svg", {viewBox: "0 0 640 160", "class": "curve", role: "img",
      "aria-label": name + ": at most " + most + " at once"});
    kinds.forEach(function (kind, i) {
      if (!isDrawn(host, kind)) return;
      const at = points.map((p, n) => (60 + 570 * n / Math.max(1, points.length - 1)).toFixed(1) +
        "," + (130 - 120 * kind[1](p) / most).toFixed(1));
      svg.append(draw("polyline", {points: at.join(" "), "class": "c" + i}));
    });
    svg.append(draw("text", {x: "4", y: "14"}, String(most)), draw("text", {x: "4", y: "134"}, "0"),
      draw("text", {x: "60", y: "152"}, points[0].t + " and on, a point each " +
        duration(series.step)));
    return svg;
  }

  function nameOf(host) {
    const from = host.source ? "from " + host.source.ip : "";
    const to = host.destination ? " to " + end(host.destination) : "";
    return (from + to).trim();
  }

  function addHosts() {
    const place = document.getElementById("hosts");
    const drawn = report.hosts.filter((h) => h.lastack.series && h.lastack.series.points.length);
    if (drawn.length === 0) return;
    place.append(make("h2", {}, "Hosts and services over time"));
    for (const host of drawn) {
      const box = make("details");
      const lastack = host.lastack;
      box.append(make("summary", {}, nameOf(host) + ": " + lastack.connections.opened +
        " connections, " + lastack.connections.closed + " closed"));
      box.addEventListener("toggle", function () {
        if (box.children.length > 1) return;
        const legend = make("p");
        kinds.forEach(function (kind, i) {
          if (isDrawn(host, kind))
            legend.append(make("span", {"class": "c" + i}, kind[0]), " ");
        });
        box.append(legend, curveOf(host, nameOf(host)));
      });
      place.append(box);
    }
  }

  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details.problem").forEach((each) => { each.open = true; });
  });
  document.querySelectorAll(".filter code").forEach(addCopy);
  addHosts();
  addFlows();
})();
