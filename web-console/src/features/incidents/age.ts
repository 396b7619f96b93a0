import type { TFunction } from "i18next";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago, as short as a glance allows. */
export function ageWords(t: TFunction, sinceMs: number, nowMs: number): string {
  const age = Math.max(0, nowMs - sinceMs);
  if (age < MINUTE) return t("incident.ago.seconds");
  if (age < HOUR) return t("incident.ago.minutes", { count: Math.floor(age / MINUTE) });
  if (age < DAY) {
    return t("incident.ago.hours", { hours: Math.floor(age / HOUR), minutes: Math.floor((age % HOUR) / MINUTE) });
  }
  return t("incident.ago.days", { count: Math.floor(age / DAY) });
}

/** The time of day; with the date unless it is today's. */
export function momentWords(language: string, atMs: number, nowMs: number): string {
  const [at, now] = [new Date(atMs), new Date(nowMs)];
  const time = at.toLocaleTimeString(language, { hour12: false });
  if (at.toDateString() === now.toDateString()) return time;
  return `${at.toLocaleDateString(language, { month: "2-digit", day: "2-digit" })} ${time}`;
}
