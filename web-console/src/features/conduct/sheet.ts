import type { Roll } from "../../protocol/generated/Roll";
import type { RollState } from "../../protocol/generated/RollState";

/** How many of each; late ones are there, too. */
export function countsOf(roll: Roll): { total: number; there: number; late: number; absent: number } {
  const count = (...states: RollState[]) => roll.entries.filter((entry) => states.includes(entry.state)).length;
  return { total: roll.entries.length, there: count("present", "late"), late: count("late"), absent: count("absent") };
}

type Words = {
  state: (state: RollState) => string;
  received: (received: boolean) => string;
};

/** The sheet as a table: who, which, how, how late in seconds, sound, picture. */
export function rowsOf(roll: Roll, head: readonly string[], words: Words): string[][] {
  const rows = roll.entries.map((entry) => [
    entry.name,
    entry.code,
    words.state(entry.state),
    entry.lateMs === null ? "" : String(Math.ceil(entry.lateMs / 1_000)),
    words.received(entry.sound),
    words.received(entry.picture),
  ]);
  return [[...head], ...rows];
}
