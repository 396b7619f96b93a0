import { createStore } from "zustand/vanilla";

import { ask, iceServers, linkStore, onClientEvent, order, sessionStore } from "../protocol/client";
import { RefusedError } from "../protocol/errors";
import type { AlarmKind } from "../protocol/generated/AlarmKind";
import type { FloorAct } from "../protocol/generated/FloorAct";
import type { FloorStanding } from "../protocol/generated/FloorStanding";
import type { GroupPriority } from "../protocol/generated/GroupPriority";
import type { Place } from "../protocol/generated/Place";
import type { TalkGroupId } from "../protocol/generated/TalkGroupId";
import { onTalkNews, talkStore } from "../protocol/talk";
import { type CaptureProblem, microphoneWish, pickedStore, problemOf } from "./capture";
import { Path, type PathInput, type PathStep } from "./path";
import { speechCodecs } from "./peer";
import { Voice, voiceEncodings } from "./voice";
import { deniedTone, hurryTone, permitTone, queuedTone } from "./tones";

/** The sound of one group on this device. */
export type Ear = {
  phase: "connecting" | "connected" | "failed";
  /** 0 to 1, as the user set it. */
  volume: number;
};

type TalkMedia = {
  ears: ReadonlyMap<TalkGroupId, Ear>;
  /** Whose key is pressed. */
  pressed: TalkGroupId | null;
  microphoneProblem: CaptureProblem | null;
};

export const talkMediaStore = createStore<TalkMedia>(() => ({ ears: new Map(), pressed: null, microphoneProblem: null }));

const OFFER_TIMEOUT_MS = 6_000;
/** Less important groups stay audible under a more important one. */
const DUCKED = 0.25;
const WEIGHT: Record<GroupPriority, number> = { routine: 0, raised: 1, command: 2 };
/** Heard again after the page was loaded anew. */
const KEPT_KEY = "liandong.talk";

function floor(group: TalkGroupId, act: FloorAct, timeoutMs?: number) {
  return ask({ type: "floor", group, act }, timeoutMs);
}

/** One connection to the media server: the own voice, and whoever speaks. */
class Listening {
  private readonly group: TalkGroupId;
  private readonly path = new Path(linkStore.getState().phase === "online");
  private readonly player = new Audio();
  private pc: RTCPeerConnection | null = null;
  private sender: RTCRtpSender | null = null;
  private voice: Voice | null = null;
  private negotiated = false;
  private closed = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(group: TalkGroupId) {
    this.group = group;
    this.player.autoplay = true;
    this.player.dataset["testid"] = `talk-sound-${group}`;
    this.player.hidden = true;
    // In the page, so that the browser counts it among its media.
    document.body.append(this.player);
    this.take(this.path.begin(Date.now()));
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.voice?.close();
    this.pc?.close();
    this.player.srcObject = null;
    this.player.remove();
  }

  tell(input: PathInput): void {
    if (!this.closed) this.take(this.path.handle(input, Date.now()));
  }

  volume(volume: number): void {
    this.player.volume = volume;
    const { speaker } = pickedStore.getState();
    if ("setSinkId" in this.player && this.player.sinkId !== (speaker ?? "")) this.player.setSinkId(speaker ?? "").catch(() => undefined);
  }

  /** Null: nothing is sent, and the line rests. */
  async speak(track: MediaStreamTrack | null): Promise<void> {
    await this.sender?.replaceTrack(track).catch(() => undefined); // closed meanwhile
  }

  /** What the own voice is to send at most; null: as it likes. */
  limitVoice(bitsPerSecond: number | null): void {
    this.voice?.limit(bitsPerSecond);
  }

  private take(step: PathStep | null): void {
    if (step === "rebuild") this.rebuild();
    if (step !== null && this.pc !== null) void this.negotiate(this.pc);
    clearTimeout(this.timer);
    const { deadlineMs } = this.path;
    if (deadlineMs !== null) this.timer = setTimeout(() => this.tell({ type: "timeout" }), Math.max(0, deadlineMs - Date.now()));
  }

