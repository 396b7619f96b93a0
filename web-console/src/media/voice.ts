import { SenderParameters } from "./senderParameters";

type Sender = Pick<RTCRtpSender, "getParameters" | "setParameters">;

/** Speech loses nothing by it (bit/s). */
const FULL_BITRATE = 24_000;

/** What a microphone sends, for `addTransceiver`. */
export function voiceEncodings(): RTCRtpEncodingParameters[] {
  return [{ maxBitrate: FULL_BITRATE, priority: "high", networkPriority: "high" }];
}

/** Keeps the encoder of one microphone at what the lines of the listeners carry. */
export class Voice {
  private readonly sender: Sender;
  private readonly parameters: SenderParameters;
  private asked: number | null = null;

  constructor(sender: Sender) {
    this.sender = sender;
    this.parameters = new SenderParameters(() => this.apply());
  }

  /** The server asks for no more than this; null: as it likes. */
  limit(bitsPerSecond: number | null): void {
    this.asked = bitsPerSecond;
    this.parameters.renew();
  }

  close(): void {
    this.parameters.close();
  }

  private async apply(): Promise<void> {
    const parameters = this.sender.getParameters();
    const wanted = Math.min(FULL_BITRATE, this.asked ?? FULL_BITRATE);
    const stale = parameters.encodings.filter((encoding) => encoding.maxBitrate !== wanted);
    if (stale.length === 0) return;
    for (const encoding of stale) encoding.maxBitrate = wanted;
    await this.sender.setParameters(parameters);
  }
}
