import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { ClientEvent } from "../protocol/client";
import type { FloorAct } from "../protocol/generated/FloorAct";
import type { FloorStanding } from "../protocol/generated/FloorStanding";
import type { Request } from "../protocol/generated/Request";
import type { TalkGroup } from "../protocol/generated/TalkGroup";

/** What stands for the line to signaling. */
const line = vi.hoisted(() => ({
  acts: [] as string[],
  listener: (() => undefined) as (event: ClientEvent) => void,
  sessionListener: (() => undefined) as (session: { state: string }) => void,
  tones: [] as string[],
}));

vi.mock("../protocol/client", () => ({
  ask: (request: Request) => {
    if (request.type === "floor") line.acts.push(`${request.group} ${request.act.type}`);
    const act: FloorAct["type"] | null = request.type === "floor" ? request.act.type : null;
    return Promise.resolve(act === "offer" ? { type: "answer", sdp: "answer", videoSlots: 0 } : { type: "done" });
  },
  iceServers: () => [],
  linkStore: { getState: () => ({ phase: "online" }), subscribe: () => () => undefined },
  onClientEvent: (listener: (event: ClientEvent) => void) => {
    line.listener = listener;
  },
  order: () => Promise.resolve([]),
  sessionStore: {
    getState: () => ({ state: "signedIn", me: { account: "field1" } }),
    subscribe: (listener: (session: { state: string }) => void) => {
      line.sessionListener = listener;
    },
  },
}));

vi.mock("./tones", () => ({
  deniedTone: () => line.tones.push("denied"),
  hurryTone: () => line.tones.push("hurry"),
  permitTone: () => line.tones.push("permit"),
  queuedTone: () => line.tones.push("queued"),
}));

type Sent = { track: unknown };

class FakeConnection {
  static readonly made: FakeConnection[] = [];
  connectionState: RTCPeerConnectionState = "new";
  signalingState: RTCSignalingState = "stable";
  localDescription = { sdp: "offer" };
  onconnectionstatechange: (() => void) | null = null;
  readonly sent: Sent = { track: null };
  rate = 24_000;

  constructor() {
    FakeConnection.made.push(this);
  }

  addTransceiver() {
    const replaceTrack = (track: unknown) => {
      this.sent.track = track;
      return Promise.resolve();
    };
    const getParameters = () => ({ encodings: [{ maxBitrate: this.rate }] });
    const setParameters = ({ encodings: [first] }: RTCRtpSendParameters) => {
      this.rate = first?.maxBitrate ?? 0;
      return Promise.resolve();
    };
    return { sender: { replaceTrack, getParameters, setParameters }, receiver: { track: {} } };
  }

  restartIce(): void {}
  createOffer = () => Promise.resolve({});
  setLocalDescription = () => Promise.resolve();
  setRemoteDescription = () => Promise.resolve();

  close(): void {
    this.signalingState = "closed";
  }
}

class FakeTrack {
  readyState = "live";
  onended: (() => void) | null = null;

  stop(): void {
    this.readyState = "ended";
  }
}

const { followTalk, listen, press, release, talkMediaStore, unlisten } = await import("./talk");
const { pick } = await import("./capture");
const { hearTalk } = await import("../protocol/talk");
followTalk();

const [A, B] = [1, 2];
const settle = () => vi.advanceTimersByTimeAsync(0);
const group = (id: number) => ({ id, plan: { priority: "routine" }, sos: [], speaks: true }) as unknown as TalkGroup;
const all = () => hearTalk({ type: "all", groups: [group(A), group(B)] });
const stands = (id: number, standing: FloorStanding) => hearTalk({ type: "standing", group: id, standing });
const pressed = () => talkMediaStore.getState().pressed;
/** The microphones that the browser gave. */
const opened: FakeTrack[] = [];
let allow: () => Promise<void> = () => Promise.resolve();

/** Their connections, in that order. */
async function hear(...groups: number[]): Promise<FakeConnection[]> {
  const before = FakeConnection.made.length;
  for (const one of groups) listen(one);
  await settle();
  const made = FakeConnection.made.slice(before);
  for (const one of made) {
    one.connectionState = "connected";
    one.onconnectionstatechange?.();
  }
  line.acts.length = 0;
  return made;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("RTCPeerConnection", FakeConnection);
  vi.stubGlobal("RTCRtpReceiver", { getCapabilities: () => null });
  vi.stubGlobal("RTCRtpSender", { getCapabilities: () => null });
  vi.stubGlobal("MediaStream", EventTarget);
  vi.spyOn(HTMLMediaElement.prototype, "play").mockResolvedValue();
  vi.spyOn(HTMLMediaElement.prototype, "srcObject", "set").mockReturnValue();
  const getUserMedia = async () => {
    await allow();
    const track = new FakeTrack();
    opened.push(track);
    return { getAudioTracks: () => [track] };
  };
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
  sessionStorage.clear();
  line.tones.length = 0;
  opened.length = 0;
  FakeConnection.made.length = 0;
  allow = () => Promise.resolve();
  all();
});

