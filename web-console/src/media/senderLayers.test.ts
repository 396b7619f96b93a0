import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { SenderLayers } from "./senderLayers";

const HD = { width: 1280, height: 720 };

/** A sender whose `setParameters` is answered by the test. */
class FakeSender {
  encodings: RTCRtpEncodingParameters[] = ["q", "h", "f"].map((rid) => ({ rid, active: true }));
  readonly set: RTCRtpSendParameters[] = [];
  readonly waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  atOnce = true;

  getParameters = (): RTCRtpSendParameters => ({
    transactionId: String(this.set.length),
    encodings: this.encodings.map((one) => ({ ...one })),
    codecs: [],
    headerExtensions: [],
    rtcp: {},
  });

  setParameters = (parameters: RTCRtpSendParameters): Promise<void> => {
    this.set.push(parameters);
    const take = () => {
      this.encodings = parameters.encodings;
    };
    if (this.atOnce) {
      take();
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({
        resolve: () => {
          take();
          resolve();
        },
        reject,
      });
    });
  };

  get active(): (string | undefined)[] {
    return this.encodings.filter((one) => one.active).map((one) => one.rid);
  }
}

const settle = () => vi.advanceTimersByTimeAsync(0);
let sender: FakeSender;
let layers: SenderLayers;

beforeEach(() => {
  vi.useFakeTimers();
  sender = new FakeSender();
  layers = new SenderLayers(sender);
});

afterEach(() => vi.useRealTimers());

describe("the layers of a sender", () => {
  test("are sent as the server wants them, and again when it wants them again", async () => {
    layers.capture(HD, "full");
    await settle();
    expect(sender.active).toEqual(["q", "h", "f"]);
    layers.demand([
      { rid: "q", active: true },
      { rid: "h", active: false },
      { rid: "f", active: false },
    ]);
    await settle();
    expect(sender.active).toEqual(["q"]);
    layers.demand([{ rid: "f", active: true }]);
    await settle();
    expect(sender.active).toEqual(["q", "h", "f"]);
    expect(sender.set.at(-1)?.degradationPreference).toBe("balanced");
  });

  test("cost nothing when nothing changes", async () => {
    layers.capture(HD, "full");
    await settle();
    const { length } = sender.set;
    layers.renew();
    layers.demand([{ rid: "q", active: true }]);
    await settle();
    expect(sender.set).toHaveLength(length);
  });

  test("one change follows another, and only the newest of those that waited is made", async () => {
    sender.atOnce = false;
    layers.capture(HD, "full");
    await settle();
    layers.demand([{ rid: "f", active: false }]);
    layers.demand([{ rid: "h", active: false }]);
    layers.demand([{ rid: "q", active: false }]);
    await settle();
    expect(sender.set).toHaveLength(1);
    sender.waiting[0]?.resolve();
    await settle();
    expect(sender.set).toHaveLength(2);
    sender.waiting[1]?.resolve();
    await settle();
    expect(sender.active).toEqual(["h", "f"]);
    expect(sender.set).toHaveLength(2);
  });

  test("what the browser refuses is tried again, but not for ever", async () => {
    sender.atOnce = false;
    layers.capture(HD, "full");
    for (let round = 0; round < 10; round += 1) {
      await settle();
      sender.waiting.at(-1)?.reject(new DOMException("negotiating", "InvalidStateError"));
      await vi.advanceTimersByTimeAsync(5_000);
    }
    expect(sender.set).toHaveLength(5);
    // The end of a negotiation begins anew.
    sender.atOnce = true;
    layers.renew();
    await settle();
    expect(sender.encodings[0]?.maxBitrate).toBe(120_000);
  });

  test("an answer without simulcast leaves one encoding, which then is the whole picture", async () => {
    layers.capture(HD, "full");
    await settle();
    expect(sender.encodings[0]?.scaleResolutionDownBy).toBe(4);
    sender.encodings = sender.encodings.slice(0, 1);
    layers.renew();
    await settle();
    expect(sender.encodings).toMatchObject([{ scaleResolutionDownBy: 1, maxBitrate: 1_500_000, active: true }]);
  });

  test("an upper layer that a small camera does not fill stays off, whatever is wanted", async () => {
    layers.demand([{ rid: "f", active: true }]);
    layers.capture({ width: 640, height: 360 }, "full");
    await settle();
    expect(sender.active).toEqual(["q", "h"]);
  });

  test("a demand for an encoding without a name reaches the only one", async () => {
    sender.encodings = [{ active: true }];
    layers.capture(HD, "full");
    layers.demand([{ rid: null, active: false }]);
    await settle();
    expect(sender.encodings[0]?.active).toBe(false);
  });

  test("nothing is touched before there is a camera, or after the end", async () => {
    layers.demand([{ rid: "q", active: false }]);
    await settle();
    layers.close();
    layers.capture(HD, "full");
    await settle();
    expect(sender.set).toEqual([]);
  });
});
