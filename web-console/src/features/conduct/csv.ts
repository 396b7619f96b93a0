/** One line of a table: quoted where it has to be (RFC 4180), and never read as a formula by a spreadsheet. */
function line(cells: readonly string[]): string {
  return cells
    .map((cell) => (/^[=+\-@\t]/.test(cell) ? `'${cell}` : cell))
    .map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(",");
}

/** A table as CSV, with the mark by which spreadsheets know UTF-8. */
export function csvOf(rows: readonly (readonly string[])[]): string {
  return `\uFEFF${rows.map((row) => `${line(row)}\r\n`).join("")}`;
}

/** Hands the text to the browser as a file. */
export function saveCsv(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
