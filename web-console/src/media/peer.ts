import type { SendLayer } from "../protocol/generated/SendLayer";
import type { Uplink } from "../protocol/network";
import { cameraEncodings, type PictureSize } from "./encodings";
import { SenderLayers } from "./senderLayers";
import { Voice, voiceEncodings } from "./voice";

/** What one negotiation asks for: so many slots, and a camera of this size. */
export type PeerShape = PictureSize & { videoSlots: number };

export type PeerEvents = {
  onState: (state: RTCPeerConnectionState) => void;
  /** A connected device has a new address: it joined another network, and the connection may be trying it already. */
  onAddress: () => void;
};

const AUDIO_SLOTS = 4;

/**
 * What the media server forwards, in the browser's order. All that a browser
 * can decode, written into 49 slots, is an offer of more than 256 kB, which is
 * more than the server takes; so the slots name what may come, each codec in
 * its common profile. That makes 128 kB of Chromium's offer.
 */
export function slotCodecs(
  known: readonly RTCRtpCodec[] = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [],
): RTCRtpCodec[] {
  const forwarded = known.filter(isForwarded);
  // Repair alone is no codec; an empty list leaves the browser's own.
  return forwarded.some(({ mimeType }) => mimeType.toLowerCase() !== "video/rtx") ? forwarded : [];
}

function isForwarded({ mimeType, sdpFmtpLine = "" }: RTCRtpCodec): boolean {
  switch (mimeType.toLowerCase()) {
    case "video/vp8":
    case "video/rtx":
      return true;
    case "video/h264":
      // Baseline (with any constraints) in packetization mode 1.
      return /profile-level-id=42/i.test(sdpFmtpLine) && sdpFmtpLine.includes("packetization-mode=1");
    // 8 bits, 4:2:0, as cameras give it; a missing profile means the same (RFC 9628 §6, AV1 RTP §7.2.3, RFC 7798 §7.1).
    case "video/vp9":
      return !/profile-id=[1-9]/.test(sdpFmtpLine);
    case "video/av1":
      return !/profile=[1-9]/.test(sdpFmtpLine);
    case "video/h265":
      return !/profile-id=([02-9]|1\d)/.test(sdpFmtpLine);
    default:
      return false;
  }
}

/** Opus with every packet sent twice (RED, RFC 2198) first: speech then survives the loss of single packets. */
export function speechCodecs(known: readonly RTCRtpCodec[]): RTCRtpCodec[] {
  const isRed = ({ mimeType }: RTCRtpCodec) => mimeType.toLowerCase() === "audio/red";
  // Without RED the browser's own order will do.
  return known.some(isRed) ? [...known.filter(isRed), ...known.filter((one) => !isRed(one))] : [];
}

const DESCRIPTOR = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/** Of WebRTC extensions (w3c.github.io/webrtc-extensions, §7), which TypeScript's library does not know yet. */
export type ExtensionChoice = {
  getHeaderExtensionsToNegotiate?: () => { uri: string; direction: RTCRtpTransceiverDirection }[];
  setHeaderExtensionsToNegotiate?: (wanted: { uri: string; direction: RTCRtpTransceiverDirection }[]) => void;
};

/**
 * Has a slot tell of layers within one stream (AV1 RTP specification, appendix A). Chromium asks for that only where it
 * sends such layers itself, and decodes no spatial layers of AV1 without.
 */
export function wantDescriptors(slot: ExtensionChoice): void {
  const known = slot.getHeaderExtensionsToNegotiate?.() ?? [];
  if (!known.some(({ uri }) => uri === DESCRIPTOR)) return;
  slot.setHeaderExtensionsToNegotiate?.(
    known.map((one) => (one.uri === DESCRIPTOR ? { ...one, direction: "recvonly" } : one)),
  );
}

/**
 * One connection to the media server: own microphone and camera, and slots
 * that receive whatever the server puts into them. Negotiated once; later
 * offers only renew the ICE credentials.
 */
export class Peer {
  private readonly pc: RTCPeerConnection;
  private readonly iceServers: () => RTCIceServer[];
  private readonly microphone: RTCRtpSender;
  private readonly camera: RTCRtpSender;
  private readonly layers: SenderLayers;
  private readonly voice: Voice;
  /** Slot i is the i-th recvonly video of the offer. */
  readonly videoSlots: readonly MediaStream[];
  readonly audioSlots: readonly MediaStream[];
  private negotiated = false;

