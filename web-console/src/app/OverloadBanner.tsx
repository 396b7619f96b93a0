import "./overlays.css";

import { WarningFilled } from "@ant-design/icons";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { overloadStore } from "../protocol/client";

/** Tells who commands that the pictures are reduced for everybody, and not by somebody's line. */
export function OverloadBanner() {
  const { t } = useTranslation();
  const level = useStore(overloadStore, (overload) => overload.level);
  if (level === 0) return null;
  return (
    <p className="overload" role="status" data-testid="overload" data-level={level}>
      <WarningFilled aria-hidden />
      {t("media.overload", { level })}
    </p>
  );
}
