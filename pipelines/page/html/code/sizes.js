// The sizes: parts as areas, and what is in each of them.
const FILLS = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => `var(--part${number})`);
// Areas at once: of a whole whose parts have areas of their own, and of one whose parts are tags.
const LARGEST = 40;
const MOST_TAGS = 400;

// A namespace has the same colour wherever it is shown.
const fills = new Map(
  rowsOf("sizes")
    .filter((row) => row.level === 1 && row.namespace !== null)
    .sort((one, other) => Number(other.allocated_bytes ?? -1) - Number(one.allocated_bytes ?? -1))
    .map((row, place) => [row.namespace, FILLS[place % FILLS.length]]),
);

const PARTS = ["namespace", "repository", "tag"];
const PLURALS = ["namespaces", "repositories", "tags"];
const keyOf = (path) => JSON.stringify(path);

class Sizes {
  constructor() {
    this.inside = Map.groupBy(rowsOf("sizes"), (row) =>
      keyOf(PARTS.slice(0, row.level - 1).map((part) => row[part])),
    );
    this.wholes = new Map([
      [
        keyOf([]),
        {
          ...TOTAL,
          name: "all namespaces",
          exclusive_bytes: TOTAL.deduplicated_bytes,
          exclusive_basis: TOTAL.size_basis,
          allocated_bytes: TOTAL.deduplicated_bytes,
          allocated_basis: TOTAL.size_basis,
          newest_updated_at: null,
        },
      ],
    ]);
    for (const [key, rows] of this.inside)
      rows.forEach((row, place) => this.name(row, JSON.parse(key), place));
    this.path = [];
    this.measure = "deduplicated";
    this.section = document.getElementById("sizes");
    this.figures = new Figures(this.section.querySelector(".figures"), "sizes", {
      open: (row) => this.open(row._path),
    });
    this.figures.sorted = { key: "deduplicated_bytes", isDown: true };
    this.chart = new Chart(this.section.querySelector(".chart"), {
      height: (em, wide) => Math.round(Math.min(Math.max(wide * 0.5, 26 * em), 46 * em)),
      after: (view, place) => this.overlay(view, place),
    });
    for (const choice of document.querySelectorAll("[name=measure]")) {
      choice.addEventListener("change", () => this.choose(choice.value));
    }
    this.section.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.path.length > 0 && event.target.type !== "search")
        this.open(this.path.slice(0, -1));
    });
  }

  /** A row's own name, where it leads, and its colour; a row without a name is a rest. */
  name(row, path, place) {
    const own = row[PARTS[row.level - 1]];
    row._last = own === null;
    row.name = row._last ? `${counted(row.part_count)} more ${PLURALS[row.level - 1]}` : own;
    row._path = row._last ? null : [...path, own];
    row._opens = row.level < 3 && row._path !== null && this.inside.has(keyOf(row._path));
    row._fill = row._last ? "var(--rest)" : row.level === 1 ? fills.get(own) : null;
    if (row._path) this.wholes.set(keyOf(row._path), row);
  }

  /** What a part measures; a tag's own bytes are all that is allocated to it alone. */
  value(row, measure = this.measure) {
    const own = row[`${measure}_bytes`];
    return Number((measure === "allocated" && row.level === 3 ? row.exclusive_bytes : own) ?? 0);
  }

  basis(row, measure = this.measure) {
    if (measure === "deduplicated") return row.size_basis;
    return measure === "allocated" && row.level !== 3 ? row.allocated_basis : row.exclusive_basis;
  }

  /** The parts of a whole, the largest first, and what belongs to none of them alone. */
  parts(path) {
    const rows = this.inside.get(keyOf(path)) ?? [];
    const largest = rows
      .filter((row) => !row._last)
      .sort((one, other) => this.value(other) - this.value(one));
    return [...largest, ...rows.filter((row) => row._last)];
  }

  shared(path, measure = this.measure) {
    if (measure === "deduplicated") return 0;
    const rows = this.inside.get(keyOf(path)) ?? [];
    const whole = this.value(this.wholes.get(keyOf(path)), measure);
    return whole - rows.reduce((total, row) => total + this.value(row, measure), 0);
  }

  choose(measure) {
    this.measure = measure;
    this.figures.sorted = { key: `${measure}_bytes`, isDown: true };
    this.draw();
  }

  open(path) {
    this.path = path;
    this.figures.search.value = this.figures.wanted = "";
    this.draw();
    document.querySelector("#path [aria-current]").focus();
  }

  async draw() {
    this.drawPath();
    const whole = this.wholes.get(keyOf(this.path));
    const rows = this.parts(this.path);
    const [exclusive, allocated] = ["exclusive", "allocated"].map((measure) =>
      this.shared(this.path, measure),
    );
    const basis = [whole, ...rows].every((row) => row.exclusive_basis === "exact")
      ? "exact"
      : "estimate";
    const shared = {
      name: "shared by several of these",
      tag_count: null,
      deduplicated_bytes: null,
      size_basis: null,
      exclusive_bytes: exclusive,
      exclusive_basis: basis,
      allocated_bytes: allocated,
      allocated_basis: basis,
      newest_updated_at: null,
      _last: true,
    };
    const isTags = this.path.length === 2;
    if (isTags)
      rows.forEach((row) => {
        row.allocated_bytes = row.exclusive_bytes;
        row.allocated_basis = row.exclusive_basis;
      });
    const total = {
      ...whole,
      name: this.path.length ? `all of ${whole.name}` : "all",
      _last: false,
      _opens: false,
    };
    this.figures.show(exclusive || allocated ? [...rows, shared] : rows, total);
    document.getElementById("parts").textContent = this.told(whole, rows);
    await this.chart.draw({ rows: this.nodes(whole, rows) });
  }

  told(whole, rows) {
    const figure = shownBytes(this.value(whole), this.basis(whole));
    const kind = PLURALS[this.path.length];
    const parts = sum(rows, "part_count");
    const begin = `${figure} ${this.measure} in ${counted(parts)} ${parts === 1 ? PARTS[this.path.length] : kind}.`;
    const together = rows.reduce((total, row) => total + this.value(row), 0);
    if (this.measure === "deduplicated" && together > this.value(whole)) {
      return `${begin} One by one they hold ${bytes(together)}: what several use counts in each.`;
    }
    const shared = this.shared(this.path);
    return shared > 0 ? `${begin} Of these, ${bytes(shared)} belong to none of them alone.` : begin;
  }

  drawPath() {
    const names = ["all namespaces", ...this.path.map(printable)];
    document
      .getElementById("path")
      .replaceChildren(
        ...names.map((name, depth) =>
          element(
            "li",
            {},
            depth === this.path.length
              ? element("span", { textContent: name, tabIndex: -1, "aria-current": "location" })
              : button(name, () => this.open(this.path.slice(0, depth)), "name"),
          ),
        ),
      );
  }

  /** Rows for the picture: the parts of this whole, and within each its own parts in proportion. */
  nodes(whole, rows) {
    const made = [this.node("all", null, whole, { fill: "transparent", size: null, opens: null })];
    this.largest(rows, this.shared(this.path), this.path.length).forEach((row, place) => {
      const fill =
        row._fill ?? (row.level === 3 ? fills.get(row.namespace) : FILLS[place % FILLS.length]);
      const opens = row._opens ? row._path : null;
      const inner = opens ? this.largest(this.parts(opens), this.shared(opens), opens.length) : [];
      const together = sum(inner, "_size");
      made.push(
        this.node(`${place}`, "all", row, { fill, opens, size: together > 0 ? null : row._size }),
      );
      if (together === 0) return;
      inner.forEach((part, number) =>
        made.push(
          this.node(`${place}.${number}`, `${place}`, part, {
            fill: part._fill ?? fill,
            opens: part._opens ? part._path : opens,
            size: (row._size * part._size) / together,
          }),
        ),
      );
    });
    return made;
  }

  /** The parts worth an area of their own; the others, and what is shared, as one each. */
  largest(rows, shared, depth) {
    const sized = rows
      .map((row) => ({ ...row, _size: this.value(row) }))
      .filter((row) => row._size > 0);
    const named = sized.filter((row) => !row._last);
    const most = depth === this.path.length && depth === 2 ? MOST_TAGS : LARGEST;
    const others = [...named.slice(most), ...sized.filter((row) => row._last)];
    const shown = named.slice(0, most);
    if (others.length > 0) {
      const name = `${counted(sum(others, "part_count"))} more ${PLURALS[depth]}`;
      shown.push({
        name,
        _size: sum(others, "_size"),
        _fill: "var(--rest)",
        tag_count: sum(others, "tag_count"),
      });
    }
    if (shared > 0)
      shown.push({
        name: "shared by several",
        _size: shared,
        _fill: "var(--shared)",
        tag_count: null,
      });
    return shown;
  }

  node(id, parent, row, { fill, size, opens }) {
    const name = printable(row.name);
    const figure =
      row.level || parent === null
        ? shownBytes(this.value(row), this.basis(row))
        : bytes(row._size);
    const tags = row.tag_count === null ? "" : `, ${counted(row.tag_count)} tags`;
    return {
      id,
      parent,
      name,
      figure,
      size,
      fill,
      opens,
      told: `${name}\n${figure} ${this.measure}${tags}`,
    };
  }

  /** Give the keyboard a button on each part that can be opened, and the mouse the picture. */
  overlay(view, place) {
    view.addEventListener("click", (_, item) => item?.datum?.opens && this.open(item.datum.opens));
    const groups = view.data("rows").filter((node) => node.depth === 1 && node.opens);
    for (const { name, figure, opens, x0, y0, x1, y1 } of groups) {
      const made = element("button", {
        type: "button",
        "aria-label": `Open ${name}, ${figure} ${this.measure}`,
        onclick: () => this.open(opens),
      });
      Object.assign(made.style, {
        left: `${x0}px`,
        top: `${y0}px`,
        width: `${x1 - x0}px`,
        height: `${y1 - y0}px`,
      });
      place.append(made);
    }
  }
}