  private rebuild(): void {
    this.pc?.close();
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle", rtcpMuxPolicy: "require", iceServers: iceServers() });
    const voice = pc.addTransceiver("audio", {
      direction: "sendonly",
      sendEncodings: voiceEncodings(),
    });
    const heard = pc.addTransceiver("audio", { direction: "recvonly" });
    for (const [transceiver, kind] of [
      [voice, RTCRtpSender],
      [heard, RTCRtpReceiver],
    ] as const) {
      if ("setCodecPreferences" in transceiver) transceiver.setCodecPreferences(speechCodecs(kind.getCapabilities("audio")?.codecs ?? []));
    }
    if ("jitterBufferTarget" in heard.receiver) heard.receiver.jitterBufferTarget = 0;
    this.player.srcObject = new MediaStream([heard.receiver.track]);
    this.player.play().catch(() => undefined); // held back until the first touch, which the sound button of the page asks for
    pc.onconnectionstatechange = () => {
      if (pc !== this.pc) return;
      if (pc.connectionState === "connected") setPhase(this.group, "connected");
      this.tell({ type: "peer", state: pc.connectionState });
    };
    this.pc = pc;
    this.sender = voice.sender;
    this.voice?.close();
    this.voice = new Voice(voice.sender);
    this.negotiated = false;
    setPhase(this.group, "connecting");
    const { pressed } = talkMediaStore.getState();
    if (pressed === this.group) void this.speak(microphone);
  }

  private async negotiate(pc: RTCPeerConnection): Promise<void> {
    let sdp: string;
    try {
      if (this.negotiated) pc.restartIce();
      if (pc.signalingState === "have-local-offer") await pc.setLocalDescription({ type: "rollback" });
      await pc.setLocalDescription(await pc.createOffer());
      sdp = pc.localDescription?.sdp ?? "";
    } catch {
      this.tell({ type: "stuck" });
      return;
    }
    if (this.closed) return;
    try {
      // Said again each time: a server that restarted knows of no listener.
      await floor(this.group, { type: "listen" }, OFFER_TIMEOUT_MS);
      const reply = await floor(this.group, { type: "offer", sdp }, OFFER_TIMEOUT_MS);
      if (reply.type !== "answer") throw new Error(`an offer was answered by ${reply.type}`);
      if (pc.signalingState === "closed") return;
      await pc.setRemoteDescription({ type: "answer", sdp: reply.sdp });
      this.negotiated = true;
    } catch (error) {
      const final = error instanceof RefusedError && ["badOffer", "full", "unknownTalkGroup"].includes(error.refusal.code);
      if (final && !this.closed) setPhase(this.group, "failed");
      this.tell(final ? { type: "refused" } : { type: "unanswered" });
      return;
    }
    if (pc.connectionState === "connected") setPhase(this.group, "connected");
    this.tell({ type: "answered" });
  }
}

const listening = new Map<TalkGroupId, Listening>();
/** By volume; also those the user is out of for the moment, by where he is. They are heard again when they come back. */
const wished = new Map<TalkGroupId, number>();
let microphone: MediaStreamTrack | null = null;
let opening: Promise<MediaStreamTrack | null> | null = null;

function setPhase(group: TalkGroupId, phase: Ear["phase"]): void {
  talkMediaStore.setState(({ ears }) => {
    const ear = ears.get(group);
    return ear === undefined ? {} : { ears: new Map(ears).set(group, { ...ear, phase }) };
  });
}

/** Listens to the group from now on. */
export function listen(group: TalkGroupId): void {
  if (!wished.has(group)) wished.set(group, 1);
  keep();
  hear(group);
}

function hear(group: TalkGroupId): void {
  if (listening.has(group)) return;
  const volume = wished.get(group) ?? 1;
  talkMediaStore.setState(({ ears }) => ({ ears: new Map(ears).set(group, { phase: "connecting", volume }) }));
  listening.set(group, new Listening(group));
  mix();
}

function hearWished(): void {
  const { groups } = talkStore.getState();
  for (const group of wished.keys()) if (groups.has(group)) hear(group);
}

/** Listens no longer. */
export function unlisten(group: TalkGroupId): void {
  if (talkMediaStore.getState().pressed === group) void release();
  drop(group);
  wished.delete(group);
  keep();
  leave(group);
}

