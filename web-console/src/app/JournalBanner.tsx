import "./overlays.css";

import { WarningFilled } from "@ant-design/icons";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { journalStore } from "../protocol/client";

/** Tells everybody why no order is carried out at present; it goes by itself when that is over. */
export function JournalBanner() {
  const { t } = useTranslation();
  const state = useStore(journalStore, (journal) => journal.state);
  if (state === "well") return null;
  return (
    <p className="journal-banner" role="alert" data-testid="journal-banner" data-state={state}>
      <WarningFilled aria-hidden />
      {t(state === "damaged" ? "journal.damaged" : "journal.unwritable")}
    </p>
  );
}
