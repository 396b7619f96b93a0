import { describe, expect, test } from "vitest";

import type { ConferenceKind } from "../protocol/generated/ConferenceKind";
import type { ConferenceState } from "../protocol/generated/ConferenceState";
import type { IncidentKind } from "../protocol/generated/IncidentKind";
import type { IncidentLevel } from "../protocol/generated/IncidentLevel";
import type { IncidentState } from "../protocol/generated/IncidentState";
import type { IncidentStep } from "../protocol/generated/IncidentStep";
import type { InvitationState } from "../protocol/generated/InvitationState";
import type { MissReason } from "../protocol/generated/MissReason";
import type { ParticipantRole } from "../protocol/generated/ParticipantRole";
import type { ParticipantState } from "../protocol/generated/ParticipantState";
import type { Presence } from "../protocol/generated/Presence";
import type { RefusalCode } from "../protocol/generated/RefusalCode";
import type { ResponderState } from "../protocol/generated/ResponderState";
import type { Role } from "../protocol/generated/Role";
import type { TimelineWhat } from "../protocol/generated/TimelineWhat";
import en from "./en.json";
import zhCN from "./zh-CN.json";

/** All texts by their dotted key. */
function flatten(node: unknown, prefix = ""): Map<string, string> {
  const texts = new Map<string, string>();
  if (typeof node === "string") return texts.set(prefix, node);
  for (const [key, child] of Object.entries(node as Record<string, unknown>)) {
    for (const [path, text] of flatten(child, prefix === "" ? key : `${prefix}.${key}`)) texts.set(path, text);
  }
  return texts;
}

const CHINESE = flatten(zhCN);
const ENGLISH = flatten(en);
const variables = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort();

describe("the catalogues", () => {
  test("have the same keys, none empty, with the same variables", () => {
    expect([...ENGLISH.keys()].sort()).toEqual([...CHINESE.keys()].sort());
    for (const [key, text] of CHINESE) {
      expect(text.trim(), key).not.toBe("");
      expect(variables(ENGLISH.get(key) ?? ""), key).toEqual(variables(text));
    }
  });

  test("Chinese is Chinese: no English words left over", () => {
    for (const [key, text] of CHINESE) {
      if (key === "language.en") continue;
      expect(text.replaceAll(/\{\{\w+\}\}/g, ""), key).not.toMatch(/[A-Za-z]/);
    }
  });

  test("every code and state of the protocol has its text", () => {
    // Checked by the compiler: a state without an entry, or an entry without a state, does not type-check.
    zhCN.refusal satisfies Record<RefusalCode, string>;
    zhCN.miss satisfies Record<MissReason, string>;
    zhCN.role satisfies Record<Role, string>;
    zhCN.presence satisfies Record<Presence, string>;
    zhCN.invitation.state satisfies Record<InvitationState, string>;
    zhCN.conference.kind satisfies Record<ConferenceKind, string>;
    zhCN.conference.state satisfies Record<ConferenceState, string>;
    zhCN.conference.role satisfies Record<ParticipantRole, string>;
    zhCN.conference.participantState satisfies Record<ParticipantState, string>;
    zhCN.incident.kind satisfies Record<IncidentKind, string>;
    zhCN.incident.level satisfies Record<IncidentLevel, string>;
    zhCN.incident.state satisfies Record<IncidentState, string>;
    zhCN.incident.response satisfies Record<ResponderState, string>;
    zhCN.incident.done satisfies Record<IncidentStep["type"], string>;
    zhCN.incident.what satisfies Record<TimelineWhat["type"], string>;
    zhCN.webhooks.event satisfies Record<TimelineWhat["type"], string>;
    type Unknown = Exclude<keyof typeof zhCN.refusal, RefusalCode>;
    const none: Unknown[] = [];
    expect(none).toEqual([]);
  });
});