  constructor(shape: PeerShape, uplink: Uplink, iceServers: () => RTCIceServer[], events: PeerEvents) {
    this.iceServers = iceServers;
    this.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle", rtcpMuxPolicy: "require", iceServers: iceServers() });
    // The tracks come later, without a new offer: opening a camera must not delay the joining.
    const microphone = this.pc.addTransceiver("audio", {
      direction: "sendonly",
      sendEncodings: voiceEncodings(),
    });
    prefer(microphone, speechCodecs(RTCRtpSender.getCapabilities("audio")?.codecs ?? []));
    this.microphone = microphone.sender;
    this.voice = new Voice(this.microphone);
    this.camera = this.addCamera(shape, uplink);
    this.layers = new SenderLayers(this.camera);
    this.videoSlots = Array.from({ length: shape.videoSlots }, () => this.receive("video", slotCodecs()));
    const speech = speechCodecs(RTCRtpReceiver.getCapabilities("audio")?.codecs ?? []);
    this.audioSlots = Array.from({ length: AUDIO_SLOTS }, () => this.receive("audio", speech));
    this.pc.onconnectionstatechange = () => events.onState(this.pc.connectionState);
    this.pc.onicecandidate = ({ candidate }) => {
      if (candidate !== null && this.connected) events.onAddress();
    };
  }

  private addCamera(shape: PeerShape, uplink: Uplink): RTCRtpSender {
    const add = (scalable: boolean) =>
      this.pc.addTransceiver("video", {
        direction: "sendonly",
        sendEncodings: cameraEncodings(shape, uplink, scalable),
      }).sender;
    try {
      return add(true);
    } catch {
      // Browsers that know scalability modes, but not these, refuse them; those that know none pass over them.
      return add(false);
    }
  }

  private receive(kind: "audio" | "video", codecs: RTCRtpCodec[]): MediaStream {
    const transceiver = this.pc.addTransceiver(kind, { direction: "recvonly" });
    prefer(transceiver, codecs);
    if (kind === "video") wantDescriptors(transceiver as ExtensionChoice);
    // An order must not wait behind a smooth picture: the buffer holds what the line's jitter asks for, and no more.
    if ("jitterBufferTarget" in transceiver.receiver) transceiver.receiver.jitterBufferTarget = 0;
    return new MediaStream([transceiver.receiver.track]);
  }

  get connected(): boolean {
    return this.pc.connectionState === "connected";
  }

  /** Makes an offer (again, with new ICE credentials). */
  async offer(): Promise<string> {
    if (this.negotiated) {
      this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers: this.iceServers() });
      this.pc.restartIce();
    }
    // An offer that was never answered is replaced by the next.
    if (this.pc.signalingState === "have-local-offer") await this.pc.setLocalDescription({ type: "rollback" });
    await this.pc.setLocalDescription(await this.pc.createOffer());
    const offer = this.pc.localDescription;
    if (offer === null) throw new Error("no local description after setting one");
    // The server is ICE-lite: it learns our addresses from our checks, so the
    // offer need not wait for candidates.
    return offer.sdp;
  }

  async take(answer: string): Promise<void> {
    if (this.pc.signalingState === "closed") return;
    await this.pc.setRemoteDescription({ type: "answer", sdp: answer });
    this.negotiated = true;
    // An answer without simulcast takes the upper encodings away; the one that is left has to carry the whole picture.
    this.layers.renew();
  }

  async send(microphone: MediaStreamTrack | null, camera: MediaStreamTrack | null, uplink: Uplink): Promise<void> {
    const { width, height } = camera?.getSettings() ?? {};
    const known = width !== undefined && height !== undefined;
    this.layers.capture(known ? { width, height } : null, uplink);
    await Promise.all([this.microphone.replaceTrack(microphone), this.camera.replaceTrack(camera)]);
  }

  /** What somebody receives of the own camera. */
  demand(layers: readonly SendLayer[]): void {
    this.layers.demand(layers);
  }

  /** What the own microphone is to send at most; null: as it likes. */
  limitVoice(bitsPerSecond: number | null): void {
    this.voice.limit(bitsPerSecond);
  }

  close(): void {
    this.layers.close();
    this.voice.close();
    this.pc.onconnectionstatechange = this.pc.onicecandidate = null;
    this.pc.close();
  }
}

function prefer(transceiver: RTCRtpTransceiver, codecs: RTCRtpCodec[]): void {
  // Firefox has it from 128 on; it also knows fewer codecs, so its offer is short without.
  if ("setCodecPreferences" in transceiver) transceiver.setCodecPreferences(codecs);
}
