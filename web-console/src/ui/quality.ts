import type { TFunction } from "i18next";

import type { Quality } from "../protocol/generated/Quality";
import type { SlotQuality } from "../protocol/generated/SlotQuality";
import type { Bars } from "../protocol/vitals";

/** The figures behind the sign, in one line of text. */
export function qualityWords(
  t: TFunction,
  count: Bars,
  quality: Quality | undefined,
  picture: SlotQuality | undefined,
): string {
  const parts = [t(`quality.grade.${count}`)];
  if (quality !== undefined) {
    const { uplinkLoss, downlinkLoss, rttMs, jitterMs, uplinkKbps, downlinkKbps, estimateKbps } = quality;
    parts.push(t("quality.loss", { up: percent(uplinkLoss), down: percent(downlinkLoss) }));
    if (rttMs !== null) parts.push(t("quality.delay", { ms: Math.round(rttMs) }));
    parts.push(t("quality.jitter", { ms: Math.round(jitterMs) }));
    parts.push(t("quality.rate", { up: Math.round(uplinkKbps), down: Math.round(downlinkKbps) }));
    if (estimateKbps !== null) parts.push(t("quality.estimate", { kbps: Math.round(estimateKbps) }));
  }
  if (picture !== undefined) {
    const { height, fps, kbps, loss, jitterMs, freezes } = picture;
    if (picture.paused) parts.push(t("wall.paused"));
    else if (height > 0) parts.push(t("quality.picture", { height, fps, kbps }));
    parts.push(t("quality.here", { loss: percent(loss), ms: Math.round(jitterMs) }));
    if (freezes > 0) parts.push(t("quality.freezes", { count: freezes }));
  }
  return parts.join("\n");
}

function percent(share: number): number {
  return Math.round(100 * share);
}
