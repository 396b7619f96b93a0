import { describe, expect, test } from "vitest";

import { commonEnding } from "./siteName";
import { clockOf, secondsLeft } from "./time";

describe("durations", () => {
  test("minutes and seconds, hours where there are any", () => {
    expect([0, 999, 75_000, 3_599_000, 3_725_000, -5].map(clockOf)).toEqual(["0:00", "0:00", "1:15", "59:59", "1:02:05", "0:00"]);
  });

  test("seconds left end at zero, not before", () => {
    expect(secondsLeft(10_000, 9_001)).toBe(1);
    expect(secondsLeft(10_000, 10_000)).toBe(0);
    expect(secondsLeft(10_000, 99_000)).toBe(0);
  });
});

describe("the common ending of names", () => {
  test("is what all have, and leaves something of each", () => {
    expect(commonEnding(["沙河镇综治中心", "南江县综治中心"])).toBe("综治中心");
    expect(commonEnding(["综治中心", "南江县综治中心"])).toBe("治中心");
    expect(commonEnding(["沙河镇", "长赤镇"])).toBe("");
    expect(commonEnding(["沙河镇综治中心"])).toBe("");
    expect(commonEnding([])).toBe("");
  });
});
