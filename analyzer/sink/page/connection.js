/* connection: all that the page shows of one connection. */
function historyOf(name, side) {
  const list = make("ol", {"aria-label": "states of the " + name});
  for (const entry of side.history) {
    const text = spellState(entry) + " at " + entry.t +
      (entry.packet === null ? " (deadline)" : " (packet " + entry.packet + ")");
    const item = make("li", {}, entry.revoked ? null : text);
    if (entry.revoked) item.append(make("s", {}, text), " revoked by packet " + entry.revoked_by);
    list.append(item);
  }
  const box = make("div");
  box.append(make("strong", {}, name), list);
  return box;
}

function filterOf(flow) {
  const filter = make("p", {"class": "filter"}, "Wireshark: ");
  const code = make("code", {}, spellFilter(flow));
  filter.append(code);
  addCopy(code);
  return filter;
}

function addGraphs(place, flow) {
  const graph = graphs.get(flow.lastack.flow_uid);
  place.append(make("h4", {}, "States over time"), timelineOf(flow),
    make("p", {"class": "faint"}, "Widths grow with the logarithm of time. Dashed, with ?: " +
      "presumed. Struck through: revoked. #: packets that events name."));
  if (graph) addSequences(place, flow, graph);
  else place.append(make("p", {"class": "faint"}, "Its segments are not in this page."));
}

function connectionOf(flow) {
  const box = make("div", {"class": "connection"});
  box.append(make("p", {}, "flow " + flow.lastack.flow_uid + ", incarnation " +
    flow.lastack.incarnation), filterOf(flow));
  return box;
}

/* What a line of the table opens to. */
function showConnection(flow, place) {
  const box = connectionOf(flow);
  place.append(box);
  addGraphs(box, flow);
  const lists = make("div", {"class": "histories"});
  lists.append(historyOf("client", flow.lastack.client), historyOf("server", flow.lastack.server));
  box.append(lists);
}

/* Below the ladder of a problem, once it is opened. */
function addToProblem(problem) {
  const named = problem.querySelector("[data-flow]");
  const flow = named && flows.get(named.dataset.flow);
  if (!flow || problem.querySelector(".connection")) return;
  const box = make("div", {"class": "connection"});
  box.append(make("h3", {}, "This connection over time"));
  problem.append(box);
  const previous = flows.get(flow.lastack.previous);
  if (previous)
    box.append(make("h4", {}, "States of incarnation " + previous.lastack.incarnation),
      timelineOf(previous));
  addGraphs(box, flow);
}
