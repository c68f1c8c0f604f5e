"use strict";
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
const gettext = (message, values) => (words[message] ?? message).replace(/%\((\w+)\)s/g, (found, name) => values[name]);
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  const headings = Array.from(table.tHead.rows[0].cells);
  const status = document.getElementById(table.dataset.sortable);
  const keyOf = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
  headings.forEach((heading, column) => {
    const button = heading.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const descending = heading.getAttribute("aria-sort") === "ascending";
      const numeric = heading.dataset.kind === "number";
      const rows = Array.from(body.rows, (row) => ({ row, key: keyOf(row, column) }));
      const compare = numeric
        ? (a, b) => Number(a.key) - Number(b.key)
        : (a, b) => a.key.localeCompare(b.key, undefined, { numeric: true });
      const missing = (entry) => numeric && entry.key === "";
      rows.sort((a, b) => {
        if (missing(a) || missing(b)) return missing(a) - missing(b);
        return descending ? compare(b, a) : compare(a, b);
      });
      for (const other of headings) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      body.append(...rows.map((entry) => entry.row));
      const by = { column: button.textContent.trim() };
      status.textContent = descending ? gettext("Sorted by %(column)s, descending", by) : gettext("Sorted by %(column)s, ascending", by);
    });
  });
}
// Shown by the review site itself, at lots/<name>/report, the page's links lead to that site, wherever it listens.
if (location.protocol.startsWith("http") && /\/lots\/[^/]+\/report$/.test(location.pathname)) {
  for (const link of document.querySelectorAll("a[data-site]")) link.href = `../../${link.dataset.site}`;
}
