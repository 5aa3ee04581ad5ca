"""segcheck: does lastack's NDJSON say what a case claims?  And its normal form, for golden files.

Records are compared after `normalise`: hashes become names, addresses become those of the script,
and what a variation may change is left out.
"""
import datetime
import json
import re

from segcase import NS, ROLES
from segtunnel import TUNNELS
from segwire import EPOCH, addresses, packet_numbers

LEVELS = {"info": 1, "notice": 2, "warning": 3, "error": 4}

# What a variation may change, and nothing else: (does it apply, path of the field).
CHANGEABLE = (
    (lambda v: v.ip == 6 or v.swap, "network.community_id"),
    (lambda v: v.ip == 6, "network.type"),
    (lambda v: v.ip == 6, "network.bytes"),
    (lambda v: v.ip == 6, "source.bytes"),
    (lambda v: v.ip == 6, "destination.bytes"),
    (lambda v: v.wrap, "lastack.client.iss"),
    (lambda v: v.wrap, "lastack.server.iss"),
    (lambda v: v.wrap, "lastack.evidence.*.seq_abs"),
    (lambda v: v.wrap, "lastack.evidence.*.ack_abs"),
    (lambda v: v.link in ("vlan", "qinq"), "lastack.context.vlan"),
    (lambda v: v.link in TUNNELS, "lastack.context.tunnel"),
)


