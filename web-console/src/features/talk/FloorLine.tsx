import { SoundFilled } from "@ant-design/icons";
import { useTranslation } from "react-i18next";

import type { KnownGroup } from "../../protocol/talk";
import { clockOf } from "../../ui/time";
import { useServerClock } from "./useServerClock";

/** Who speaks and since when; who waits; why the own key was of no use. */
export function FloorLine({ known }: { known: KnownGroup }) {
  const { t } = useTranslation();
  const { floor, talks, standing } = known;
  const last = talks.at(-1);
  return (
    <div className="floor-line">
      {floor.holder === null ? (
        <p className="floor-idle" data-testid={`floor-${floor.group}`} data-holder="">
          {last === undefined ? t("talk.idle") : <Last name={last.talker.name} untilMs={last.untilMs} />}
        </p>
      ) : (
        <p className="floor-holder" data-testid={`floor-${floor.group}`} data-holder={floor.holder.talker.account} data-rank={floor.holder.talker.rank}>
          <SoundFilled aria-hidden />
          <strong>{floor.holder.talker.name}</strong>
          <small>{t(`talk.rank.${floor.holder.talker.rank}`)}</small>
          <Since sinceMs={floor.holder.sinceMs} />
        </p>
      )}
      {floor.queue.length > 0 && (
        <p className="floor-queue" data-testid={`queue-${floor.group}`}>
          {t("talk.waiting")} {floor.queue.map((one) => one.name).join(" → ")}
        </p>
      )}
      {standing.type === "silent" && standing.cause !== null && (
        <p className="floor-cause" role="status" data-testid={`cause-${floor.group}`} data-cause={standing.cause}>
          {t(`talk.cause.${standing.cause}`)}
        </p>
      )}
    </div>
  );
}

function Since({ sinceMs }: { sinceMs: number }) {
  const now = useServerClock();
  return <time className="ld-number">{clockOf(Math.max(0, now - sinceMs))}</time>;
}

function Last({ name, untilMs }: { name: string; untilMs: number }) {
  const { t, i18n } = useTranslation();
  const at = new Date(untilMs).toLocaleTimeString(i18n.language, { hour12: false, hour: "2-digit", minute: "2-digit" });
  return <>{t("talk.last", { name, at })}</>;
}
