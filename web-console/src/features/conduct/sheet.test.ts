import { expect, test } from "vitest";

import type { Roll } from "../../protocol/generated/Roll";
import { csvOf } from "./csv";
import { countsOf, rowsOf, stateIn } from "./sheet";

const ROLL: Roll = {
  order: "parallel",
  startedAtMs: 0,
  endedAtMs: 20_000,
  entries: [
    { name: "沙河镇", code: "511922101", state: "present", lateMs: null, sound: true, picture: true },
    { name: "集州街道", code: "511922001", state: "late", lateMs: 7_200, sound: true, picture: false },
    { name: "洛坪", code: "511922101002", state: "absent", lateMs: null, sound: false, picture: false },
  ],
};

test("late ones are there, too", () => {
  expect(countsOf(ROLL)).toEqual({ total: 3, there: 2, late: 1, absent: 1 });
});

test("the sheet is a table with how late in seconds and what was received", () => {
  const words = { state: (state: string) => state, received: (received: boolean) => (received ? "有" : "无") };
  const rows = rowsOf(ROLL, ["单位", "代码", "状态", "迟到秒数", "声音", "画面"], words);
  expect(rows).toHaveLength(4);
  expect(rows[2]).toEqual(["集州街道", "511922001", "late", "8", "有", "无"]);
});

test("nobody is being called any more when the roll was stopped", () => {
  expect(stateIn({ endedAtMs: null }, { state: "called" })).toBe("called");
  expect(stateIn({ endedAtMs: 9_000 }, { state: "called" })).toBe("open");
  expect(stateIn({ endedAtMs: 9_000 }, { state: "waiting" })).toBe("open");
  expect(stateIn({ endedAtMs: 9_000 }, { state: "absent" })).toBe("absent");
});

test("cells are quoted, and none is a formula", () => {
  expect(csvOf([["甲,乙", '说"好"', "=1+1", "平常"]])).toBe('\uFEFF"甲,乙","说""好""",\'=1+1,平常\r\n');
});
