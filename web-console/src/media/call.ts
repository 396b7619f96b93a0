import { createStore } from "zustand/vanilla";

import { ask, iceServers, linkStore, onClientEvent, probeLine, replicaStore } from "../protocol/client";
import { deviceStore } from "../protocol/device";
import { failureKey, RefusedError } from "../protocol/errors";
import type { ConferenceId } from "../protocol/generated/ConferenceId";
import type { Device } from "../protocol/generated/Device";
import type { SendLayer } from "../protocol/generated/SendLayer";
import type { SentTrack } from "../protocol/generated/SentTrack";
import { uplink } from "../protocol/network";
import { captureStore, startCapture, stopCapture } from "./capture";
import { Path, type PathInput, type PathStep } from "./path";
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

export const SHAPES: Record<Device, PeerShape> = {
  console: { videoSlots: 49, width: 1280, height: 720 },
  terminal: { videoSlots: 16, width: 640, height: 360 },
  phone: { videoSlots: 4, width: 640, height: 360 },
};

/** The media of the own stay in one conference, until `close`. */
class Call {
  private readonly conference: ConferenceId;
  private readonly shape = SHAPES[deviceStore.getState().device];
  private readonly path = new Path(linkStore.getState().phase === "online");
  private peer: Peer | null = null;
  private closed = false;
  /** Microphone and camera were asked for; before, nothing can be said about them. */
  private captured = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly stopListening: (() => void)[];

  constructor(conference: ConferenceId) {
    this.conference = conference;
    this.stopListening = [
      captureStore.subscribe((now, before) => {
        if (now.microphone !== before.microphone || now.camera !== before.camera) this.send();
        if (now.wantsMicrophone !== before.wantsMicrophone || now.microphone !== before.microphone || now.camera !== before.camera) {
          this.tellOwnMedia();
        }
      }),
      linkStore.subscribe((now, before) => {
        if (now.phase !== "online" && before.phase === "online") this.tell({ type: "lineLost" });
      }),
    ];
    callMediaStore.setState({ ...IDLE, phase: "connecting" }, true);
    this.take(this.path.begin(Date.now()));
    void startCapture(this.shape).then(() => {
      this.captured = true;
      this.tellOwnMedia();
    });
  }

  close(): void {
    this.closed = true;
    for (const stop of this.stopListening) stop();
    clearTimeout(this.timer);
    this.peer?.close();
    stopCapture();
    callMediaStore.setState(IDLE, true);
  }

  /** Something happened to the path; does what follows from it. */
  tell(input: PathInput): void {
    if (!this.closed) this.take(this.path.handle(input, Date.now()));
  }

  welcomed(resumed: boolean): void {
    this.tellOwnMedia();
    this.tell({ type: "lineBack", resumed });
  }

  /** What somebody receives of the own track. */
  sendLayers(track: SentTrack, layers: readonly SendLayer[]): void {
    switch (track) {
      case "camera":
        this.peer?.demand(layers);
        return;
      case "screen":
        // This page sends no screen.
        return;
      default:
        track satisfies never;
    }
  }

  /** What the own microphone is to send at most. */
  limitVoice(bitsPerSecond: number | null): void {
    this.peer?.limitVoice(bitsPerSecond);
  }

  private take(step: PathStep | null): void {
    if (step === "rebuild") this.rebuild();
    if (step !== null && this.peer !== null) void this.negotiate(this.peer);
    clearTimeout(this.timer);
    const { deadlineMs } = this.path;
    if (deadlineMs !== null) this.timer = setTimeout(() => this.tell({ type: "timeout" }), Math.max(0, deadlineMs - Date.now()));
  }

  /** A new connection to the media server: the old one is gone there. */
  private rebuild(): void {
    this.peer?.close();
    const peer: Peer = new Peer(this.shape, uplink(), iceServers, {
      onState: (state) => {
        if (peer === this.peer) this.peerIs(state);
      },
      onAddress: () => void probeLine(),
    });
    this.peer = peer;
    callMediaStore.setState({ videoSlots: peer.videoSlots, audioSlots: peer.audioSlots });
    this.send();
  }

  private peerIs(state: RTCPeerConnectionState): void {
    if (state === "connected") callMediaStore.setState({ phase: "connected", failure: null });
    // Perhaps the whole network went; then the line to signaling is dead, too.
    if (state === "disconnected") void probeLine();
    this.tell({ type: "peer", state });
  }

  private async negotiate(peer: Peer): Promise<void> {
    if (callMediaStore.getState().phase !== "connecting") callMediaStore.setState({ phase: "recovering" });
    let offer: string;
    try {
      offer = await peer.offer();
    } catch {
      this.tell({ type: "stuck" });
      return;
    }
    try {
      const reply = await ask({ type: "offer", conference: this.conference, sdp: offer }, OFFER_TIMEOUT_MS);
      if (reply.type !== "answer") throw new Error(`an offer was answered by ${reply.type}`);
      await peer.take(reply.sdp);
    } catch (error) {
      this.tell(this.failed(error));
      return;
    }
    // Restarted over a path that still carried: it never was away.
    if (peer.connected) callMediaStore.setState({ phase: "connected", failure: null });
    this.tellOwnMedia();
    this.tell({ type: "answered" });
  }

  private failed(error: unknown): PathInput {
    const final = error instanceof RefusedError && error.refusal.code === "badOffer";
    if (!final) return { type: "unanswered" };
    if (!this.closed) callMediaStore.setState({ phase: "failed", failure: failureKey(error) });
    return { type: "refused" };
  }

  /** Hands the connection what is to be sent, as much of it as the line is good for. */
  send(): void {
    const { microphone, camera } = captureStore.getState();
    // Fails only on a connection that was closed meanwhile.
    this.peer?.send(microphone, camera, uplink()).catch(() => undefined);
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
    if (call === null) return;
    const { conference, media } = call;
    switch (event.type) {
      case "welcomed":
        media.welcomed(event.resumed);
        return;
      case "networkChanged":
        media.tell({ type: "network" });
        return;
      case "uplinkChanged":
        media.send();
        return;
      case "mediaLost":
        if (event.conference === conference) media.tell({ type: "mediaLost" });
        return;
      case "sendLayers":
        if (event.conference === conference) media.sendLayers(event.track, event.layers);
        return;
      case "speechRate":
        if (event.conference === conference) media.limitVoice(event.bitsPerSecond);
        return;
      case "ringMissed":
      case "conducted":
      case "seated":
        return;
      default:
        event satisfies never;
    }
  });
}

function follow(conference: ConferenceId | null): void {
  if (call?.conference === conference || (call === null && conference === null)) return;
  call?.media.close();
  call = null;
  if (conference !== null) call = { conference, media: new Call(conference) };
}
