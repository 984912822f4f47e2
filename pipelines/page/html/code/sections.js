// The head, and every section but that of the sizes.
function drawHead() {
  const headline = `As of ${moment(TOTAL.as_of)}; as last read, since ${TOTAL.oldest_read_at ? moment(TOTAL.oldest_read_at) : "never"}, by what these credentials can see.`;
  document.getElementById("headline").textContent = headline;
  document.title = `${shownBytes(TOTAL.deduplicated_bytes, TOTAL.size_basis)} in ${counted(TOTAL.tag_count)} tags`;
  const cards = [
    ["deduplicated", shownBytes(TOTAL.deduplicated_bytes, TOTAL.size_basis), "each blob once"],
    [
      "saved by sharing",
      shownBytes(TOTAL.saved_bytes, TOTAL.ledger_basis),
      `of ${shownBytes(TOTAL.logical_bytes, TOTAL.size_basis)} logical`,
    ],
    ["tags", counted(TOTAL.tag_count), `${counted(TOTAL.exact_size_tag_count)} of exact size`],
    [
      "repositories",
      counted(TOTAL.repository_count),
      `in ${counted(TOTAL.namespace_count)} namespaces`,
    ],
    [
      "stale tags would give back",
      shownBytes(TOTAL.stale_reclaimable_bytes, TOTAL.stale_reclaimable_basis),
      `${counted(TOTAL.stale_tag_count)} tags, ${counted(TOTAL.stale_days ?? 0)} days without an update`,
    ],
  ];
  if (TOTAL.monthly_cost !== null) {
    cards.push([
      "a month",
      `${counted(TOTAL.monthly_cost, 2)} ${printable(TOTAL.currency)}`,
      "for the deduplicated bytes",
    ]);
  }
  document
    .getElementById("totals")
    .replaceChildren(
      ...cards.map(([what, figure, more]) =>
        element(
          "div",
          {},
          element("dt", { textContent: what }),
          element("dd", { textContent: figure }),
          element("dd", { textContent: more }),
        ),
      ),
    );
  const gaps = rowsOf("gaps");
  const causes = gaps
    .slice(0, 3)
    .map((gap) => `${counted(gap.gap_count)} ${gap.kind.replaceAll("_", " ")}`)
    .join(", ");
  document.getElementById("exactness").after(query("overview"));
  document.getElementById("exactness").textContent =
    gaps.length === 0
      ? "Every figure is exact."
      : `Exact: ${counted(TOTAL.exact_size_tag_count)} of ${counted(TOTAL.tag_count)} sizes of tags, ` +
        `${counted(TOTAL.exact_reclaimable_tag_count)} of what deleting one would give back. ` +
        `Not all, because of: ${causes}${gaps.length > 3 ? " and others" : ""}.`;
}

/** A chart and its table; a sentence in their place where there is nothing to show. */
function drawSection(
  name,
  { nothing, height = (em) => 22 * em, rows: rowsFor, minimum = 1, ...options },
) {
  const section = document.getElementById(name);
  const rows = rowsOf(name);
  const place = section.querySelector(".chart");
  const data = rowsFor(rows);
  if (data.rows.length < minimum) place.replaceWith(element("p", { textContent: nothing }));
  else new Chart(place, { height, ...options }).draw(data);
  drawTable(section.querySelector(".figures"), name, rows);
}

function drawTable(place, name, rows = rowsOf(name)) {
  if (rows.length === 0) place.append(element("p", { textContent: "None." }), query(name));
  else new Figures(place, name).show(rows);
}

function growthRows(rows) {
  const names = [...new Set(rows.map((row) => row.namespace))];
  const shown = new Map(
    names.map((name, place) => [
      name,
      {
        name: name === null ? OTHERS : printable(name),
        order: place,
        fill: fills.get(name) ?? "var(--rest)",
      },
    ]),
  );
  const series = [...shown.values()];
  if (new Set(rows.map((row) => row.as_of)).size < 2) return { series, rows: [] };
  return {
    series,
    rows: rows.map((row) => ({
      ...shown.get(row.namespace),
      moment: Date.parse(row.as_of),
      bytes: Number(row.allocated_bytes),
    })),
  };
}

const ageRows = (rows) => ({
  rows: rows.flatMap((row) => {
    const [all, own] = [row.logical_bytes, row.exclusive_bytes].map((value) => Number(value ?? 0));
    const common = { clock: row.clock, bucket: row.age_bucket };
    const told = `${counted(row.tag_count)} tags\n${shownBytes(row.logical_bytes, row.size_basis)} logical\n${shownBytes(row.exclusive_bytes, row.exclusive_basis)} exclusive`;
    return [
      { ...common, part: "exclusive", order: 0, bytes: own, told },
      { ...common, part: "shared with other tags", order: 1, bytes: Math.max(0, all - own), told },
    ];
  }),
});

const orphanedRows = (rows) => ({
  rows: rows.map((row) => ({
    ...row,
    bytes: Number(row.orphaned_bytes ?? 0),
    told: `${row.day}\n${counted(row.tag_count)} tags ${row.change}\n${shownBytes(row.orphaned_bytes, row.orphaned_basis)}`,
  })),
});

function barRows(rows, name, value, told) {
  const largest = rows.slice(0, 15);
  const others = rows.slice(15);
  const bars = largest.map((row) => ({
    name: row[name] === null ? OTHERS : printable(row[name].replaceAll("_", " ")),
    value: Number(row[value] ?? 0),
    told: told(row),
  }));
  if (others.length > 0) bars.push({ name: OTHERS, value: sum(others, value), told: OTHERS });
  return { rows: bars };
}

const barHeight = (em, _, { rows }) => rows.length * 2 * em + 4 * em;

drawHead();
const costs = rowsOf("costs");
if (costs.length === 0)
  document.querySelectorAll("[data-needs=costs]").forEach((part) => part.remove());
const sizes = new Sizes();
sizes.draw();
drawSection("growth", {
  rows: growthRows,
  nothing: "One run so far: there is growth from the second one on.",
});
drawSection("ages", { rows: ageRows, height: (em) => 30 * em, nothing: "No tags." });
drawSection("retention", {
  height: (em) => 30 * em,
  nothing: "No tags.",
  rows: (rows) => ({
    rows: rows.map((row) => ({ ...row, bytes: Number(row.reclaimable_bytes ?? 0) })),
  }),
});
drawSection("orphaned", { rows: orphanedRows, nothing: "No tag has moved or gone so far." });
drawTable(document.querySelector("[data-answer=orphaned_followers]"), "orphaned_followers");
drawSection("gaps", {
  spec: "bars",
  height: barHeight,
  signals: { unit: "gaps", step: 1 },
  nothing: "Nothing: every figure is exact.",
  rows: (rows) =>
    barRows(
      rows,
      "kind",
      "gap_count",
      (row) => `${counted(row.affected_tag_count)} tags affected\n${row.remedy}`,
    ),
});
drawTable(document.querySelector("[data-answer=gap_details]"), "gap_details");
if (costs.length > 0) {
  drawSection("costs", {
    spec: "bars",
    height: barHeight,
    signals: { unit: `${printable(TOTAL.currency)} a month`, step: 0.01 },
    nothing: "No tags.",
    rows: (rows) =>
      barRows(rows, "namespace", "monthly_cost", (row) => `${row.monthly_cost} ${row.currency}`),
  });
}
new ResizeObserver(redraw).observe(document.documentElement);
width = document.documentElement.clientWidth;
