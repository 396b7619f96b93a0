import { describe, expect, test } from "vitest";

import { chooseDevice } from "./device";
import type { Quality } from "./generated/Quality";
import type { SlotQuality } from "./generated/SlotQuality";
import { bars, Vitals } from "./vitals";

describe("which face", () => {
  test("by role, by the width of the screen, or as asked", () => {
    expect(chooseDevice("commander", null, 1920)).toBe("console");
    expect(chooseDevice("township", null, 1366)).toBe("console");
    expect(chooseDevice("community", null, 1366)).toBe("terminal");
    expect(chooseDevice("field", null, 1366)).toBe("phone");
    expect(chooseDevice("commander", null, 390)).toBe("phone");
    expect(chooseDevice("township", "terminal", 390)).toBe("terminal");
    expect(chooseDevice("township", "nonsense", 1366)).toBe("console");
  });
});

describe("vitals", () => {
  const quality = (change: Partial<Quality>): Quality => ({
    participant: 1,
    uplinkLoss: 0,
    downlinkLoss: 0,
    rttMs: 20,
    uplinkKbps: 1_000,
    downlinkKbps: 1_000,
    jitterMs: 2,
    score: 4.3,
    estimateKbps: null,
    ...change,
  });

  test("bars fall with the score, and a score that is none shows none", () => {
    expect(bars(undefined)).toBe(0);
    expect([0, 1, 2.9, 3.2, 3.7, 4.3].map((score) => bars(quality({ score })))).toEqual([0, 1, 1, 2, 3, 4]);
  });

  test("pictures are those of the last word, and none after the call", () => {
    const vitals = new Vitals();
    const picture: SlotQuality = {
      slot: 0,
      participant: 7,
      kbps: 0,
      loss: 0,
      jitterMs: 0,
      height: 180,
      fps: 0,
      freezes: 0,
      paused: true,
      score: 1,
    };
    vitals.apply({ type: "slotQuality", conference: 1, slots: [picture, { ...picture, slot: 1, participant: 8 }] });
    expect(vitals.pictureOf(7)?.paused).toBe(true);
    vitals.apply({ type: "slotQuality", conference: 1, slots: [{ ...picture, paused: false }] });
    expect([vitals.pictureOf(7)?.paused, vitals.pictureOf(8)]).toEqual([false, undefined]);
    vitals.lookAgain();
    expect(vitals.pictureOf(7)).toBeUndefined();
    vitals.apply({ type: "slotQuality", conference: 1, slots: [picture] });
    vitals.clear();
    expect(vitals.pictureOf(7)).toBeUndefined();
  });

  test("the speakers are whom the last word names, and nobody after the call", () => {
    const vitals = new Vitals();
    let told = 0;
    const stop = vitals.subscribe(() => {
      told += 1;
    });
    vitals.apply({ type: "speaking", conference: 1, participants: [3, 4] });
    expect([vitals.isSpeaking(3), vitals.loudestSpeaker()]).toEqual([true, 3]);
    vitals.apply({ type: "speaking", conference: 1, participants: [4] });
    expect(vitals.isSpeaking(3)).toBe(false);
    vitals.clear();
    expect([vitals.isSpeaking(4), vitals.loudestSpeaker(), told]).toEqual([false, null, 3]);
    stop();
    vitals.apply({ type: "quality", conference: 1, quality: [quality({})] });
    expect(told).toBe(3);
  });
});
