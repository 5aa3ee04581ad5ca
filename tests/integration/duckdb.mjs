// Runs SQL in a DuckDB file. Of the last file named, prints the rows of each statement as one line
// of JSON.
//
//     node duckdb.mjs NODE_MODULES DATABASE [NAME=VALUE]... FILE.sql...
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [modules, database, ...words] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(modules + "/x.js")("@duckdb/node-api");
const connection = await (await DuckDBInstance.create(database)).connect();
for (const word of words) {
    const [, name, value] = /^(\w+)=(.*)$/.exec(word) ?? [];
    const sql = name ? `SET VARIABLE ${name} = '${value.replaceAll("'", "''")}'` : readFileSync(word, "utf8");
    const statements = await connection.extractStatements(sql);
    for (let i = 0; i < statements.count; i++) {
        const reader = await (await statements.prepare(i)).runAndReadAll();
        if (word === words.at(-1))
            console.log(JSON.stringify(reader.getRowsJson()));
    }
}
connection.closeSync();
