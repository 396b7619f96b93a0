import { type RefObject, useEffect } from "react";

import { vitals } from "../../protocol/client";
import type { ParticipantId } from "../../protocol/generated/ParticipantId";
import type { Quality } from "../../protocol/generated/Quality";
import { bars } from "../../protocol/vitals";

/** Draws speaking and quality of one participant into its tile, several times a second, past React. */
export function useVitals(
  tile: RefObject<HTMLElement | null>,
  participant: ParticipantId,
  words: (quality: Quality | undefined, count: ReturnType<typeof bars>) => string,
): void {
  useEffect(() => {
    const draw = () => {
      const element = tile.current;
      if (element === null) return;
      write(element, "speaking", String(vitals.isSpeaking(participant)));
      const quality = vitals.qualityOf(participant);
      const count = bars(quality);
      const signal = element.querySelector<HTMLElement>(".tile-quality");
      if (signal === null) return;
      write(signal, "bars", String(count));
      const text = words(quality, count);
      if (signal.title !== text) {
        signal.title = text;
        signal.ariaLabel = text;
      }
    };
    draw();
    return vitals.subscribe(draw);
  }, [tile, participant, words]);
}

/** An attribute written anew costs a style recalculation even when it stays the same. */
function write(element: HTMLElement, name: string, value: string): void {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}
