import { type RefObject, useEffect } from "react";

import { vitals } from "../../protocol/client";
import type { ParticipantId } from "../../protocol/generated/ParticipantId";
import { write } from "../../ui/draw";

/** Draws into its tile whether one participant speaks and whether its picture rests, several times a second, past React. */
export function useVitals(tile: RefObject<HTMLElement | null>, participant: ParticipantId): void {
  useEffect(() => {
    const draw = () => {
      const element = tile.current;
      if (element === null) return;
      write(element, "speaking", String(vitals.isSpeaking(participant)));
      write(element, "paused", String(vitals.pictureOf(participant)?.paused === true));
    };
    draw();
    return vitals.subscribe(draw);
  }, [tile, participant]);
}
