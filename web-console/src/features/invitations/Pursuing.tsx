import { useTranslation } from "react-i18next";

import type { Pursuit } from "../../protocol/generated/Pursuit";
import { useShortName } from "../../ui/siteName";
import { clockOf } from "../../ui/time";

/** What was tried to reach somebody who was missed, and with what result. */
export function Pursuing({ pursuit, serverNow }: { pursuit: Pursuit; serverNow: number }) {
  const { t } = useTranslation();
  const shorten = useShortName();
  const { state, attempts, toldName, reachedName } = pursuit;
  const word =
    state === "toldAbove" && toldName !== null
      ? t("pursuit.toldAbove", { site: shorten(toldName) })
      : state === "reached" && reachedName !== null
        ? t("pursuit.reached", { name: shorten(reachedName) })
        : t(`pursuit.state.${state}`);
  return (
    <div className="pursuit" data-testid={`pursuit-${pursuit.id}`} data-state={state}>
      <strong>{word}</strong>
      <ol>
        {attempts.map((attempt, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- attempts are only ever added
          <li key={index} data-result={attempt.result ?? "trying"}>
            <span>{shorten(attempt.name)}</span>
            <span>{t(`pursuit.channel.${attempt.channel}`)}</span>
            <span>{t(`pursuit.result.${attempt.result ?? "trying"}`)}</span>
            <span className="ld-number">{clockOf((attempt.resultAtMs ?? serverNow) - attempt.atMs)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
