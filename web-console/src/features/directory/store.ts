import { create } from "zustand";

import type { Target } from "../../protocol/generated/Target";

type DirectoryView = {
  search: string;
  collapsed: ReadonlySet<string>;
  /** By `targetKey`, in the order of selecting. */
  selected: ReadonlyMap<string, { target: Target; commanded: boolean }>;
  /** True: calls are orders wherever the tier rule allows. */
  ordered: boolean;
};

/** What the user looks at in the tree; the sites themselves are in the replica. */
export const useDirectoryView = create<DirectoryView>(() => ({
  search: "",
  collapsed: new Set(),
  selected: new Map(),
  ordered: true,
}));

const set = useDirectoryView.setState;

export function search(text: string): void {
  set({ search: text });
}

export function setOrdered(ordered: boolean): void {
  set({ ordered });
}

export function toggleCollapsed(code: string): void {
  set(({ collapsed }) => {
    const next = new Set(collapsed);
    if (!next.delete(code)) next.add(code);
    return { collapsed: next };
  });
}

export function toggleSelected(target: Target, commanded: boolean): void {
  set(({ selected }) => {
    const next = new Map(selected);
    const key = targetKey(target);
    if (!next.delete(key)) next.set(key, { target, commanded });
    return { selected: next };
  });
}

export function clearSelection(): void {
  set({ selected: new Map() });
}

export function targetKey(target: Target): string {
  switch (target.type) {
    case "site":
      return `site:${target.code}`;
    case "person":
      return `person:${target.account}`;
    case "tier":
      return `tier:${target.tier}`;
    case "subtree":
      return `subtree:${target.root}`;
    default:
      return target satisfies never;
  }
}
