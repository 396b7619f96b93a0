import { expect, test } from "vitest";

import type { PlanWhom } from "../../protocol/generated/PlanWhom";
import { keyOf, whomOf } from "./whom";

const EVERY: PlanWhom[] = [
  { type: "site", code: "511922101" },
  { type: "person", account: "field:1" },
  { type: "tier", tier: "township" },
  { type: "subtree", root: "511922" },
  { type: "role", role: "field" },
  { type: "dutySeat", site: null },
  { type: "dutySeat", site: "511922" },
  { type: "incidentSite" },
  { type: "incidentSubtree" },
  { type: "incidentSuperiors" },
];

test.each(EVERY)("$type comes back from its key", (whom) => {
  expect(whomOf(keyOf(whom))).toEqual(whom);
});

test.each(["", "tier:moon", "role:supervisor", "nobody"])("%j is nobody", (key) => {
  expect(whomOf(key)).toBeNull();
});
