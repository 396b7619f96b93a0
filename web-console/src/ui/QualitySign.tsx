import "./quality.css";

import { memo, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { vitals } from "../protocol/client";
import type { ParticipantId } from "../protocol/generated/ParticipantId";
import { bars } from "../protocol/vitals";
import { write } from "./draw";
import { qualityWords } from "./quality";

/**
 * How somebody's connection does: bars by number and colour, the figures on
 * pointing at it. Drawn past React; and the figures of a hundred signs are put
 * into words only where somebody points.
 */
export const QualitySign = memo(function QualitySign({ participant }: { participant: ParticipantId }) {
  const { t } = useTranslation();
  const sign = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const element = sign.current;
    if (element === null) return;
    let pointed = false;
    const draw = () => {
      const quality = vitals.qualityOf(participant);
      const count = bars(quality);
      if (write(element, "bars", String(count))) element.ariaLabel = t(`quality.grade.${count}`);
      if (pointed) element.title = qualityWords(t, count, quality, vitals.pictureOf(participant));
    };
    const point = () => {
      pointed = true;
      draw();
    };
    const leave = () => {
      pointed = false;
    };
    element.ariaLabel = t(`quality.grade.${bars(vitals.qualityOf(participant))}`);
    draw();
    element.addEventListener("pointerenter", point);
    element.addEventListener("pointerleave", leave);
    const stop = vitals.subscribe(draw);
    return () => {
      stop();
      element.removeEventListener("pointerenter", point);
      element.removeEventListener("pointerleave", leave);
    };
  }, [participant, t]);
  return (
    <span ref={sign} className="quality-sign" role="img" data-bars="0" data-testid={`quality-${participant}`}>
      <i />
      <i />
      <i />
      <i />
    </span>
  );
});
