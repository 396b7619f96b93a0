import { create } from "zustand";

import { openIncident, replicaStore, sessionStore } from "../../protocol/client";
import type { AccountId } from "../../protocol/generated/AccountId";
import type { IncidentId } from "../../protocol/generated/IncidentId";
import type { IncidentKind } from "../../protocol/generated/IncidentKind";
import type { IncidentLevel } from "../../protocol/generated/IncidentLevel";
import type { Place } from "../../protocol/generated/Place";
import type { SiteCode } from "../../protocol/generated/SiteCode";
import { callKey, type Filter, waiting } from "./order";

/** Where the device was, and how well it knew. */
export type Fix = { place: Place; accuracyMetres: number };

/** A report as it is being written; a call that comes in between does not lose it. */
export type ReportDraft = {
  kind: IncidentKind | null;
  level: IncidentLevel | null;
  title: string;
  text: string;
  address: string;
  site: SiteCode | null;
  fix: Fix | null;
  /** Photos, voice notes and documents; they follow the report, which does not wait for them. */
  files: readonly File[];
};

const EMPTY: ReportDraft = { kind: null, level: null, title: "", text: "", address: "", site: null, fix: null, files: [] };

type IncidentsView = {
  filter: Filter;
  /** The report form is on the page. */
  reporting: boolean;
  draft: ReportDraft;
  /** Calls (`callKey`) that were looked at or put aside. */
  seen: ReadonlySet<string>;
  /** Phone and terminal: the page of incidents is shown instead of the home screen. */
  page: boolean;
  /** The same over the running call; at a desk, beside its wall instead of those called. */
  overCall: boolean;
};

const START: IncidentsView = { filter: "open", reporting: false, draft: EMPTY, seen: new Set(), page: false, overCall: false };

/** What the user looks at; the incidents themselves and the open dossier are in the replica. */
export const useIncidentsView = create<IncidentsView>(() => START);

const set = useIncidentsView.setState;

/** Calls (`callKey`) that have sounded. */
export const told = new Set<string>();

let account: AccountId | null = null;
// Another account must not find what this one was writing; the same one goes on with it.
sessionStore.subscribe((session) => {
  if (session.state !== "signedIn" || session.me.account === account) return;
  account = session.me.account;
  told.clear();
  set(START, true);
});

export function choose(filter: Filter): void {
  set({ filter });
}

export function showPage(page: boolean): void {
  set({ page });
}

export function showOverCall(overCall: boolean): void {
  set({ overCall });
}

export function startReport(): void {
  set({ reporting: true, page: true, overCall: true });
}

export function closeReport(): void {
  set({ reporting: false });
}

export function write(change: Partial<ReportDraft>): void {
  set(({ draft }) => ({ draft: { ...draft, ...change } }));
}

export function clearDraft(): void {
  set({ draft: EMPTY });
}

export function markSeen(keys: readonly string[]): void {
  set(({ seen }) => (keys.every((key) => seen.has(key)) ? {} : { seen: new Set([...seen, ...keys]) }));
}

/** Shows the dossier, on whatever face. */
export function look(incident: IncidentId | null): Promise<void> {
  if (incident !== null) {
    set({ reporting: false, page: true, overCall: true });
    const calls = waiting(replicaStore.getState().replica?.incidents ?? new Map());
    markSeen(calls.filter((call) => call.incident.id === incident).map(callKey));
  }
  return openIncident(incident);
}
