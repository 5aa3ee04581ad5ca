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

function closeLine(row) {
  row.more.remove();
  row.more = null;
  row.button.setAttribute("aria-expanded", "false");
}

function openLine(row) {
  if (row.more) {
    closeLine(row);
    return;
  }
  row.button.setAttribute("aria-expanded", "true");
  row.more = make("tr", {"class": "more"});
  const cell = make("td", {colspan: String(COLUMNS.length + 1)});
  row.more.append(cell);
  row.line.after(row.more);
  if (report.live) showLive(row.flow, cell);
  else showConnection(row.flow, cell);
}

function lineOf(row) {
  if (row.line) return row.line;
  const line = row.line = make("tr");
  const button = make("button", {type: "button", "aria-expanded": "false", "aria-label":
    "states and graphs of " + row.cells[0] + " to " + row.cells[1]}, "states");
  row.button = button;
  button.addEventListener("click", () => openLine(row));
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
    ? ", " + out + " more were left out: " + (report.live ? "the newest are kept."
    : "those with the worst problems came first, and of those without problems the first that " +
      "ended.") : ".") + (segments.left_out > 0
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
  const shown = found.slice(0, SHOWN);
  for (const row of table.rows) if (row.more && !shown.includes(row)) closeLine(row);
  putChildren(table.body, shown.flatMap((row) => row.more ? [row.line, row.more] : [lineOf(row)]));
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

/* A kind to filter by, in its place, unless it is there already. */
function addKind(kind) {
  const options = [...table.kind.options];
  if (options.some((option) => option.value === kind)) return;
  const next = options.find((option) => option.value > kind);
  table.kind.insertBefore(make("option", {value: kind}, kind), next || null);
}

function controlsOf() {
  const controls = make("div", {"class": "controls"});
  table.search = make("input", {type: "search", id: "search"});
  table.kind = make("select", {id: "kind", "aria-label": "how they ended"});
  table.problems = make("input", {type: "checkbox", id: "with-problems"});
  table.kind.append(make("option", {value: ""}, "however they ended"));
  for (const flow of report.flows) addKind(flow.lastack.close.kind);
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

/* line, button and what the line opens to come when they are wanted. */
function rowOf(flow, levels) {
  const cells = COLUMNS.map((column) => column[1](flow));
  return {flow, cells, rank: rankOf(flow, levels), line: null, button: null, more: null,
    text: cells.concat(flow.lastack.flow_uid).join(" ").toLowerCase()};
}

function rowsOfTable() {
  const levels = new Map(report.problems.map((problem) => [problem.id, problem.level]));
  return report.flows.map((flow) => rowOf(flow, levels)).sort((a, b) => b.rank - a.rank);
}

/* While the page is fed: the newest stands first, the oldest is the last to go. */
function addRow(flow, levels) {
  table.rows.unshift(rowOf(flow, levels));
  addKind(flow.lastack.close.kind);
}

function dropRow(flow) {
  table.rows.splice(table.rows.findLastIndex((row) => row.flow === flow), 1);
}

function clearRows() {
  table.rows.length = 0;
  fillTable();
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
