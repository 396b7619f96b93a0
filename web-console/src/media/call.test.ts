import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { Request } from "../protocol/generated/Request";
import type { ClientEvent } from "../protocol/client";

/** What stands for the line to signaling. */
const line = vi.hoisted(() => ({
  asked: [] as Request[],
  answer: (() => Promise.resolve({ type: "answer", sdp: "answer", videoSlots: 4 })) as (request: Request) => Promise<unknown>,
  listener: (() => undefined) as (event: ClientEvent) => void,
  replicaListener: (() => undefined) as (state: unknown) => void,
  phase: "online",
  linkListener: (() => undefined) as (now: unknown, before: unknown) => void,
  probes: 0,
}));

vi.mock("../protocol/client", () => ({
  ask: (request: Request) => {
    line.asked.push(request);
    return request.type === "offer" ? line.answer(request) : Promise.resolve({ type: "done" });
  },
  linkStore: {
    getState: () => ({ phase: line.phase }),
    subscribe: (listener: (now: unknown, before: unknown) => void) => {
      line.linkListener = listener;
      return () => undefined;
    },
  },
  iceServers: () => [],
  probeLine: () => {
    line.probes += 1;
    return Promise.resolve();
  },
  onClientEvent: (listener: (event: ClientEvent) => void) => {
    line.listener = listener;
  },
  replicaStore: {
    subscribe: (listener: (state: unknown) => void) => {
      line.replicaListener = listener;
    },
  },
}));

class FakeConnection {
  static readonly made: FakeConnection[] = [];
  connectionState: RTCPeerConnectionState = "new";
  signalingState: RTCSignalingState = "stable";
  localDescription: RTCSessionDescriptionInit | null = null;
  onconnectionstatechange: (() => void) | null = null;
  onicecandidate: ((event: { candidate: unknown }) => void) | null = null;
  readonly offered: string[] = [];
  readonly voiceRates: (number | undefined)[] = [];
  restarts = 0;

  constructor() {
    FakeConnection.made.push(this);
  }

  addTransceiver(kind: string, init: RTCRtpTransceiverInit) {
    this.offered.push(`${kind} ${init.direction}`);
    const encodings = init.sendEncodings ?? [];
    const sender = {
      replaceTrack: () => Promise.resolve(),
      getParameters: () => ({ encodings }),
      setParameters: ({ encodings: [first] }: RTCRtpSendParameters) => {
        if (kind === "audio") this.voiceRates.push(first?.maxBitrate);
        return Promise.resolve();
      },
    };
    return { sender, receiver: { track: {} } };
  }

  getConfiguration() {
    return {};
  }

  setConfiguration(): void {}

  restartIce(): void {
    this.restarts += 1;
  }

  createOffer() {
    return Promise.resolve({ type: "offer" as const, sdp: "offer" });
  }

  setLocalDescription(description: RTCSessionDescriptionInit) {
    this.localDescription = description.type === "rollback" ? null : description;
    this.signalingState = description.type === "rollback" ? "stable" : "have-local-offer";
    return Promise.resolve();
  }

  setRemoteDescription() {
    this.signalingState = "stable";
    return Promise.resolve();
  }

  close(): void {
    this.connectionState = "closed";
    this.signalingState = "closed";
  }

  become(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

const { callMediaStore, followCalls } = await import("./call");

const offers = () => line.asked.filter((request) => request.type === "offer").length;
const peer = () => {
  const last = FakeConnection.made.at(-1);
  if (last === undefined) throw new Error("no connection was made");
  return last;
};
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal("RTCPeerConnection", FakeConnection);
  vi.stubGlobal("RTCRtpReceiver", { getCapabilities: () => null });
  vi.stubGlobal("RTCRtpSender", { getCapabilities: () => null });
  vi.stubGlobal("MediaStream", EventTarget);
  line.asked.length = 0;
  FakeConnection.made.length = 0;
  line.answer = () => Promise.resolve({ type: "answer", sdp: "answer", videoSlots: 4 });
  followCalls();
  line.replicaListener({ replica: { ownConference: 7 } });
  await settle();
});

