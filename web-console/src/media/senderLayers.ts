import type { SendLayer } from "../protocol/generated/SendLayer";
import type { Uplink } from "../protocol/network";
import { type PictureSize, planLayers } from "./encodings";

type Sender = Pick<RTCRtpSender, "getParameters" | "setParameters">;

const RETRY_FIRST_MS = 200;
const RETRIES = 4;

/**
 * Keeps the encodings of one sender at what the camera gives and the
 * receivers want. Changes follow one another, the newest wins; what the
 * browser refuses (it was negotiating, say) is tried again a few times.
 */
export class SenderLayers {
  private readonly sender: Sender;
  /** As the server said last, by rid; a layer it said nothing about is wanted. */
  private demanded: ReadonlyMap<string | null, boolean> = new Map();
  private size: PictureSize | null = null;
  private uplink: Uplink = "full";
  private running = false;
  private stale = false;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;
  /** The degradation preference was taken; not every browser tells it back. */
  private preferred = false;

  constructor(sender: Sender) {
    this.sender = sender;
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
    clearTimeout(this.timer);
    this.failures = 0;
    this.stale = true;
    if (!this.running) void this.run();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.stale && !this.closed) {
      this.stale = false;
      try {
        await this.apply();
        this.failures = 0;
      } catch {
        this.retryLater();
      }
    }
    this.running = false;
  }

  private retryLater(): void {
    if (this.failures >= RETRIES || this.closed) return;
    const wait = RETRY_FIRST_MS * 2 ** this.failures;
    this.failures += 1;
    this.timer = setTimeout(() => {
      this.stale = true;
      if (!this.running) void this.run();
    }, wait);
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
