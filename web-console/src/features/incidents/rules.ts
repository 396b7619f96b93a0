import type { Incident } from "../../protocol/generated/Incident";
import type { IncidentState } from "../../protocol/generated/IncidentState";
import type { IncidentStep } from "../../protocol/generated/IncidentStep";
import type { ResponderState } from "../../protocol/generated/ResponderState";
import type { Role } from "../../protocol/generated/Role";
import type { Tier } from "../../protocol/generated/Tier";

/** What the handling tier orders; answering and noting are for whoever is concerned. */
export type Order = Exclude<IncidentStep["type"], "respond" | "note">;

/** In the order in which they usually come. */
export const ORDERS: readonly Order[] = [
  "verify",
  "markDuplicate",
  "markFalse",
  "assign",
  "control",
  "close",
  "review",
  "setLevel",
  "escalate",
];

/** What each state takes, as in the server's table (`IncidentState::after`); the server decides. */
const TAKES: Record<IncidentState, readonly Order[]> = {
  reported: ["verify", "markDuplicate", "markFalse", "setLevel", "escalate"],
  verified: ["assign", "setLevel", "escalate"],
  dispatched: ["assign", "control", "setLevel", "escalate"],
  controlled: ["close", "setLevel", "escalate"],
  closed: ["review"],
  reviewed: [],
  duplicate: [],
  false: [],
};

/** The order that brings the incident on; null: nothing does. */
const NEXT: Record<IncidentState, Order | null> = {
  reported: "verify",
  verified: "assign",
  dispatched: "control",
  controlled: "close",
  closed: "review",
  reviewed: null,
  duplicate: null,
  false: null,
};

/** The way of an incident that is a real one, for the line of steps. */
export const COURSE = ["reported", "verified", "dispatched", "controlled", "closed", "reviewed"] as const;

const UPWARDS: readonly Tier[] = ["community", "township", "county"];

export const RESPONSES: readonly ResponderState[] = ["assigned", "acknowledged", "enRoute", "onScene", "done"];

type Handled = Pick<Incident, "state" | "handles" | "tier">;

export function allows(incident: Handled, order: Order, role: Role): boolean {
  if (!incident.handles || !commands(role)) return false;
  if (order === "escalate" && tiersAbove(incident.tier).length === 0) return false;
  return TAKES[incident.state].includes(order);
}

export function nextOrder(incident: Pick<Incident, "state">): Order | null {
  return NEXT[incident.state];
}

/** Work on it goes on: it can be called about, and responders tell how far they are. */
export function isOpen(state: IncidentState): boolean {
  switch (state) {
    case "reported":
    case "verified":
    case "dispatched":
    case "controlled":
      return true;
    case "closed":
    case "reviewed":
    case "duplicate":
    case "false":
      return false;
    default:
      return state satisfies never;
  }
}

/** Those that could take it over, nearest first. */
export function tiersAbove(tier: Tier): Tier[] {
  return UPWARDS.slice(UPWARDS.indexOf(tier) + 1);
}

/** What a responder may still say; steps may be left out, but not taken back. */
export function responsesAfter(own: ResponderState): ResponderState[] {
  return RESPONSES.slice(RESPONSES.indexOf(own) + 1);
}

/** Has something of the incident that it waits to be told: was sent, and is not done yet. */
export function isTask(incident: Pick<Incident, "state" | "ownResponse">): boolean {
  return isOpen(incident.state) && incident.ownResponse !== null && incident.ownResponse !== "done";
}

/** Administrators and supervisors look on. */
export function commands(role: Role): boolean {
  return role !== "administrator" && role !== "supervisor";
}
