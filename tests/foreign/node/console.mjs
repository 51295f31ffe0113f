// The console in a real browser, at desk and phone width, light and dark: prints what it shows as JSON, keeps pictures, and ends with
// 3 where something is wrong with the page itself.
//
//   console.mjs URL FOLDER
import { createRequire } from "node:module";
import { readFileSync, writeSync } from "node:fs";
import { chromium } from "playwright-core";

const [url, folder] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const wrong = [];
const LOOKS = [
  ["desk-light", { width: 1280, height: 900 }, "light"], ["desk-dark", { width: 1280, height: 900 }, "dark"],
  ["phone-light", { width: 390, height: 844 }, "light"], ["phone-dark", { width: 390, height: 844 }, "dark"],
];
// A lead whose note would be markup, were it not written as text.
const PASTED = JSON.stringify({
  userDetails: { firstName: "Zoe", lastName: "Example", email: "zoe@bakery.example", country: "US", company: "Bakery", title: "CTO" },
  leadSource: "SPZA-PLT|bakery.app", actionCode: "PLT", offerTitle: "Bakery App", description: "<img src=x onerror=\"document.title='broken'\">",
});

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
let shown = null;
for (const [name, viewport, colorScheme] of LOOKS) {
  const page = await browser.newPage({ viewport, colorScheme });
  const note = (what) => wrong.push(`${name}: ${what}`);
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) note(`console: ${message.text()}`); });
  page.on("pageerror", (error) => note(`script: ${error.message}`));
  page.on("request", (request) => { if (!request.url().startsWith(url)) note(`asks ${request.url()}`); });
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector("#state").textContent === "ready" && document.querySelector("#as-of").textContent !== "–");
  await page.waitForSelector("#chart canvas");

  // By keyboard alone: to the text, the format, the button.
  await page.focus("#raw");
  await page.keyboard.insertText(PASTED);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  if (await page.evaluate(() => document.activeElement.textContent) !== "Explain") note("the button does not follow the format by Tab");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#explanation .lead");
  if (await page.title() !== "leadstream" || await page.locator("#explanation img").count()) note("what is pasted becomes markup");

  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const violation of found.violations) note(`axe: ${violation.id} (${violation.impact}): ${violation.nodes.map((node) => node.target).join(" ")}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) note(`${wide} px wider than the window`);
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });

  if (!shown) {
    shown = await page.evaluate(() => {
      const text = (place) => place.textContent.trim();
      const rows = (id) => [...document.querySelectorAll(`${id} tbody tr`)].map((row) => [...row.cells].map(text));
      const bars = (id) => [...document.querySelectorAll(`${id} li`)].map((bar) => [...bar.children].map(text));
      const tiles = {};
      for (const tile of document.querySelectorAll(".tiles > div")) tiles[text(tile.querySelector("dt"))] = text(tile.querySelector("dd"));
      return {
        tiles, funnel: bars("#funnel"), reasons: bars("#reasons"), storefronts: rows("#storefronts"), routes: rows("#routes"), lanes: rows("#lane-table"),
        partitions: rows("#partition-table"), codes: rows("#codes"), last: rows("#last"), rules: text(document.querySelector("#rules")),
        notices: [...document.querySelectorAll("#notices li")].map(text), explanation: text(document.querySelector("#explanation .lead")),
      };
    });
  }
  await page.close();
}

// A process that goes away is told, and the page lives on.
const page = await browser.newPage();
await page.goto(url);
await page.waitForFunction(() => document.querySelector("#state").textContent === "ready");
await page.route("**/status*", (route) => route.abort());
await page.waitForFunction(() => document.querySelector("#state").textContent.startsWith("no answer"));
await page.unroute("**/status*");
await page.waitForFunction(() => document.querySelector("#state").textContent === "ready");
// So is one that hangs: its answers never come.
await page.route("**/status*", () => {});
await page.waitForFunction(() => document.querySelector("#state").textContent.startsWith("no answer"));
await browser.close();

writeSync(1, JSON.stringify({ shown, wrong }) + "\n");
process.exitCode = wrong.length ? 3 : 0;
