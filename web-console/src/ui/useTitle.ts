import { useTranslation } from "react-i18next";

import { useReplica } from "../protocol/client";
import type { Conference } from "../protocol/generated/Conference";
import { useShortName } from "./siteName";

/** The title of a call; one without is named after its caller's site and its kind. */
export function useTitle(conference: Conference | undefined): string {
  const { t } = useTranslation();
  const shorten = useShortName();
  const site = useReplica((replica) =>
    conference === undefined ? undefined : replica.sites.get(conference.calledBySite)?.name,
  );
  if (conference === undefined) return "";
  if (conference.title !== "") return conference.title;
  const kind = t(`conference.kind.${conference.kind}`);
  return site === undefined ? kind : `${shorten(site)} · ${kind}`;
}
