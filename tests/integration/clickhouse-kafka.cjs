// ClickHouse's engine reads a topic by its own Kafka table until it has all, at most half a minute;
// prints how many connections and events there are.
//
//     node clickhouse-kafka.cjs NODE_MODULES FOLDER BROKERS FLOWS EVENTS FILE.sql...
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");

const [modules, folder, brokers, flows, events, ...files] = process.argv.slice(2);
const { Session } = createRequire(modules + "/x.js")("chdb");
const session = new Session(folder);
const statements = (text) =>
    text.replace(/^ *--.*$/gm, "").split(/;\s*$/m).map((one) => one.trim()).filter(Boolean);

for (const file of files)
    for (const one of statements(readFileSync(file, "utf8").replace("kafka1:9092", brokers)))
        session.query(one);
const end = Date.now() + 30000;
const look = () => {
    const found = session.query(
        "SELECT (SELECT count() FROM lastack.flows), (SELECT count() FROM lastack.events)", "TSV").trim();
    if (found !== `${flows}\t${events}` && Date.now() < end)
        return setTimeout(look, 500);
    console.log(found);
    process.exit(0);
};
look();
