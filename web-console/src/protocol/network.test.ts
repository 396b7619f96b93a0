import { describe, expect, test } from "vitest";

import { changeOf, uplinkOf } from "./network";

describe("the network", () => {
  test("is modest where it is thin, metered, or to be spared", () => {
    expect(uplinkOf({})).toBe("full");
    expect(uplinkOf({ effectiveType: "4g", type: "wifi" })).toBe("full");
    expect(uplinkOf({ effectiveType: "4g", type: "cellular" })).toBe("modest");
    expect(uplinkOf({ effectiveType: "3g" })).toBe("modest");
    expect(uplinkOf({ effectiveType: "4g", saveData: true })).toBe("modest");
  });

  test("has moved when its kind is another, not when its figures are", () => {
    expect(changeOf({ type: "wifi" }, { type: "cellular" })).toBe("moved");
    expect(changeOf({ type: "wifi" }, { type: "none" })).toBe("gone");
    expect(changeOf({ type: "none" }, { type: "wifi" })).toBe("moved");
    expect(changeOf({ effectiveType: "4g" }, { effectiveType: "4g" })).toBeNull();
    expect(changeOf({ effectiveType: "4g" }, { effectiveType: "2g" })).toBe("rate");
  });
});
