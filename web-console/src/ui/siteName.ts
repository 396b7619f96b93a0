import { useReplica } from "../protocol/client";
import type { DirectorySite } from "../protocol/generated/DirectorySite";
import type { SiteCode } from "../protocol/generated/SiteCode";

const endings = new WeakMap<ReadonlyMap<SiteCode, DirectorySite>, string>();

/** What all names end in (such as 综治中心), so that small places can leave it out; empty if nothing. */
export function commonEnding(names: readonly string[]): string {
  const [first, ...others] = names;
  if (first === undefined || others.length === 0) return "";
  let length = Math.min(...names.map((name) => name.length - 1));
  while (length > 0 && !others.every((name) => name.endsWith(first.slice(-length)))) length -= 1;
  // A single letter in common is chance.
  return length >= 2 ? first.slice(-length) : "";
}

/** Shortens names of sites by what they all end in. */
export function useShortName(): (name: string) => string {
  const sites = useReplica((replica) => replica.sites);
  let ending = endings.get(sites);
  if (ending === undefined) {
    ending = commonEnding([...sites.values()].map((site) => site.name));
    endings.set(sites, ending);
  }
  const cut = ending;
  return (name) => (cut !== "" && name.length > cut.length && name.endsWith(cut) ? name.slice(0, -cut.length) : name);
}
