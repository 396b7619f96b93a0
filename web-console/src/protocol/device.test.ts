import { describe, expect, test } from "vitest";

import { chooseDevice } from "./device";
import type { Quality } from "./generated/Quality";
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

  test("bars fall with loss in either direction and with delay", () => {
    expect(bars(undefined)).toBe(0);
    expect(bars(quality({}))).toBe(4);
    expect(bars(quality({ rttMs: null }))).toBe(4);
    expect(bars(quality({ downlinkLoss: 0.03 }))).toBe(3);
    expect(bars(quality({ rttMs: 500 }))).toBe(2);
    expect(bars(quality({ uplinkLoss: 0.3 }))).toBe(1);
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
