import type { PlanContent } from "../../protocol/generated/PlanContent";
import type { PlanStep } from "../../protocol/generated/PlanStep";
import type { Role } from "../../protocol/generated/Role";

/** May write plans at all; which ones, the server says plan by plan. */
export function writes(role: Role): boolean {
  return role === "commander" || role === "dispatcher" || role === "township" || role === "administrator";
}

export const NEW_STEP: PlanStep = {
  afterS: 0,
  whom: [],
  show: [],
  text: "",
  ackWithinS: 120,
  onMiss: { repeat: 1, contacts: true, above: true },
};

export const NEW_PLAN: PlanContent = {
  name: "",
  trigger: { kind: null, level: null, area: null },
  steps: [{ ...NEW_STEP, whom: [{ type: "incidentSite" }, { type: "incidentSuperiors" }], show: [{ type: "incidentSite" }] }],
  record: false,
};

/** What is missing before it can be saved, as a key of `plan.missing`; the server has the last word. */
export function missing(content: PlanContent): "name" | "first" | "empty" | null {
  if (content.name.trim() === "") return "name";
  const first = content.steps.reduce((a, b) => (b.afterS < a.afterS ? b : a), content.steps[0] ?? NEW_STEP);
  if (content.steps.length === 0 || first.afterS > 0 || first.whom.length === 0) return "first";
  const empty = content.steps.some((step) => step.whom.length === 0 && step.show.length === 0 && step.text.trim() === "");
  return empty ? "empty" : null;
}
