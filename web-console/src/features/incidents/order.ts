import type { AccountId } from "../../protocol/generated/AccountId";
import type { Incident } from "../../protocol/generated/Incident";
import type { IncidentId } from "../../protocol/generated/IncidentId";
import type { IncidentLevel } from "../../protocol/generated/IncidentLevel";
import { isOpen, isTask } from "./rules";

type Incidents = ReadonlyMap<IncidentId, Incident>;

export const LEVELS: readonly IncidentLevel[] = ["I", "II", "III", "IV"];

export const FILTERS = ["open", "reported", "working", "settled", "all"] as const;
export type Filter = (typeof FILTERS)[number];

/** Nobody knows yet how grave it is: after what is known to be grave, before what is known not to be. */
const UNKNOWN_GRAVITY = 1.5;

function gravity(level: IncidentLevel | null): number {
  return level === null ? UNKNOWN_GRAVITY : LEVELS.indexOf(level);
}

/** Open ones first, the gravest first, who waits longest first; then those that are over, the last ended first. */
export function compare(a: Incident, b: Incident): number {
  const [aOpen, bOpen] = [isOpen(a.state), isOpen(b.state)];
  if (aOpen !== bOpen) return aOpen ? -1 : 1;
  if (!aOpen) return b.changedAtMs - a.changedAtMs || b.id - a.id;
  return gravity(a.level) - gravity(b.level) || a.reportedAtMs - b.reportedAtMs || a.id - b.id;
}

export function passes(incident: Incident, filter: Filter): boolean {
  switch (filter) {
    case "all":
      return true;
    case "open":
      return isOpen(incident.state);
    case "reported":
      return incident.state === "reported";
    case "working":
      return isOpen(incident.state) && incident.state !== "reported";
    case "settled":
      return !isOpen(incident.state);
    default:
      return filter satisfies never;
  }
}

export function listed(incidents: Incidents, filter: Filter): Incident[] {
  return [...incidents.values()].filter((incident) => passes(incident, filter)).sort(compare);
}

export function counts(incidents: Incidents): Record<Filter, number> {
  const count = { open: 0, reported: 0, working: 0, settled: 0, all: 0 };
  for (const incident of incidents.values()) {
    for (const filter of FILTERS) if (passes(incident, filter)) count[filter] += 1;
  }
  return count;
}

/** What this client was sent to and has not done yet. */
export function tasksOf(incidents: Incidents): Incident[] {
  return [...incidents.values()].filter(isTask).sort(compare);
}

/** What this account has told of, the last first. */
export function reportsOf(incidents: Incidents, account: AccountId): Incident[] {
  return [...incidents.values()].filter((one) => one.reporter === account).sort((a, b) => b.reportedAtMs - a.reportedAtMs || b.id - a.id);
}

/** What somebody here has to do about an incident before anything else happens. */
export type Call = { incident: Incident; why: "report" | "task" };

/** Reports that wait for us to verify them, and work that we were sent to and have not acknowledged. */
export function waiting(incidents: Incidents): Call[] {
  const calls: Call[] = [];
  for (const incident of [...incidents.values()].sort(compare)) {
    if (isOpen(incident.state) && incident.ownResponse === "assigned") calls.push({ incident, why: "task" });
    else if (incident.state === "reported" && incident.handles) calls.push({ incident, why: "report" });
  }
  return calls;
}

export function callKey(call: Call): string {
  return `${call.why}-${call.incident.id}`;
}
