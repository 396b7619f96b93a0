import type { AccountId } from "../../protocol/generated/AccountId";
import type { DirectoryPerson } from "../../protocol/generated/DirectoryPerson";
import type { DirectorySite } from "../../protocol/generated/DirectorySite";
import type { Presence } from "../../protocol/generated/Presence";
import type { SiteCode } from "../../protocol/generated/SiteCode";
import type { Tier } from "../../protocol/generated/Tier";

type Sites = ReadonlyMap<SiteCode, DirectorySite>;
type People = ReadonlyMap<AccountId, DirectoryPerson>;

/** One line of the tree as it is drawn, from top to bottom. */
export type Row =
  | {
      type: "site";
      site: DirectorySite;
      /** From 1, as in `aria-level`. */
      level: number;
      /** Sites below it, at any depth. */
      below: number;
      belowOnline: number;
      hasChildren: boolean;
      expanded: boolean;
    }
  /** Field units stand below their own site, too. */
  | { type: "person"; person: DirectoryPerson; commanded: boolean; level: number };

type Wanted = { search: string; collapsed: ReadonlySet<SiteCode>; own: SiteCode };

export function rowsOf(sites: Sites, people: People, wanted: Wanted): Row[] {
  const children = childrenOf(sites);
  const staff = staffOf(people);
  const needle = wanted.search.trim().toLowerCase();
  const rows: Row[] = [];

  /** Appends the site and what is below it; false, and nothing appended, if nothing of it matches. */
  function visit(site: DirectorySite, level: number, within: boolean): boolean {
    const shown = within || matches(needle, site.name, site.code);
    const kids = children.get(site.code) ?? [];
    const persons = staff.get(site.code) ?? [];
    const count = countBelow(site.code, children);
    const expanded = needle !== "" || !wanted.collapsed.has(site.code);
    const at = rows.length;
    const hasChildren = kids.length + persons.length > 0;
    rows.push({ type: "site", site, level, ...count, hasChildren, expanded });
    if (!expanded) return true;
    let any = shown;
    for (const kid of kids) any = visit(kid, level + 1, shown) || any;
    for (const person of persons) {
      if (!shown && !matches(needle, person.name, person.account)) continue;
      rows.push({ type: "person", person, commanded: site.commanded || site.code === wanted.own, level: level + 1 });
      any = true;
    }
    if (!any) rows.length = at;
    return any;
  }

  for (const site of sites.values()) {
    if (site.parent === null || !sites.has(site.parent)) visit(site, 1, needle === "");
  }
  return rows;
}

export type TierCount = { tier: Tier; online: number; total: number };

/** Sites that the client may order, by tier, and how many of them can be reached. */
export function tierCounts(sites: Sites, own: SiteCode): TierCount[] {
  const counts = new Map<Tier, TierCount>();
  for (const site of sites.values()) {
    if (!site.commanded || site.code === own) continue;
    const count = counts.get(site.tier) ?? { tier: site.tier, online: 0, total: 0 };
    count.total += 1;
    if (reachable(site.presence)) count.online += 1;
    counts.set(site.tier, count);
  }
  return [...counts.values()];
}

export function reachable(presence: Presence | null): boolean {
  return presence === "online" || presence === "degraded";
}

/** The site above, if the client knows of one. */
export function siteAbove(sites: Sites, own: SiteCode): DirectorySite | undefined {
  const parent = sites.get(own)?.parent;
  return parent == null ? undefined : sites.get(parent);
}

function childrenOf(sites: Sites): ReadonlyMap<SiteCode, DirectorySite[]> {
  const children = new Map<SiteCode, DirectorySite[]>();
  for (const site of sites.values()) {
    if (site.parent === null) continue;
    const siblings = children.get(site.parent);
    if (siblings === undefined) children.set(site.parent, [site]);
    else siblings.push(site);
  }
  return children;
}

function staffOf(people: People): ReadonlyMap<SiteCode, DirectoryPerson[]> {
  const staff = new Map<SiteCode, DirectoryPerson[]>();
  for (const person of people.values()) {
    const colleagues = staff.get(person.site);
    if (colleagues === undefined) staff.set(person.site, [person]);
    else colleagues.push(person);
  }
  return staff;
}

function countBelow(code: SiteCode, children: ReadonlyMap<SiteCode, DirectorySite[]>) {
  let below = 0;
  let belowOnline = 0;
  for (const kid of children.get(code) ?? []) {
    const deeper = countBelow(kid.code, children);
    below += 1 + deeper.below;
    belowOnline += (reachable(kid.presence) ? 1 : 0) + deeper.belowOnline;
  }
  return { below, belowOnline };
}

function matches(needle: string, ...texts: string[]): boolean {
  return texts.some((text) => text.toLowerCase().includes(needle));
}
