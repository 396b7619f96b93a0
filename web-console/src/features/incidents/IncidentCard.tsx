import { EnvironmentOutlined, TeamOutlined } from "@ant-design/icons";
import { memo } from "react";
import { useTranslation } from "react-i18next";

import type { Incident } from "../../protocol/generated/Incident";
import { useShortName } from "../../ui/siteName";
import { ageWords } from "./age";
import { LevelSign } from "./LevelSign";
import { isOpen, isTask } from "./rules";
import { useServerNow } from "./useServerNow";

type Props = { incident: Incident; open: boolean; onOpen: () => void };

/** One incident at a glance. */
export const IncidentCard = memo(function IncidentCard({ incident, open, onOpen }: Props) {
  const { t } = useTranslation();
  const shorten = useShortName();
  const now = useServerNow(10_000);
  const { id, level, state, title, sent } = incident;
  return (
    <button
      type="button"
      className="incident-card"
      data-level={level ?? "unknown"}
      data-open={isOpen(state)}
      data-state={state}
      data-testid={`incident-${id}`}
      aria-current={open}
      aria-label={t("incident.openName", { title })}
      onClick={onOpen}
    >
      <LevelSign level={level} size={34} />
      <span className="incident-card-title" title={title}>
        {title}
      </span>
      <span className="incident-card-age ld-number">{ageWords(t, incident.reportedAtMs, now)}</span>
      <span className="incident-card-line">
        <StatePill incident={incident} />
        {t(`incident.kind.${incident.kind}`)}
        {sent > 0 && (
          <span className="incident-card-sent ld-number" title={t("incident.respondersCount", { sent, onScene: incident.onScene })}>
            <TeamOutlined aria-hidden /> {incident.onScene}/{sent}
          </span>
        )}
      </span>
      <span className="incident-card-line incident-card-place">
        <EnvironmentOutlined aria-hidden /> {shorten(incident.siteName)}
        {incident.address !== "" && ` · ${incident.address}`}
      </span>
      {isTask(incident) && incident.ownResponse !== null && (
        <span className="incident-card-own" data-response={incident.ownResponse}>
          {t("incident.respondTitle")} · {t(`incident.response.${incident.ownResponse}`)}
        </span>
      )}
    </button>
  );
});

export function StatePill({ incident }: { incident: Pick<Incident, "state"> }) {
  const { t } = useTranslation();
  return (
    <span className="state-pill" data-state={incident.state}>
      {t(`incident.state.${incident.state}`)}
    </span>
  );
}
