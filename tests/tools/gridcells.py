"""gridcells: the cells (state, fact) that no case can reach, from tests/cases/unreachable.txt.

A line is 'STATE ..., FACT ...: reason' and names every state with every fact; 'detector NAME:
reason' names a row of detectors.def.  '#' begins a comment; a line that begins with blanks goes on
with the reason.
"""


def read_unreachable(path):
    """{(state, fact) or detector's name: reason}; ValueError names the line that cannot be read."""
    found = {}
    with open(path, encoding="utf-8") as file:
        for names, reason in entries(file):
            for key in keys_of(names):
                if key in found:
                    raise ValueError(f"{key} is listed twice")
                found[key] = reason
    return found


def entries(lines):
    """[what stands before the colon, the reason] of each entry."""
    held = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line[0].isspace() and held:
            held[-1][1] = f"{held[-1][1]} {line.strip()}".strip()
            continue
        names, colon, reason = line.partition(":")
        if not colon:
            raise ValueError(f"line {number}: wanted 'STATE, FACT: reason'")
        held.append([names.strip(), reason.strip()])
    for names, reason in held:
        if not reason:
            raise ValueError(f"{names}: no reason is given")
    return held


def keys_of(names):
    if names.startswith("detector "):
        return [names.split()[1]]
    states, _, facts = names.partition(",")
    return [(state, fact) for state in states.split() for fact in facts.split()]
