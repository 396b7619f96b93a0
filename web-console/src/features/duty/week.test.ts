import { expect, test } from "vitest";

import type { Shift } from "../../protocol/generated/Shift";
import { daysOf, hoursOf, shiftOn, shiftsOn, weekOf } from "./week";

const monday = new Date(2026, 10, 23).getTime();

test("a week begins on Monday, whatever the day", () => {
  for (let day = 23; day < 30; day += 1) expect(weekOf(new Date(2026, 10, day, 13, 30).getTime())).toBe(monday);
  expect(daysOf(monday)).toHaveLength(8);
  expect(new Date(daysOf(monday)[7] ?? 0).getDate()).toBe(30);
});

test("a night shift ends on the next day and stands in both", () => {
  const night = shiftOn(monday, "20:00", "08:00");
  expect(night).not.toBeNull();
  if (night === null) return;
  expect(hoursOf(night)).toBe("20:00–08:00");
  const shift: Shift = {
    id: 1,
    site: "a",
    person: { name: "张三", account: null, phone: null },
    state: "planned",
    handedOverAtMs: null,
    note: "",
    ...night,
  };
  const days = daysOf(monday);
  const on = (day: number) => shiftsOn([shift], "a", days[day] ?? 0, days[day + 1] ?? 0).length;
  expect([on(0), on(1), on(2)]).toEqual([1, 1, 0]);
  expect(shiftsOn([shift], "b", days[0] ?? 0, days[1] ?? 0)).toEqual([]);
});

test.each(["", "8", "25:00", "08:60", "ab:cd"])("%j is no time of the day", (clock) => {
  expect(shiftOn(monday, clock, "08:00")).toBeNull();
});
