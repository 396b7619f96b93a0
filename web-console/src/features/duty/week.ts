import type { Shift } from "../../protocol/generated/Shift";

/** Midnight (here) of the Monday of the week in which the moment is. */
export function weekOf(ms: number): number {
  const day = new Date(ms);
  day.setHours(0, 0, 0, 0);
  day.setDate(day.getDate() - ((day.getDay() + 6) % 7));
  return day.getTime();
}

/** The midnights of the seven days, and that after them; summer time makes some longer. */
export function daysOf(week: number): number[] {
  return Array.from({ length: 8 }, (_, index) => {
    const day = new Date(week);
    day.setDate(day.getDate() + index);
    return day.getTime();
  });
}

/** Whoever has the seat at some time of the day, by beginning; a shift over midnight stands in both days. */
export function shiftsOn(shifts: readonly Shift[], site: string, from: number, to: number): Shift[] {
  return shifts
    .filter((shift) => shift.site === site && shift.fromMs < to && shift.toMs > from)
    .sort((a, b) => a.fromMs - b.fromMs || a.id - b.id);
}

/** `08:00–20:00`. */
export function hoursOf({ fromMs, toMs }: Pick<Shift, "fromMs" | "toMs">): string {
  const clock = (ms: number) => {
    const at = new Date(ms);
    return `${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
  };
  return `${clock(fromMs)}–${clock(toMs)}`;
}

/** The beginning and end of a shift of these hours (`HH:MM`) on that day; past midnight where the end is not later. */
export function shiftOn(day: number, from: string, to: string): { fromMs: number; toMs: number } | null {
  const begin = minutesOf(from);
  const end = minutesOf(to);
  if (begin === null || end === null) return null;
  const at = (minutes: number) => {
    const date = new Date(day);
    date.setMinutes(minutes);
    return date.getTime();
  };
  return { fromMs: at(begin), toMs: at(end > begin ? end : end + 24 * 60) };
}

function minutesOf(clock: string): number | null {
  const found = /^(\d{1,2}):(\d{2})$/.exec(clock);
  if (found === null) return null;
  const minutes = Number(found[1]) * 60 + Number(found[2]);
  return Number(found[2]) < 60 && minutes <= 24 * 60 ? minutes : null;
}
