import { useTranslation } from "react-i18next";

import type { IncidentLevel } from "../../protocol/generated/IncidentLevel";

/** A shape of its own for each level, for those who tell no colours apart. */
const SHAPES: Record<IncidentLevel | "unknown", { path: string; fill: string; ink: string; numeral: string; y: number }> = {
  I: { path: "M11 2h10l9 9v10l-9 9H11l-9-9V11z", fill: "#e5303c", ink: "#fff", numeral: "Ⅰ", y: 16 },
  II: { path: "M16 1l15 15-15 15L1 16z", fill: "#f58a1f", ink: "#241000", numeral: "Ⅱ", y: 16 },
  III: { path: "M16 2l15.5 28H.5z", fill: "#f7cf3c", ink: "#241c00", numeral: "Ⅲ", y: 21 },
  IV: { path: "M16 2a14 14 0 1 1 0 28a14 14 0 1 1 0-28z", fill: "#2f7fe0", ink: "#fff", numeral: "Ⅳ", y: 16 },
  unknown: { path: "M3 3h26v26H3z", fill: "none", ink: "#c5d2e4", numeral: "?", y: 16 },
};

/** How grave, by colour, shape and numeral. */
export function LevelSign({ level, size = 32 }: { level: IncidentLevel | null; size?: number }) {
  const { t } = useTranslation();
  const key = level ?? "unknown";
  const { path, fill, ink, numeral, y } = SHAPES[key];
  const label = level === null ? t("incident.level.unknown") : `${t(`incident.level.${level}`)} ${t(`incident.levelWord.${level}`)}`;
  return (
    <svg className="level-sign" viewBox="0 0 32 32" width={size} height={size} role="img" aria-label={label} data-level={key}>
      <title>{label}</title>
      <path d={path} fill={fill} stroke={level === null ? ink : "none"} strokeWidth="2" strokeDasharray="4 3" />
      <text x="16" y={y} fill={ink} textAnchor="middle" dominantBaseline="central" fontSize="14" fontWeight="700">
        {numeral}
      </text>
    </svg>
  );
}
