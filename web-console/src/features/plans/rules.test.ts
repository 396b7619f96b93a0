import { expect, test } from "vitest";

import { missing, NEW_PLAN, NEW_STEP } from "./rules";

test("a new plan lacks only its name", () => {
  expect(missing(NEW_PLAN)).toBe("name");
  expect(missing({ ...NEW_PLAN, name: "防汛" })).toBeNull();
});

test("somebody is rung at once, and no step does nothing", () => {
  const named = { ...NEW_PLAN, name: "防汛" };
  expect(missing({ ...named, steps: [] })).toBe("first");
  expect(missing({ ...named, steps: [{ ...NEW_STEP, afterS: 60, text: "x" }] })).toBe("first");
  const later = { ...NEW_STEP, afterS: 60 };
  expect(missing({ ...named, steps: [...named.steps, later] })).toBe("empty");
  expect(missing({ ...named, steps: [later, ...named.steps].map((step) => ({ ...step, text: "到岗" })) })).toBeNull();
});
