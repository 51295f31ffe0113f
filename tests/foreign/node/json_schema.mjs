// Judges values, one a line, by a JSON Schema of draft 2020-12: prints what is wrong and exits with 3, or how many are valid.
import { readFileSync } from "node:fs";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const [schema, values] = process.argv.slice(2).map((file) => readFileSync(file, "utf8"));
const ajv = new Ajv2020.default({ allErrors: true, strict: true });
addFormats.default(ajv);
const validate = ajv.compile(JSON.parse(schema));
const lines = values.split("\n").filter((line) => line);
const wrong = lines.filter((line) => !validate(JSON.parse(line)));
for (const line of wrong) {
  validate(JSON.parse(line));
  for (const { instancePath, message, params } of validate.errors) {
    console.log(`${instancePath} ${message} ${JSON.stringify(params)} in ${line.slice(0, 100)}`);
  }
}
if (wrong.length > 0) {
  process.exit(3);
}
console.log(`${lines.length} valid`);
