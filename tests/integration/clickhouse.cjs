// Runs SQL in ClickHouse's engine, in a folder of its own. Of the last file named, prints the rows of
// each statement as one line of JSON. FORMAT=FILE inserts a file of lines into lastack.raw.
//
//     node clickhouse.cjs NODE_MODULES FOLDER [JSONAsString=RECORDS | FILE.sql]...
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");

const [modules, folder, ...words] = process.argv.slice(2);
const { Session } = createRequire(modules + "/x.js")("chdb");
const session = new Session(folder);
const statements = (text) =>
    text.replace(/^ *--.*$/gm, "").split(/;\s*$/m).map((one) => one.trim()).filter(Boolean);

for (const word of words) {
    const [, format, file] = /^(\w+)=(.*)$/.exec(word) ?? [];
    const list = format
        ? [`INSERT INTO lastack.raw SELECT json FROM file('${file}', '${format}')`]
        : statements(readFileSync(word, "utf8"));
    if (!format)
        session.query("CREATE DATABASE IF NOT EXISTS lastack");
    for (const one of list) {
        session.query("USE lastack");
        const rows = session.query(one, "JSONCompactEachRow");
        if (word === words.at(-1))
            console.log(JSON.stringify(rows.trim().split("\n").filter(Boolean).map((row) => JSON.parse(row))));
    }
}
