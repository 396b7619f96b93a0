import { describe, expect, test } from "vitest";

import type { Invitation } from "../../protocol/generated/Invitation";
import type { InvitationState } from "../../protocol/generated/InvitationState";
import type { Pursuit } from "../../protocol/generated/Pursuit";
import type { Participant } from "../../protocol/generated/Participant";
import { absentees, boardOf, pursuitOf } from "./board";

function invitation(id: number, code: string, state: InvitationState, change: Partial<Invitation> = {}): Invitation {
  return {
    id,
    conference: 1,
    target: { type: "site", code },
    name: code,
    state,
    attempt: 1,
    ordered: true,
    rungAtMs: 0,
    deadlineMs: 30_000,
    settledAtMs: null,
    participant: null,
    ...change,
  };
}

function look(invitations: Invitation[], participants: Participant[] = []) {
  return boardOf(
    {
      invitations: new Map(invitations.map((one) => [one.id, one])),
      participants: new Map(participants.map((one) => [one.id, one])),
    },
    1,
  );
}

const GONE: Participant = {
  id: 9,
  conference: 1,
  account: "a",
  site: "a",
  name: "a",
  role: "speaker",
  state: "left",
  muted: false,
  sound: true,
  picture: true,
  handSinceMs: null,
  microphone: false,
  camera: false,
  microphoneOrder: null,
  cameraOrder: null,
};

describe("the board", () => {
  test("groups every state", () => {
    const states: InvitationState[] = [
      "queued",
      "ringing",
      "accepted",
      "joined",
      "declined",
      "busy",
      "noAnswer",
      "unreachable",
      "cancelled",
    ];
    const board = look(states.map((state, index) => invitation(index + 1, String(index), state)));
    const shown = (group: "absent" | "pending" | "joined") => board[group].map((entry) => entry.invitation.state);
    expect(shown("pending")).toEqual(["queued", "ringing", "accepted"]);
    expect(shown("joined")).toEqual(["joined"]);
    expect(shown("absent")).toEqual(["declined", "busy", "noAnswer", "unreachable", "cancelled"]);
    expect(absentees(board)).toBe(4);
  });

  test("shows a target once, with its latest ring", () => {
    const board = look([invitation(4, "a", "ringing", { attempt: 2 }), invitation(3, "a", "noAnswer")]);
    expect(board.absent).toEqual([]);
    expect(board.pending.map((entry) => entry.invitation.id)).toEqual([4]);
  });

  test("whoever joined and left is absent", () => {
    const board = look([invitation(1, "a", "joined", { participant: 9 })], [GONE]);
    expect(board.absent).toMatchObject([{ left: true }]);
    expect(absentees(board)).toBe(1);
  });

  test("other conferences have boards of their own", () => {
    expect(look([invitation(1, "a", "ringing", { conference: 2 })]).pending).toEqual([]);
  });
});

test("of several pursuits of a callee the newest counts, of its own call only", () => {
  const pursuit = (id: number, conference: number, code: string): Pursuit => ({
    id,
    conference,
    target: { type: "site", code },
    name: code,
    state: "calling",
    openedAtMs: 0,
    toldName: null,
    reachedName: null,
    attempts: [],
  });
  const all = [pursuit(3, 1, "a"), pursuit(1, 1, "a"), pursuit(4, 2, "a"), pursuit(5, 1, "b")];
  const map = new Map(all.map((one) => [one.id, one]));
  expect(pursuitOf(map, invitation(1, "a", "noAnswer"))?.id).toBe(3);
  expect(pursuitOf(map, invitation(1, "c", "noAnswer"))).toBeUndefined();
});
