/*
 * html_reader: does in a browser what a reader of an HTML page does, and prints as JSON what came
 * of it.  Usage: node html_reader.js BROWSER PAGE...; a page is an address (file://...).
 */
"use strict";
const {chromium} = require("playwright-core");

const LINES = "#flows table.flows > tbody > tr:not(.more)";
const WIDTHS = [1440, 800, 390];

/* Everything that a page asks for, says and asks its reader, while it is open. */
function watch(page) {
  const seen = {requests: [], messages: [], dialogs: 0};
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("console", (message) => seen.messages.push(message.text()));
  page.on("pageerror", (error) => seen.messages.push(error.message));
  page.on("dialog", (dialog) => { seen.dialogs++; dialog.dismiss(); });
  return seen;
}

function packetsOf(page) {
  return page.$$eval(LINES + " td:nth-child(10)", (cells) => cells.map((c) => Number(c.textContent)));
}

/* What has no name to be read aloud. */
function namelessOf(page) {
  return page.evaluate(() => [...document.querySelectorAll(
    "button, input, select, summary, a, [role=img], [role=group]")].filter((element) =>
    !(element.textContent.trim() || element.getAttribute("aria-label") ||
      (element.labels && element.labels.length))).map((element) => element.outerHTML.slice(0, 80)));
}

async function readTable(page, out) {
  out.lines = await page.locator(LINES).count();
  const head = page.locator("#flows th button").nth(8);
  await head.click();
  out.up = await packetsOf(page);
  out.sortedAs = await page.getAttribute("#flows th:nth-child(10)", "aria-sort");
  await head.click();
  out.down = await packetsOf(page);
  const kinds = await page.$$eval("#kind option", (all) => all.map((each) => each.value));
  out.kinds = {};
  for (const kind of kinds.filter((each) => each !== "")) {
    await page.selectOption("#kind", kind);
    out.kinds[kind] = await page.locator(LINES).count();
  }
  await page.selectOption("#kind", "");
  await page.check("#with-problems");
  out.withProblems = await page.locator(LINES).count();
  await page.uncheck("#with-problems");
}

/* Opens every line in turn: lists, lanes, marks and graphs. */
async function readConnections(page, out) {
  out.connections = [];
  const count = await page.locator(LINES).count();
  for (let line = 0; line < count; line++) {
    const button = page.locator(LINES).nth(line).locator("button");
    await button.click();
    out.connections.push(await page.evaluate(function () {
      const box = document.querySelector("tr.more .connection");
      const texts = (from, selector) => [...from.querySelectorAll(selector)].map((e) => e.textContent);
      return {
        uid: box.querySelector("p").textContent.split(/[ ,]/)[1],
        lists: [...box.querySelectorAll("ol")].map((list) =>
          texts(list, "li").map((text) => text.split(/[? ]/)[0])),
        lanes: [...box.querySelectorAll(".timeline .stay")].map((stay) =>
          [stay.querySelector("rect").getAttribute("y"), stay.dataset.state,
            stay.classList.contains("earlier")]),
        revoked: texts(box, ".timeline .revoked"),
        marks: [...box.querySelectorAll(".mark")].map((mark) => Number(mark.dataset.packet)),
        graphs: box.querySelectorAll(".graph canvas, .graph svg.plot").length,
        filter: box.querySelector(".filter code").textContent,
      };
    }));
    await button.click();
  }
  out.closed = await page.locator("tr.more").count();
}

async function readProblems(page, out) {
  const problems = page.locator("details.problem");
  out.problems = await problems.count();
  out.dots = await page.$$eval("table.dwell ~ .picture .dots", (all) => all.map((path) =>
    [path.dataset.state, path.getAttribute("d").split("M").length - 1]));
  if (out.problems === 0) return;
  const ladder = page.locator("svg.ladder").first();
  out.hidden = !await ladder.isVisible();
  await problems.first().locator("summary").first().focus();
  await page.keyboard.press("Enter");
  out.shown = await ladder.isVisible();
  await page.waitForSelector("details.problem .connection .timeline");
  out.arrows = await page.locator("details.problem svg.ladder path").count();
}

async function readThemes(page, out) {
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  out.papers = [await paper()];
  for (let click = 0; click < 3; click++) {
    await page.click("#theme");
    out.papers.push(await paper());
  }
  await page.emulateMedia({colorScheme: "dark"});
  out.papers.push(await paper());
  await page.emulateMedia({colorScheme: "light"});
}

async function readPaper(page, out) {
  out.pdf = (await page.pdf()).length;
  out.printed = await page.locator("details.problem[open]").count();
  await page.emulateMedia({media: "print"});
  out.controls = await page.locator(
    "button:not(th > button):visible, input:visible, select:visible").count();
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  out.paperHead = await page.locator("#flows th:visible").allInnerTexts();
  out.paperPlots = await page.locator("svg.plot:visible").count();
  out.paperCanvases = await page.locator("canvas:visible").count();
  await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
  await page.emulateMedia({media: "screen"});
}

async function readPage(browser, url) {
  const page = await browser.newPage({viewport: {width: WIDTHS[0], height: 900}, offline: true,
    colorScheme: "light"});
  page.setDefaultTimeout(120000); /* on a busy machine, too */
  const out = watch(page);
  await page.goto(url);
  out.wide = [];
  await readTable(page, out);
  await readConnections(page, out);
  await readProblems(page, out);
  if (out.lines > 0) await page.locator(LINES + " button").first().click();
  for (const box of await page.locator("details.host > summary").all()) await box.click();
  out.hosts = await page.locator("details.host[open] svg, details.host[open] canvas").count();
  for (const width of WIDTHS) {
    await page.setViewportSize({width, height: 900});
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) out.wide.push(wide);
  }
  out.nameless = await namelessOf(page);
  await readThemes(page, out);
  await readPaper(page, out);
  await page.fill("#search", "no such thing");
  out.found = await page.locator(LINES).count();
  out.foreign = await page.evaluate(() =>
    document.querySelectorAll("img, iframe, object, embed, link, script[src], [onerror]").length);
  await page.close();
  return out;
}

(async () => {
  const [program, ...urls] = process.argv.slice(2);
  const browser = await chromium.launch({executablePath: program, args: ["--no-sandbox"]});
  const read = {};
  for (const url of urls) read[url] = await readPage(browser, url);
  console.log(JSON.stringify(read));
  await browser.close();
})().catch((error) => { console.error(error.stack); process.exit(1); });
