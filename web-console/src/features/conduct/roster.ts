import type { Conference } from "../../protocol/generated/Conference";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import type { Participant } from "../../protocol/generated/Participant";
import type { ParticipantId } from "../../protocol/generated/ParticipantId";
import type { ParticipantRole } from "../../protocol/generated/ParticipantRole";

const RANK: Record<ParticipantRole, number> = { chair: 0, coChair: 1, speaker: 2, listener: 3, observer: 4 };

/** Everybody who is in or whose place is kept: those who lead first, then as in the tree. */
export function rosterOf(participants: ReadonlyMap<ParticipantId, Participant>, conference: ConferenceId): Participant[] {
  return [...participants.values()]
    .filter((one) => one.conference === conference && one.state !== "left")
    .sort((a, b) => RANK[a.role] - RANK[b.role] || (a.site === b.site ? a.id - b.id : a.site < b.site ? -1 : 1));
}

/** Who asks for the word, first come first. */
export function handsOf(roster: readonly Participant[]): Participant[] {
  return roster
    .filter((one) => one.handSinceMs !== null)
    .sort((a, b) => (a.handSinceMs ?? 0) - (b.handSinceMs ?? 0) || a.id - b.id);
}

/** Who listens in. */
export function observersOf(participants: ReadonlyMap<ParticipantId, Participant>, conference: ConferenceId): Participant[] {
  return rosterOf(participants, conference).filter((one) => one.role === "observer");
}

/** How many wait for the one who conducts: hands and late comers. */
export function waitingOf(conference: Conference | undefined, roster: readonly Participant[]): number {
  return handsOf(roster).length + (conference?.knocks.length ?? 0);
}
