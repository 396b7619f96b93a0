import type { Uplink } from "../protocol/network";

/** Width and height of what the camera gives, in pixels. */
export type PictureSize = { width: number; height: number };

/** TypeScript's library does not know scalability modes (w3c.github.io/webrtc-svc) yet. */
export type Encoding = RTCRtpEncodingParameters & { scalabilityMode?: string };

/** One layer of the own picture, as far as it changes while it is sent. */
export type LayerPlan = {
  active: boolean;
  scaleResolutionDownBy: number;
  /** bit/s. */
  maxBitrate: number;
  maxFramerate: number;
};

/** 1280×720 in motion at this rate shows no blocks. */
const FULL_BITRATE = 1_500_000;
const FULL_PIXELS = 1280 * 720;
/** Small pictures need more bits for each pixel: 640×360 comes to 430 kbit/s, 320×180 to 120 kbit/s. */
const PIXEL_EXPONENT = 0.9;
const LEAST_BITRATE = 60_000;
const MODEST_SHARE = 0.6;

const FRAMES_PER_SECOND = 30;
/** The smallest of several layers is that of a wall of fifty, whose decoders have no time for more. */
const SMALL_FRAMES_PER_SECOND = 15;

/** Names of simulcast encodings, the smallest picture first (libwebrtc wants this order): a quarter, half and full size. */
const RIDS = ["q", "h", "f"] as const;

/** How many layers make sense: the smallest is not to fall below 135 lines. */
export function layersFor({ width, height }: PictureSize): 1 | 2 | 3 {
  // A phone held upright has its lines across.
  const lines = Math.min(width, height);
  if (lines >= 540) return 3;
  return lines >= 270 ? 2 : 1;
}

/**
 * What each encoding sends of a picture of this size. The number of encodings
 * was fixed by the offer; a camera that gives less than was asked for uses the
 * lower ones only, because encoders leave out the upper ones of a small picture.
 */
export function planLayers(encodings: number, size: PictureSize, uplink: Uplink): LayerPlan[] {
  const used = Math.min(encodings, layersFor(size));
  const pixels = size.width * size.height;
  return Array.from({ length: encodings }, (_, index) => {
    const scale = index < used ? 2 ** (used - 1 - index) : 1;
    const small = used > 1 && index === 0;
    return {
      active: index < used,
      scaleResolutionDownBy: scale,
      maxBitrate: bitrateOf(pixels / scale ** 2, uplink),
      maxFramerate: small || uplink === "modest" ? SMALL_FRAMES_PER_SECOND : FRAMES_PER_SECOND,
    };
  });
}

function bitrateOf(pixels: number, uplink: Uplink): number {
  const share = (pixels / FULL_PIXELS) ** PIXEL_EXPONENT * (uplink === "modest" ? MODEST_SHARE : 1);
  return Math.max(LEAST_BITRATE, Math.round((FULL_BITRATE * share) / 10_000) * 10_000);
}

/**
 * The encodings of a camera that is asked for pictures of this size, for
 * `addTransceiver`: their number and names (RFC 8851) cannot change later.
 * `scalable`: with temporal layers, by which the server drops frames of a line
 * that becomes thin without a keyframe; not every browser takes them.
 */
export function cameraEncodings(asked: PictureSize, uplink: Uplink, scalable: boolean): Encoding[] {
  const count = layersFor(asked);
  const names = RIDS.slice(RIDS.length - count);
  return planLayers(count, asked, uplink).map((plan, index) => {
    const encoding: Encoding = { ...plan };
    // A single encoding needs no name.
    if (count > 1) encoding.rid = names[index] ?? "";
    if (scalable) encoding.scalabilityMode = plan.maxFramerate > SMALL_FRAMES_PER_SECOND ? "L1T3" : "L1T2";
    return encoding;
  });
}
