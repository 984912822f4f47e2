// Tables that are sorted, searched and copied, with their basis and their query.
const ROWS_AT_ONCE = 12;
const OTHERS = "all others";

const text = (label, rest = "") => ({
  label,
  shown: (row, key) => (row[key] === null ? rest : printable(row[key])),
});
const number = (label, shown) => ({ label, shown, isNumber: true, className: "number" });
const count = (label) => number(label, (row, key) => (row[key] === null ? "" : counted(row[key])));
const size = (label, basis) => number(label, (row, key) => shownBytes(row[key], row[basis]));
const date = (label) => ({
  label,
  className: "date",
  shown: (row, key) => (row[key] === null ? "" : moment(row[key])),
});

const COLUMNS = {
  sizes: {
    name: text("name"),
    tag_count: count("tags"),
    deduplicated_bytes: size("deduplicated", "size_basis"),
    exclusive_bytes: size("exclusive", "exclusive_basis"),
    allocated_bytes: size("allocated", "allocated_basis"),
    newest_updated_at: date("last update"),
  },
  growth: {
    as_of: date("run as of"),
    namespace: text("namespace", OTHERS),
    allocated_bytes: size("allocated", "basis"),
    change_bytes: number("since the run before", (row, key) =>
      row[key] === null ? "" : `${row[key] > 0 ? "+" : ""}${bytes(row[key]).replace("-", "−")}`,
    ),
  },
  ages: {
    clock: text("clock"),
    age_bucket: text("days"),
    tag_count: count("tags"),
    logical_bytes: size("logical", "size_basis"),
    exclusive_bytes: size("exclusive", "exclusive_basis"),
  },
  retention: {
    template: text("rule"),
    keeps: count("keeps"),
    deleted_tag_count: count("tags deleted"),
    reclaimable_bytes: size("reclaimable", "reclaimable_basis"),
  },
  orphaned: {
    day: text("day"),
    change: text("tags that were"),
    tag_count: count("tags"),
    orphaned_bytes: size("orphaned", "orphaned_basis"),
  },
  orphaned_followers: {
    namespace: text("namespace", OTHERS),
    repository: text("repository"),
    tag: text("tag"),
    tag_count: count("tags"),
    reclaimable_bytes: size("reclaimable", "reclaimable_basis"),
    newest_updated_at: date("last update"),
  },
  gaps: {
    kind: text("kind"),
    gap_count: count("gaps"),
    affected_tag_count: count("tags affected"),
    since: date("since"),
    remedy: text("what to do"),
  },
  gap_details: {
    kind: text("kind", OTHERS),
    namespace: text("namespace"),
    repository: text("repository"),
    tag: text("tag"),
    detail: text("what is not known"),
    gap_count: count("gaps"),
    affected_tag_count: count("tags affected"),
    since: date("since"),
  },
  costs: {
    namespace: text("namespace", OTHERS),
    allocated_bytes: size("allocated", "allocated_basis"),
    monthly_cost: number(`a month, ${printable(TOTAL.currency ?? "")}`, (row, key) =>
      row[key] === null ? "?" : signed(counted(row[key], 2), row.allocated_basis),
    ),
  },
};

