import { expect, test } from "vitest";

import type { Participant } from "../../protocol/generated/Participant";
import type { ParticipantRole } from "../../protocol/generated/ParticipantRole";
import { handsOf, observersOf, rosterOf } from "./roster";

function one(id: number, site: string, role: ParticipantRole, change: Partial<Participant> = {}): [number, Participant] {
  return [
    id,
    {
      id,
      conference: 7,
      account: site,
      site,
      name: site,
      role,
      state: "in",
      muted: false,
      sound: true,
      picture: true,
      handSinceMs: null,
      microphone: true,
      camera: true,
      microphoneOrder: null,
      cameraOrder: null,
      ...change,
    },
  ];
}

const PARTICIPANTS = new Map([
  one(1, "51", "speaker", { handSinceMs: 900 }),
  one(2, "52", "chair"),
  one(3, "50", "listener", { handSinceMs: 300 }),
  one(4, "53", "coChair", { state: "held" }),
  one(5, "49", "observer"),
  one(6, "48", "speaker", { state: "left" }),
  one(7, "47", "speaker", { conference: 8 }),
]);

test("those who lead come first, and whose place is kept is there", () => {
  expect(rosterOf(PARTICIPANTS, 7).map((one) => one.id)).toEqual([2, 4, 1, 3, 5]);
});

test("hands are in the order in which they were raised", () => {
  expect(handsOf(rosterOf(PARTICIPANTS, 7)).map((one) => one.id)).toEqual([3, 1]);
});

test("observers are told apart", () => {
  expect(observersOf(PARTICIPANTS, 7).map((one) => one.id)).toEqual([5]);
});
