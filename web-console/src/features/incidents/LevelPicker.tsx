import { useTranslation } from "react-i18next";

import type { IncidentKind } from "../../protocol/generated/IncidentKind";
import type { IncidentLevel } from "../../protocol/generated/IncidentLevel";
import { LevelSign } from "./LevelSign";
import { LEVELS } from "./order";

const KINDS: readonly IncidentKind[] = ["sudden", "mass", "contingency"];

/** One of the four levels, none chosen at first if nobody has said one. */
export function LevelPicker({ value, onChange }: { value: IncidentLevel | null; onChange: (level: IncidentLevel) => void }) {
  const { t } = useTranslation();
  return (
    <fieldset className="choices" data-columns="4">
      <legend>{t("incident.field.level")}</legend>
      {LEVELS.map((level) => (
        <label key={level} className="choice" data-chosen={value === level} data-testid={`level-${level}`}>
          <input
            type="radio"
            name="incident-level"
            className="ld-visually-hidden"
            checked={value === level}
            onChange={() => onChange(level)}
          />
          <LevelSign level={level} size={26} />
          <span>
            <strong>{t(`incident.level.${level}`)}</strong>
            <small>{t(`incident.levelWord.${level}`)}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export function KindPicker({ value, onChange }: { value: IncidentKind | null; onChange: (kind: IncidentKind) => void }) {
  const { t } = useTranslation();
  return (
    <fieldset className="choices" data-columns="3">
      <legend>{t("incident.field.kind")}</legend>
      {KINDS.map((kind) => (
        <label key={kind} className="choice" aria-label={t(`incident.kind.${kind}`)} data-chosen={value === kind} data-testid={`kind-${kind}`}>
          <input
            type="radio"
            name="incident-kind"
            className="ld-visually-hidden"
            checked={value === kind}
            onChange={() => onChange(kind)}
          />
          <span>
            <strong>{t(`incident.kind.${kind}`)}</strong>
            <small>{t(`incident.kindHint.${kind}`)}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
