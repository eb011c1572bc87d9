// What tests look at. Functions that take no page run in it, and so name nothing outside them.

export const MARGIN = { top: "1cm", right: "1cm", bottom: "1cm", left: "1cm" };

export const NOTHING = {
  ownRows: undefined,
  ownRowsOn: 0,
  otherRowsOn: 0,
  ownMarks: undefined,
  ownMarksFaint: 0,
  otherMarks: undefined,
  otherMarksFaint: 0,
};

// ---- colours, by the definitions of WCAG 2

export function rgb(text) {
  const numbers = text.match(/[\d.]+/g).map(Number);
  if (text.startsWith("color(srgb")) {
    return numbers.slice(0, 3).map((part) => part * 255);
  }
  return numbers.slice(0, 3);
}

export function luminance(color) {
  const [r, g, b] = color.map((part) => {
    const c = part / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a, b) {
  const [x, y] = [luminance(a) + 0.05, luminance(b) + 0.05];
  return Math.max(x, y) / Math.min(x, y);
}

// ---- sorting

// Of cells as `values` gives them: numbers in order, what has none last, ties as they were.
export function sorted(cells, direction) {
  const known = cells.filter(({ number }) => number !== null);
  const unknown = cells.filter(({ number }) => number === null);
  known.sort((a, b) => direction * (a.number - b.number));
  return [...known, ...unknown];
}

// Row by row, what a column shows and by which number it should be sorted.
export function values(table, column) {
  return [...table.tBodies[0].rows].map((row) => {
    const cell = row.cells[column];
    const text = cell.textContent.trim();
    const number = cell.dataset.v ?? text;
    const isNone = text === "–" || text === "";
    return { row: row.cells[0].textContent, text, number: isNone ? null : Number(number) };
  });
}

export function tableWorthSorting() {
  const tables = [...document.querySelectorAll("table.grid")];
  for (const [place, table] of tables.entries()) {
    if (!table.checkVisibility()) {
      continue;
    }
    for (let column = 1; column < table.tHead.rows[0].cells.length; column += 1) {
      const cells = [...table.tBodies[0].rows].map((row) => row.cells[column]);
      const known = cells.filter((cell) => cell.dataset.v);
      const texts = known.map((cell) => cell.textContent.trim());
      const numbers = known.map((cell) => Number(cell.dataset.v));
      const byText = texts.map((_, i) => i).sort((a, b) => (texts[a] < texts[b] ? -1 : 1));
      const isAscending = (list) => list.every((n, i) => i === 0 || list[i - 1] <= n);
      const alsoByText = isAscending(byText.map((i) => numbers[i]));
      if (known.length > 3 && !alsoByText && !isAscending(numbers)) {
        return { table: place, column };
      }
    }
  }
  return null;
}

// ---- highlighting

export function highlighted(key) {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const own = (element) => element.dataset.s === key;
  const rows = all("tr[data-s]");
  const ground = (row) => getComputedStyle(row.cells[0]).backgroundColor;
  const plain = getComputedStyle(document.body).backgroundColor;
  const isOn = (row) => ground(row) !== plain;
  // What a strategy's group draws, apart from words.
  const marks = all("svg g[data-s] > :not(text)");
  const isFaint = (mark) => Number(getComputedStyle(mark).opacity) < 0.5;
  const ownMark = (mark) => own(mark.parentElement);
  const count = (list, ...tests) => list.filter((x) => tests.every((is) => is(x))).length;
  const not = (is) => (x) => !is(x);
  const isPicked = document.documentElement.dataset.pick !== undefined;
  return {
    ownRows: isPicked ? count(rows, own) : undefined,
    ownRowsOn: count(rows, own, isOn),
    otherRowsOn: count(rows, not(own), isOn),
    ownMarks: isPicked ? count(marks, ownMark) : undefined,
    ownMarksFaint: count(marks, ownMark, isFaint),
    otherMarks: isPicked ? count(marks, not(ownMark)) : undefined,
    otherMarksFaint: count(marks, not(ownMark), isFaint),
  };
}

// ---- charts

// Of every chart: each text with its size as shown, its colour and that of what it stands on;
// which texts lie on each other, and which leave the picture.
export function chartTexts() {
  const filled = (element) => {
    const { fill } = getComputedStyle(element);
    return fill !== "none" && element.localName !== "text" ? fill : null;
  };
  const overlap = (a, b) => {
    // A pixel of each is the air around its glyphs.
    const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    return x > 1 && y > 3;
  };
  return [...document.querySelectorAll("figure svg")].map((svg) => {
    const frame = svg.getBoundingClientRect();
    const shapes = [];
    const texts = [];
    const walker = document.createTreeWalker(svg, NodeFilter.SHOW_ELEMENT);
    for (let element = walker.nextNode(); element; element = walker.nextNode()) {
      if (["rect", "polygon", "circle"].includes(element.localName) && filled(element)) {
        shapes.push({ box: element.getBoundingClientRect(), fill: filled(element) });
      } else if (element.localName === "text") {
        const box = element.getBoundingClientRect();
        const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
        const below = shapes.filter(
          ({ box: b }) => b.left <= x && x <= b.right && b.top <= y && y <= b.bottom,
        );
        const style = getComputedStyle(element);
        texts.push({
          text: element.textContent,
          ink: style.fill,
          ground: below.at(-1)?.fill ?? "rgb(127, 127, 127)",
          size: Number.parseFloat(style.fontSize) * element.getScreenCTM().a,
          box,
        });
      }
    }
    const pairs = [];
    for (const [i, a] of texts.entries()) {
      for (const b of texts.slice(i + 1)) {
        if (overlap(a.box, b.box)) {
          pairs.push([a.text, b.text]);
        }
      }
    }
    const leaves = ({ box }) => box.left < frame.left - 1 || box.right > frame.right + 1;
    return {
      chart: svg.querySelector("title").textContent,
      texts: texts.map(({ box, ...rest }) => rest),
      pairs,
      outside: texts.filter(leaves).map(({ text }) => text),
    };
  });
}

export function figures() {
  return [...document.querySelectorAll("figure")].map((figure) => {
    const svg = figure.querySelector("svg");
    const text = (selector) => figure.querySelector(selector)?.textContent.trim() ?? "";
    return {
      question: text(".ask"),
      answer: text(".answer"),
      role: svg.getAttribute("role"),
      title: text("svg > title"),
      description: text("svg > desc"),
      numbers: figure.querySelectorAll("details tbody tr").length,
      says: text(".muted"),
    };
  });
}

// ---- the page

export function links() {
  return [...document.querySelectorAll("a[href]")].map((link) => link.getAttribute("href"));
}

export function brokenAnchors() {
  const inside = [...document.querySelectorAll('a[href^="#"]')];
  const targets = inside.map((link) => link.getAttribute("href").slice(1));
  return targets.filter((id) => !document.getElementById(id));
}

// Some of what is folded away, so that it is looked at as well: the first of each kind of chart,
// and the facts of the machine.
export function openSome() {
  const details = [...document.querySelectorAll("details")];
  for (const one of [...details.slice(0, 12), details.at(-1)]) {
    one.open = true;
  }
}

export function layout() {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const boxes = all("*")
    .filter((element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX))
    .filter((element) => element.checkVisibility() && element.localName !== "select")
    .map((element) => ({
      label: element.getAttribute("aria-label"),
      isFocusable: element.tabIndex >= 0,
      scrolls: element.scrollWidth > element.clientWidth,
    }));
  const small = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.localName === "script") {
      continue;
    }
    const size = Number.parseFloat(getComputedStyle(element).fontSize);
    if (size < 12) {
      small.add(`${element.localName}: ${size} px: ${node.data.trim().slice(0, 30)}`);
    }
  }
  return { width: document.scrollingElement.scrollWidth, boxes, small: [...small] };
}

// What ends right of the sheet.
export function cutOff() {
  const sheet = document.documentElement.clientWidth;
  return [...document.querySelectorAll("main *")]
    .filter((element) => element.checkVisibility() && !element.closest(".sr"))
    .filter((element) => element.getBoundingClientRect().right > sheet + 1)
    .map((element) => `${element.localName}.${element.className}: ${element.textContent.slice(0, 40)}`)
    .slice(0, 10);
}

// What there is to read, whether or not a script has run.
export function content() {
  const count = (selector) => document.querySelectorAll(selector).length;
  return {
    title: document.querySelector("h1").textContent,
    sentences: count("section.box li"),
    facts: count("dl.strip > div"),
    headings: count("h2, h3"),
    rows: count("tbody tr"),
    charts: count("figure svg"),
  };
}
