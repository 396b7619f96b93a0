/** Width by height of most pictures. */
const ASPECT = 16 / 9;
/** A tile may be so much narrower or wider: the picture then loses a little at its edges, never a head. */
const NARROWEST = 1.66;
const WIDEST = 1.9;

export type Area = { width: number; height: number };
export type Box = { x: number; y: number; width: number; height: number };

/**
 * Boxes for `count` tiles in an area, as large as can be without scrolling,
 * line by line, a short last line centred. All lengths in CSS pixels.
 */
export function arrange(count: number, area: Area, gap: number): Box[] {
  if (count <= 0 || area.width <= 0 || area.height <= 0) return [];
  // Alone it has the whole area, whatever its shape.
  if (count === 1) return [{ x: 0, y: 0, width: area.width, height: area.height }];
  let best = { columns: 1, tile: { width: 0, height: 0 } };
  for (let columns = 1; columns <= count; columns += 1) {
    const tile = tileIn(columns, Math.ceil(count / columns), area, gap);
    if (pictureArea(tile) > pictureArea(best.tile)) best = { columns, tile };
  }
  const width = Math.floor(best.tile.width);
  const height = Math.floor(best.tile.height);
  const rows = Math.ceil(count / best.columns);
  const top = (area.height - rows * height - (rows - 1) * gap) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / best.columns);
    const inRow = row === rows - 1 ? count - row * best.columns : best.columns;
    const left = (area.width - inRow * width - (inRow - 1) * gap) / 2;
    return {
      x: Math.floor(left + (index % best.columns) * (width + gap)),
      y: Math.floor(top + row * (height + gap)),
      width,
      height,
    };
  });
}

function tileIn(columns: number, rows: number, area: Area, gap: number): Area {
  const width = Math.max(0, (area.width - (columns - 1) * gap) / columns);
  const height = Math.max(0, (area.height - (rows - 1) * gap) / rows);
  return { width: Math.min(width, height * WIDEST), height: Math.min(height, width / NARROWEST) };
}

/** How much of a whole 16:9 picture there is room for. */
function pictureArea({ width, height }: Area): number {
  const fitting = Math.min(width, height * ASPECT);
  return (fitting * fitting) / ASPECT;
}

/** The first tile large, the others small beside or below it, whichever serves both better. */
export function arrangeSpotlight(count: number, area: Area, gap: number): Box[] {
  if (count <= 1 || area.width <= 0 || area.height <= 0) return arrange(count, area, gap);
  let best: { score: number; boxes: Box[] } = { score: -1, boxes: [] };
  for (const wide of [true, false]) {
    for (let share = 0.14; share <= 0.46; share += 0.04) {
      const boxes = split(count, area, gap, wide, share);
      const [large, small] = boxes;
      if (large === undefined || small === undefined) continue;
      // The large one counts twice as much as the readability of the others.
      const score = pictureArea(large) ** 2 * pictureArea(small);
      if (score > best.score) best = { score, boxes };
    }
  }
  return best.boxes;
}

function split(count: number, area: Area, gap: number, wide: boolean, share: number): Box[] {
  const along = wide ? area.width : area.height;
  const strip = Math.floor(along * share);
  const rest = along - strip - gap;
  const large: Box = { x: 0, y: 0, width: wide ? rest : area.width, height: wide ? area.height : rest };
  const stripArea = { width: wide ? strip : area.width, height: wide ? area.height : strip };
  // One alone would fill the strip; as one of two it keeps the shape of a picture.
  const small = arrange(Math.max(count - 1, 2), stripArea, gap).slice(0, count - 1);
  const shift = rest + gap;
  return [large, ...small.map((box) => (wide ? { ...box, x: box.x + shift } : { ...box, y: box.y + shift }))];
}
