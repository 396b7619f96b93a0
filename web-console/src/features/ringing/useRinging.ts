import { App } from "antd";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { ringTone, soundStore } from "../../media/sound";
import { accept, onClientEvent, useReplica } from "../../protocol/client";
import type { OwnRing } from "../../protocol/replica";
import { useAttempt } from "../../ui/useAttempt";

/** Long enough to be read by somebody who comes back into the room. */
const MISSED_SHOWN_S = 30;

/** The ring that waits longest for an answer, with its sound and its own answering. */
export function useRinging({ vibrate }: { vibrate: boolean }): { ring: OwnRing | null; others: number } {
  const rings = useReplica((replica) => replica.rings);
  const inCall = useReplica((replica) => replica.ownConference !== null);
  const unlocked = useStore(soundStore, (state) => state.unlocked);
  const { attempt } = useAttempt();
  const { message } = App.useApp();
  const { t } = useTranslation();
  const ring = rings[0] ?? null;
  const rung = ring !== null;

  useEffect(() => {
    // In a call a banner is enough; a ring tone would go into everybody's ears.
    if (!rung || inCall || !unlocked) return;
    return ringTone();
  }, [rung, inCall, unlocked]);

  useEffect(() => {
    if (!rung || !vibrate || !("vibrate" in navigator)) return;
    const shake = () => navigator.vibrate([600, 300, 600]);
    shake();
    const timer = setInterval(shake, 2_600);
    return () => {
      clearInterval(timer);
      navigator.vibrate(0);
    };
  }, [rung, vibrate]);

  const invitation = ring?.invitation ?? null;
  const answerAtMs = ring?.autoAnswerAtMs ?? null;
  useEffect(() => {
    if (invitation === null || answerAtMs === null) return;
    const timer = setTimeout(() => attempt(() => accept(invitation)), Math.max(0, answerAtMs - Date.now()));
    return () => clearTimeout(timer);
  }, [invitation, answerAtMs, attempt]);

  useEffect(
    () =>
      onClientEvent((event) => {
        if (event.type !== "ringMissed") return;
        const text = t("ringing.missed", { name: event.fromSiteName, reason: t(`miss.${event.reason}`) });
        void message.warning(text, MISSED_SHOWN_S);
      }),
    [message, t],
  );

  return { ring, others: Math.max(0, rings.length - 1) };
}
