import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import type { Invitation } from "../../protocol/generated/Invitation";
import type { InvitationState } from "../../protocol/generated/InvitationState";
import type { Pursuit } from "../../protocol/generated/Pursuit";
import type { PursuitId } from "../../protocol/generated/PursuitId";
import type { Target } from "../../protocol/generated/Target";
import type { Replica } from "../../protocol/replica";

export type Group = "absent" | "pending" | "joined";

export type Entry = {
  invitation: Invitation;
  group: Group;
  /** Joined and gone again. */
  left: boolean;
};

export type Board = Record<Group, Entry[]>;

/** The invitations of a call, each target once with its latest ring: who did not answer first. */
export function boardOf(replica: Pick<Replica, "invitations" | "participants">, conference: ConferenceId | null): Board {
  const latest = new Map<string, Invitation>();
  for (const invitation of replica.invitations.values()) {
    if (invitation.conference !== conference) continue;
    const key = targetOf(invitation.target);
    const known = latest.get(key);
    if (known === undefined || known.id < invitation.id) latest.set(key, invitation);
  }
  const board: Board = { absent: [], pending: [], joined: [] };
  for (const invitation of latest.values()) {
    const party = invitation.participant === null ? undefined : replica.participants.get(invitation.participant);
    const left = party?.state === "left";
    const group = left ? "absent" : groupOf(invitation.state);
    board[group].push({ invitation, group, left });
  }
  for (const group of [board.absent, board.pending, board.joined]) {
    group.sort((a, b) => targetOf(a.invitation.target).localeCompare(targetOf(b.invitation.target)));
  }
  return board;
}

/** Whom "call all who are absent" rings: not those whose ring was taken back on purpose. */
export function absentees(board: Board): number {
  return board.absent.filter(({ invitation }) => invitation.state !== "cancelled").length;
}

export function groupOf(state: InvitationState): Group {
  switch (state) {
    case "queued":
    case "ringing":
    case "accepted":
      return "pending";
    case "joined":
      return "joined";
    case "declined":
    case "busy":
    case "noAnswer":
    case "unreachable":
    case "cancelled":
      return "absent";
    default:
      return state satisfies never;
  }
}

/** The newest attempt to go after the callee of this ring. */
export function pursuitOf(pursuits: ReadonlyMap<PursuitId, Pursuit>, invitation: Invitation): Pursuit | undefined {
  let found: Pursuit | undefined;
  for (const one of pursuits.values()) {
    const same = one.conference === invitation.conference && targetOf(one.target) === targetOf(invitation.target);
    if (same && (found === undefined || found.id < one.id)) found = one;
  }
  return found;
}

/** The site code or the account. */
export function targetOf(target: Target): string {
  switch (target.type) {
    case "site":
      return target.code;
    case "person":
      return target.account;
    case "tier":
      return target.tier;
    case "subtree":
      return target.root;
    default:
      return target satisfies never;
  }
}
