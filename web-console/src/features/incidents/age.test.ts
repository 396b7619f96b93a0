import { describe, expect, test } from "vitest";

import { ageWords } from "./age";

const said = (ageMs: number) => ageWords(((key: string, values: object = {}) => [key, values]) as never, 1_000, 1_000 + ageMs) as unknown;

describe("ages", () => {
  test("in the unit that fits a glance", () => {
    expect(said(59_999)).toEqual(["incident.ago.seconds", {}]);
    expect(said(60_000)).toEqual(["incident.ago.minutes", { count: 1 }]);
    expect(said(3_599_999)).toEqual(["incident.ago.minutes", { count: 59 }]);
    expect(said(5_460_000)).toEqual(["incident.ago.hours", { hours: 1, minutes: 31 }]);
    expect(said(86_400_000)).toEqual(["incident.ago.days", { count: 1 }]);
    // The server's clock may be told a moment late.
    expect(said(-5_000)).toEqual(["incident.ago.seconds", {}]);
  });
});