function leave(group: TalkGroupId): void {
  void floor(group, { type: "leave" }).catch(() => undefined); // said again when the server speaks of it
}

function drop(group: TalkGroupId): void {
  listening.get(group)?.close();
  listening.delete(group);
  talkMediaStore.setState(({ ears, pressed }) => {
    const left = new Map(ears);
    left.delete(group);
    return { ears: left, pressed: pressed === group ? null : pressed };
  });
  if (listening.size === 0) closeMicrophone();
}

export function setVolume(group: TalkGroupId, volume: number): void {
  talkMediaStore.setState(({ ears }) => {
    const ear = ears.get(group);
    return ear === undefined ? {} : { ears: new Map(ears).set(group, { ...ear, volume }) };
  });
  if (wished.has(group)) wished.set(group, volume);
  keep();
  mix();
}

/** The key is pressed: asks for the floor, and sends from the first moment on, so that no syllable is lost. */
export async function press(group: TalkGroupId): Promise<void> {
  const { pressed, ears } = talkMediaStore.getState();
  // Without sound the floor would be of no use.
  if (pressed === group || ears.get(group)?.phase !== "connected") return;
  // At once: a let-go that comes while the other key is given up is this key's.
  talkMediaStore.setState({ pressed: group });
  if (pressed !== null) void giveUp(pressed);
  const track = await openMicrophone();
  if (talkMediaStore.getState().pressed !== group) return; // let go while the browser asked
  if (track === null) {
    talkMediaStore.setState({ pressed: null });
    deniedTone();
    return;
  }
  await listening.get(group)?.speak(track);
  if (talkMediaStore.getState().pressed !== group) return;
  mix();
  try {
    await floor(group, { type: "request" });
  } catch {
    if (talkMediaStore.getState().pressed === group) refuseKey();
  }
}

/** The key is let go. */
export async function release(): Promise<void> {
  const { pressed } = talkMediaStore.getState();
  if (pressed === null) return;
  talkMediaStore.setState({ pressed: null });
  await giveUp(pressed);
}

async function giveUp(group: TalkGroupId): Promise<void> {
  await listening.get(group)?.speak(null);
  mix();
  await floor(group, { type: "release" }).catch(() => undefined); // the server sees the sound end
}

/** The key is held in vain and has to be pressed anew. */
function refuseKey(): void {
  deniedTone();
  void release();
}

/** Raises the alarm, and hears whoever answers it. The key has to be pressed as ever; it goes first now. */
export async function raiseSos(group: TalkGroupId, kind: AlarmKind, place: Place | null): Promise<void> {
  await order({ type: "talk", order: { type: "raiseSos", group, kind, place } });
  listen(group);
}

async function openMicrophone(): Promise<MediaStreamTrack | null> {
  if (microphone?.readyState === "live") return microphone;
  opening ??= capture().finally(() => {
    opening = null;
  });
  microphone = await opening;
  // Nothing is listened to any more: it would stay open unseen.
  if (listening.size === 0) closeMicrophone();
  return microphone;
}

/** Another one was picked, or this one was pulled out. */
async function exchangeMicrophone(): Promise<void> {
  await opening;
  closeMicrophone();
  const { pressed } = talkMediaStore.getState();
  if (pressed === null) return;
  const track = await openMicrophone();
  if (talkMediaStore.getState().pressed !== pressed) return; // the next press finds it open
  if (track === null) refuseKey();
  else await listening.get(pressed)?.speak(track);
}

async function capture(): Promise<MediaStreamTrack | null> {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: microphoneWish() });
    talkMediaStore.setState({ microphoneProblem: null });
    const track = stream.getAudioTracks()[0] ?? null;
    // Not told when it is stopped from here.
    if (track !== null) track.onended = () => void exchangeMicrophone();
    return track;
  } catch (error) {
    // A page without TLS has no devices at all.
    const problem = "mediaDevices" in navigator ? problemOf(error) : "insecure";
    talkMediaStore.setState({ microphoneProblem: problem });
    return null;
  }
}

function closeMicrophone(): void {
  microphone?.stop();
  microphone = null;
}

