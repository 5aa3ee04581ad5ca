/* table: the connections, to search, filter and sort; each opens to all that is known of it. */
const SHOWN = 200;
const COLUMNS = [
  ["client", (flow) => spellEnd(flow.source)],
  ["server", (flow) => spellEnd(flow.destination)],
  ["ended", (flow) => flow.lastack.close.kind],
  ["closed first", (flow) => flow.lastack.close.initiator || ""],
  ["client left in", (flow) => spellState(flow.lastack.client)],
  ["server left in", (flow) => spellState(flow.lastack.server)],
  ["began (UTC)", (flow) => flow.event.start || "", spellMoment],
  ["lasted", (flow) => flow.event.duration, spellDuration],
  ["packets", (flow) => flow.network.packets],
  ["events", (flow) => flow.lastack.events.join(" ")],
];
const table = {rows: [], sorted: -1, down: false, body: null, said: null, search: null, kind: null,
  problems: null};

function openLine(row, line, button) {
  const shown = line.nextSibling && line.nextSibling.className === "more";
  button.setAttribute("aria-expanded", String(!shown));
  if (shown) {
    line.nextSibling.remove();
    return;
  }
  const more = make("tr", {"class": "more"});
  const cell = make("td", {colspan: String(COLUMNS.length + 1)});
  more.append(cell);
  line.after(more);
  showConnection(row.flow, cell);
}

function lineOf(row) {
  const line = make("tr");
  const button = make("button", {type: "button", "aria-expanded": "false", "aria-label":
    "states and graphs of " + row.cells[0] + " to " + row.cells[1]}, "states");
  button.addEventListener("click", () => openLine(row, line, button));
  const first = make("td");
  first.append(button);
  line.append(first);
  row.cells.forEach(function (value, i) {
    const spell = COLUMNS[i][2];
    line.append(make("td", {}, spell ? spell(value) : value));
  });
  return line;
}

function isFound(row, words) {
  const {kind, problems} = table;
  return (kind.value === "" || row.flow.lastack.close.kind === kind.value) &&
    (!problems.checked || row.rank >= 0) && words.every((word) => row.text.includes(word));
}

function sayFound(found) {
  const out = report.summary.left_out.flows;
  table.said.textContent = Math.min(found.length, SHOWN) + " of " + found.length +
    " found are shown; " + table.rows.length + (table.rows.length === 1 ? " connection is"
    : " connections are") + " in this page" + (out > 0
    ? ", " + out + " more were left out: those with the worst problems came first, and of those " +
      "without problems the first that ended." : ".") + (segments.left_out > 0
    ? " Of " + segments.left_out + " of them the segments were left out." : "");
}

function fillTable() {
  const words = table.search.value.toLowerCase().split(/\s+/);
  const found = table.rows.filter((row) => isFound(row, words));
  if (table.sorted >= 0)
    found.sort(function (a, b) {
      const x = a.cells[table.sorted], y = b.cells[table.sorted];
      return (x < y ? -1 : x > y ? 1 : 0) * (table.down ? -1 : 1);
    });
  table.body.replaceChildren(...found.slice(0, SHOWN).map(lineOf));
  sayFound(found);
}

function headOf() {
  const line = make("tr");
  line.append(make("th", {scope: "col"}, "more"));
  COLUMNS.forEach(function ([name], i) {
    const cell = make("th", {scope: "col"});
    const button = make("button", {type: "button"}, name);
    button.addEventListener("click", function () {
      table.down = table.sorted === i && !table.down;
      table.sorted = i;
      for (const other of line.children) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", table.down ? "descending" : "ascending");
      fillTable();
    });
    cell.append(button);
    line.append(cell);
  });
  const head = make("thead");
  head.append(line);
  return head;
}

function addKinds(select) {
  select.append(make("option", {value: ""}, "however they ended"));
  const kinds = new Set(report.flows.map((flow) => flow.lastack.close.kind));
  for (const kind of [...kinds].sort()) select.append(make("option", {value: kind}, kind));
}

function controlsOf() {
  const controls = make("div", {"class": "controls"});
  table.search = make("input", {type: "search", id: "search"});
  table.kind = make("select", {id: "kind", "aria-label": "how they ended"});
  table.problems = make("input", {type: "checkbox", id: "with-problems"});
  addKinds(table.kind);
  const only = make("label", {"class": "switch"});
  only.append(table.problems, " with problems only");
  controls.append(make("label", {"for": "search"}, "Search (address, port, state, event): "),
    table.search, table.kind, only);
  table.search.addEventListener("input", fillTable);
  table.kind.addEventListener("change", fillTable);
  table.problems.addEventListener("change", fillTable);
  return controls;
}

/* How bad the worst of a connection's events is; of those that are no problem here, nothing. */
function rankOf(flow, levels) {
  const order = ["info", "notice", "warning", "error"];
  return Math.max(-1, ...flow.lastack.events.map((event) => order.indexOf(levels.get(event))));
}

function rowsOfTable() {
  const levels = new Map(report.problems.map((problem) => [problem.id, problem.level]));
  const rows = report.flows.map(function (flow) {
    const cells = COLUMNS.map((column) => column[1](flow));
    return {flow, cells, rank: rankOf(flow, levels),
      text: cells.concat(flow.lastack.flow_uid).join(" ").toLowerCase()};
  });
  return rows.sort((a, b) => b.rank - a.rank);
}

function addTable() {
  const place = document.getElementById("flows");
  table.rows = rowsOfTable();
  table.said = make("p", {"class": "faint", role: "status"});
  table.body = make("tbody");
  const element = make("table", {"class": "flows"});
  element.append(headOf(), table.body);
  const scroll = make("div", {"class": "scroll", tabindex: "0", role: "group",
    "aria-label": "table of connections"});
  scroll.append(element);
  place.append(controlsOf(), table.said, scroll);
  fillTable();
}
