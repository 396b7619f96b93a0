import { App } from "antd";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { onClientEvent } from "../../protocol/client";
import type { ConductNotice } from "../../protocol/generated/ConductNotice";
import type { StayReason } from "../../protocol/generated/StayReason";

/** Long enough to be read by somebody across the room. */
const SHOWN_S = 12;

/** Says in words what was done in the call, and why the device is in one that nobody here asked for. */
export function ConductNotices() {
  const { t } = useTranslation();
  const { message } = App.useApp();
  useEffect(
    () =>
      onClientEvent((event) => {
        if (event.type === "conducted") void message.warning(t(`conduct.notice.${event.notice.type}`, wordsOf(event.notice)), SHOWN_S);
        if (event.type === "seated") void message.warning(t(`conduct.seated.${event.reason.type}`, reasonOf(event.reason)), SHOWN_S);
      }),
    [message, t],
  );
  return null;
}

function wordsOf(notice: ConductNotice): { name: string; reason: string; byName: string } {
  const { name } = notice;
  switch (notice.type) {
    case "entered":
    case "observes":
      return { name, reason: notice.reason, byName: "" };
    case "moved":
      return { name, reason: notice.reason, byName: notice.byName };
    case "held":
    case "givenBack":
      return { name, reason: "", byName: "" };
    default:
      return notice satisfies never;
  }
}

function reasonOf(reason: StayReason): { byName: string; reason: string } {
  switch (reason.type) {
    case "moved":
      return { byName: reason.byName, reason: reason.reason };
    case "admitted":
    case "givenBack":
      return { byName: "", reason: "" };
    default:
      return reason satisfies never;
  }
}