const spreadsheet = (value) => {
  const cell =
    typeof value === "string" && /^[=+\-@\t\r]/.test(value) && Number.isNaN(Number(value))
      ? `'${value}`
      : value;
  return (cell ?? null) === null
    ? ""
    : /[",\n\r]/.test(cell)
      ? `"${String(cell).replaceAll('"', '""')}"`
      : String(cell);
};

function csv(rows) {
  const keys = Object.keys(rows[0] ?? {}).filter((key) => !key.startsWith("_"));
  return [keys, ...rows.map((row) => keys.map((key) => row[key]))]
    .map((cells) => `${cells.map(spreadsheet).join(",")}\r\n`)
    .join("");
}

async function copy(written, from) {
  try {
    await navigator.clipboard.writeText(written);
  } catch {
    const area = element("textarea", { value: written, "aria-label": "CSV" });
    from.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    from.focus();
  }
}

/** The query that an answer came from. */
const query = (name) =>
  element(
    "details",
    {},
    element("summary", { textContent: "The query" }),
    element("pre", { tabIndex: 0, textContent: DATA.answers[name].sql }),
  );

/** A table that is sorted, searched and copied. Rows with `_last` stay at the end, as a rest does. */
class Figures {
  constructor(place, name, { open = null } = {}) {
    Object.assign(this, {
      place,
      name,
      open,
      columns: COLUMNS[name],
      wanted: "",
      limit: ROWS_AT_ONCE,
    });
    this.sorted = { key: null, isDown: true };
    const search = element("input", { type: "search" });
    search.addEventListener("input", () => {
      this.wanted = search.value.toLowerCase();
      this.draw();
    });
    this.search = search;
    this.count = element("p", { className: "count", role: "status" });
    this.copied = button("Copy as CSV", async () => {
      await copy(csv(this.chosen()), this.copied);
      this.copied.textContent = "Copied";
      setTimeout(() => {
        this.copied.textContent = "Copy as CSV";
      }, 2000);
    });
    this.table = element("table");
    this.more = button(
      "",
      () => {
        this.limit += 1000;
        this.draw();
      },
      "more",
    );
    this.basis = element("p", { className: "basis" });
    const heading = place.parentElement.querySelector("h2").textContent;
    place.append(
      element(
        "div",
        { className: "tools" },
        element("label", {}, "Search ", search),
        this.copied,
        this.count,
      ),
      element(
        "div",
        { className: "scroll", tabIndex: 0, role: "region", "aria-label": `${heading}: ${name}` },
        this.table,
      ),
      this.more,
      this.basis,
      query(name),
    );
  }

  show(rows, total = null) {
    const [first] = Object.keys(this.columns);
    for (const row of rows) row._last ??= row[first] === null;
    Object.assign(this, { rows, total, limit: ROWS_AT_ONCE });
    this.draw();
  }

  chosen() {
    const { key, isDown } = this.sorted;
    const found = this.rows.filter(
      (row) =>
        this.wanted === "" ||
        Object.entries(this.columns).some(([name, column]) =>
          column.shown(row, name).toLowerCase().includes(this.wanted),
        ),
    );
    if (key === null) return found;
    const isNumber = this.columns[key].isNumber;
    const order = (one, other) => {
      if (one._last !== other._last) return one._last ? 1 : -1;
      if (one[key] === null || other[key] === null)
        return (one[key] === null) - (other[key] === null);
      const way = isNumber
        ? Number(one[key]) - Number(other[key])
        : String(one[key]).localeCompare(String(other[key]));
      return isDown ? -way : way;
    };
    return found.toSorted(order);
  }

  draw() {
    const rows = this.chosen();
    const shown = rows.slice(0, this.limit);
    this.table.replaceChildren(
      element(
        "thead",
        {},
        element("tr", {}, ...Object.entries(this.columns).map((entry) => this.heading(...entry))),
      ),
      element("tbody", {}, ...shown.map((row) => this.line(row))),
    );
    if (this.total && this.wanted === "")
      this.table.append(element("tfoot", {}, this.line(this.total)));
    const all = this.rows.length;
    const found = rows.length === all ? "" : `${counted(rows.length)} of `;
    this.count.textContent = `${found}${counted(all)} ${all === 1 ? "row" : "rows"}`;
    this.more.hidden = shown.length === rows.length;
    this.more.textContent = `Show more (${counted(rows.length - shown.length)})`;
    this.basis.textContent = `As of ${moment(TOTAL.as_of)}. ${this.bases()}`;
  }

  bases() {
    const found = {};
    for (const row of this.rows) {
      const bases = Object.keys(row)
        .filter((key) => key.endsWith("basis") && row[key])
        .map((key) => row[key]);
      for (const basis of new Set(bases)) found[basis] = (found[basis] ?? 0) + 1;
    }
    const names = Object.keys(SIGNS).filter((name) => found[name]);
    if (names.length === 0) return "";
    if (names.length === 1) return `Basis: ${names[0]}.`;
    return `Basis, by rows: ${names.map((name) => `${counted(found[name])} ${name}`).join(", ")}.`;
  }

  heading(key, column) {
    const { key: by, isDown } = this.sorted;
    const sort = () => {
      this.sorted = { key, isDown: by === key ? !isDown : Boolean(column.isNumber) };
      this.draw();
      this.table.querySelector(`[data-key="${key}"]`).focus();
    };
    const named = button(column.label, sort);
    named.dataset.key = key;
    const order = by !== key ? "none" : isDown ? "descending" : "ascending";
    return element(
      "th",
      { scope: "col", className: column.className ?? "", "aria-sort": order },
      named,
    );
  }

  line(row) {
    const cells = Object.entries(this.columns).map(([key, column], place) => {
      const shown = column.shown(row, key);
      const opens = place === 0 && row._opens;
      return element(
        "td",
        { className: column.className ?? "" },
        opens ? button(shown, () => this.open(row), "name") : shown,
      );
    });
    return element("tr", { className: row._last ? "rest" : "" }, ...cells);
  }
}
