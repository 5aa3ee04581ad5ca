"""What the checks of metrics share: a strict reader of both spellings, and counts from NDJSON."""
import re
from collections import Counter

SAMPLE = re.compile(r'^([a-z_]+)(?:\{((?:[a-z]+="[^"\\\n]*",?)+)\})? (\S+)$')
LABEL = re.compile(r'([a-z]+)="([^"]*)"')
STAYS = ("FIN_WAIT_2", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT")
BOUNDS = (0.001, 0.01, 0.1, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)


def key(name, **labels):
    return (name, tuple(sorted(labels.items())))


def read(text, open_form=False):
    """Samples by name and labels; ValueError where the text is not as the format has it."""
    found, kinds, family = {}, {}, None
    lines = text.split("\n")
    if lines[-2:] != ["# EOF", ""]:
        raise ValueError("does not end with # EOF")
    for line in lines[:-2]:
        if line.startswith("# "):
            word, family, rest = line[2:].split(" ", 2)
            if word == "TYPE":
                if family in kinds:
                    raise ValueError("%s comes twice" % family)
                kinds[family] = rest
            elif word not in ("HELP", "UNIT"):
                raise ValueError("not known: " + line)
            continue
        match = SAMPLE.match(line)
        if not match or kinds.get(family) is None:
            raise ValueError("not a sample of a family: %r" % line)
        name = match.group(1)
        ends = {"counter": ["_total" if open_form else ""], "gauge": [""],
                "histogram": ["_bucket", "_sum", "_count"]}[kinds[family]]
        if name not in [family + end for end in ends]:
            raise ValueError("%s does not belong to %s" % (name, family))
        if kinds[family] == "counter" and not name.endswith("_total"):
            raise ValueError("%s does not end with _total" % name)
        labels = dict(LABEL.findall(match.group(2) or ""))
        if key(name, **labels) in found:
            raise ValueError("comes twice: " + line)
        found[key(name, **labels)] = float(match.group(3))
    return found


def stays_of(side):
    """(state, seconds) of each stay in a state of the close that ended."""
    history = [h for h in side["history"] if not h["revoked"]]
    for here, after in zip(history, history[1:]):
        if here["state"] in STAYS:
            yield here["state"], max(0, nanos(after["t"]) - nanos(here["t"]))


def nanos(moment):
    """Of the day: enough for the short captures of the checks."""
    day, clock = moment.rstrip("Z").split("T")
    hours, minutes, seconds = clock.split(":")
    whole, fraction = seconds.split(".")
    days = int(day[8:10])
    return ((days * 24 + int(hours)) * 60 + int(minutes)) * 60 * 10**9 + \
        int(whole) * 10**9 + int(fraction.ljust(9, "0"))


def count(records):
    """What the metrics must say of these records: samples that are not 0."""
    found = Counter()
    for record in records:
        ours, dataset = record["lastack"], record["event"]["dataset"]
        if dataset == "lastack.event":
            action = record["event"]["action"]
            found[key("lastack_events_total", id=action, level=ours["level"])] += 1
            blame = {"id": action, "blame": ours["blame"] or "none"}
            found[key("lastack_events_blamed_total", **blame)] += 1
        if dataset == "lastack.flow" and ours["final"]:
            found[key("lastack_closes_total", kind=ours["close"]["kind"],
                      initiator=ours["close"]["initiator"] or "none")] += 1
            for side in ("client", "server"):
                found[key("lastack_states_left_total", side=side,
                          state=ours[side]["state"])] += 1
                for state, length in stays_of(ours[side]):
                    found[key("lastack_close_dwell_seconds_count", state=state)] += 1
                    found[key("lastack_close_dwell_seconds_sum", state=state)] += length
                    for bound in (*BOUNDS, float("inf")):
                        if length <= bound * 10**9:
                            le = "+Inf" if bound == float("inf") else str(bound)
                            found[key("lastack_close_dwell_seconds_bucket", state=state,
                                      le=le)] += 1
        if dataset == "lastack.summary":
            capture = ours["capture"]
            found[key("lastack_packets_total")] = capture["packets"]
            found[key("lastack_packet_bytes_total")] = capture["bytes"]
            found[key("lastack_segments_total")] = capture["segments"]
            found[key("lastack_copies_total")] = capture["copies"]
            limits = ours["summary"]["limits"]
            for name in ("evictions", "tombstones_evicted", "events_dropped", "history_dropped"):
                found[key("lastack_%s_total" % name)] = limits[name]
    return {sample: value / 10**9 if sample[0].endswith("_sum") else value
            for sample, value in found.items() if value}


def differences(metrics, counted):
    """Where the metrics are not what was counted; only families that are counted are compared."""
    names = {name for name, _ in counted} | {
        "lastack_events_total", "lastack_closes_total", "lastack_states_left_total",
        "lastack_close_dwell_seconds_count", "lastack_events_blamed_total"}
    ours = {sample: value for sample, value in metrics.items() if sample[0] in names and value}
    return [(sample, ours.get(sample), counted.get(sample)) for sample in {*ours, *counted}
            if abs(ours.get(sample, 0) - counted.get(sample, 0)) > 1e-9]
