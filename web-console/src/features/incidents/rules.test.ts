import { describe, expect, test } from "vitest";

import type { IncidentState } from "../../protocol/generated/IncidentState";
import type { Role } from "../../protocol/generated/Role";
import { allows, isOpen, isTask, nextOrder, ORDERS, responsesAfter, RESPONSES, tiersAbove } from "./rules";

/** Columns: verify, duplicate, false, assign, control, close, review, level, escalate; '.' cannot be pressed. */
const TABLE: [IncidentState, string][] = [
  ["reported", "V 2 F . . . . L E"],
  ["verified", ". . . A . . . L E"],
  ["dispatched", ". . . A C . . L E"],
  ["controlled", ". . . . . X . L E"],
  ["closed", ". . . . . . R . ."],
  ["reviewed", ". . . . . . . . ."],
  ["duplicate", ". . . . . . . . ."],
  ["false", ". . . . . . . . ."],
];

describe("what can be ordered", () => {
  test("every order in every state", () => {
    for (const [state, row] of TABLE) {
      const incident = { state, handles: true, tier: "township" as const };
      const cells = row.split(" ");
      for (const [at, order] of ORDERS.entries()) {
        expect(allows(incident, order, "township"), `${order} while ${state}`).toBe(cells[at] !== ".");
      }
      // What brings it on is what it takes, and nothing where it takes nothing.
      const next = nextOrder(incident);
      expect(next !== null && allows(incident, next, "township"), state).toBe(/[^. ]/.test(row));
      // What is open can be levelled anew, what is not cannot.
      expect(isOpen(state)).toBe(cells[7] === "L");
    }
  });

  test("only who handles it orders, and nobody who merely looks on", () => {
    const incident = { state: "reported" as const, tier: "township" as const };
    expect(allows({ ...incident, handles: false }, "verify", "commander")).toBe(false);
    const lookers: Role[] = ["administrator", "supervisor"];
    for (const role of lookers) expect(allows({ ...incident, handles: true }, "verify", role)).toBe(false);
    expect(allows({ ...incident, handles: true }, "verify", "dispatcher")).toBe(true);
  });

  test("the county has nobody above it to take over", () => {
    expect(tiersAbove("community")).toEqual(["township", "county"]);
    expect(tiersAbove("township")).toEqual(["county"]);
    expect(tiersAbove("county")).toEqual([]);
    expect(allows({ state: "dispatched", handles: true, tier: "county" }, "escalate", "commander")).toBe(false);
  });
});

describe("responders", () => {
  test("only go forwards, and may leave steps out", () => {
    for (const [at, state] of RESPONSES.entries()) expect(responsesAfter(state)).toEqual(RESPONSES.slice(at + 1));
  });

  test("have a task until they are done or it is over", () => {
    expect(isTask({ state: "dispatched", ownResponse: "assigned" })).toBe(true);
    expect(isTask({ state: "controlled", ownResponse: "onScene" })).toBe(true);
    expect(isTask({ state: "dispatched", ownResponse: "done" })).toBe(false);
    expect(isTask({ state: "closed", ownResponse: "onScene" })).toBe(false);
    expect(isTask({ state: "dispatched", ownResponse: null })).toBe(false);
  });
});
