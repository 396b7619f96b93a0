import type { SendLayer } from "../protocol/generated/SendLayer";
import type { Uplink } from "../protocol/network";
import { type PictureSize, planLayers } from "./encodings";
import { SenderParameters } from "./senderParameters";

type Sender = Pick<RTCRtpSender, "getParameters" | "setParameters">;

/** Keeps the encodings of one sender at what the camera gives and the receivers want. */
export class SenderLayers {
  private readonly sender: Sender;
  /** As the server said last, by rid; a layer it said nothing about is wanted. */
  private demanded: ReadonlyMap<string | null, boolean> = new Map();
  private size: PictureSize | null = null;
  private uplink: Uplink = "full";
  private readonly parameters: SenderParameters;
  /** The degradation preference was taken; not every browser tells it back. */
  private preferred = false;

  constructor(sender: Sender) {
    this.sender = sender;
    this.parameters = new SenderParameters(() => this.apply());
  }

  /** The camera that is sent now, if any. */
  capture(size: PictureSize | null, uplink: Uplink): void {
    this.size = size;
    this.uplink = uplink;
    this.renew();
  }

  /** What somebody receives; the other layers rest. */
  demand(layers: readonly SendLayer[]): void {
    this.demanded = new Map(layers.map(({ rid, active }) => [rid, active]));
    this.renew();
  }

  /** After a negotiation, which may have taken encodings away. */
  renew(): void {
    this.parameters.renew();
  }

  close(): void {
    this.parameters.close();
  }

  private async apply(): Promise<void> {
    if (this.size === null) return;
    // Read and written without a pause between: parameters that were read earlier are refused.
    const parameters = this.sender.getParameters();
    const plans = planLayers(parameters.encodings.length, this.size, this.uplink);
    let changed = !this.preferred;
    for (const [index, plan] of plans.entries()) {
      const encoding = parameters.encodings[index];
      if (encoding === undefined) continue;
      const wanted = { ...plan, active: plan.active && this.wants(encoding.rid ?? null) };
      // Even equal parameters may cost a keyframe of every layer.
      if (!same(encoding, wanted)) changed = true;
      Object.assign(encoding, wanted);
    }
    // A weak machine shall lose a little of both, not the whole motion or the whole sharpness.
    parameters.degradationPreference = "balanced";
    if (!changed) return;
    await this.sender.setParameters(parameters);
    this.preferred = true;
  }

  private wants(rid: string | null): boolean {
    return this.demanded.get(rid) ?? true;
  }
}

function same(encoding: RTCRtpEncodingParameters, wanted: Partial<RTCRtpEncodingParameters>): boolean {
  return (
    encoding.active === wanted.active &&
    encoding.maxBitrate === wanted.maxBitrate &&
    encoding.maxFramerate === wanted.maxFramerate &&
    (encoding.scaleResolutionDownBy ?? 1) === wanted.scaleResolutionDownBy
  );
}
