/** Width by height of a picture. */
const ASPECT = 16 / 9;

export type Box = { x: number; y: number; width: number; height: number };

/**
 * Boxes for `count` tiles in an area, as large as can be without scrolling,
 * line by line, a short last line centred. All lengths in CSS pixels.
 */
export function arrange(count: number, area: { width: number; height: number }, gap: number): Box[] {
  if (count <= 0 || area.width <= 0 || area.height <= 0) return [];
  // Alone it has the whole area, whatever its shape.
  if (count === 1) return [{ x: 0, y: 0, width: area.width, height: area.height }];
  let best = { columns: 1, width: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const width = tileWidth(columns, Math.ceil(count / columns), area, gap);
    if (width > best.width) best = { columns, width };
  }
  const width = Math.floor(best.width);
  const height = Math.floor(width / ASPECT);
  const rows = Math.ceil(count / best.columns);
  const top = (area.height - rows * height - (rows - 1) * gap) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / best.columns);
    const inRow = row === rows - 1 ? count - row * best.columns : best.columns;
    const left = (area.width - inRow * width - (inRow - 1) * gap) / 2;
    return {
      x: Math.round(left + (index % best.columns) * (width + gap)),
      y: Math.round(top + row * (height + gap)),
      width,
      height,
    };
  });
}

function tileWidth(columns: number, rows: number, area: { width: number; height: number }, gap: number): number {
  const byWidth = (area.width - (columns - 1) * gap) / columns;
  const byHeight = ((area.height - (rows - 1) * gap) / rows) * ASPECT;
  return Math.min(byWidth, byHeight);
}

/** The first tile large, the others small beside it (or below it in a high area). */
export function arrangeSpotlight(count: number, area: { width: number; height: number }, gap: number): Box[] {
  if (count <= 1) return arrange(count, area, gap);
  const wide = area.width >= area.height;
  // A longer strip needs more room to keep names readable.
  const share = Math.min(0.2 + 0.004 * count, 0.36);
  const stripWidth = wide ? Math.floor(area.width * share) : area.width;
  const stripHeight = wide ? area.height : Math.floor(area.height * share);
  const large: Box = {
    x: 0,
    y: 0,
    width: wide ? area.width - stripWidth - gap : area.width,
    height: wide ? area.height : area.height - stripHeight - gap,
  };
  const strip = arrange(Math.max(count - 1, 2), { width: stripWidth, height: stripHeight }, gap).slice(0, count - 1);
  return [large, ...strip.map((box) => ({
    ...box,
    x: box.x + (wide ? large.width + gap : 0),
    y: box.y + (wide ? 0 : large.height + gap),
  }))];
}
