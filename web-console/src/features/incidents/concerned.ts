import type { AccountId } from "../../protocol/generated/AccountId";
import type { DirectoryPerson } from "../../protocol/generated/DirectoryPerson";
import type { DirectorySite } from "../../protocol/generated/DirectorySite";
import type { Dossier } from "../../protocol/generated/Dossier";
import type { Me } from "../../protocol/generated/Me";
import type { Presence } from "../../protocol/generated/Presence";
import type { SiteCode } from "../../protocol/generated/SiteCode";
import type { Target } from "../../protocol/generated/Target";

type Sites = ReadonlyMap<SiteCode, DirectorySite>;
type People = ReadonlyMap<AccountId, DirectoryPerson>;

export function keyOf(target: Target): string {
  switch (target.type) {
    case "site":
      return `site-${target.code}`;
    case "person":
      return `person-${target.account}`;
    case "tier":
      return `tier-${target.tier}`;
    case "subtree":
      return `subtree-${target.root}`;
    default:
      return target satisfies never;
  }
}

/** Whom a call about the incident is for: its site and all who were sent, but for ourselves; ordered where we command. */
export function concerned(
  dossier: Pick<Dossier, "responders"> & { incident: Pick<Dossier["incident"], "site"> },
  me: Pick<Me, "account" | "site">,
  sites: Sites,
  people: People,
): { orders: Target[]; questions: Target[] } {
  const targets = new Map<string, Target>();
  const site: Target = { type: "site", code: dossier.incident.site };
  for (const target of [site, ...dossier.responders.map((responder) => responder.who)]) {
    if (target.type === "site" && target.code === me.site) continue;
    if (target.type === "person" && target.account === me.account) continue;
    targets.set(keyOf(target), target);
  }
  const commanded = (target: Target) => {
    if (target.type === "site") return sites.get(target.code)?.commanded === true;
    if (target.type !== "person") return false;
    const at = people.get(target.account)?.site;
    return at !== undefined && (at === me.site || sites.get(at)?.commanded === true);
  };
  const all = [...targets.values()];
  return { orders: all.filter(commanded), questions: all.filter((target) => !commanded(target)) };
}

/** Somebody who can be sent. */
export type Candidate = {
  target: Target;
  name: string;
  presence: Presence | null;
  /** Steps below the topmost site shown. */
  depth: number;
  /** Of the incident's own place: offered first. */
  near: boolean;
};

/** Who can be sent: the own site, all below it and their field units; those of the incident's place first. */
export function candidates(
  incident: { site: SiteCode },
  me: Pick<Me, "site">,
  sites: Sites,
  people: People,
): Candidate[] {
  const chain = chainOf(incident.site, sites);
  const found: Candidate[] = [];
  const children = new Map<SiteCode | null, DirectorySite[]>();
  for (const site of sites.values()) children.set(site.parent, [...(children.get(site.parent) ?? []), site]);
  const staff = new Map<SiteCode, DirectoryPerson[]>();
  for (const person of people.values()) staff.set(person.site, [...(staff.get(person.site) ?? []), person]);

  function visit(site: DirectorySite, depth: number, within: boolean) {
    const near = within || chain.has(site.code);
    const { code, name, presence } = site;
    found.push({ target: { type: "site", code }, name, presence, depth, near });
    for (const person of staff.get(code) ?? []) {
      found.push({ target: { type: "person", account: person.account }, name: person.name, presence: person.presence, depth: depth + 1, near });
    }
    for (const child of children.get(code) ?? []) visit(child, depth + 1, within || code === incident.site);
  }

  const own = sites.get(me.site);
  if (own !== undefined) visit(own, 0, false);
  return [...found.filter((one) => one.near), ...found.filter((one) => !one.near)];
}

/** The site and those above it. */
function chainOf(code: SiteCode, sites: Sites): ReadonlySet<SiteCode> {
  const chain = new Set<SiteCode>();
  for (let site = sites.get(code); site !== undefined; site = site.parent === null ? undefined : sites.get(site.parent)) {
    chain.add(site.code);
  }
  return chain;
}
