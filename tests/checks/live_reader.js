/*
 * live_reader: does in a browser what who looks at the live page does.  Usage: node live_reader.js
 * BROWSER; each line of standard input is a JSON list, [page, action, arguments...], and is answered
 * by a line of JSON.
 */
"use strict";
const readline = require("readline");
const {chromium} = require("playwright-core");

const LINES = "#flows table.flows > tbody > tr:not(.more)";
const pages = new Map();

/* All that the page shows, as text and numbers. */
function readAll() {
  const texts = (selector) => [...document.querySelectorAll(selector)].map((e) => e.textContent);
  const counts = {};
  for (const line of document.querySelectorAll("table.states tr[data-state]"))
    counts[line.dataset.state] = [...line.querySelectorAll("td")].map((cell) => Number(cell.textContent));
  return {
    said: texts("#live")[0], title: document.title, address: location.href, states: counts,
    summary: texts("#summary .verdict")[0] || "", problems: texts("#problems details.problem > summary"),
    events: [...document.querySelectorAll("#events details")].map((box) => box.dataset.event),
    lines: [...document.querySelectorAll("#flows tbody tr:not(.more)")].map((line) =>
      [...line.children].slice(1, 3).map((cell) => cell.textContent).join(" ")),
    endings: texts(".endings tbody tr"), hosts: texts("#hosts summary"),
    curves: document.querySelectorAll("#now .graph canvas, #now .graph svg").length,
    opened: document.querySelectorAll("tr.more, details.problem[open]").length,
    wide: document.documentElement.scrollWidth > innerWidth,
    foreign: document.querySelectorAll("img, iframe, object, embed, link, script[src], [onerror]").length,
    nameless: [...document.querySelectorAll("button, input, select, summary, a, [role=img], [role=group]")]
      .filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label") || (e.labels && e.labels.length)))
      .map((e) => e.outerHTML.slice(0, 80)),
  };
}

/* What something opened to. */
function readBox(box) {
  return {
    ladders: box.querySelectorAll("svg.ladder").length, text: box.textContent,
    arrows: box.querySelectorAll("svg.ladder path").length,
    lanes: box.querySelectorAll(".timeline .stay").length, lists: box.querySelectorAll("ol").length,
    graphs: box.querySelectorAll(".connection .graph canvas, .connection .graph svg.plot").length,
  };
}

async function openBox(page, selector, ready) {
  await page.locator(selector + " > summary").first().focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector(selector + ready);
  return page.locator(selector).first().evaluate(readBox);
}

/* The page's policy lets no condition be evaluated in it again and again. */
async function readOnce(page, holds) {
  for (const end = Date.now() + 30000; Date.now() < end; await page.waitForTimeout(50))
    if (await holds()) return page.evaluate(readAll);
  return {failed: "it did not come", ...await page.evaluate(readAll)};
}

const ACTIONS = {
  async open(page, url) {
    await page.goto(url);
    return {};
  },
  wait: (page, selector, count) => readOnce(page, async () =>
    await page.locator(selector).count() >= count),
  said: (page, words) => readOnce(page, async () =>
    (await page.textContent("#live")).includes(words)),
  read: (page) => page.evaluate(readAll),
  problem: (page) => openBox(page, "#problems details.problem", "[open] svg.ladder"),
  event: (page) => openBox(page, "#events details", "[open] svg.ladder"),
  host: (page) => openBox(page, "#hosts details", "[open] p"),
  async line(page) {
    await page.locator(LINES + " button").first().click();
    await page.waitForSelector("tr.more .timeline");
    return page.locator("tr.more").first().evaluate(readBox);
  },
  async click(page, selector) {
    await page.click(selector);
    return {};
  },
  async fill(page, selector, text) {
    await page.fill(selector, text);
    return page.evaluate(readAll);
  },
  async resize(page, width) {
    await page.setViewportSize({width, height: 900});
    return page.evaluate(readAll);
  },
  async reload(page) {
    await page.reload();
    return {};
  },
  async focused(page) {
    return page.evaluate(() => document.activeElement.textContent);
  },
  seen: async (page) => page.seen,
  async close(page) {
    await page.close();
    return {};
  },
};

async function pageOf(browser, name) {
  if (!pages.has(name)) {
    const page = await browser.newPage({viewport: {width: 1280, height: 900}});
    page.setDefaultTimeout(30000);
    page.seen = {requests: [], messages: [], dialogs: 0};
    page.on("request", (request) => page.seen.requests.push(request.url()));
    page.on("console", (message) => page.seen.messages.push(message.text()));
    page.on("pageerror", (error) => page.seen.messages.push(error.stack));
    page.on("dialog", (dialog) => { page.seen.dialogs++; dialog.dismiss(); });
    pages.set(name, page);
  }
  return pages.get(name);
}

(async () => {
  const browser = await chromium.launch({executablePath: process.argv[2], args: ["--no-sandbox"]});
  for await (const line of readline.createInterface({input: process.stdin})) {
    const [name, action, ...rest] = JSON.parse(line);
    let answer;
    try {
      answer = await ACTIONS[action](await pageOf(browser, name), ...rest);
    } catch (error) {
      answer = {failed: error.message};
    }
    console.log(JSON.stringify(answer));
  }
  await browser.close();
})().catch((error) => { console.error(error.stack); process.exit(1); });
