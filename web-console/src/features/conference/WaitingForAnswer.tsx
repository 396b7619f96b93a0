import { useTranslation } from "react-i18next";

import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import { useOwnCall } from "./useOwnCall";

/** In place of an empty wall, as long as nobody else is in the call. */
export function WaitingForAnswer({ conference }: { conference: ConferenceId }) {
  const { t } = useTranslation();
  const { parties, held, ringing } = useOwnCall(conference);
  if (parties > 1) return null;
  return (
    <div className="waiting" role="status" data-testid="waiting-for-answer">
      <span className="waiting-rings" aria-hidden>
        <i />
        <i />
        <i />
      </span>
      <strong>{held > 0 && ringing === 0 ? t("conference.waitingForHeld", { count: held }) : t("conference.waiting")}</strong>
      {ringing > 0 && <span>{t("conference.waitingHint", { count: ringing })}</span>}
    </div>
  );
}
