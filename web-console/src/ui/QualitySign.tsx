import "./quality.css";

import { memo, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { vitals } from "../protocol/client";
import type { ParticipantId } from "../protocol/generated/ParticipantId";
import { bars } from "../protocol/vitals";
import { write } from "./draw";
import { qualityWords } from "./quality";

/** How somebody's connection does: bars by number and colour, the figures on pointing at it. Drawn past React. */
export const QualitySign = memo(function QualitySign({ participant }: { participant: ParticipantId }) {
  const { t } = useTranslation();
  const sign = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const draw = () => {
      const element = sign.current;
      if (element === null) return;
      const quality = vitals.qualityOf(participant);
      const count = bars(quality);
      write(element, "bars", String(count));
      const text = qualityWords(t, count, quality, vitals.pictureOf(participant));
      if (element.title === text) return;
      element.title = text;
      element.ariaLabel = text;
    };
    draw();
    return vitals.subscribe(draw);
  }, [participant, t]);
  return (
    <span
      ref={sign}
      className="quality-sign"
      role="img"
      aria-label={t("quality.grade.0")}
      data-bars="0"
      data-testid={`quality-${participant}`}
    >
      <i />
      <i />
      <i />
      <i />
    </span>
  );
});
