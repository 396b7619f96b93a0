import { useTranslation } from "react-i18next";

import type { Dossier } from "../../protocol/generated/Dossier";
import { momentWords } from "./age";
import { keyOf } from "./concerned";
import { useServerNow } from "./useServerNow";

/** Who was sent, and how far each is. */
export function Responders({ dossier }: { dossier: Dossier }) {
  const { t, i18n } = useTranslation();
  const now = useServerNow(60_000);
  const { responders, incident } = dossier;
  return (
    <section className="responders" aria-label={t("incident.responders")}>
      <h3>
        {t("incident.responders")}
        {incident.sent > 0 && (
          <small className="ld-number">{t("incident.respondersCount", { sent: incident.sent, onScene: incident.onScene })}</small>
        )}
      </h3>
      {responders.length === 0 && <p className="incident-none">{t("incident.respondersNone")}</p>}
      <ul>
        {responders.map((one) => (
          <li key={keyOf(one.who)} data-testid={`responder-${keyOf(one.who)}`} data-response={one.state}>
            <span className="responder-name">{one.name}</span>
            <span className="responder-state">{t(`incident.response.${one.state}`)}</span>
            <span className="responder-time ld-number">{t("incident.since", { time: momentWords(i18n.language, one.stateAtMs, now) })}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
