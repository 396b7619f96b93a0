import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { MediaWish } from "../../protocol/generated/MediaWish";
import { SpeakerHold, tilesOf, type WallLook, WishPace } from "./wish";

const box = (width: number, height: number) => ({ x: 0, y: 0, width, height });

function look(change: Partial<WallLook> = {}): WallLook {
  return {
    shown: [1, 2, 3, 4],
    boxes: new Map([1, 2, 3, 4].map((id) => [id, box(320, 180)])),
    pinned: new Set(),
    spotlight: null,
    speaker: null,
    pixelRatio: 1,
    hidden: false,
    ...change,
  };
}

describe("what the wall asks for", () => {
  test("the enlarged, the pinned and the speaker come first and are prominent", () => {
    const tiles = tilesOf(look({ spotlight: 4, pinned: new Set([3]), speaker: 2 }));
    expect(tiles.map(({ participant, prominent }) => [participant, prominent])).toEqual([
      [4, true],
      [3, true],
      [2, true],
      [1, false],
    ]);
  });

  test("heights are those of the pictures, in device pixels and in steps", () => {
    const boxes = new Map([
      [1, box(320, 180)],
      [2, box(390, 660)],
      [3, box(321, 181)],
    ]);
    const tiles = tilesOf(look({ boxes, pixelRatio: 2 }));
    expect(tiles.map(({ height }) => height)).toEqual([360, 440, 368, 0]);
  });

  test("nothing shall come to a page that nobody sees, but every slot is kept", () => {
    const tiles = tilesOf(look({ hidden: true }));
    expect(tiles.map(({ height }) => height)).toEqual([0, 0, 0, 0]);
    expect(tiles).toHaveLength(4);
  });
});

describe("who has the word", () => {
  test("keeps it in pauses and against interjections", () => {
    const hold = new SpeakerHold();
    expect(hold.follow(null, 0)).toBeNull();
    expect(hold.follow(7, 0)).toBe(7);
    expect(hold.follow(8, 1_000)).toBe(7);
    expect(hold.follow(null, 3_000)).toBe(7);
    expect(hold.follow(8, 3_100)).toBe(8);
  });
});

describe("the pace of wishes", () => {
  const said: MediaWish[] = [];
  const wish = (height: number): MediaWish => ({ tiles: [{ participant: 1, height }] });
  let pace: WishPace;
  beforeEach(() => {
    vi.useFakeTimers();
    said.length = 0;
    pace = new WishPace((one) => said.push(one));
  });
  afterEach(() => vi.useRealTimers());

  test("the first is said at once, of a burst only the last", () => {
    for (let height = 1; height <= 50; height += 1) pace.want(wish(height));
    expect(said).toEqual([wish(1)]);
    vi.advanceTimersByTime(100);
    expect(said).toEqual([wish(1), wish(50)]);
    vi.advanceTimersByTime(1_000);
    expect(said).toHaveLength(2);
  });

  test("steady change is said ten times a second", () => {
    for (let moment = 0; moment < 100; moment += 1) {
      pace.want(wish(moment));
      vi.advanceTimersByTime(10);
    }
    expect(said.length).toBeGreaterThanOrEqual(10);
    expect(said.length).toBeLessThanOrEqual(11);
  });

  test("the same is not said again, unless the server has forgotten it", () => {
    pace.want(wish(1));
    vi.advanceTimersByTime(500);
    pace.want(wish(1));
    expect(said).toHaveLength(1);
    pace.forget();
    pace.want(wish(1));
    expect(said).toHaveLength(2);
  });

  test("nothing is said after the end", () => {
    pace.want(wish(1));
    pace.want(wish(2));
    pace.stop();
    vi.advanceTimersByTime(1_000);
    expect(said).toEqual([wish(1)]);
  });
});
