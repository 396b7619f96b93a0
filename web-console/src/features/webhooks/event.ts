import type { TFunction } from "i18next";

import type { TimelineWhat } from "../../protocol/generated/TimelineWhat";

/** What `incident.planStarted` is called; an event that this console does not know keeps its name on the wire. */
export function eventWords(t: TFunction, type: string): string {
  const what = type.replace(/^incident\./, "") as TimelineWhat["type"];
  return t(`webhooks.event.${what}`, { defaultValue: type });
}
