// Sorting, highlighting and the dark theme. The page is readable without this script, so controls
// are made here.
(() => {
  "use strict";

  const root = document.documentElement;

  function make(name, properties = {}, ...children) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  }

  // Announces changes to screen readers.
  const said = make("output");

  // ---- light and dark

  function themeButton() {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const button = make("button", { type: "button" }, "Dark");
    let chosen = null;
    const show = () => {
      button.setAttribute("aria-pressed", String(chosen ?? system.matches));
    };
    button.addEventListener("click", () => {
      chosen = !(chosen ?? system.matches);
      root.dataset.theme = chosen ? "dark" : "light";
      show();
    });
    system.addEventListener("change", show);
    show();
    return button;
  }

  // ---- one strategy among the others

  function highlighter() {
    const about = [...document.querySelectorAll("[data-s]")];
    const keys = [...new Set(about.map((element) => element.dataset.s))];
    if (keys.length === 0) {
      return null;
    }
    const select = make("select");
    select.append(make("option", { value: "" }, "none"));
    select.append(...keys.map((key) => make("option", { value: key }, key)));
    select.addEventListener("change", () => {
      const key = select.value;
      let rows = 0;
      const charts = new Set();
      for (const element of about) {
        const is = element.dataset.s === key;
        element.classList.toggle("on", is);
        if (is && element.localName === "tr") {
          rows += 1;
        } else if (is) {
          charts.add(element.ownerSVGElement);
        }
      }
      if (key) {
        root.dataset.pick = key;
        said.textContent = `${key}: ${charts.size} charts, ${rows} rows of tables`;
      } else {
        delete root.dataset.pick;
        said.textContent = "";
      }
    });
    return make("label", {}, "Highlight", select);
  }

  // ---- sorting

  // A cell's number, or its text, or null where there is none; `–` stands for no number.
  function valueOf(row, column) {
    const cell = row.cells[column];
    const text = cell.dataset.v ?? cell.textContent.trim();
    if (text === "" || text === "–") {
      return null;
    }
    const number = Number(text);
    return Number.isNaN(number) ? text : number;
  }

  // Numbers before words.
  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") {
      return a - b;
    }
    if (typeof a !== typeof b) {
      return typeof a === "number" ? -1 : 1;
    }
    return a.localeCompare(b, "en", { numeric: true });
  }

  // Cells without a number stay at the end in either direction.
  function sorted(rows, column, direction) {
    const keyed = rows.map((row) => [valueOf(row, column), row]);
    const known = keyed.filter(([value]) => value !== null);
    const unknown = keyed.filter(([value]) => value === null);
    known.sort(([a], [b]) => direction * compare(a, b));
    return [...known, ...unknown].map(([, row]) => row);
  }

  const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

  function makeSortable(table) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const first = [...body.rows];
    if (first.length === 0 || first.length === 1) {
      return;
    }
    heads.forEach((head, column) => {
      const name = head.textContent.trim();
      const button = make("button", { type: "button" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const order = NEXT[head.getAttribute("aria-sort") ?? "none"];
        for (const other of heads) {
          other.removeAttribute("aria-sort");
        }
        if (order === "none") {
          body.append(...first);
          said.textContent = "rows in their first order";
          return;
        }
        head.setAttribute("aria-sort", order);
        body.append(...sorted(first, column, order === "ascending" ? 1 : -1));
        said.textContent = `sorted by ${name}, ${order}`;
      });
    });
  }

  // ----

  document.querySelectorAll("table.grid").forEach(makeSortable);
  const tools = make("div", { className: "tools" });
  tools.setAttribute("role", "group");
  tools.setAttribute("aria-label", "View");
  tools.append(...[highlighter(), themeButton(), said].filter(Boolean));
  document.querySelector("main").prepend(tools);
})();
