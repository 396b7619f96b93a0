import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { replicaStore, vitals } from "../../protocol/client";

/** Who speaks, in words: on a phone the tiles are small. */
export function SpeakerLine() {
  const { t } = useTranslation();
  const line = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    const draw = () => {
      const loudest = vitals.loudestSpeaker();
      const name = loudest === null ? undefined : replicaStore.getState().replica?.participants.get(loudest)?.name;
      const text = name === undefined ? t("field.quiet") : t("field.speaking", { name });
      if (line.current !== null && line.current.textContent !== text) line.current.textContent = text;
    };
    draw();
    return vitals.subscribe(draw);
  }, [t]);
  return <p ref={line} className="phone-speaker" />;
}
