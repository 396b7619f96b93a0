import type { TFunction } from "i18next";

import type { PlanWhom } from "../../protocol/generated/PlanWhom";
import type { Role } from "../../protocol/generated/Role";
import type { Tier } from "../../protocol/generated/Tier";

export const RELATIVE = ["incidentSite", "incidentSuperiors", "incidentSubtree", "dutySeat"] as const;
export const TIERS: readonly Tier[] = ["county", "township", "community"];
export const ROLES: readonly Role[] = ["field", "commander", "dispatcher"];

/** One entry as a text, for lists that hold texts. */
export function keyOf(whom: PlanWhom): string {
  switch (whom.type) {
    case "site":
      return `site:${whom.code}`;
    case "person":
      return `person:${whom.account}`;
    case "tier":
      return `tier:${whom.tier}`;
    case "subtree":
      return `subtree:${whom.root}`;
    case "role":
      return `role:${whom.role}`;
    case "dutySeat":
      return whom.site === null ? "dutySeat" : `dutySeat:${whom.site}`;
    case "incidentSite":
    case "incidentSubtree":
    case "incidentSuperiors":
      return whom.type;
    default:
      return whom satisfies never;
  }
}

/** The entry again; `null` for what no key can be. */
export function whomOf(key: string): PlanWhom | null {
  const at = key.indexOf(":");
  const type = at < 0 ? key : key.slice(0, at);
  const rest = at < 0 ? "" : key.slice(at + 1);
  switch (type) {
    case "site":
      return { type, code: rest };
    case "person":
      return { type, account: rest };
    case "tier": {
      const tier = TIERS.find((one) => one === rest);
      return tier === undefined ? null : { type, tier };
    }
    case "subtree":
      return { type, root: rest };
    case "role": {
      const role = ROLES.find((one) => one === rest);
      return role === undefined ? null : { type, role };
    }
    case "dutySeat":
      return { type, site: rest === "" ? null : rest };
    case "incidentSite":
    case "incidentSubtree":
    case "incidentSuperiors":
      return { type };
    default:
      return null;
  }
}

export type Names = { site: (code: string) => string; person: (account: string) => string };

export function whomWords(t: TFunction, whom: PlanWhom, names: Names): string {
  switch (whom.type) {
    case "site":
      return names.site(whom.code);
    case "person":
      return names.person(whom.account);
    case "tier":
      return t("plan.whom.tier", { tier: t(`tier.${whom.tier}`) });
    case "subtree":
      return t("plan.whom.subtree", { site: names.site(whom.root) });
    case "role":
      return t("plan.whom.role", { role: t(`role.${whom.role}`) });
    case "dutySeat":
      return whom.site === null ? t("plan.whom.dutySeat") : t("plan.whom.dutySeatOf", { site: names.site(whom.site) });
    case "incidentSite":
      return t("plan.whom.incidentSite");
    case "incidentSubtree":
      return t("plan.whom.incidentSubtree");
    case "incidentSuperiors":
      return t("plan.whom.incidentSuperiors");
    default:
      return whom satisfies never;
  }
}
