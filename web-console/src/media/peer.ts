/** What one negotiation asks for. */
export type PeerShape = {
  videoSlots: number;
  /** Upper limit of the own camera, bit/s. */
  cameraBitrate: number;
};

const AUDIO_SLOTS = 4;
/** A break shorter than this mends itself more often than not. */
const DISCONNECTED_PATIENCE_MS = 2_000;

export type PeerEvents = {
  onConnected: () => void;
  /** The path is gone; an ICE restart may find another. */
  onPathLost: () => void;
};

/**
 * What the media server forwards, in the browser's order. All that a browser
 * can decode, written into 49 slots, is an offer of more than 256 kB, which is
 * more than the server takes; so the slots name no more than can come.
 */
export function slotCodecs(
  known: readonly RTCRtpCodec[] = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [],
): RTCRtpCodec[] {
  const forwarded = known.filter(({ mimeType, sdpFmtpLine = "" }) => {
    switch (mimeType.toLowerCase()) {
      case "video/vp8":
      case "video/rtx":
        return true;
      case "video/h264":
        // Baseline (with any constraints) in packetization mode 1.
        return /profile-level-id=42/i.test(sdpFmtpLine) && sdpFmtpLine.includes("packetization-mode=1");
      default:
        return false;
    }
  });
  // Repair alone is no codec; an empty list leaves the browser's own.
  return forwarded.some(({ mimeType }) => mimeType.toLowerCase() !== "video/rtx") ? forwarded : [];
}

/**
 * One connection to the media server: own microphone and camera, and slots
 * that receive whatever the server puts into them. Negotiated once; later
 * offers only renew the ICE credentials.
 */
export class Peer {
  private readonly pc: RTCPeerConnection;
  private readonly microphone: RTCRtpSender;
  private readonly camera: RTCRtpSender;
  /** Slot i is the i-th recvonly video of the offer. */
  readonly videoSlots: readonly MediaStream[];
  readonly audioSlots: readonly MediaStream[];
  private patience: ReturnType<typeof setTimeout> | undefined;
  private negotiated = false;

  constructor(shape: PeerShape, events: PeerEvents) {
    this.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle", rtcpMuxPolicy: "require", iceServers: [] });
    // The tracks come later, without a new offer: opening a camera must not delay the joining.
    this.microphone = this.pc.addTransceiver("audio", { direction: "sendonly" }).sender;
    this.camera = this.pc.addTransceiver("video", {
      direction: "sendonly",
      sendEncodings: [{ maxBitrate: shape.cameraBitrate, maxFramerate: 30 }],
    }).sender;
    this.videoSlots = Array.from({ length: shape.videoSlots }, () => this.receive("video"));
    this.audioSlots = Array.from({ length: AUDIO_SLOTS }, () => this.receive("audio"));
    this.pc.onconnectionstatechange = () => this.watch(events);
  }

  private receive(kind: "audio" | "video"): MediaStream {
    const transceiver = this.pc.addTransceiver(kind, { direction: "recvonly" });
    // Firefox has it from 128 on; it also knows fewer codecs, so its offer is short without.
    if (kind === "video" && "setCodecPreferences" in transceiver) transceiver.setCodecPreferences(slotCodecs());
    return new MediaStream([transceiver.receiver.track]);
  }

  private watch(events: PeerEvents): void {
    clearTimeout(this.patience);
    switch (this.pc.connectionState) {
      case "connected":
        events.onConnected();
        break;
      case "disconnected":
        this.patience = setTimeout(events.onPathLost, DISCONNECTED_PATIENCE_MS);
        break;
      case "failed":
        events.onPathLost();
        break;
      case "new":
      case "connecting":
      case "closed":
        break;
      default:
        this.pc.connectionState satisfies never;
    }
  }

  get connected(): boolean {
    return this.pc.connectionState === "connected";
  }

  /** Offers (again, with new ICE credentials) and takes the answer. */
  async negotiate(exchange: (sdp: string) => Promise<string>): Promise<void> {
    if (this.negotiated) this.pc.restartIce();
    // An offer that was never answered is replaced by the next.
    if (this.pc.signalingState === "have-local-offer") await this.pc.setLocalDescription({ type: "rollback" });
    await this.pc.setLocalDescription(await this.pc.createOffer());
    const offer = this.pc.localDescription;
    if (offer === null) throw new Error("no local description after setting one");
    // The server is ICE-lite: it learns our addresses from our checks, so the
    // offer need not wait for candidates.
    const answer = await exchange(offer.sdp);
    if (this.pc.signalingState === "closed") return;
    await this.pc.setRemoteDescription({ type: "answer", sdp: answer });
    this.negotiated = true;
  }

  async send(microphone: MediaStreamTrack | null, camera: MediaStreamTrack | null): Promise<void> {
    await Promise.all([this.microphone.replaceTrack(microphone), this.camera.replaceTrack(camera)]);
  }

  close(): void {
    clearTimeout(this.patience);
    this.pc.onconnectionstatechange = null;
    this.pc.close();
  }
}