def read_records(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def dataset(record):
    return record["event"]["dataset"]


def nanoseconds(stamp):
    """RFC 3339 with up to nine fraction digits to ns of script time."""
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    moment = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    return (int(moment.timestamp()) - EPOCH) * NS + int(fraction.ljust(9, "0") or 0)


class Answer:
    """lastack's records on one case in one variation, with the questions a case asks."""

    def __init__(self, case, variation, records):
        self.case = case
        self.variation = variation
        self.flows = [r for r in records if dataset(r) == "lastack.flow"]
        self.events = [r for r in records if dataset(r) == "lastack.event"]
        self.verdicts = {r["lastack"]["packet"]: r["lastack"]["verdict"] for r in records
                         if dataset(r) == "lastack.segment"}
        self.transitions = [r["lastack"] for r in records
                            if dataset(r) == "lastack.transition"]
        self.matched = []
        self.problems = []

    def complain(self, line, message):
        self.problems.append(f"line {line}: {message}")

    def role(self, record, end, flow):
        """'client' or 'server': which end of a record A (or B) of that flow is; None: neither."""
        ends = {e: (str(a), p) for e, (a, p) in
                addresses(self.case, flow, self.variation).items()}
        source = (record["source"]["ip"], record["source"]["port"])
        target = (record["destination"]["ip"], record["destination"]["port"])
        if {source, target} != set(ends.values()):
            return None
        return "client" if source == ends[end] else "server"

    def flow_record(self, flow, incarnation):
        found = [r for r in self.flows if self.role(r, "A", flow)
                 and r["lastack"]["incarnation"] == incarnation]
        return found[-1] if found else None

    # --- "=" and "~" ---

    def check_assertion(self, asked):
        record = self.flow_record(asked.flow, asked.incarnation)
        if record is None:
            self.complain(asked.line, f"no flow record of incarnation {asked.incarnation}")
            return
        side = record["lastack"][self.role(record, asked.end, asked.flow)]
        begin = "UNKNOWN" if record["lastack"]["midstream"] else "CLOSED"
        state, basis = state_at(side["history"], asked, begin)
        if state != asked.state or asked.basis not in (None, basis):
            self.complain(asked.line, f"{asked.end} is {state} {basis or ''} in incarnation "
                          f"{asked.incarnation}, wanted {asked.state} {asked.basis or ''}")

    # --- "expect" ---

    def check_expectation(self, asked):
        word, rest = asked.words[0], asked.words[1:]
        if word == "flows":
            self.check_value(asked, "flows", len([r for r in self.flows if r["lastack"]["final"]]),
                             rest[0])
        elif word == "event":
            self.check_event(asked, rest[0], dict(w.split("=", 1) for w in rest[1:]))
        elif word == "no" and rest[0] == "event":
            self.check_no_event(asked, rest[1])
        elif word == "no" and rest[0] == "events" or word == "only":
            pass  # check_only, when everything else has found its event
        elif word == "close":
            self.check_close(asked, rest)
        elif word == "verdict":
            self.check_value(asked, f"the verdict on {rest[0]}",
                             self.verdicts.get(int(self.resolve(rest[0]))), rest[1])
        elif word == "unexpected":
            pass  # check_unexpected, all lines together
        elif word in ("A", "B") and rest[0] == "history":
            self.check_history(asked, word, rest[1], dict(w.split("=", 1) for w in rest[2:]))
        elif "." in word:
            self.check_field(asked, word, rest[-1])
        else:
            self.complain(asked.line, f"cannot read 'expect {' '.join(asked.words)}'")

    def check_value(self, asked, name, found, wanted):
        if plain(found) != wanted:
            self.complain(asked.line, f"{name} is {plain(found)}, wanted {wanted}")

    def record_or_complain(self, asked):
        record = self.flow_record(asked.flow, asked.incarnation)
        if record is None:
            self.complain(asked.line, f"no flow record of incarnation {asked.incarnation}")
        return record

    def check_close(self, asked, words):
        record = self.record_or_complain(asked)
        if record is None:
            return
        close = record["lastack"]["close"]
        self.check_value(asked, "close.kind", close["kind"], words[0])
        if len(words) == 3 and words[1] == "initiator":
            wanted = words[2]
            if wanted in ("A", "B"):
                wanted = self.role(record, wanted, asked.flow)
            self.check_value(asked, "close.initiator", close["initiator"], wanted)

    def check_field(self, asked, path, wanted):
        """flow.midstream, A.retransmissions.packets, flow.close.time_wait.side: below `lastack`."""
        record = self.record_or_complain(asked)
        if record is None:
            return
        first, _, rest = path.partition(".")
        place = record["lastack"]
        if first in ("A", "B"):
            place = place[self.role(record, first, asked.flow)]
        for found in (walk(place, rest), walk(record, rest)):
            if found is not KeyError:
                self.check_value(asked, path, found, self.resolve(wanted))
                return
        self.complain(asked.line, f"the record has no {path}")

    def check_history(self, asked, end, state, wanted):
        record = self.record_or_complain(asked)
        if record is None:
            return
        entries = [e for e in record["lastack"][self.role(record, end, asked.flow)]["history"]
                   if e["state"] == state]
        wanted = {key: self.resolve(value) for key, value in wanted.items()}
        if not any(all(plain(entry.get(key)) == value for key, value in wanted.items())
                   for entry in entries):
            seen = [{key: plain(e.get(key)) for key in wanted} for e in entries]
            self.complain(asked.line, f"no {state} of {end} with {wanted}, only {seen}")

    def check_event(self, asked, name, wanted):
        candidates = [e for e in self.events if e["event"]["action"] == name
                      and self.role(e, "A", asked.flow)]
        free = [e for e in candidates if not any(e is m for m in self.matched)]
        best = None
        for event in free:
            wrong = {key: (value, found) for key, value in wanted.items()
                     if (found := self.event_value(event, key, value, asked.flow)) is not True}
            if not wrong:
                self.matched.append(event)
                return
            best = wrong if best is None or len(wrong) < len(best) else best
        reason = "none" if best is None else ", ".join(
            f"{key}: wanted {value}, found {found}" for key, (value, found) in best.items())
        self.complain(asked.line, f"no such event {name}: {reason}")

    def event_value(self, event, key, wanted, flow):
        """True, or what stands there instead."""
        body = event["lastack"]
        if key in ROLES:
            found = [e["packet"] for e in body["evidence"] if e["role"] == key]
            return int(self.resolve(wanted)) in found or found
        if key in ("A", "B"):
            change = body["states"][self.role(event, key, flow)]
            found = f"{change['before']}>{change['after']}"
        elif key == "caused_by":
            found = next((e["event"]["action"] for e in self.events
                          if e["event"]["id"] == body["caused_by"]), None)
        elif key in ("suppresses", "caveats"):
            return wanted in body[key] or body[key]
        elif key == "blame" and wanted in ("A", "B"):
            wanted, found = self.role(event, wanted, flow), body["blame"]
        else:
            found = next((place[key] for place in (body, body["numbers"], body["details"])
                          if key in place), None)
        return plain(found) == wanted or plain(found)

    def check_no_event(self, asked, name):
        found = [e for e in self.events if e["event"]["action"] == name
                 and self.role(e, "A", asked.flow)]
        if found:
            self.complain(asked.line, f"{len(found)} unwanted {name}")

    def check_only(self, line):
        for event in self.events:
            if LEVELS[event["lastack"]["level"]] > 1 and not any(event is m for m in self.matched):
                packets = [e["packet"] for e in event["lastack"]["evidence"]]
                self.complain(line, f"unwanted {event['event']['action']} on packets {packets}")

    def check_unexpected(self):
        """A segment that is neither an arrow nor a harmless repeat is one that the case names."""
        lines = [a for a in self.case.expectations if a.words[0] == "unexpected"]
        wanted = {int(self.resolve(label)) for asked in lines for label in asked.words[1:]}
        found = {packet for packet, verdict in self.verdicts.items() if verdict == "unexpected"}
        if wanted != found:
            self.complain(lines[-1].line if lines else 0, "unexpected segments are packets "
                          f"{sorted(found)}, wanted {sorted(wanted)}")

    def check_transitions(self):
        """Every entry of every history was written as a transition, too."""
        written = {(t["flow_uid"], t["side"], t["after"], t["fact"], t["packet"])
                   for t in self.transitions}
        for body in (record["lastack"] for record in self.flows):
            for side in ("client", "server"):
                for entry in body[side]["history"]:
                    key = (body["flow_uid"], side, entry["state"], entry["fact"], entry["packet"])
                    if key not in written:
                        self.complain(0, f"no transition record of {' '.join(map(str, key[1:]))} "
                                      f"in incarnation {body['incarnation']}")

    def resolve(self, text):
        """A label stands for its packet's number, #7 for 7."""
        if text in self.case.labels:
            return str(self.case.labels[text].number)
        return text.lstrip("#")

    def check(self):
        for asked in self.case.assertions:
            self.check_assertion(asked)
        for asked in self.case.expectations:
            self.check_expectation(asked)
        for asked in self.case.expectations:
            if asked.words == ["only"] or asked.words == ["no", "events"]:
                self.check_only(asked.line)
        self.check_unexpected()
        if self.verdicts:  # a run that was traced
            self.check_transitions()
        return self.problems


def state_at(history, asked, begin):
    """The side's state when the assertion stands in the script: (state, basis or None)."""
    state, basis = begin, None
    for entry in history:
        if entry["packet"] is None:
            passed = nanoseconds(entry["t"]) <= asked.time
        else:
            passed = entry["packet"] <= asked.last_packet
        withdrawn = entry["revoked"]
        if asked.then_known:
            withdrawn = withdrawn and entry["revoked_by"] <= asked.last_packet
        if passed and not withdrawn:
            state, basis = entry["state"], entry["basis"]
    return state, basis


def plain(value):
    """A JSON value as the script writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def walk(place, path):
    for key in path.split("."):
        if not isinstance(place, dict) or key not in place:
            return KeyError
        place = place[key]
    return place


# --- the normal form ---

def normalise(case, variation, records):
    """Flows and events, sorted by what no hash decides, with hashes named in that order."""
    kept = [json.loads(json.dumps(r)) for r in records
            if dataset(r) in ("lastack.flow", "lastack.event")]
    back = addresses_back(case, variation)
    numbers = packet_numbers(case, variation)
    for record in kept:
        restore_numbers(record, numbers)
        restore_addresses(record, back)
        drop_changeable(record, variation)
    kept.sort(key=order)
    names = {}
    for record in kept:
        rename_hashes(record, names)
    return kept


PACKET_KEYS = ("packet", "proof", "revoked_by", "acked_by", "is_retransmission_of")
NAMED = re.compile(r"packets? \d+(?: (?:and|to) \d+)?")


def restore_numbers(node, numbers):
    """Packets are named as the script counts them, whatever frames they came in."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(items):
        if isinstance(value, (dict, list)):
            restore_numbers(value, numbers)
        elif key in PACKET_KEYS and isinstance(value, int) and value in numbers:
            node[key] = numbers[value]
        elif isinstance(value, str):
            node[key] = NAMED.sub(lambda named: re.sub(
                r"\d+", lambda m: str(numbers.get(int(m[0]), m[0])), named[0]), value)


def only_events(records):
    """Which events were raised, on which evidence: what a poor capture must not change."""
    return sorted([record["event"]["action"], record["lastack"]["level"],
                   [[item["packet"], item["role"]] for item in record["lastack"]["evidence"]]]
                  for record in records if dataset(record) == "lastack.event")


def addresses_back(case, variation):
    """Address as this variation wrote it -> as the script has it."""
    back = {}
    for flow, ends in case.ends.items():
        for end, (address, _) in addresses(case, flow, variation).items():
            back[str(address)] = ends[end][0]
    return back


def restore_addresses(node, back):
    if not back:
        return
    longest_first = "|".join(re.escape(a) for a in sorted(back, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w.:])\[?(?:{longest_first})(?!\w|\.\d)(?:\](?=:))?")

    def restored(value):
        if isinstance(value, str):
            return pattern.sub(lambda m: back[m[0].strip("[]")], value)
        if isinstance(value, dict):
            return {key: restored(item) for key, item in value.items()}
        if isinstance(value, list):
            return [restored(item) for item in value]
        return value

    node.update(restored(node))


def drop_changeable(record, variation):
    for applies, path in CHANGEABLE:
        if applies(variation):
            blank(record, path.split("."))


def blank(node, keys):
    if isinstance(node, list):
        for item in node:
            blank(item, keys[1:])
    elif isinstance(node, dict) and keys[0] in node:
        if len(keys) == 1:
            node[keys[0]] = "(varies)"
        else:
            blank(node[keys[0]], keys[1:])


def order(record):
    body = record["lastack"]
    packets = [e["packet"] for e in body.get("evidence", [])]
    ports = sorted((record["source"]["port"], record["destination"]["port"]))
    return (dataset(record) == "lastack.event", ports, body["incarnation"], body.get("part", 0),
            record["@timestamp"], packets, record["event"].get("action", ""))


def rename_hashes(record, names):
    body, event = record["lastack"], record["event"]

    def name(value, kind):
        if value is None:
            return None
        number = 1 + sum(given.startswith(kind) for given in names.values())
        return names.setdefault(value, f"{kind}-{number}")

    for key in ("flow_uid", "previous"):
        if key in body:
            body[key] = name(body[key], "flow")
    if "id" in event:
        event["id"] = name(event["id"], "event")
    if "caused_by" in body:
        body["caused_by"] = name(body["caused_by"], "event")


def show(value, depth=0, width=110):
    """JSON for reading: what fits on a line stays on a line."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or len(flat) + 2 * depth <= width:
        return flat
    pad, inner = "  " * depth, "  " * (depth + 1)
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(k)}: {show(v, depth + 1, width)}" for k, v in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{pad}}}"
    return "[\n" + ",\n".join(inner + show(v, depth + 1, width) for v in value) + f"\n{pad}]"
