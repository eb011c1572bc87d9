// A run's page as a reader has it: in a browser, with and without its script, on a narrow screen,
// in the dark, on paper.
//
// PAGES names the pages, separated by colons; CHROMIUM the browser. Every test sees every page.
import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";

import axe from "axe-core";
import { chromium } from "playwright-core";

import * as look from "./look.mjs";

const pages = (process.env.PAGES ?? "").split(":").filter(Boolean).map((file) => path.resolve(file));
assert.notEqual(pages.length, 0, "PAGES names no page: PAGES=RUN/report.html node --test");

// In px, of CSS.
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 375, height: 800 };
// What A4 leaves between margins of 1 cm.
const PAPER = { width: 718, height: 1046 };

let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
});

after(() => browser?.close());

// Opens the page, hands it to `check`, and holds it to this whatever else is tested: it asks for
// nothing but itself and complains of nothing.
async function opened(file, options, check) {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  try {
    const url = pathToFileURL(file).href;
    const asked = [];
    const complaints = [];
    context.on("request", (request) => asked.push(request.url()));
    context.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        complaints.push(message.text());
      }
    });
    context.on("weberror", (error) => complaints.push(String(error.error())));
    const page = await context.newPage();
    await page.goto(url, { waitUntil: "load" });
    await check(page);
    assert.deepEqual(asked, [url], "a page that is one file asks for no other");
    assert.deepEqual(complaints, [], "nothing in the console");
  } finally {
    await context.close();
  }
}

// Of the reader, chosen by its values being such that their text is in another order.
async function tableWorthSorting(page) {
  const found = await page.evaluate(look.tableWorthSorting);
  assert.ok(found, "no table has a column whose numbers and texts are in different orders");
  return {
    table: page.locator("table.grid").nth(found.table),
    column: found.column,
  };
}

const bodyColor = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const isDark = (color) => look.luminance(look.rgb(color)) < 0.1;

async function axeFindings(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, { resultTypes: ["violations"] }),
  );
  const grave = violations.filter(
    ({ impact, id }) => ["serious", "critical"].includes(impact) || id === "color-contrast",
  );
  return grave.map(({ id, nodes }) => `${id}: ${nodes.length}, first ${nodes[0].html}`);
}

