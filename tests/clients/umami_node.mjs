// Sends with the package @umami/node, unchanged, and prints what its promises resolve to, one JSON line a call:
// node umami_node.mjs FOLDER OPTIONS CALLS, the last two as JSON; a call is [method, ...arguments].
import { createRequire } from "node:module";

const [folder, options, calls] = process.argv.slice(2);
const { Umami } = createRequire(`${folder}/`)("@umami/node");
const client = new Umami(JSON.parse(options));
for (const [method, ...words] of JSON.parse(calls)) {
  const answer = await client[method](...words);
  console.log(JSON.stringify({ status: answer.status, body: await answer.json() }));
}