afterEach(() => {
  line.replicaListener({ replica: { ownConference: null } });
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the media of a call", () => {
  test("are offered at once, in the order of the slots", () => {
    expect(offers()).toBe(1);
    expect(peer().offered.slice(0, 3)).toEqual(["audio sendonly", "video sendonly", "video recvonly"]);
    expect(peer().offered.filter((one) => one === "video recvonly")).toHaveLength(49);
    expect(peer().offered.slice(-4)).toEqual(Array(4).fill("audio recvonly"));
    expect(callMediaStore.getState().phase).toBe("connecting");
    peer().become("connected");
    expect(callMediaStore.getState().phase).toBe("connected");
  });

  test("send speech at the rate that the server asks for, of this conference alone", async () => {
    line.listener({ type: "speechRate", conference: 8, bitsPerSecond: 10_000 });
    line.listener({ type: "speechRate", conference: 7, bitsPerSecond: 16_000 });
    await settle();
    line.listener({ type: "speechRate", conference: 7, bitsPerSecond: null });
    await settle();
    expect(peer().voiceRates).toEqual([16_000, 24_000]);
  });

  test("a break restarts ICE on the same connection at once, and asks after the line to signaling", async () => {
    peer().become("connected");
    const { probes } = line;
    peer().become("disconnected");
    await settle();
    expect(offers()).toBe(2);
    expect(peer().restarts).toBe(1);
    expect(line.probes).toBe(probes + 1);
    expect(FakeConnection.made).toHaveLength(1);
    expect(callMediaStore.getState().phase).toBe("recovering");
    peer().become("connected");
    expect(callMediaStore.getState().phase).toBe("connected");
  });

  test("another network restarts ICE before anything is missed", async () => {
    peer().become("connected");
    await vi.advanceTimersByTimeAsync(10_000);
    line.listener({ type: "networkChanged" });
    await settle();
    expect(peer().restarts).toBe(1);
    expect(callMediaStore.getState().phase).toBe("connected");
  });

  test("a new address of the device is a reason to ask after the line", () => {
    const { probes } = line;
    peer().onicecandidate?.({ candidate: {} });
    expect(line.probes).toBe(probes);
    peer().become("connected");
    peer().onicecandidate?.({ candidate: null });
    peer().onicecandidate?.({ candidate: {} });
    expect(line.probes).toBe(probes + 1);
  });

  test("an offer that went down with the line is made again on the next", async () => {
    peer().become("connected");
    await vi.advanceTimersByTimeAsync(10_000);
    line.answer = () => Promise.reject(new Error("lost"));
    line.listener({ type: "networkChanged" });
    line.linkListener({ phase: "waiting" }, { phase: "online" });
    await settle();
    const before = offers();
    line.answer = () => Promise.resolve({ type: "answer", sdp: "answer", videoSlots: 4 });
    line.listener({ type: "welcomed", resumed: true });
    await settle();
    expect(offers()).toBe(before + 1);
    expect(peer().restarts).toBe(2);
    expect(FakeConnection.made).toHaveLength(1);
  });

  test("an answer through which nothing comes leads to a new connection", async () => {
    await vi.advanceTimersByTimeAsync(8_000);
    expect(FakeConnection.made).toHaveLength(2);
    expect(FakeConnection.made[0]?.connectionState).toBe("closed");
  });

  test("lost at the server: a new connection by itself", async () => {
    peer().become("connected");
    line.listener({ type: "mediaLost", conference: 8 });
    expect(FakeConnection.made).toHaveLength(1);
    line.listener({ type: "mediaLost", conference: 7 });
    await settle();
    expect(FakeConnection.made).toHaveLength(2);
    expect(offers()).toBe(2);
  });

  test("a new line: running media stay when it was resumed, and start anew when not", async () => {
    peer().become("connected");
    line.listener({ type: "welcomed", resumed: true });
    await settle();
    expect(offers()).toBe(1);
    line.listener({ type: "welcomed", resumed: false });
    await settle();
    expect(FakeConnection.made).toHaveLength(2);
  });

  test("refused for now: tried again, later each time; refused for good: said so", async () => {
    const { RefusedError } = await import("../protocol/errors");
    line.answer = () => Promise.reject(new RefusedError({ code: "mediaUnavailable", message: "" }));
    line.listener({ type: "mediaLost", conference: 7 });
    await settle();
    const before = offers();
    await vi.advanceTimersByTimeAsync(400);
    expect(offers()).toBe(before + 1);
    await vi.advanceTimersByTimeAsync(799);
    expect(offers()).toBe(before + 1);

    line.answer = () => Promise.reject(new RefusedError({ code: "badOffer", message: "" }));
    await vi.advanceTimersByTimeAsync(1);
    expect(callMediaStore.getState()).toMatchObject({ phase: "failed", failure: "refusal.badOffer" });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(offers()).toBe(before + 2);
  });

  test("what is wanted during a negotiation follows it", async () => {
    let answer: (reply: unknown) => void = () => undefined;
    line.answer = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    line.listener({ type: "mediaLost", conference: 7 });
    await vi.advanceTimersByTimeAsync(1_000);
    line.listener({ type: "networkChanged" });
    await settle();
    expect(peer().restarts).toBe(0);
    answer({ type: "answer", sdp: "answer", videoSlots: 4 });
    await settle();
    expect(FakeConnection.made).toHaveLength(2);
    expect(peer().restarts).toBe(1);
  });

  test("a connection that cannot be offered again is replaced at once", async () => {
    peer().become("connected");
    await vi.advanceTimersByTimeAsync(10_000);
    peer().createOffer = () => Promise.reject(new DOMException("no such extension", "InvalidAccessError"));
    line.listener({ type: "networkChanged" });
    await settle();
    expect(FakeConnection.made).toHaveLength(2);
    expect(offers()).toBe(2);
  });

  test("end with the stay in the conference", () => {
    const last = peer();
    line.replicaListener({ replica: { ownConference: null } });
    expect(last.connectionState).toBe("closed");
    expect(callMediaStore.getState().phase).toBe("idle");
  });
});
