import type { Roll } from "../../protocol/generated/Roll";
import type { RollEntry } from "../../protocol/generated/RollEntry";
import type { RollState } from "../../protocol/generated/RollState";

/** How many of each; late ones are there, too. */
export function countsOf(roll: Roll): { total: number; there: number; late: number; absent: number } {
  const count = (...states: RollState[]) => roll.entries.filter((entry) => states.includes(entry.state)).length;
  return { total: roll.entries.length, there: count("present", "late"), late: count("late"), absent: count("absent") };
}

/** As it is read: of whom nothing was known when the roll was stopped, nothing is known for good. */
export function stateIn({ endedAtMs }: Pick<Roll, "endedAtMs">, { state }: Pick<RollEntry, "state">): RollState | "open" {
  return endedAtMs !== null && (state === "waiting" || state === "called") ? "open" : state;
}

type Words = {
  state: (state: RollState | "open") => string;
  received: (received: boolean) => string;
};

/** The sheet as a table: who, which, how, how late in seconds, sound, picture. */
export function rowsOf(roll: Roll, head: readonly string[], words: Words): string[][] {
  const rows = roll.entries.map((entry) => [
    entry.name,
    entry.code,
    words.state(stateIn(roll, entry)),
    entry.lateMs === null ? "" : String(Math.ceil(entry.lateMs / 1_000)),
    words.received(entry.sound),
    words.received(entry.picture),
  ]);
  return [[...head], ...rows];
}
