// What the file brings along, and how its figures and texts are shown. Texts come from a registry:
// they become text nodes, or texts within charts, never markup.
const DATA = JSON.parse(document.getElementById("data").textContent);
const SIGNS = { exact: "", lower_bound: "≥ ", upper_bound: "≤ ", estimate: "≈ ", unknown: "? " };

const decoded = (column) =>
  Array.isArray(column)
    ? column
    : column.rows.map((row) => (row === null ? null : column.texts[row]));

function rowsOf(name) {
  const columns = Object.entries(DATA.answers[name].columns).map(([key, column]) => [
    key,
    decoded(column),
  ]);
  const count = columns[0][1].length;
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(columns.map(([key, column]) => [key, column[row]])),
  );
}

const [TOTAL] = rowsOf("overview");
const sum = (rows, column) => rows.reduce((total, row) => total + Number(row[column] ?? 0), 0);

// Nothing may hide or turn round what stands beside it.
const printable = (text) =>
  String(text).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu,
    (letter) => `\\u{${letter.codePointAt(0).toString(16)}}`,
  );
const counted = (value, digits = 0) =>
  Number(value).toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
const moment = (iso) => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;

function bytes(value) {
  const units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];
  let size = Number(value);
  let unit = 0;
  for (; Math.abs(size) >= 1000 && unit < 6; unit += 1) size /= 1000;
  return unit === 0
    ? `${size} ${size === 1 ? "byte" : "bytes"}`
    : `${counted(size, 1)} ${units[unit]}`;
}

const signed = (text, basis) => `${SIGNS[basis] ?? ""}${text}`;
const shownBytes = (value, basis) =>
  value === null ? ((basis && "?") ?? "") : signed(bytes(value), basis);

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const button = (text, onclick, className = "") =>
  element("button", { type: "button", textContent: text, onclick, className });
