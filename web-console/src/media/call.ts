import { createStore } from "zustand/vanilla";

import { ask, linkStore, onClientEvent, replicaStore } from "../protocol/client";
import { deviceStore } from "../protocol/device";
import { failureKey, RefusedError } from "../protocol/errors";
import type { ConferenceId } from "../protocol/generated/ConferenceId";
import type { Device } from "../protocol/generated/Device";
import { captureStore, startCapture, stopCapture } from "./capture";
import { Peer, type PeerShape } from "./peer";

export type CallMedia = {
  phase: "idle" | "connecting" | "connected" | "recovering" | "failed";
  /** Why, when `failed`. */
  failure: ReturnType<typeof failureKey> | null;
  videoSlots: readonly MediaStream[];
  audioSlots: readonly MediaStream[];
};

const IDLE: CallMedia = { phase: "idle", failure: null, videoSlots: [], audioSlots: [] };

export const callMediaStore = createStore<CallMedia>(() => IDLE);

/** Answers come within a round trip; a longer silence means a dead line. */
const OFFER_TIMEOUT_MS = 6_000;
const CONNECT_TIMEOUT_MS = 8_000;
const RETRY_FIRST_MS = 400;
const RETRY_MOST_MS = 4_000;

export const SHAPES: Record<Device, PeerShape & { width: number; height: number }> = {
  console: { videoSlots: 49, cameraBitrate: 1_500_000, width: 1280, height: 720 },
  terminal: { videoSlots: 16, cameraBitrate: 1_000_000, width: 640, height: 360 },
  phone: { videoSlots: 4, cameraBitrate: 800_000, width: 640, height: 360 },
};

/** The media of the own stay in one conference, until `close`. */
class Call {
  private readonly conference: ConferenceId;
  private readonly shape = SHAPES[deviceStore.getState().device];
  private peer: Peer | null = null;
  private closed = false;
  /** Microphone and camera were asked for; before, nothing can be said about them. */
  private captured = false;
  private retry = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Offers follow one another; what is wanted meanwhile waits for the present one. */
  private negotiating = false;
  private wanted: "restart" | "rebuild" | null = null;
  private readonly stopListening: () => void;

  constructor(conference: ConferenceId) {
    this.conference = conference;
    this.stopListening = captureStore.subscribe((now, before) => {
      if (now.microphone !== before.microphone || now.camera !== before.camera) this.send();
      if (now.wantsMicrophone !== before.wantsMicrophone || now.microphone !== before.microphone || now.camera !== before.camera) {
        this.tellOwnMedia();
      }
    });
    callMediaStore.setState({ ...IDLE, phase: "connecting" }, true);
    this.rebuild();
    void startCapture(this.shape).then(() => {
      this.captured = true;
      this.tellOwnMedia();
    });
  }

  close(): void {
    this.closed = true;
    this.stopListening();
    clearTimeout(this.timer);
    this.peer?.close();
    stopCapture();
    callMediaStore.setState(IDLE, true);
  }

  /** A new connection to the media server: the old one is gone there. */
  rebuild(): void {
    if (this.negotiating) {
      this.wanted = "rebuild";
      return;
    }
    this.peer?.close();
    const peer = new Peer(this.shape, {
      onConnected: () => this.connected(peer),
      onPathLost: () => {
        if (peer === this.peer) this.restart();
      },
    });
    this.peer = peer;
    callMediaStore.setState({ videoSlots: peer.videoSlots, audioSlots: peer.audioSlots });
    this.send();
    void this.negotiate(peer);
  }

  /** The same connection over another path. */
  restart(): void {
    if (this.negotiating) {
      this.wanted ??= "restart";
      return;
    }
    if (this.peer === null) return;
    void this.negotiate(this.peer);
  }

  /** The line to signaling is back. */
  welcomed(resumed: boolean): void {
    this.tellOwnMedia();
    if (this.negotiating) return;
    if (!resumed) this.rebuild();
    else if (this.peer?.connected !== true) this.restart();
  }

  private connected(peer: Peer): void {
    if (peer !== this.peer) return;
    clearTimeout(this.timer);
    this.retry = 0;
    callMediaStore.setState({ phase: "connected", failure: null });
  }

  private async negotiate(peer: Peer): Promise<void> {
    clearTimeout(this.timer);
    this.negotiating = true;
    if (callMediaStore.getState().phase !== "connecting") callMediaStore.setState({ phase: "recovering" });
    let failure: unknown = null;
    try {
      await peer.negotiate((sdp) => this.exchange(sdp));
    } catch (error) {
      failure = error ?? new Error("negotiation failed");
    }
    this.negotiating = false;
    if (this.closed) return;
    const { wanted } = this;
    this.wanted = null;
    if (failure !== null) this.failed(failure);
    else if (wanted === "rebuild") this.rebuild();
    else if (wanted === "restart") this.restart();
    else {
      this.tellOwnMedia();
      // Answered, but nothing may come through: then everything anew.
      if (!peer.connected) this.later(() => this.rebuild(), CONNECT_TIMEOUT_MS);
      else this.connected(peer);
    }
  }

  private async exchange(sdp: string): Promise<string> {
    const reply = await ask({ type: "offer", conference: this.conference, sdp }, OFFER_TIMEOUT_MS);
    if (reply.type !== "answer") throw new Error(`an offer was answered by ${reply.type}`);
    return reply.sdp;
  }

  private failed(error: unknown): void {
    const final = error instanceof RefusedError && error.refusal.code === "badOffer";
    if (final) {
      callMediaStore.setState({ phase: "failed", failure: failureKey(error) });
      return;
    }
    // Without a line to signaling the next welcome starts it again.
    if (linkStore.getState().phase !== "online") return;
    const wait = Math.min(RETRY_FIRST_MS * 2 ** this.retry, RETRY_MOST_MS);
    this.retry += 1;
    this.later(() => this.rebuild(), wait);
  }

  private later(step: () => void, ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(step, ms);
  }

  private send(): void {
    const { microphone, camera } = captureStore.getState();
    // Fails only on a connection that was closed meanwhile.
    this.peer?.send(microphone, camera).catch(() => undefined);
  }

  private tellOwnMedia(): void {
    if (!this.captured || this.closed) return;
    const { microphone, camera, wantsMicrophone } = captureStore.getState();
    void ask({
      type: "setOwnMedia",
      conference: this.conference,
      microphone: microphone !== null && wantsMicrophone,
      camera: camera !== null,
    }).catch(() => undefined); // Display only; said again with the next change and welcome.
  }
}

let call: { conference: ConferenceId; media: Call } | null = null;

/** Called once by the page: media follow the own stay in a conference. */
export function followCalls(): void {
  replicaStore.subscribe(({ replica }) => follow(replica?.ownConference ?? null));
  onClientEvent((event) => {
    if (event.type === "welcomed") call?.media.welcomed(event.resumed);
    else if (event.type === "mediaLost" && event.conference === call?.conference) call.media.rebuild();
  });
  const otherNetwork = () => call?.media.restart();
  window.addEventListener("online", otherNetwork);
  // Not in every browser: Wi-Fi to mobile data without going offline.
  const { connection } = navigator as { connection?: EventTarget };
  connection?.addEventListener("change", otherNetwork);
}

function follow(conference: ConferenceId | null): void {
  if (call?.conference === conference || (call === null && conference === null)) return;
  call?.media.close();
  call = null;
  if (conference !== null) call = { conference, media: new Call(conference) };
}
