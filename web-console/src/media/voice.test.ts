import { expect, test, vi } from "vitest";

import { Voice, voiceEncodings } from "./voice";

class FakeSender {
  encodings = voiceEncodings();
  sets = 0;
  refuses = 0;

  getParameters = (): RTCRtpSendParameters => ({
    transactionId: String(this.sets),
    encodings: this.encodings.map((one) => ({ ...one })),
    codecs: [],
    headerExtensions: [],
    rtcp: {},
  });

  setParameters = (parameters: RTCRtpSendParameters): Promise<void> => {
    this.sets += 1;
    if (this.sets <= this.refuses) return Promise.reject(new DOMException("negotiating", "InvalidStateError"));
    this.encodings = parameters.encodings;
    return Promise.resolve();
  };
}

const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

test("a voice is sent at what the server asks for, never above its own rate, and at that again afterwards", async () => {
  vi.useFakeTimers();
  const sender = new FakeSender();
  const voice = new Voice(sender);
  for (const [asked, sent] of [
    [16_000, 16_000],
    [10_000, 10_000],
    [32_000, 24_000],
    [12_000, 12_000],
    [null, 24_000],
  ] as const) {
    voice.limit(asked);
    await settle();
    expect(sender.encodings).toEqual([{ maxBitrate: sent, priority: "high", networkPriority: "high" }]);
  }
  const { sets } = sender;
  voice.limit(null);
  await settle();
  expect(sender.sets).toBe(sets);
  vi.useRealTimers();
});

test("a rate that the browser refused while it was negotiating is set a moment later", async () => {
  vi.useFakeTimers();
  const sender = new FakeSender();
  sender.refuses = 1;
  const voice = new Voice(sender);
  voice.limit(10_000);
  await settle();
  expect(sender.encodings[0]?.maxBitrate).toBe(24_000);
  await settle(1_000);
  expect(sender.encodings[0]?.maxBitrate).toBe(10_000);
  voice.close();
  voice.limit(null);
  await settle(1_000);
  expect(sender.encodings[0]?.maxBitrate).toBe(10_000);
  vi.useRealTimers();
});
