import { createInstance } from "i18next";
import { describe, expect, test } from "vitest";

import zhCN from "../i18n/zh-CN.json";
import type { Quality } from "../protocol/generated/Quality";
import type { SlotQuality } from "../protocol/generated/SlotQuality";
import { offsetWords } from "./offset";
import { qualityWords } from "./quality";
import { commonEnding } from "./siteName";
import { clockOf, secondsLeft } from "./time";

describe("durations", () => {
  test("minutes and seconds, hours where there are any", () => {
    expect([0, 999, 75_000, 3_599_000, 3_725_000, -5].map(clockOf)).toEqual(["0:00", "0:00", "1:15", "59:59", "1:02:05", "0:00"]);
  });

  test("seconds left end at zero, not before", () => {
    expect(secondsLeft(10_000, 9_001)).toBe(1);
    expect(secondsLeft(10_000, 10_000)).toBe(0);
    expect(secondsLeft(10_000, 99_000)).toBe(0);
  });
});

describe("the common ending of names", () => {
  test("is what all have, and leaves something of each", () => {
    expect(commonEnding(["沙河镇综治中心", "南江县综治中心"])).toBe("综治中心");
    expect(commonEnding(["综治中心", "南江县综治中心"])).toBe("治中心");
    expect(commonEnding(["沙河镇", "长赤镇"])).toBe("");
    expect(commonEnding(["沙河镇综治中心"])).toBe("");
    expect(commonEnding([])).toBe("");
  });
});

describe("the words of a connection's quality", () => {
  const quality: Quality = {
    participant: 1,
    uplinkLoss: 0.034,
    downlinkLoss: 0,
    rttMs: 41.6,
    uplinkKbps: 512.2,
    downlinkKbps: 1_800,
    jitterMs: 7.5,
    score: 3.7,
    estimateKbps: 2_400,
  };
  const picture: SlotQuality = {
    slot: 3,
    participant: 1,
    kbps: 430,
    loss: 0.01,
    jitterMs: 4,
    height: 360,
    fps: 24,
    freezes: 0,
    paused: false,
    score: 4,
  };
  const i18n = createInstance({ lng: "zh-CN", resources: { "zh-CN": { translation: zhCN } } });
  const lines = async (...[count, ...figures]: [0 | 3 | 4, Quality | undefined, SlotQuality | undefined]) => {
    if (!i18n.isInitialized) await i18n.init();
    return qualityWords(i18n.t, count, ...figures).split("\n");
  };

  test("are the grade alone as long as nothing is known", async () => {
    expect(await lines(0, undefined, undefined)).toEqual(["连接质量未知"]);
  });

  test("give the line's figures, then those of the picture here", async () => {
    expect(await lines(3, quality, picture)).toEqual([
      "连接一般",
      "丢包：上行 3%，下行 0%",
      "往返时延 42 毫秒",
      "抖动 8 毫秒",
      "码率：上行 512，下行 1800 千比特/秒",
      "可用下行带宽约 2400 千比特/秒",
      "本端收到画面：360 行，24 帧/秒，430 千比特/秒",
      "本端接收：丢包 1%，抖动 4 毫秒",
    ]);
  });

  test("leave out what is not known, and say what rests or freezes", async () => {
    const words = await lines(4, { ...quality, rttMs: null, estimateKbps: null }, { ...picture, paused: true, freezes: 2 });
    expect(words).toContain("画面已暂停：网络带宽不足");
    expect(words).toContain("卡顿 2 次");
    expect(words.some((line) => line.includes("时延") || line.includes("360"))).toBe(false);
  });
});

describe("how long after a plan's start", () => {
  const i18n = createInstance();
  void i18n.init({ lng: "zh-CN", resources: { "zh-CN": { translation: zhCN } }, initAsync: false });
  test.each([
    [0, "立即"],
    [5, "5 秒后"],
    [150, "2 分 30 秒后"],
    [3600, "60 分钟后"],
  ])("%d s", (seconds, words) => {
    expect(offsetWords(i18n.t, seconds)).toBe(words);
  });
});
