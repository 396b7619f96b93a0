import { describe, expect, test } from "vitest";

import type { Incident } from "../../protocol/generated/Incident";
import { callKey, compare, counts, FILTERS, listed, passes, reportsOf, tasksOf, waiting } from "./order";

const MINUTE = 60_000;

function incident(id: number, change: Partial<Incident> = {}): Incident {
  return {
    id,
    state: "dispatched",
    kind: "sudden",
    level: "III",
    title: `事件 ${id}`,
    site: "511922101",
    siteName: "沙河镇综治中心",
    tier: "township",
    place: null,
    address: "",
    reporter: "field1",
    reporterName: "何建国",
    reportedAtMs: id * MINUTE,
    changedAtMs: id * MINUTE,
    commanderName: null,
    duplicateOf: null,
    conferences: [],
    sent: 0,
    onScene: 0,
    handles: false,
    ownResponse: null,
    ...change,
  };
}

const map = (...list: Incident[]) => new Map(list.map((one) => [one.id, one]));
const ids = (list: readonly Incident[]) => list.map((one) => one.id);

describe("the list", () => {
  test("open ones first, the gravest first, who waits longest first", () => {
    const sorted = [
      incident(1, { state: "closed", level: "I" }),
      incident(2, { level: "IV" }),
      incident(3, { level: "I" }),
      incident(4, { level: null, state: "reported" }),
      incident(6, { level: "II" }),
      incident(5, { level: "II" }),
      incident(7),
    ].sort(compare);
    expect(ids(sorted)).toEqual([3, 5, 6, 4, 7, 2, 1]);
  });

  test("of those that are over, the last ended first, however grave", () => {
    const sorted = [
      incident(1, { state: "reviewed", level: "I", changedAtMs: 5 }),
      incident(2, { state: "false", level: null, changedAtMs: 9 }),
      incident(3, { state: "duplicate", level: "IV", changedAtMs: 7 }),
    ].sort(compare);
    expect(ids(sorted)).toEqual([2, 3, 1]);
  });

  test("each incident is either reported, in hand or over, and counted so", () => {
    const all = map(
      incident(1, { state: "reported" }),
      incident(2, { state: "verified" }),
      incident(3, { state: "controlled" }),
      incident(4, { state: "closed" }),
      incident(5, { state: "duplicate" }),
    );
    expect(counts(all)).toEqual({ open: 3, reported: 1, working: 2, settled: 2, all: 5 });
    for (const one of all.values()) {
      const exclusive = (["reported", "working", "settled"] as const).filter((filter) => passes(one, filter));
      expect(exclusive, one.state).toHaveLength(1);
    }
    for (const filter of FILTERS) expect(listed(all, filter)).toHaveLength(counts(all)[filter]);
  });
});

describe("what concerns this client", () => {
  test("tasks are those it was sent to and has not done", () => {
    const all = map(
      incident(1, { ownResponse: "enRoute" }),
      incident(2, { ownResponse: "done" }),
      incident(3),
      incident(4, { ownResponse: "assigned", level: "I" }),
    );
    expect(ids(tasksOf(all))).toEqual([4, 1]);
  });

  test("own reports are by account, not by name, the last first", () => {
    const all = map(incident(1), incident(2, { reporter: "field2" }), incident(3), incident(4, { reporter: null }));
    expect(ids(reportsOf(all, "field1"))).toEqual([3, 1]);
  });

  test("a report waits for who handles it, work for who was sent; each is told once", () => {
    const all = map(
      incident(1, { state: "reported", handles: true }),
      incident(2, { state: "reported" }),
      incident(3, { ownResponse: "assigned" }),
      incident(4, { ownResponse: "acknowledged" }),
      incident(5, { state: "closed", ownResponse: "assigned" }),
      incident(6, { state: "verified", handles: true }),
    );
    expect(waiting(all).map(callKey).sort()).toEqual(["report-1", "task-3"]);
  });
});
