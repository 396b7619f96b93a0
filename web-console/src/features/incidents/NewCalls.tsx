import "./incidents.css";

import { AlertFilled, CloseOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";

import { soundStore, testTone } from "../../media/sound";
import { useReplica } from "../../protocol/client";
import { useShortName } from "../../ui/siteName";
import { useAttempt } from "../../ui/useAttempt";
import { ageWords } from "./age";
import { LevelSign } from "./LevelSign";
import { type Call, callKey, waiting } from "./order";
import { commands } from "./rules";
import { look, markSeen, told, useIncidentsView } from "./store";
import { useServerNow } from "./useServerNow";

type Props = {
  /** The open dossier is on the page, too: what it is about needs no sign. */
  dossierInView: boolean;
  onLook?: () => void;
};

/**
 * Says that something waits: a report to verify, or work that this client was
 * sent to. A line of its own that covers nothing and takes no focus; it stays
 * until somebody looks.
 */
export function NewCalls({ dossierInView, onLook }: Props) {
  const { t } = useTranslation();
  const { attempt } = useAttempt();
  const shorten = useShortName();
  const calls = useCalls();
  const opened = useReplica((replica) => replica.open?.incident ?? null);
  const seen = useIncidentsView((view) => view.seen);
  const fresh = calls.filter((call) => !seen.has(callKey(call)) && !(dossierInView && call.incident.id === opened));
  const first = fresh[0];
  const now = useServerNow(10_000);

  if (first === undefined) return null;
  const { incident, why } = first;
  return (
    <div className="new-call" role="status" data-why={why} data-testid="new-incident" data-incident={incident.id}>
      <AlertFilled className="new-call-lamp" aria-hidden />
      <strong>{t(why === "task" ? "incident.newTask" : "incident.newReport")}</strong>
      <LevelSign level={incident.level} size={26} />
      <span className="new-call-what">
        {incident.title} · {shorten(incident.siteName)} · {ageWords(t, incident.reportedAtMs, now)}
      </span>
      {fresh.length > 1 && <span className="new-call-more ld-number">{t("incident.more", { count: fresh.length - 1 })}</span>}
      <Button
        type="primary"
        data-testid="new-incident-open"
        onClick={() => {
          onLook?.();
          attempt(() => look(incident.id));
        }}
      >
        {t("incident.open")}
      </Button>
      <Button
        type="text"
        icon={<CloseOutlined aria-hidden />}
        aria-label={t("incident.dismiss")}
        title={t("incident.dismiss")}
        data-testid="new-incident-dismiss"
        onClick={() => markSeen(fresh.map(callKey))}
      />
    </div>
  );
}

/** How many wait, for a badge. */
export function useWaiting(): number {
  return useCalls().length;
}

function useCalls(): readonly Call[] {
  const incidents = useReplica((replica) => replica.incidents);
  const mayAct = useReplica((replica) => commands(replica.me.role));
  return useMemo(() => (mayAct ? waiting(incidents) : []), [incidents, mayAct]);
}

/** Two notes and a shake for each that is new, once, whatever page is shown. */
export function IncidentBell() {
  const calls = useCalls();
  useEffect(() => {
    const fresh = calls.map(callKey).filter((key) => !told.has(key));
    if (fresh.length === 0) return;
    for (const key of fresh) told.add(key);
    // Sound that the browser holds back would come at the next touch, long after.
    if (soundStore.getState().unlocked) void testTone(null).catch(() => undefined);
    navigator.vibrate?.([200, 100, 200]);
  }, [calls]);
  return null;
}
