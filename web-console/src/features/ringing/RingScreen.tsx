import "./ringing.css";

import { PhoneFilled } from "@ant-design/icons";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { soundStore, unlockSound } from "../../media/sound";
import { accept, decline, useReplica } from "../../protocol/client";
import type { OwnRing } from "../../protocol/replica";
import { secondsLeft } from "../../ui/time";
import { useAttempt } from "../../ui/useAttempt";
import { useNow } from "../../ui/useNow";
import { useRinging } from "./useRinging";

type Props = {
  /** `banner` leaves the page usable; `screen` fills it. */
  shape: "banner" | "screen";
  vibrate?: boolean;
};

/** Shows, sounds and answers the ring at this client; nothing while there is none. */
export function RingScreen({ shape, vibrate = false }: Props) {
  const { ring, others } = useRinging({ vibrate });
  return ring === null ? null : <RingCard key={ring.invitation} ring={ring} others={others} shape={shape} />;
}

function RingCard({ ring, others, shape }: { ring: OwnRing; others: number; shape: Props["shape"] }) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const now = useNow(250);
  const clockOffsetMs = useReplica((replica) => replica.clockOffsetMs);
  const inCall = useReplica((replica) => replica.ownConference !== null);
  const soundOn = useStore(soundStore, (state) => state.unlocked);
  const acceptButton = useRef<HTMLButtonElement>(null);
  const auto = ring.autoAnswerAtMs !== null;
  // Whoever types in a dialog must not answer by accident.
  useEffect(() => {
    if (shape === "screen") acceptButton.current?.focus();
  }, [shape]);

  const autoSeconds = ring.autoAnswerAtMs === null ? 0 : secondsLeft(ring.autoAnswerAtMs, now);
  return (
    <div
      className="ring"
      data-shape={shape}
      data-auto={auto}
      data-testid="ring-screen"
      data-invitation={ring.invitation}
      role="alertdialog"
      aria-labelledby="ring-from"
      aria-describedby="ring-what"
    >
      <div className="ring-pulse" aria-hidden>
        <span />
        <span />
        <PhoneFilled />
      </div>
      <div className="ring-who">
        <p id="ring-what" className="ring-kind">
          {t(ring.forced !== null ? "ringing.forced" : auto ? "ringing.ordered" : "ringing.asks")}
        </p>
        <h2 id="ring-from">{ring.fromSiteName}</h2>
        <p className="ring-person">
          {ring.fromName !== ring.fromSiteName && ring.fromName}
          {ring.title !== "" && ring.title !== ring.fromSiteName && <span>{ring.title}</span>}
        </p>
        {ring.forced !== null && (
          <p className="ring-warning" data-testid="ring-reason">
            {t("parting.removedReason", { reason: ring.forced })}
          </p>
        )}
        {inCall && <p className="ring-warning">{t("ringing.leavesCall")}</p>}
        {others > 0 && <p className="ring-others">{t("ringing.waiting", { count: others })}</p>}
      </div>
      <p className="ring-countdown ld-number" data-testid="ring-countdown" data-auto={auto}>
        {auto
          ? autoSeconds > 0
            ? t("ringing.autoAnswer", { seconds: autoSeconds })
            : t("ringing.autoAnswerNow")
          : t("ringing.giveUp", { seconds: secondsLeft(ring.deadlineMs, now + clockOffsetMs) })}
      </p>
      <div className="ring-answers">
        <button
          type="button"
          className="ring-answer ring-decline"
          data-testid="ring-decline"
          onClick={() => attempt(() => decline(ring.invitation))}
        >
          <PhoneFilled aria-hidden rotate={225} />
          <span>{t("ringing.decline")}</span>
        </button>
        <button
          ref={acceptButton}
          type="button"
          className="ring-answer ring-accept"
          data-testid="ring-accept"
          disabled={busy}
          onClick={() => {
            unlockSound();
            attempt(() => accept(ring.invitation));
          }}
        >
          <PhoneFilled aria-hidden />
          <span>{t("ringing.accept")}</span>
        </button>
      </div>
      {!soundOn && <p className="ring-silent">{t("ringing.soundBlocked")}</p>}
    </div>
  );
}
