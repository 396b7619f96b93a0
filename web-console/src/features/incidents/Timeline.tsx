import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";

import type { Dossier } from "../../protocol/generated/Dossier";
import type { IncidentId } from "../../protocol/generated/IncidentId";
import type { TimelineEntry } from "../../protocol/generated/TimelineEntry";
import type { TimelineWhat } from "../../protocol/generated/TimelineWhat";
import { clockOf } from "../../ui/time";
import { momentWords } from "./age";
import { addressOf, kindOf } from "./files";
import { useServerNow } from "./useServerNow";

/** All that happened, on the server's clock, each with how long after the report. */
export function Timeline({ dossier }: { dossier: Dossier }) {
  const { t, i18n } = useTranslation();
  const now = useServerNow(60_000);
  const start = dossier.incident.reportedAtMs;
  return (
    <section className="timeline" aria-label={t("incident.timeline")} data-testid="incident-timeline">
      <h3>{t("incident.timeline")}</h3>
      <ol>
        {dossier.timeline.map((entry, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- entries have no number, and are only ever added
          <li key={`${entry.atMs}-${index}`} data-what={entry.what.type}>
            <time className="ld-number" dateTime={new Date(entry.atMs).toISOString()}>
              {momentWords(i18n.language, entry.atMs, now)}
              <small>+{clockOf(entry.atMs - start)}</small>
            </time>
            <Entry incident={dossier.incident.id} entry={entry} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Entry({ incident, entry }: { incident: IncidentId; entry: TimelineEntry }) {
  const { t } = useTranslation();
  const text = textOf(entry.what);
  return (
    <div>
      <p>
        {wordsOf(t, entry)}
        {!namesItself(entry) && <small> · {entry.byName}</small>}
      </p>
      {text !== "" && <p className="timeline-text">{text}</p>}
      {entry.what.type === "attached" && (
        <p className="timeline-text">
          <a href={addressOf(incident, entry.what.file)} target="_blank" rel="noreferrer">
            {entry.what.file.name === "" ? t("incident.files.open") : entry.what.file.name}
          </a>
        </p>
      )}
    </div>
  );
}

/** The words say already who did it. */
function namesItself({ what, byName }: TimelineEntry): boolean {
  return byName === "" || what.type === "reported" || (what.type === "responded" && what.name === byName);
}

function wordsOf(t: TFunction, { byName, what }: TimelineEntry): string {
  switch (what.type) {
    case "reported":
      return t("incident.what.reported", { by: byName });
    case "verified":
      return t("incident.what.verified", { kind: t(`incident.kind.${what.kind}`), level: t(`incident.level.${what.level}`) });
    case "markedDuplicate":
      return t("incident.what.markedDuplicate", { id: what.of });
    case "markedFalse":
      return t("incident.what.markedFalse", { reason: what.reason });
    case "levelled":
      return t("incident.what.levelled", { level: t(`incident.level.${what.level}`), reason: what.reason });
    case "escalated":
      return t("incident.what.escalated", { tier: t(`tier.${what.tier}`), reason: what.reason });
    case "assigned":
      return t("incident.what.assigned", { name: what.name });
    case "responded":
      return t("incident.what.responded", { name: what.name, state: t(`incident.response.${what.state}`) });
    case "attached":
      return t("incident.what.attached", { kind: t(`incident.files.kind.${kindOf(what.file.mediaType)}`) });
    case "convened":
    case "controlled":
    case "closed":
    case "reviewed":
    case "noted":
      return t(`incident.what.${what.type}`);
    case "planStarted":
      return t("incident.what.planStarted", { name: what.name, version: what.version });
    case "planStopped":
      return t("incident.what.planStopped", { name: what.name });
    case "planStep":
      return t("incident.what.planStep", { step: what.step, count: what.called });
    case "planStepSettled":
      return what.missed.length === 0
        ? t("incident.what.planStepReached", { step: what.step, count: what.reached })
        : t("incident.what.planStepSettled", { step: what.step, reached: what.reached, missed: what.missed.join("、") });
    case "unreached":
      return what.told === null
        ? t("incident.what.unreached", { name: what.name })
        : t("incident.what.toldAbove", { name: what.name, site: what.told });
    case "reached":
      return t("incident.what.reached", { name: what.name, by: what.by });
    default:
      return what satisfies never;
  }
}

function textOf(what: TimelineWhat): string {
  if ("text" in what) return what.text;
  return what.type === "reviewed" ? what.findings : "";
}
