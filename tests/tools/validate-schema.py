#!/usr/bin/env python3
"""Validates lastack's output against the schema that lastack prints.

    validate-schema.py SCHEMA FILE...

A FILE is NDJSON, each line validated alone, or one JSON document.  Each line must be strict JSON:
no NaN, no key twice, every integer within 2^53.  Prints what does not fit and exits 1; exits 77
(skipped, as automake has it) where the jsonschema module is missing.
"""
import json
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: the Python module jsonschema is not installed")
    sys.exit(77)

SAFE_INTEGER = 2**53 - 1
WHOLE = 5  # of each kind, so many also fit the schema as a whole: exactly one of its definitions


def refuse_constant(name):
    raise ValueError("%s is not JSON" % name)


def check_integer(text):
    value = int(text)
    if abs(value) > SAFE_INTEGER:
        raise ValueError("integer %s is outside 2^53" % text)
    return value


def unique_keys(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError("a key stands twice among %s" % keys)
    return dict(pairs)


def parse(text):
    return json.loads(text, parse_constant=refuse_constant, parse_int=check_integer,
                      object_pairs_hook=unique_keys)


def documents(path):
    """Yields (place, text) of every document in the file."""
    with open(path, encoding="utf-8", errors="strict", newline="\n") as stream:
        text = stream.read()
    if not text.endswith("\n"):
        raise ValueError("%s: the last line has no end" % path)
    try:
        parse(text)
        yield path, text
        return
    except json.JSONDecodeError:
        pass
    for number, line in enumerate(text[:-1].split("\n"), 1):
        yield "%s:%d" % (path, number), line


def pick_validator(schema):
    """
    oneOf says only that nothing fitted, and tries every definition: choose by dataset instead, for
    a useful message and in a fraction of the time.
    """
    datasets = {}
    for choice in schema["oneOf"]:
        name = choice["$ref"].rsplit("/", 1)[1]
        datasets[name] = jsonschema.Draft202012Validator({"$ref": choice["$ref"],
                                                          "$defs": schema["$defs"]})

    def pick(document):
        if "event" not in document:
            return datasets["report"]
        name = document["event"].get("dataset", "").removeprefix("lastack.")
        return datasets.get(name)

    return pick


def problems_of(path, whole, pick, seen):
    for place, text in documents(path):
        try:
            document = parse(text)
        except ValueError as error:
            yield "%s: %s" % (place, error)
            continue
        validator = pick(document) if isinstance(document, dict) else None
        if validator is None:
            yield "%s: no kind of record that the schema knows" % place
            continue
        for error in validator.iter_errors(document):
            yield "%s: %s: %s" % (place, error.json_path, error.message[:200])
        kind = id(validator)
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] <= WHOLE and not whole.is_valid(document):
            yield "%s: does not fit the schema as a whole" % place


def main(arguments):
    if len(arguments) < 2:
        print(__doc__)
        return 2
    with open(arguments[0], encoding="utf-8") as stream:
        schema = json.load(stream)
    jsonschema.Draft202012Validator.check_schema(schema)
    whole = jsonschema.Draft202012Validator(schema)
    pick = pick_validator(schema)
    seen = {}  # how many of each kind
    bad = 0
    for path in arguments[1:]:
        for problem in problems_of(path, whole, pick, seen):
            print(problem)
            bad += 1
            if bad == 50:
                print("and so on")
                return 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
