// Reads an AsyncAPI document with its own parser, Avro schemas included: prints what is wrong, a line each, and exits with 3 if
// an error is among it.
import { readFileSync } from "node:fs";
import { AvroSchemaParser } from "@asyncapi/avro-schema-parser";
import { Parser } from "@asyncapi/parser";

const [file] = process.argv.slice(2);
const parser = new Parser();
parser.registerSchemaParser(AvroSchemaParser());
const { document, diagnostics } = await parser.parse(readFileSync(file, "utf8"));
const words = ["error", "warning", "information", "hint"];
for (const { severity, code, path, message } of diagnostics) {
  console.log(`${words[severity]} ${code} at ${path.join("/")}: ${message}`);
}
if (!document) {
  process.exit(3);
}
const channels = document.channels().all().map((channel) => channel.address());
console.log(`channels ${channels.join(" ")}`);