/** Sets every volume: what the user wishes, less where something more important is being said. */
function mix(): void {
  const { groups } = talkStore.getState();
  const { ears, pressed } = talkMediaStore.getState();
  const weight = (id: TalkGroupId) => WEIGHT[groups.get(id)?.group.plan.priority ?? "routine"];
  const busy = [...ears.keys()].filter((id) => (groups.get(id)?.floor.holder ?? null) !== null);
  const highest = Math.max(-1, ...busy.map(weight));
  for (const [id, { volume }] of ears) {
    const under = weight(id) < highest || (pressed !== null && pressed !== id);
    listening.get(id)?.volume(under ? volume * DUCKED : volume);
  }
}

function keep(): void {
  sessionStorage.setItem(KEPT_KEY, JSON.stringify({ account: accountNow(), ears: [...wished] }));
}

function accountNow(): string | null {
  const session = sessionStore.getState();
  return session.state === "signedIn" ? session.me.account : null;
}

function restore(): void {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT_KEY) ?? "null") as { account: string; ears: [number, number][] } | null;
    if (kept === null || kept.account !== accountNow()) return;
    for (const [group, volume] of kept.ears) if (!wished.has(group)) wished.set(group, volume);
  } catch {
    // Written by another version of the page.
  }
}

/** What the user hears and feels of the own standing. */
function sound(before: FloorStanding | undefined, now: FloorStanding): void {
  switch (now.type) {
    case "holding":
      if (before?.type !== "holding") permitTone();
      else if (now.revoked && !before.revoked) hurryTone();
      return;
    case "queued":
      if (before?.type !== "queued") queuedTone();
      return;
    case "silent":
      if (now.cause !== null) deniedTone();
      return;
    default:
      now satisfies never;
  }
}

/** Called once by the page: media follow the groups that are listened to. */
export function followTalk(): void {
  const standings = new Map<TalkGroupId, FloorStanding>();
  let restored = false;
  /** The key whose floor may be lost: the server says anew how it stands. */
  let doubted: TalkGroupId | null = null;
  onTalkNews((news) => {
    if (news.type === "standing") {
      sound(standings.get(news.group), news.standing);
      standings.set(news.group, news.standing);
      const { pressed } = talkMediaStore.getState();
      // Denied or taken away: the key has to be pressed anew.
      if (pressed === news.group && news.standing.type === "silent") {
        if (news.standing.cause !== null) void release();
        else if (doubted === pressed) refuseKey();
      }
      if (doubted === news.group) doubted = null;
      // What was said when it was left never came there.
      if (!listening.has(news.group)) leave(news.group);
    }
    if (news.type === "mediaLost") {
      if (talkMediaStore.getState().pressed === news.group) refuseKey();
      listening.get(news.group)?.tell({ type: "mediaLost" });
    }
    if (news.type === "speechRate") listening.get(news.group)?.limitVoice(news.bitsPerSecond);
    if (news.type === "all") {
      doubted = talkMediaStore.getState().pressed;
      if (!restored) restore();
      restored = true;
    }
    if (news.type === "all" || news.type === "gone") {
      const { groups } = talkStore.getState();
      for (const group of listening.keys()) if (!groups.has(group)) drop(group);
    }
    if (news.type === "all" || news.type === "group") hearWished();
    if (news.type === "floor") mix();
  });
  linkStore.subscribe((now, before) => {
    if (now.phase === "online" || before.phase !== "online") return;
    for (const one of listening.values()) one.tell({ type: "lineLost" });
  });
  onClientEvent((event) => {
    if (event.type === "welcomed") {
      // Another client to the server, which holds no floor.
      if (!event.resumed && talkMediaStore.getState().pressed !== null) refuseKey();
      for (const one of listening.values()) one.tell({ type: "lineBack", resumed: event.resumed });
    }
    if (event.type === "networkChanged") for (const one of listening.values()) one.tell({ type: "network" });
  });
  sessionStore.subscribe((session) => {
    if (session.state !== "signedOut") return;
    restored = false;
    wished.clear();
    standings.clear();
    doubted = null;
    for (const group of listening.keys()) drop(group);
  });
  pickedStore.subscribe((now, before) => {
    if (now.speaker !== before.speaker) mix();
    if (now.microphone !== before.microphone && microphone !== null) void exchangeMicrophone();
  });
}