for (const file of pages) {
  describe(path.join(path.basename(path.dirname(file)), path.basename(file)), () => {
    test("is at most 3 MB and its links lead somewhere", async () => {
      assert.ok(statSync(file).size <= 3_000_000, `${statSync(file).size} bytes`);
      await opened(file, {}, async (page) => {
        const links = await page.evaluate(look.links);
        assert.ok(links.length > 5);
        assert.deepEqual(await page.evaluate(look.brokenAnchors), []);
        const beside = links.filter((link) => !link.startsWith("#"));
        const missing = beside.filter((link) => !existsSync(path.join(path.dirname(file), link)));
        assert.deepEqual(missing, []);
      });
    });

    test("sorts tables by their numbers, by keyboard, and says how", async () => {
      await opened(file, {}, async (page) => {
        const { table, column } = await tableWorthSorting(page);
        const shown = () => table.evaluate(look.values, column);
        const first = await shown();
        const expected = look.sorted(first, 1);
        assert.notDeepEqual(expected, first, "it is not sorted yet");
        const head = table.locator("thead th").nth(column);
        await head.locator("button").focus();
        await page.keyboard.press("Enter");
        assert.equal(await head.getAttribute("aria-sort"), "ascending");
        assert.deepEqual(await shown(), expected);
        await page.keyboard.press("Space");
        assert.equal(await head.getAttribute("aria-sort"), "descending");
        assert.deepEqual(await shown(), look.sorted(first, -1));
        assert.match(await page.locator("output").textContent(), /descending/);
        assert.equal(await table.locator("th[aria-sort]").count(), 1);
        await page.keyboard.press("Enter");
        assert.equal(await table.locator("th[aria-sort]").count(), 0);
        assert.deepEqual(await shown(), first);
      });
    });

    test("lets one strategy stand out in rows and charts", async () => {
      await opened(file, {}, async (page) => {
        const select = page.getByLabel("Highlight");
        const keys = await select.locator("option").allTextContents();
        assert.ok(keys.length > 2, keys.join());
        const key = keys.at(-1);
        assert.deepEqual(await page.evaluate(look.highlighted, key), look.NOTHING);
        await select.focus();
        await select.selectOption(key);
        const seen = await page.evaluate(look.highlighted, key);
        assert.ok(seen.ownRows > 0 && seen.ownMarks > 0, JSON.stringify(seen));
        // All its own and none of the others'.
        assert.equal(seen.ownRowsOn, seen.ownRows);
        assert.equal(seen.otherRowsOn, 0);
        assert.equal(seen.ownMarksFaint, 0);
        assert.equal(seen.otherMarksFaint, seen.otherMarks);
        assert.match(await page.locator("output").textContent(), new RegExp(`^${key}: \\d+ charts`));
        await select.selectOption("");
        assert.deepEqual(await page.evaluate(look.highlighted, key), look.NOTHING);
      });
    });

    test("is dark where the system is, and where the reader wants it", async () => {
      await opened(file, { colorScheme: "light" }, async (page) => {
        const button = page.getByRole("button", { name: "Dark" });
        assert.ok(!isDark(await bodyColor(page)));
        assert.equal(await button.getAttribute("aria-pressed"), "false");
        await button.click();
        assert.ok(isDark(await bodyColor(page)));
        assert.equal(await button.getAttribute("aria-pressed"), "true");
        await page.emulateMedia({ colorScheme: "dark" });
        await button.click();
        assert.ok(!isDark(await bodyColor(page)), "the reader's choice goes before the system's");
      });
      await opened(file, { colorScheme: "dark" }, async (page) => {
        assert.ok(isDark(await bodyColor(page)));
        const button = page.getByRole("button", { name: "Dark" });
        assert.equal(await button.getAttribute("aria-pressed"), "true");
      });
    });

    for (const colorScheme of ["light", "dark"]) {
      test(`has no serious finding of axe, and contrast, when ${colorScheme}`, async () => {
        await opened(file, { colorScheme }, async (page) => {
          await page.evaluate(look.openSome);
          assert.deepEqual(await axeFindings(page), []);
          await page.getByLabel("Highlight").selectOption({ index: 1 });
          assert.deepEqual(await axeFindings(page), [], "with a strategy highlighted");
        });
      });

      test(`has charts whose text can be read, when ${colorScheme}`, async () => {
        await opened(file, { colorScheme }, async (page) => {
          const charts = await page.evaluate(look.chartTexts);
          assert.ok(charts.length > 2);
          const wrong = [];
          for (const { chart, texts, pairs, outside } of charts) {
            assert.ok(texts.length > 3, chart);
            for (const { text, ink, ground, size } of texts) {
              const contrast = look.contrast(look.rgb(ink), look.rgb(ground));
              if (contrast < 4.5) {
                wrong.push(`${chart}: «${text}» ${ink} on ${ground}: ${contrast.toFixed(2)}`);
              }
              if (size < 12) {
                wrong.push(`${chart}: «${text}» is ${size} px`);
              }
            }
            wrong.push(...pairs.map(([a, b]) => `${chart}: «${a}» lies on «${b}»`));
            wrong.push(...outside.map((text) => `${chart}: «${text}» leaves the picture`));
          }
          assert.deepEqual(wrong.slice(0, 20), []);
        });
      });
    }

    test("says of every figure what it answers, to everybody, with its numbers", async () => {
      await opened(file, {}, async (page) => {
        const figures = await page.evaluate(look.figures);
        assert.ok(figures.length > 2);
        for (const figure of figures) {
          assert.match(figure.question, /\?$/);
          assert.match(figure.answer, /\.$/);
          assert.ok(figure.title.length > 5 && figure.description.length > 5, figure.question);
          assert.equal(figure.role, "img");
          assert.ok(figure.numbers > 0 || figure.says.includes("left out"), figure.question);
        }
      });
    });

    test("fits 375 px: what is wider scrolls by itself and can be reached by keyboard", async () => {
      await opened(file, { viewport: NARROW }, async (page) => {
        await page.evaluate(look.openSome);
        const { width, boxes, small } = await page.evaluate(look.layout);
        assert.equal(width, NARROW.width, "the page itself does not scroll sideways");
        assert.ok(boxes.some((box) => box.scrolls));
        const silent = boxes.filter((box) => box.scrolls && !(box.isFocusable && box.label));
        assert.deepEqual(silent, []);
        assert.deepEqual(small, [], "no text is smaller than 12 px");
        await page.evaluate(() => document.querySelector(".scroll").focus());
        await page.keyboard.press("ArrowRight");
      });
    });

    test("prints whole: light, without controls, nothing cut off at the side", async () => {
      await opened(file, { colorScheme: "dark", viewport: PAPER }, async (page) => {
        await page.getByRole("button", { name: "Dark" }).click();
        await page.getByRole("button", { name: "Dark" }).click();
        await page.emulateMedia({ media: "print", colorScheme: "dark" });
        assert.ok(!isDark(await bodyColor(page)));
        assert.ok(await page.locator(".tools").isHidden());
        assert.deepEqual(await page.evaluate(look.cutOff), []);
        const pdf = await page.pdf({ format: "A4", margin: look.MARGIN });
        assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
        const sheets = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? [];
        assert.ok(sheets.length > 1, `${sheets.length} sheets of ${pdf.length} bytes`);
      });
    });

    test("can be read without its script", async () => {
      let withScript;
      await opened(file, {}, async (page) => {
        withScript = await page.evaluate(look.content);
      });
      await opened(file, { javaScriptEnabled: false }, async (page) => {
        // The driver's own evaluation goes on.
        const content = await page.evaluate(look.content);
        assert.deepEqual(content, withScript);
        assert.ok(content.rows > 5 && content.charts > 2 && content.sentences > 0);
        assert.equal(await page.locator("button, select, .tools").count(), 0);
        const details = page.locator("details").first();
        await details.locator("summary").click();
        assert.ok(await details.locator("table").isVisible());
      });
    });
  });
}
