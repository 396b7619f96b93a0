import "./conference.css";

import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { callMediaStore } from "../../media/call";
import { useReplica } from "../../protocol/client";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import { clockOf } from "../../ui/time";
import { useTitle } from "../../ui/useTitle";
import { useNow } from "../../ui/useNow";
import { useOwnCall } from "./useOwnCall";

/** Title, age and state of the call, in one line. */
export function CallStatus({ conference: id }: { conference: ConferenceId }) {
  const { t } = useTranslation();
  const { conference, parties, me } = useOwnCall(id);
  const title = useTitle(conference);
  const offset = useReplica((replica) => replica.clockOffsetMs);
  const now = useNow() + offset;
  if (conference === undefined) return null;
  return (
    <div className="call-status" data-testid="call-status" data-state={conference.state}>
      <span className="call-live">{t(`conference.state.${conference.state}`)}</span>
      <h1 title={title}>{title}</h1>
      <span className="ld-number">{clockOf(now - conference.startedAtMs)}</span>
      <span>{t("conference.parties", { count: parties })}</span>
      {me !== undefined && <span>{t(`conference.role.${me.role}`)}</span>}
      <MediaState />
    </div>
  );
}

/** How picture and sound do, while they do not simply work. */
export function MediaState() {
  const { t } = useTranslation();
  const phase = useStore(callMediaStore, (media) => media.phase);
  const failure = useStore(callMediaStore, (media) => media.failure);
  return (
    <span className="media-state" role="status" data-testid="media-state" data-phase={phase}>
      {phase === "idle" || phase === "connected"
        ? ""
        : phase === "failed"
          ? t("media.failed", { reason: failure === null ? "" : t(failure) })
          : t(`media.${phase}`)}
    </span>
  );
}
