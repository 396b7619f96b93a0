import type { AccountId } from "../../protocol/generated/AccountId";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import type { DirectorySite } from "../../protocol/generated/DirectorySite";
import type { Participant } from "../../protocol/generated/Participant";
import type { ParticipantId } from "../../protocol/generated/ParticipantId";
import type { SiteCode } from "../../protocol/generated/SiteCode";
import type { Target } from "../../protocol/generated/Target";
import { isPresent } from "../../protocol/replica";

const MOST_TILES = 49;

export type Lineup = {
  /** Tiles on this page, in order of importance. */
  shown: Participant[];
  page: number;
  pages: number;
};

/** Everybody else in the call: pinned first, then as in the tree, so that everyone keeps a place. */
export function othersIn(
  participants: ReadonlyMap<ParticipantId, Participant>,
  conference: ConferenceId,
  own: ParticipantId | null,
): Participant[] {
  return [...participants.values()]
    .filter((one) => one.conference === conference && isPresent(one) && one.role !== "observer" && one.id !== own)
    .sort((a, b) => (a.site === b.site ? a.id - b.id : a.site < b.site ? -1 : 1));
}

/** Of the conference's wished layout, those that are there, in its order; then the others as they are. */
export function laidOut(others: readonly Participant[], shown: readonly Target[]): Participant[] {
  const first: Participant[] = [];
  for (const target of shown) {
    const found = others.find(
      (one) =>
        !first.includes(one) &&
        ((target.type === "site" && target.code === one.site) || (target.type === "person" && target.account === one.account)),
    );
    if (found !== undefined) first.push(found);
  }
  return [...first, ...others.filter((one) => !first.includes(one))];
}

/** Which of them are on the wall, with so many slots. */
export function lineUp(
  others: readonly Participant[],
  pinned: ReadonlySet<ParticipantId>,
  slots: number,
  wantedPage: number,
  /** Large by order: the last to lose its place. */
  ordered: ParticipantId | null = null,
): Lineup {
  const capacity = Math.max(1, Math.min(slots, MOST_TILES));
  const first = others
    .filter((one) => pinned.has(one.id))
    .sort((a, b) => Number(b.id === ordered) - Number(a.id === ordered))
    .slice(0, capacity);
  const rest = others.filter((one) => !first.includes(one));
  // The pinned stay on every page; at least one place turns.
  const perPage = Math.max(1, capacity - first.length);
  const pages = Math.max(1, Math.ceil(rest.length / perPage));
  const page = Math.min(Math.max(0, wantedPage), pages - 1);
  const shown = [...first, ...rest.slice(page * perPage, (page + 1) * perPage)].slice(0, capacity);
  return { shown, page, pages };
}

/** May the own party mute or remove this one? The server has the last word. */
export function mayDirect(
  own: Participant | undefined,
  other: Participant,
  sites: ReadonlyMap<SiteCode, DirectorySite>,
  people: ReadonlyMap<AccountId, unknown>,
): boolean {
  if (own?.role === "chair" || (own?.role === "coChair" && other.role !== "chair") || sites.get(other.site)?.commanded === true) return true;
  // Field units of the own site stand below it.
  return own !== undefined && own.site === other.site && people.has(other.account) && !people.has(own.account);
}