afterEach(() => {
  line.sessionListener({ state: "signedOut" });
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the key", () => {
  test("sends from the first moment, and no longer than it is held", async () => {
    const [a] = await hear(A);
    await press(A);
    expect(a?.sent.track).toBe(opened[0]);
    expect(line.acts).toEqual([`${A} request`]);
    await release();
    expect(a?.sent.track).toBeNull();
    expect(line.acts).toEqual([`${A} request`, `${A} release`]);
  });

  test("sends at the rate that the server asks for in its group", async () => {
    const [a, b] = await hear(A, B);
    hearTalk({ type: "speechRate", group: A, bitsPerSecond: 12_000 });
    await settle();
    expect([a?.rate, b?.rate]).toEqual([12_000, 24_000]);
  });

  test("that is let go while another is given up is let go", async () => {
    const [a, b] = await hear(A, B);
    await press(A);
    const pressing = press(B);
    void release();
    await pressing;
    await settle();
    expect(pressed()).toBeNull();
    expect(a?.sent.track).toBeNull();
    expect(b?.sent.track).toBeNull();
    expect(line.acts).not.toContain(`${B} request`);
    expect(line.acts).toContain(`${A} release`);
  });

  test("is let go while the browser still asks for the microphone", async () => {
    const [a] = await hear(A);
    let answer = () => undefined as void;
    allow = () => new Promise((resolve) => (answer = resolve));
    const pressing = press(A);
    await release();
    answer();
    await pressing;
    expect(a?.sent.track).toBeNull();
    expect(line.acts).not.toContain(`${A} request`);
  });

  test.each<[string, () => void]>([
    ["its media are lost", () => hearTalk({ type: "mediaLost", group: A })],
    [
      "its floor is gone with the line",
      () => {
        all();
        stands(A, { type: "silent", cause: null });
      },
    ],
    ["the server knows the client no more", () => line.listener({ type: "welcomed", resumed: false })],
  ])("is refused when %s", async (_, happen) => {
    const [a] = await hear(A);
    await press(A);
    stands(A, { type: "holding", untilMs: 30_000, revoked: false });
    happen();
    await settle();
    expect(pressed()).toBeNull();
    expect(a?.sent.track).toBeNull();
    expect(line.tones).toEqual(["permit", "denied"]);
  });

  test("outlives news that find it holding", async () => {
    await hear(A);
    await press(A);
    all();
    stands(A, { type: "holding", untilMs: 30_000, revoked: false });
    // Of an earlier press.
    stands(A, { type: "silent", cause: null });
    expect(pressed()).toBe(A);
  });
});

describe("the microphone", () => {
  test("is exchanged in the middle of a talk when another is picked", async () => {
    const [a] = await hear(A);
    await press(A);
    pick({ microphone: "headset" });
    await settle();
    expect(opened.map((one) => one.readyState)).toEqual(["ended", "live"]);
    expect(a?.sent.track).toBe(opened[1]);
  });

  test("is exchanged when it is pulled out", async () => {
    const [a] = await hear(A);
    await press(A);
    opened[0]?.stop();
    opened[0]?.onended?.();
    await settle();
    expect(a?.sent.track).toBe(opened[1]);
  });
});

describe("a group", () => {
  test("that the user walks out of is heard again when he is back", async () => {
    await hear(A);
    hearTalk({ type: "gone", group: A });
    expect(talkMediaStore.getState().ears.size).toBe(0);
    hearTalk({ type: "group", group: group(A) });
    await settle();
    expect(line.acts).toEqual([`${A} listen`, `${A} offer`]);
  });

  test("that is switched off stays off, and its server is told until it knows", async () => {
    await hear(A);
    unlisten(A);
    hearTalk({ type: "group", group: group(A) });
    stands(A, { type: "silent", cause: null });
    await settle();
    expect(talkMediaStore.getState().ears.size).toBe(0);
    expect(line.acts).toEqual([`${A} leave`, `${A} leave`]);
  });
});
