import { describe, expect, test } from "vitest";

import { type Area, arrange, arrangeSpotlight, type Box } from "./grid";

const AREAS: Area[] = [
  { width: 1270, height: 920 },
  { width: 790, height: 600 },
  { width: 1904, height: 820 },
  { width: 390, height: 600 },
  { width: 3840, height: 1080 },
];
const GAP = 6;

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** The boxes that lie outside the area or on one another. */
function misplaced(boxes: Box[], area: Area): Box[] {
  return boxes.filter(
    (box, index) =>
      box.x < 0 ||
      box.y < 0 ||
      box.x + box.width > area.width ||
      box.y + box.height > area.height ||
      boxes.some((other, at) => at !== index && overlap(box, other)),
  );
}

describe("the grid", () => {
  test("1 to 49 tiles fit every area, apart and in the shape of a picture", () => {
    for (const area of AREAS) {
      for (let count = 1; count <= 49; count += 1) {
        const boxes = arrange(count, area, GAP);
        expect(boxes).toHaveLength(count);
        expect(misplaced(boxes, area)).toEqual([]);
        const misshapen = boxes.filter(({ width, height }) => width / height < 1.5 || width / height > 2.1);
        expect(count > 1 ? misshapen : []).toEqual([]);
      }
    }
  });

  test("fits a square number into as many columns as lines on a wide screen", () => {
    for (const side of [2, 3, 4, 5, 6, 7]) {
      const boxes = arrange(side * side, { width: 1600, height: 900 }, GAP);
      expect(new Set(boxes.map((box) => box.y)).size).toBe(side);
    }
  });

  test("three on a phone stand one below the other, using the width", () => {
    const boxes = arrange(3, { width: 390, height: 660 }, GAP);
    expect(new Set(boxes.map((box) => box.x)).size).toBe(1);
    expect(boxes[0]?.width).toBeGreaterThan(370);
  });

  test("a short last line is centred", () => {
    const area = { width: 1600, height: 900 };
    const last = arrange(3, area, GAP).at(-1);
    expect(Math.abs((last?.x ?? 0) + (last?.width ?? 0) / 2 - area.width / 2)).toBeLessThan(2);
  });

  test("no tiles and no area give no boxes", () => {
    expect(arrange(0, { width: 100, height: 100 }, GAP)).toEqual([]);
    expect(arrange(3, { width: 0, height: 100 }, GAP)).toEqual([]);
    expect(arrangeSpotlight(3, { width: 0, height: 0 }, GAP)).toEqual([]);
  });
});

describe("the spotlight", () => {
  test("the first is by far the largest, and all fit", () => {
    for (const area of AREAS) {
      for (let count = 2; count <= 49; count += 1) {
        const boxes = arrangeSpotlight(count, area, GAP);
        expect(boxes).toHaveLength(count);
        expect(misplaced(boxes, area)).toEqual([]);
        const [large, ...others] = boxes.map((box) => box.width * box.height);
        expect(large).toBeGreaterThan(1.5 * Math.max(...others));
      }
    }
  });
});
