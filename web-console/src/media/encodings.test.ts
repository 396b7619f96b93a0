import { describe, expect, test } from "vitest";

import { cameraEncodings, layersFor, planLayers } from "./encodings";

const HD = { width: 1280, height: 720 };

describe("the encodings of a camera", () => {
  test("are a quarter, half and full size at 720 lines, the smallest first", () => {
    const encodings = cameraEncodings(HD, "full", true);
    expect(encodings.map(({ rid }) => rid)).toEqual(["q", "h", "f"]);
    expect(encodings.map((one) => one.scaleResolutionDownBy)).toEqual([4, 2, 1]);
    expect(encodings.map((one) => one.maxBitrate)).toEqual([120_000, 430_000, 1_500_000]);
    expect(encodings.map((one) => one.scalabilityMode)).toEqual(["L1T2", "L1T3", "L1T3"]);
    expect(encodings.map((one) => one.maxFramerate)).toEqual([15, 30, 30]);
  });

  test("are fewer for a small picture, and unnamed when alone", () => {
    expect(cameraEncodings({ width: 640, height: 360 }, "full", true).map(({ rid }) => rid)).toEqual(["h", "f"]);
    const alone = cameraEncodings({ width: 320, height: 180 }, "full", false);
    expect(alone).toEqual([{ active: true, scaleResolutionDownBy: 1, maxBitrate: 120_000, maxFramerate: 30 }]);
  });

  test("say nothing of scalability to browsers that refuse it", () => {
    expect(cameraEncodings(HD, "full", false).some((one) => "scalabilityMode" in one)).toBe(false);
  });
});

describe("the layers of what the camera really gives", () => {
  test("go by the shorter side, as a phone is held upright", () => {
    expect([HD, { width: 720, height: 1280 }, { width: 640, height: 480 }, { width: 176, height: 144 }].map(layersFor)).toEqual([
      3, 3, 2, 1,
    ]);
  });

  test("use the lower encodings and leave the upper ones off", () => {
    const plans = planLayers(3, { width: 640, height: 480 }, "full");
    expect(plans.map((one) => one.active)).toEqual([true, true, false]);
    expect(plans.map((one) => one.scaleResolutionDownBy)).toEqual([2, 1, 1]);
  });

  test("one encoding that the answer left carries the whole picture at its full rate", () => {
    expect(planLayers(1, HD, "full")).toEqual([
      { active: true, scaleResolutionDownBy: 1, maxBitrate: 1_500_000, maxFramerate: 30 },
    ]);
  });

  test("are modest on mobile data", () => {
    const full = planLayers(2, { width: 640, height: 360 }, "full");
    const modest = planLayers(2, { width: 640, height: 360 }, "modest");
    for (const [index, plan] of modest.entries()) {
      expect(plan.maxBitrate).toBeLessThan(0.7 * (full[index]?.maxBitrate ?? 0));
      expect(plan.maxFramerate).toBe(15);
    }
  });

  test("never ask an encoder for next to nothing", () => {
    expect(planLayers(1, { width: 64, height: 48 }, "modest")[0]?.maxBitrate).toBe(60_000);
  });
});
